"""Balls of different radii that do not overlap: spheres, discs, or fibres along an axis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.structures import Axis, Structure, check_axis

Floats = NDArray[np.float64]

# Neighbours asked for at first; more where a large ball farther away may be nearer by its surface.
_NEIGHBOURS = 6


@dataclass(frozen=True, eq=False)
class UnequalBalls(Structure):
    """Balls that do not overlap, each of its own radius, in a periodic cell of side 1.

    Args:
        centres: ``[n, 3]`` of spheres, or ``[n, 2]`` of discs and of the cross-sections of fibres (x before y before
            z, without the axis of the fibres); in [0, 1).
        radii: ``[n]``, in sides of the cell, below 0.5.
        axis: direction of the fibres; ``None`` for spheres and discs.
    """

    centres: Floats
    radii: Floats
    axis: Axis | None = None

    @property
    def dim(self) -> int:
        """2 or 3."""
        return int(self.centres.shape[1]) + (self.axis is not None)

    @property
    def fraction(self) -> float:
        """Exact volume fraction of the balls."""
        return float(ball_volumes(self.radii, self.centres.shape[1]).sum())

    def distance(self, points: ArrayLike) -> Floats:
        """Distance ``[m]`` of ``points [m, d]`` to the nearest surface, negative inside."""
        return self._nearest(points)[0]

    def normal(self, points: ArrayLike) -> Floats:
        """Radial directions ``[m, d]``; along the first axis at a centre itself."""
        offset = self._nearest(points)[1]
        length = np.linalg.norm(offset, axis=1, keepdims=True)
        unit = np.where(length > 0.0, offset / np.where(length > 0.0, length, 1.0), np.eye(offset.shape[1])[0])
        return unit if self.axis is None else np.insert(unit, "xyz".index(self.axis), 0.0, axis=1)

    def gaps(self) -> Floats:
        """Least distance ``[n]`` of every ball's surface to that of another one, images included."""
        from scipy.spatial import cKDTree

        count = len(self.radii)
        if count == 1:
            return np.array([1.0 - 2.0 * self.radii[0]])
        tree = cKDTree(self.centres, boxsize=1.0)
        found = np.full(count, np.inf)
        for neighbours in (min(24, count), count):
            distance, index = tree.query(self.centres, k=neighbours)
            found = (distance - self.radii[:, None] - self.radii[index])[:, 1:].min(axis=1)
            if (distance[:, -1] - self.radii - self.radii.max() >= found).all():
                break
        return np.asarray(found)

    def _nearest(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Signed distance ``[m]``, and offset ``[m, k]`` from the centre of the nearest ball, across the axis."""
        from scipy.spatial import cKDTree

        places = _wrapped(self._across(points))
        tree, largest = cKDTree(self.centres, boxsize=1.0), float(self.radii.max())
        distance, nearest = np.empty(len(places)), np.empty(len(places), dtype=np.int64)
        left, neighbours = np.arange(len(places)), min(_NEIGHBOURS, len(self.radii))
        while len(left):
            gap, index = tree.query(places[left], k=[*range(1, neighbours + 1)])
            surface = gap - self.radii[index]
            best = surface.argmin(axis=1)[:, None]
            distance[left] = np.take_along_axis(surface, best, 1)[:, 0]
            nearest[left] = np.take_along_axis(index, best, 1)[:, 0]
            if neighbours == len(self.radii):
                break
            left = left[distance[left] > gap[:, -1] - largest]
            neighbours = min(4 * neighbours, len(self.radii))
        offset = places - self.centres[nearest]
        return distance, np.asarray(offset - np.rint(offset))

    def _across(self, points: ArrayLike) -> Floats:
        places = np.asarray(points, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != self.dim:
            raise ShapeError(f"The points have the shape {places.shape}; [m, {self.dim}] is needed, x first.")
        return places if self.axis is None else np.delete(places, "xyz".index(self.axis), axis=1)


def unequal_balls(centres: ArrayLike, radii: ArrayLike, *, axis: Axis | None = None) -> UnequalBalls:
    """Return balls of given centres and radii; see `UnequalBalls`.

    Raises:
        ShapeError: centres that are not ``[n, 2]`` or ``[n, 3]``, or radii that are not ``[n]``.
        InputError: radii that are not positive, or balls that overlap.
    """
    places, sizes = np.array(centres, dtype=np.float64), np.array(radii, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] not in ((2,) if axis else (2, 3)) or sizes.shape != places.shape[:1]:
        raise ShapeError(
            f"The centres have the shape {places.shape} and the radii {sizes.shape}; [n, 2] for discs and fibres or "
            "[n, 3] for spheres, and [n], are needed."
        )
    check_axis(axis, 3)
    if not (np.isfinite(places).all() and np.isfinite(sizes).all() and (sizes > 0.0).all() and len(sizes)):
        raise InputError("The centres and radii of the balls must be finite, and the radii positive.")
    made = UnequalBalls(_wrapped(places), sizes, axis)
    gaps = made.gaps()
    if gaps.min() < -1e-12 or sizes.max() > 0.5:
        worst = int(gaps.argmin())
        raise InputError(
            f"Ball {worst} of radius {sizes[worst]:.6g} overlaps another one, or itself across the cell of side 1, by "
            f"{max(-gaps[worst], 2.0 * sizes[worst] - 1.0):.3g}; move them apart or make them smaller."
        )
    return made


def ball_volumes(radii: Floats, dim: int) -> Floats:
    """Areas of discs or volumes of spheres, ``[n]``."""
    return np.asarray(math.pi * radii**2 if dim == 2 else 4.0 / 3.0 * math.pi * radii**3)


def _wrapped(points: Floats) -> Floats:
    inside = points - np.floor(points)
    # A tiny negative number is wrapped to 1 itself.
    return np.where(inside >= 1.0, 0.0, inside)
