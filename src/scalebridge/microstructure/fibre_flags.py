"""Fibres that are not whole round sections: cut by the edge, or running in the plane of the slice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

COHERENT = 0.5
"""Coherence of the structure tensor over two radii from which a neighbourhood is streaks, not sections."""

SLENDER = 1.6
"""Ratio of the axes from which a section is far from round."""


def cut_by_edge(centres: Grey, radius: Grey, inside: Mask) -> Mask:
    """Return which circles reach beyond the field of view, ``[n]``: their edge was not seen all around."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    rows, columns = np.clip(np.rint(centres).astype(int), 0, np.array(inside.shape) - 1).T
    return np.asarray(depth[rows, columns] < radius + 0.5)


def in_plane(centres: Grey, radius: Grey, grey: Grey, aspect: Grey) -> Mask:
    """Return which circles lie on streaks or are far from round, ``[n]``.

    The structure tensor (Bigun and Granlund 1987) of gradients over 0.3 radii, averaged over two radii, has the
    coherence (l1 - l2) / (l1 + l2): small where sections of any packing are round, towards 1 along a streak.
    """
    from skimage.feature import structure_tensor

    size = float(np.median(radius))
    rr, rc, cc = structure_tensor(_smoothed(grey, 0.3 * size), sigma=2.0 * size, mode="nearest", order="rc")
    trace = np.maximum(rr + cc, 1e-12)
    coherence = np.hypot(rr - cc, 2 * rc) / trace
    rows, columns = np.clip(np.rint(centres).astype(int), 0, np.array(grey.shape) - 1).T
    return np.asarray((coherence[rows, columns] > COHERENT) | (aspect > SLENDER))


def _smoothed(grey: Grey, sigma: float) -> Grey:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(grey, max(sigma, 0.7)))
