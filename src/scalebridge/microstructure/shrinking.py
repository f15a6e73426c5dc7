"""Images made smaller by whole factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shrunk(grey: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Return means over squares of ``factor`` pixels; a rest at the right and bottom is filled by the edge."""
    if factor == 1:
        return grey
    rows, columns = (-(-size // factor) for size in grey.shape)
    full = np.pad(grey, ((0, rows * factor - grey.shape[0]), (0, columns * factor - grey.shape[1])), mode="edge")
    return np.asarray(full.reshape(rows, factor, columns, factor).mean(axis=(1, 3)))
