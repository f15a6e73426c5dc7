"""Images and masks made smaller by whole factors."""

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


def shrunk_labels(labels: NDArray[np.int16], classes: int, factor: int) -> NDArray[np.int16]:
    """Return the class that most marked pixels of each square of ``factor`` pixels have, -1 where none is marked.

    Args:
        labels: ``[rows, columns]``, -1 unmarked.
        classes: number of classes.
        factor: edge of a square; squares at the right and bottom may be cut, as in `shrunk`.
    """
    if factor == 1:
        return labels
    rows, columns = (-(-size // factor) for size in labels.shape)
    rest = (0, rows * factor - labels.shape[0]), (0, columns * factor - labels.shape[1])
    blocks = np.pad(labels, rest, constant_values=-1).reshape(rows, factor, columns, factor)
    counts = np.stack([(blocks == k).sum(axis=(1, 3)) for k in range(classes)])
    return np.where(counts.any(axis=0), counts.argmax(axis=0), -1).astype(np.int16)
