"""Points in a window: the centres of fibres, spheres or pores, and the field of view that shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.distance_maps import distances
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked_spacing


@dataclass(frozen=True, eq=False)
class Points:
    """Points and the window they were seen in; build it by `points_in`.

    Attributes:
        places: ``[n, d]`` in pixels, in the order of the axes; the centre of the first pixel is 0.
        inside: the window, ``[*grid]``.
        depth: distance of each point to the edge of the window in pixels, ``[n]``.
        spacing: edge of a pixel.
    """

    places: Floats
    inside: Mask
    depth: Floats
    spacing: float

    def __len__(self) -> int:
        return len(self.places)

    @property
    def dim(self) -> int:
        """2 or 3."""
        return self.inside.ndim

    @property
    def intensity(self) -> float:
        """Points per pixel, or voxel."""
        return len(self) / float(self.inside.sum())

    def left(self, distance: Floats) -> Floats:
        """Pixels of the window that lie deeper than each distance in pixels, ``[n]``: |W eroded by a ball|."""
        if self.inside.all():
            sides = np.array(self.inside.shape)[:, None] - 2 * np.asarray(distance, dtype=np.float64)
            return np.asarray(np.maximum(sides, 0.0).prod(axis=0))
        frame = np.pad(self.inside, 1)
        depths = np.sort(distances(frame)[frame].astype(np.float64) - 0.5)
        return np.asarray(depths.size - np.searchsorted(depths, distance), dtype=np.float64)


def points_in(places: ArrayLike, window: ArrayLike | tuple[int, ...], spacing: float = 1.0) -> Points:
    """Return points with their window.

    Args:
        places: ``[n, d]`` in pixels, in the order of the axes (row, column).
        window: the field of view as a mask ``[*grid]``, or the shape of an image that is all inside.
        spacing: edge of a pixel; results are in its unit.

    Raises:
        ShapeError: places that are no ``[n, d]`` of the window's dimensions.
        InputError: places that are not finite, outside of the window, or at the same place twice.
    """
    inside = np.ones(window, dtype=bool) if isinstance(window, tuple) else np.asarray(window, dtype=bool)
    found = np.asarray(places, dtype=np.float64)
    if inside.ndim not in (2, 3) or found.ndim != 2 or found.shape[1] != inside.ndim:
        raise ShapeError(
            f"The points have the shape {found.shape} and their window {inside.shape}; [n, d] and a grid of d = 2 or "
            "3 dimensions are needed."
        )
    if not np.isfinite(found).all():
        raise InputError("Some points have coordinates that are not finite; leave them out.")
    pixel = np.rint(found).astype(int)
    within = ((pixel >= 0) & (pixel < inside.shape)).all(axis=1)
    if not within.all() or not inside[tuple(pixel.T)].all():
        missing = int((~within).sum()) + int((~inside[tuple(pixel[within].T)]).sum())
        raise InputError(f"{missing} of {len(found)} points lie outside of the window; give those within it.")
    if len(np.unique(found, axis=0)) != len(found):
        raise InputError("Two points lie at the same place; count each once.")
    return Points(found, inside, _depth(found, pixel, inside), checked_spacing(spacing))


def _depth(places: Floats, pixel: NDArray[np.int64], inside: Mask) -> Floats:
    """Exact in a box; to half a pixel in a window of another shape."""
    ends = np.minimum(places + 0.5, np.array(inside.shape) - 0.5 - places).min(axis=1)
    if inside.all():
        return np.asarray(ends)
    away = distances(np.pad(inside, 1, constant_values=True))[tuple(pixel.T + 1)].astype(np.float64) - 0.5
    return np.asarray(np.maximum(np.minimum(ends, away), 0.0))
