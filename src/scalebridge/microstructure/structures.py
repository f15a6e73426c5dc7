"""Generated structures with exact geometry: their fractions, interfaces and normals are known, not sampled.

A structure fills a periodic cell of side 1 with a matrix (phase 0) and an inclusion (phase 1). It is told by a
signed distance, so that the same object gives labels, fractions per voxel, normals and composite voxels at any
resolution::

    ball = sb.microstructure.sphere(fraction=0.1)
    ball.labels(32), ball.fraction, ball.subvoxels(32)

Points are ``[m, d]`` with x (direction 1, the last axis of a grid) first.
"""

from __future__ import annotations

import itertools
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.subvoxel import SPREAD, SubVoxels, cut_fraction, from_level_set

Floats = NDArray[np.float64]
Axis = Literal["x", "y", "z"]

_CHUNK = 1 << 20
_UNTOLD = 2


class Structure(ABC):
    """A two-phase periodic cell of side 1, told by a signed distance."""

    @property
    @abstractmethod
    def dim(self) -> int:
        """2 or 3."""

    @property
    @abstractmethod
    def fraction(self) -> float:
        """Exact volume fraction of the inclusion."""

    @abstractmethod
    def distance(self, points: ArrayLike) -> Floats:
        """Distance ``[m]`` of ``points [m, d]`` to the interface, negative in the inclusion; periodic."""

    @abstractmethod
    def normal(self, points: ArrayLike) -> Floats:
        """Unit normal ``[m, d]`` of the nearest interface, out of the inclusion: the gradient of `distance`."""

    def labels(self, shape: int | Sequence[int]) -> NDArray[np.uint8]:
        """Return the phase at the centre of every voxel ``[*shape]``, 1 in the inclusion.

        Args:
            shape: voxels along each axis, ``(ny, nx)`` or ``(nz, ny, nx)``, or one number for all.

        Raises:
            ShapeError: another number of axes.
        """
        return _marked(self.distance, self._grid(shape))

    def fractions(self, shape: int | Sequence[int], samples: int = 4) -> Floats:
        """Return the share of the inclusion in every voxel ``[*shape]``.

        Each of ``samples`` sub-voxels per axis is cut by the plane of its distance and normal: exact for planes,
        and of second order in the sub-voxel for curved interfaces.

        Raises:
            ShapeError: another number of axes.
            InputError: no sub-voxel.
        """
        if samples < 1:
            raise InputError(f"{samples} sub-voxels per axis were asked for; at least 1 is needed.")
        grid = self._grid(shape)
        edges = 1.0 / np.array(grid[::-1], dtype=np.float64)
        inner = _inner(samples, self.dim) * edges
        shares = []
        for centres in _centres(grid):
            d = self.distance(centres)
            share = (d < 0.0).astype(np.float64)
            # A distance changes by no more than the way gone.
            near = np.flatnonzero(np.abs(d) <= 0.5 * np.linalg.norm(edges))
            for part in np.array_split(near, len(near) * len(inner) // _CHUNK + 1):
                points = (centres[part, None, :] + inner).reshape(-1, self.dim)
                cut = cut_fraction(-self.distance(points), -self.normal(points) * edges / samples)
                share[part] = cut.reshape(-1, len(inner)).mean(axis=1)
            shares.append(share)
        return np.concatenate(shares).reshape(grid)

    def subvoxels(self, shape: int | Sequence[int], *, samples: int = 4, spread: float = SPREAD) -> SubVoxels:
        """Return labels with what is known below a voxel, for composite voxels; see `subvoxel.from_level_set`.

        Raises:
            ShapeError: another number of axes.
        """
        grid = self._grid(shape)

        def inside(*coordinates: Floats) -> Floats:
            points = np.stack([np.ravel(x) for x in np.broadcast_arrays(*coordinates)], axis=-1)
            return np.asarray(-self.distance(points)).reshape(np.broadcast_shapes(*(np.shape(x) for x in coordinates)))

        spacing = tuple(1.0 / n for n in grid)
        return from_level_set(inside, grid, samples=samples, spread=spread, spacing=spacing)

    def _grid(self, shape: int | Sequence[int]) -> tuple[int, ...]:
        sizes = (shape,) * self.dim if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
        if len(sizes) != self.dim or min(sizes) < 1:
            raise ShapeError(
                f"The structure has {self.dim} dimensions and was asked for {shape} voxels; give {self.dim} positive "
                "numbers, or one for all."
            )
        return sizes


@dataclass(frozen=True, eq=False)
class Balls(Structure):
    """Equal balls that do not overlap: spheres, or discs, or fibres along an axis.

    Args:
        centres: ``[n, 3]`` of spheres, or ``[n, 2]`` of discs and of the cross-sections of fibres (x before y before
            z, without the axis of the fibres).
        radius: of all.
        axis: direction of the fibres; ``None`` for spheres and discs.
    """

    centres: Floats
    radius: float
    axis: Axis | None = None

    @property
    def dim(self) -> int:
        """2 or 3."""
        return int(self.centres.shape[1]) + (self.axis is not None)

    @property
    def fraction(self) -> float:
        """Exact volume fraction of the balls."""
        return len(self.centres) * ball_volume(self.centres.shape[1], self.radius)

    def distance(self, points: ArrayLike) -> Floats:
        """Distance ``[m]`` of ``points [m, d]`` to the nearest surface, negative inside."""
        return self._nearest(points)[0]

    def normal(self, points: ArrayLike) -> Floats:
        """Radial directions ``[m, d]``; along the first axis at a centre itself."""
        distance, offset = self._nearest(points)
        length = (distance + self.radius)[:, None]
        unit = np.where(length > 0.0, offset / np.where(length > 0.0, length, 1.0), np.eye(offset.shape[1])[0])
        return unit if self.axis is None else np.insert(unit, "xyz".index(self.axis), 0.0, axis=1)

    def _nearest(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Signed distance ``[m]``, and offset from the nearest centre, across the axis."""
        from scipy.spatial import cKDTree

        places = _checked_points(points, self.dim)
        if self.axis is not None:
            places = np.delete(places, "xyz".index(self.axis), axis=1)
        tree = cKDTree(_wrapped(self.centres), boxsize=1.0)
        # Equal radii: the nearest surface is that of the nearest centre.
        gap, index = tree.query(_wrapped(places))
        offset = places - self.centres[index]
        return np.asarray(gap - self.radius), offset - np.rint(offset)


@dataclass(frozen=True)
class Laminate(Structure):
    """Parallel layers: the inclusion is the slab from 0 to ``share`` along ``axis``.

    Args:
        share: thickness of the slab.
        axis: the normal of the layers.
        dim: 2 or 3.
    """

    share: float
    axis: Axis = "x"
    dim: int = 3

    @property
    def fraction(self) -> float:
        """Exact volume fraction of the slab."""
        return self.share

    def distance(self, points: ArrayLike) -> Floats:
        """Distance ``[m]`` of ``points [m, d]`` to the nearest face, negative in the slab."""
        return np.asarray(np.abs(self._offset(points)) - self.share / 2)

    def normal(self, points: ArrayLike) -> Floats:
        """Plus or minus the axis, ``[m, d]``."""
        offset = self._offset(points)
        # In the matrix the middle between two slabs is as far from either.
        return np.asarray(np.where(offset < 0.0, -1.0, 1.0)[:, None] * np.eye(self.dim)["xyz".index(self.axis)])

    def _offset(self, points: ArrayLike) -> Floats:
        along = _checked_points(points, self.dim)[:, "xyz".index(self.axis)] - self.share / 2
        return np.asarray(along - np.rint(along))


@dataclass(frozen=True)
class Checkerboard(Structure):
    """Squares (cubes) of side one half in turn; the one at the origin is matrix.

    Args:
        dim: 2 or 3.
    """

    dim: int = 2

    @property
    def fraction(self) -> float:
        """One half."""
        return 0.5

    def distance(self, points: ArrayLike) -> Floats:
        """Distance ``[m]`` of ``points [m, d]`` to the nearest side, negative in the inclusion."""
        places = _checked_points(points, self.dim)
        return np.asarray(self._sign(places) * np.abs(_to_half(places)).min(axis=1))

    def normal(self, points: ArrayLike) -> Floats:
        """Across the nearest side, ``[m, d]``."""
        places = _checked_points(points, self.dim)
        offset = _to_half(places)
        nearest = np.abs(offset).argmin(axis=1)
        towards = np.take_along_axis(offset, nearest[:, None], 1)[:, 0]
        across = self._sign(places) * np.where(towards < 0.0, -1.0, 1.0)
        return np.asarray(across[:, None] * np.eye(self.dim)[nearest])

    def _sign(self, places: Floats) -> Floats:
        return np.where(np.floor(2.0 * places).sum(axis=1) % 2 == 0, 1.0, -1.0)


def sphere(*, radius: float | None = None, fraction: float | None = None) -> Balls:
    """Return one sphere in the middle of a cube: a simple cubic array.

    Args:
        radius: at most 0.5; or
        fraction: at most pi / 6.

    Raises:
        InputError: neither or both, or spheres that would overlap.
    """
    return balls(np.full((1, 3), 0.5), radius=radius, fraction=fraction)


def body_centred_spheres(*, radius: float | None = None, fraction: float | None = None) -> Balls:
    """Return spheres at the corner and in the middle of a cube: a body-centred cubic array.

    Args:
        radius: at most sqrt(3) / 4; or
        fraction: at most pi sqrt(3) / 8.

    Raises:
        InputError: neither or both, or spheres that would overlap.
    """
    return balls(np.array([[0.0] * 3, [0.5] * 3]), radius=radius, fraction=fraction)


def cylinder(*, radius: float | None = None, fraction: float | None = None, axis: Axis | None = None) -> Balls:
    """Return a disc in the middle of a square, or with ``axis`` a fibre in a cube: a square array.

    Args:
        radius: at most 0.5; or
        fraction: at most pi / 4.
        axis: direction of the fibre; ``None`` for two dimensions.

    Raises:
        InputError: neither or both, or cylinders that would overlap.
    """
    return balls(np.full((1, 2), 0.5), radius=radius, fraction=fraction, axis=axis)


def balls(
    centres: ArrayLike, *, radius: float | None = None, fraction: float | None = None, axis: Axis | None = None
) -> Balls:
    """Return equal balls at given centres; see `Balls`.

    Raises:
        InputError: neither or both of radius and fraction, or balls that would overlap.
        ShapeError: centres that are not ``[n, 2]`` or ``[n, 3]``.
    """
    places = np.array(centres, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] not in ((2,) if axis else (2, 3)) or not np.isfinite(places).all():
        raise ShapeError(
            f"The centres have the shape {places.shape}; [n, 2] for discs and fibres or [n, 3] for spheres is needed, "
            "all finite."
        )
    check_axis(axis, 3)
    size = radius_of(radius, fraction, len(places), places.shape[1])
    reach = _reach(places)
    if size > reach * (1 + 1e-12):
        raise InputError(
            f"Balls of radius {size:.6g} would overlap: at these centres the radius may go to {reach:.6g}, a fraction "
            f"of {len(places) * ball_volume(places.shape[1], reach):.4g}."
        )
    return Balls(places, size, axis)


def laminate(fraction: float = 0.5, *, axis: Axis = "x", dim: int = 3) -> Laminate:
    """Return layers normal to ``axis``, the inclusion from 0 to ``fraction``.

    Raises:
        InputError: a fraction outside (0, 1), or an axis that the dimension lacks.
    """
    _check_fraction(fraction)
    _check_dim(dim)
    check_axis(axis, dim)
    return Laminate(float(fraction), axis, dim)


def checkerboard(dim: int = 2) -> Checkerboard:
    """Return squares (or with ``dim=3`` cubes) of side one half.

    Raises:
        InputError: another dimension.
    """
    _check_dim(dim)
    return Checkerboard(dim)


def ball_volume(dim: int, radius: float) -> float:
    """Area of a disc or volume of a sphere."""
    return math.pi * radius**2 if dim == 2 else 4.0 / 3.0 * math.pi * radius**3


def radius_of(radius: float | None, fraction: float | None, count: int, dim: int) -> float:
    """Return the radius of ``count`` balls from one of radius and fraction.

    Raises:
        InputError: neither or both, or not positive.
    """
    if (radius is None) == (fraction is None):
        raise InputError(f"The balls have radius={radius} and fraction={fraction}; give one of the two.")
    if radius is None:
        share = _check_fraction(fraction)
        return float((share / (count * ball_volume(dim, 1.0))) ** (1.0 / dim))
    if not (math.isfinite(radius) and radius > 0):
        raise InputError(f"The radius of the balls is {radius}; it must be positive, in sides of the cell.")
    return float(radius)


def _reach(centres: Floats) -> float:
    """Largest radius without overlap: half the least distance, images included."""
    from scipy.spatial import cKDTree

    if len(centres) == 1:
        return 0.5
    gaps, _ = cKDTree(_wrapped(centres), boxsize=1.0).query(_wrapped(centres), k=2)
    return float(min(0.5, gaps[:, 1].min() / 2))


def _check_fraction(fraction: float | None) -> float:
    if fraction is None or not 0.0 < fraction < 1.0:
        raise InputError(f"The fraction of the inclusion is {fraction}; it must lie in (0, 1).")
    return float(fraction)


def _check_dim(dim: int) -> None:
    if dim not in (2, 3):
        raise InputError(f"A structure of {dim} dimensions was asked for; 2 or 3 can be made.")


def check_axis(axis: str | None, dim: int) -> None:
    """Raise `InputError` unless the axis is one of a structure of ``dim`` dimensions, or ``None``."""
    if axis is not None and axis not in "xyz"[:dim]:
        raise InputError(f"The axis '{axis}' is none of a structure of {dim} dimensions; give one of {'xyz'[:dim]}.")


def _checked_points(points: ArrayLike, dim: int) -> Floats:
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != dim:
        raise ShapeError(f"The points have the shape {places.shape}; [m, {dim}] is needed, x first.")
    return places


def _wrapped(points: Floats) -> Floats:
    inside = points - np.floor(points)
    # A tiny negative number is wrapped to 1 itself.
    return np.where(inside >= 1.0, 0.0, inside)


def _to_half(points: Floats) -> Floats:
    """Offset from the nearest multiple of one half."""
    return points - np.rint(2.0 * points) / 2.0


def _centres(grid: tuple[int, ...]) -> Iterator[Floats]:
    """Yield the centres of voxels ``[m, d]``, x first, voxels in C order."""
    for start in range(0, math.prod(grid), _CHUNK):
        index = np.arange(start, min(start + _CHUNK, math.prod(grid)))
        corner = np.stack(np.unravel_index(index, grid), axis=-1)
        yield ((corner + 0.5) / np.array(grid))[:, ::-1]


def _marked(distance: Callable[[Floats], Floats], grid: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return 1 at the voxels whose centres lie at a negative distance, 0 elsewhere.

    A distance changes by no more than the way gone, so that one value tells a whole block far from the interface;
    the other blocks are halved until they are voxels.
    """
    side = 2 ** min(4, max(0, min(grid).bit_length() - 2))
    state = np.full([-(-n // side) for n in grid], _UNTOLD, dtype=np.uint8)
    while True:
        untold = np.flatnonzero(state == _UNTOLD)
        reach = 0.5 * float(np.linalg.norm((side - 1.0) / np.array(grid))) * (1.0 + 1e-9)
        for part in np.array_split(untold, len(untold) // _CHUNK + 1):
            corner = np.stack(np.unravel_index(part, state.shape), axis=-1) * side
            d = distance(((corner + 0.5 * side) / np.array(grid))[:, ::-1])
            known = np.where(d < 0.0, 1, 0)
            state.ravel()[part] = known if side == 1 else np.where(np.abs(d) > reach, known, _UNTOLD)
        if side == 1:
            return np.ascontiguousarray(state[tuple(slice(n) for n in grid)])
        side //= 2
        for axis in range(state.ndim):
            state = state.repeat(2, axis=axis)


def _inner(samples: int, dim: int) -> Floats:
    """Centres of sub-voxels ``[samples ** dim, dim]``, from the centre of a voxel of side 1."""
    return np.array(list(itertools.product((np.arange(samples) + 0.5) / samples - 0.5, repeat=dim)))
