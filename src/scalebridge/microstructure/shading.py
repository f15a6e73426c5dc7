"""A smooth trend of grey values across the image, which a single threshold cannot follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRONG = 0.15
"""Share of the grey variance in the trend from which a note warns of it."""


def without_trend(grey: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Fit a quadratic surface to grey values inside; return the rest, ``[n]``, and the share of variance fitted."""
    rows, columns = np.nonzero(inside)
    y = 2 * rows / grey.shape[0] - 1
    x = 2 * columns / grey.shape[1] - 1
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1)
    values = grey[inside]
    # Normal equations: six unknowns against a million pixels.
    weights = np.linalg.lstsq(surface.T @ surface, surface.T @ values, rcond=None)[0]
    rest = values - surface @ weights
    total = float(values.var())
    return rest, 1 - float(rest.var()) / total if total > 0 else 0.0
