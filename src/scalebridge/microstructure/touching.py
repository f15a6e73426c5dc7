"""Touching inclusions told apart by the grey valleys between their centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEPTH = 0.03
"""Least depth of a valley between two inclusions, in units of the contrast of the phases."""


def typical_radius(bright: Mask) -> float:
    """Return the median height of the ridge points of the distance transform of ``bright``, in pixels."""
    from scipy.ndimage import distance_transform_edt, maximum_filter

    distance = distance_transform_edt(np.pad(bright, 1))[1:-1, 1:-1]
    peaks = distance[(distance == maximum_filter(distance, 5)) & (distance > 1.5)]
    return float(np.median(peaks)) if peaks.size else 1.5


def basins(grey: Grey, bright: Mask, inside: Mask, contrast: float, *, lines: bool) -> NDArray[np.int64]:
    """Return one label per inclusion centre, ``[rows, columns]``, 0 on the dividing lines if asked for.

    A watershed (Meyer 1994) of the grey values smoothed over 0.3 typical radii, from the maxima in
    ``bright`` that rise `DEPTH` contrasts over the saddle to a higher one. Basins fill all of ``inside``.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.measure import label
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    smooth = gaussian_filter(grey, max(1.0, 0.3 * typical_radius(bright)))
    tops = h_maxima(smooth, DEPTH * contrast).astype(bool) & bright
    return np.asarray(watershed(-smooth, label(tops), mask=inside, watershed_line=lines), dtype=np.int64)


def cuts(grey: Grey, bright: Mask, inside: Mask, contrast: float) -> Mask:
    """Return the pixels on the dividing lines between inclusions, one pixel wide, ``[rows, columns]``."""
    return np.asarray((basins(grey, bright, inside, contrast, lines=True) == 0) & inside)
