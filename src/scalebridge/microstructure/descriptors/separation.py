"""Regions that touch told apart by their distance maps: one label per fibre, ball or grain of a phase.

A watershed (Meyer 1994) of the distance to the background, from the maxima of the distance map smoothed over a quarter
of the typical radius that lie half a typical radius apart at least.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.microstructure.descriptors.distance_maps import distances
from scalebridge.microstructure.descriptors.masks import checked
from scalebridge.microstructure.descriptors.region_shapes import Regions


def separated(phase: ArrayLike, inside: ArrayLike | None = None) -> NDArray[np.int32]:
    """Return a number per region of a phase ``[*grid]``, 0 outside of it; touching round regions are parted.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.

    Raises:
        InputError: as `masks.checked`.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter
    from skimage.segmentation import watershed

    mask, visible = checked(phase, inside)
    shown = mask if visible is None else mask & visible
    if not shown.any():
        return np.zeros(mask.shape, dtype=np.int32)
    # A region cut by the image's edge goes on beyond it.
    distance = distances(shown)
    near = (5,) * mask.ndim
    ridge = distance[(distance == maximum_filter(distance, near)) & (distance > 1)]
    radius = float(np.median(ridge)) if ridge.size else 1.0
    smooth = gaussian_filter(distance, 0.25 * radius, truncate=3.0)
    side = 2 * max(1, round(0.5 * radius)) + 1
    tops = (smooth == maximum_filter(smooth, (side,) * mask.ndim)) & shown
    return np.asarray(watershed(-smooth, _numbered(tops), mask=shown), dtype=np.int32)


def typical_diameter(found: Regions) -> float:
    """Return the diameter of regions above which half of the phase lies, in the unit of the regions; 0 for none."""
    if not len(found):
        return 0.0
    order = np.argsort(found.diameter)
    below = np.cumsum(found.size[order])
    return float(found.diameter[order][np.searchsorted(below, below[-1] / 2)])


def _numbered(tops: NDArray[np.bool_]) -> NDArray[np.int32]:
    from scipy.ndimage import generate_binary_structure, label

    found: tuple[NDArray[np.int32], int] = label(tops, generate_binary_structure(tops.ndim, tops.ndim), output=np.int32)
    return found[0]
