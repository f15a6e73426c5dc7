"""Precision and recall of thin things: by pixel within a tolerance, and by object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def pixelwise(found: Mask, truth: Mask, tolerance: float) -> tuple[float | None, float | None]:
    """Precision: share of found pixels within ``tolerance`` of a true one, recall the reverse; ``None`` if nothing."""
    return _near(found, truth, tolerance), _near(truth, found, tolerance)


def objectwise(found: Mask, truth: Mask, tolerance: float, share: float = 0.5) -> tuple[float | None, float | None]:
    """Precision and recall of connected objects: a hit has at least ``share`` of its pixels near the other mask."""
    return _hits(found, truth, tolerance, share), _hits(truth, found, tolerance, share)


def _near(one: Mask, other: Mask, tolerance: float) -> float | None:
    from scipy.ndimage import distance_transform_edt

    if not one.any():
        return None
    if not other.any():
        return 0.0
    return float((distance_transform_edt(~other)[one] <= tolerance).mean())


def _hits(one: Mask, other: Mask, tolerance: float, share: float) -> float | None:
    from scipy.ndimage import distance_transform_edt, label, mean

    parts, count = label(one, np.ones((3, 3)))
    if count == 0:
        return None
    if not other.any():
        return 0.0
    near = (distance_transform_edt(~other) <= tolerance).astype(np.float64)
    return float(np.mean(np.asarray(mean(near, parts, range(1, count + 1))) >= share))
