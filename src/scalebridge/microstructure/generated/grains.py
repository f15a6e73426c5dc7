"""Polycrystals and foams: Voronoi and Laguerre grains of a periodic cell, with orientations and boundaries.

::

    grains = sb.microstructure.random_grains(200, scatter=0.4, seed=1)      # log-normal volumes
    steel = sb.micro.RVE(grains.labels(48), [crystal], orientation=grains.rotations(48))
    walls = sb.microstructure.foam(60, 0.12, cells="closed").labels(96)
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.generated.laguerre import prescribed, regular
from scalebridge.microstructure.generated.packings import lognormal_diameters
from scalebridge.microstructure.generated.power_diagram import PowerDiagram, power_diagram
from scalebridge.microstructure.subvoxel import SubVoxels, coarsen

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shape = int | Sequence[int]
Places = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Grains:
    """Convex grains that fill a periodic cell of side 1; build it by `random_grains` or `foam`.

    Args:
        diagram: the cells and their faces.
        orientation: rotation of each grain ``[n, 3, 3]``, its local axes as columns.
        thickness: of the boundaries between grains, in sides of the cell.
        edges: count as boundary only what is near two faces at once: the struts of an open foam.
    """

    diagram: PowerDiagram
    orientation: Floats
    thickness: float = 0.0
    edges: bool = False

    @property
    def dim(self) -> int:
        """2 or 3."""
        return int(self.diagram.sites.shape[1])

    @property
    def volumes(self) -> Floats:
        """Exact volumes of the grains ``[n]``, their halves of the boundaries included; they add up to 1."""
        return self.diagram.volumes

    @property
    def neighbours(self) -> Ints:
        """Number of faces of every grain, ``[n]`` (of edges in 2-D)."""
        return np.bincount(self.diagram.first, minlength=len(self.diagram.sites))

    def grain(self, shape: Shape) -> Ints:
        """Return the grain at the centre of every voxel ``[*shape]``, from 0.

        Raises:
            ShapeError: another number of axes.
        """
        grid, sites = self._grid(shape), self.diagram.sites
        least, owner = np.full(grid, np.inf), np.full(grid, -1, dtype=np.int64)
        for k, places, axes in self._boxes(grid):
            squares = [((a - c) ** 2) for a, c in zip(axes, sites[k][::-1], strict=True)]
            power = sum(np.ix_(*squares)) - self.diagram.weights[k]
            nearer = power < least[places]
            least[places][nearer] = np.asarray(power)[nearer]
            owner[places][nearer] = k
        return owner

    def boundary_distance(self, shape: Shape) -> Floats:
        """Return the distance ``[*shape]`` of every voxel's centre from the nearest face of its grain.

        With ``edges`` it is the distance from the second nearest one.

        Raises:
            ShapeError: another number of axes.
        """
        grid, d = self._grid(shape), self.diagram
        owner, found = self.grain(grid), np.full(grid, -np.inf)
        start = np.searchsorted(d.first, np.arange(len(d.sites) + 1))
        for k, places, axes in self._boxes(grid):
            own = np.nonzero(owner[places] == k)
            faces = slice(start[k], start[k + 1])
            points = np.stack([a[i] for a, i in zip(axes, own, strict=True)][::-1], axis=1) - d.sites[k]
            gaps = d.height[faces] - points @ d.normal[faces].T
            nearest = np.partition(gaps, 1, axis=1)[:, :2] if self.edges else gaps.min(axis=1, keepdims=True)
            # A voxel seen from the wrong image of its grain lies outside of it.
            seen = np.where(gaps.min(axis=1) >= -1e-9, nearest[:, -1], -np.inf)
            found[places][own] = np.maximum(found[places][own], seen)
        return found

    def labels(self, shape: Shape) -> NDArray[np.uint8]:
        """Return 0 in the grains and 1 in the boundaries (walls, struts) between them, ``[*shape]``.

        Raises:
            ShapeError: another number of axes.
        """
        if self.thickness == 0.0:
            return np.zeros(self._grid(shape), dtype=np.uint8)
        return (self.boundary_distance(shape) < 0.5 * self.thickness).astype(np.uint8)

    def subvoxels(self, shape: Shape, *, samples: int = 3, spread: float = 0.0) -> SubVoxels:
        """Return `labels` with what is known below a voxel, from ``samples`` sub-voxels per axis.

        Raises:
            ShapeError: another number of axes.
        """
        grid = self._grid(shape)
        fine = self.labels([n * samples for n in grid])
        return coarsen(fine, samples, spread=spread, spacing=tuple(1.0 / n for n in grid))

    def rotations(self, shape: Shape) -> Floats:
        """Return the local axes of the grain at every voxel ``[*shape, 3, 3]``: the ``orientation`` of an `RVE`."""
        return self.orientation[self.grain(shape)]

    def _grid(self, shape: Shape) -> tuple[int, ...]:
        sizes = (shape,) * self.dim if isinstance(shape, int) else tuple(operator.index(n) for n in shape)
        if len(sizes) != self.dim or min(sizes) < 1:
            raise ShapeError(
                f"The grains have {self.dim} dimensions and were asked for {shape} voxels; give {self.dim} positive "
                "numbers, or one for all."
            )
        return sizes

    def _boxes(self, grid: tuple[int, ...]) -> Iterator[tuple[int, Places, list[Floats]]]:
        """Yield per grain the parts of the box around it that lie in one period, and the coordinates along its axes.

        Axes are in the order of the grid, coordinates as seen from the grain's own site.
        """
        low, high = self.diagram.low[:, ::-1], self.diagram.high[:, ::-1]
        for k in range(len(low)):
            parts = [_periods(low[k, a], high[k, a], n) for a, n in enumerate(grid)]
            for chosen in itertools.product(*parts):
                axes = [(np.arange(s, e) + 0.5) / n for (s, e), n in zip(chosen, grid, strict=True)]
                yield k, tuple(slice(s % n, (e - 1) % n + 1) for (s, e), n in zip(chosen, grid, strict=True)), axes


def random_grains(
    count: int = 100,
    *,
    dim: int = 3,
    scatter: float | None = None,
    volumes: ArrayLike | None = None,
    regularity: int = 0,
    thickness: float = 0.0,
    seed: int = 0,
) -> Grains:
    """Return grains of a Voronoi diagram of random sites, or of a Laguerre diagram with prescribed volumes.

    Orientations are random rotations, all equally likely.

    Args:
        count: number of grains.
        dim: 2 or 3; in 2-D the orientations turn in the plane.
        scatter: coefficient of variation of log-normal grain volumes; ``None`` leaves them as the sites make them
            (0.42 in 3-D and 0.53 in 2-D without ``regularity``). Or
        volumes: of each grain relative to each other, ``[count]``.
        regularity: moves of the sites to the centroids of their grains; with prescribed volumes at least 3 are made.
        thickness: of the boundaries, in sides of the cell.
        seed: of sites and orientations.

    Raises:
        InputError: numbers that make no sense, or volumes that could not be reached.
    """
    _check(count, dim, scatter, volumes, regularity, thickness)
    rng = np.random.default_rng(seed)
    sites = rng.random((count, dim))
    turned = _rotations(count, dim, rng)
    if scatter is None and volumes is None:
        return Grains(power_diagram(*_unweighted(regular(sites, regularity))), turned, thickness)
    relative = np.asarray(lognormal_diameters(count, scatter or 0.0) if volumes is None else volumes, dtype=np.float64)
    wanted = rng.permutation(relative / relative.sum()) if volumes is None else relative / relative.sum()
    return Grains(prescribed(regular(sites, 1), wanted, max(3, regularity)), turned, thickness)


def foam(
    count: int = 60,
    fraction: float = 0.1,
    *,
    cells: Literal["closed", "open"] = "closed",
    dim: int = 3,
    scatter: float = 0.2,
    points: int | None = None,
    seed: int = 0,
) -> Grains:
    """Return a foam of convex cells: walls of one thickness (closed) or struts along their edges (open).

    Args:
        count: number of cells.
        fraction: of the solid, phase 1; met on a grid of ``points`` along each axis, other grids sample the same walls.
        cells: "closed" or "open".
        dim: 2 or 3; open cells are 3-D.
        scatter: coefficient of variation of the cells' volumes.
        points: 96 (3-D) or 512 by default.
        seed: of the cells.

    Raises:
        InputError: a fraction outside (0, 1), open cells in 2-D, or as `random_grains`.
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(f"The fraction of the foam's solid is {fraction}; it must lie in (0, 1).")
    if cells not in ("closed", "open") or (cells == "open" and dim == 2):
        raise InputError(f"A foam of '{cells}' cells in {dim} dimensions was asked for; give closed, or open in 3.")
    made = replace(random_grains(count, dim=dim, scatter=scatter, regularity=5, seed=seed), edges=cells == "open")
    distance = made.boundary_distance(points or (512 if dim == 2 else 96))
    return replace(made, thickness=2.0 * float(np.quantile(distance, fraction)))


def _unweighted(sites: Floats) -> tuple[Floats, Floats]:
    return sites, np.zeros(len(sites))


def _rotations(count: int, dim: int, rng: np.random.Generator) -> Floats:
    from scipy.spatial.transform import Rotation

    if dim == 2:
        return np.asarray(Rotation.from_rotvec(rng.uniform(0.0, 2.0 * np.pi, (count, 1)) * [0, 0, 1]).as_matrix())
    # A normal vector in four dimensions is a quaternion without a preferred direction.
    return np.asarray(Rotation.from_quat(rng.standard_normal((count, 4))).as_matrix())


def _periods(low: float, high: float, size: int) -> list[tuple[int, int]]:
    """Voxels whose centres lie between two coordinates, parted where a period ends."""
    first, last = math.ceil(low * size - 0.5 - 1e-9), math.floor(high * size - 0.5 + 1e-9) + 1
    cuts = [first, *range((first // size + 1) * size, last, size), last]
    return [(s, e) for s, e in itertools.pairwise(cuts) if e > s]


def _check(
    count: int, dim: int, scatter: float | None, volumes: ArrayLike | None, regularity: int, thickness: float
) -> None:
    if dim not in (2, 3) or count < 2 or regularity < 0:
        raise InputError(
            f"{count} grains in {dim} dimensions, moved {regularity} times, were asked for; give 2 grains or more in 2 "
            "or 3 dimensions."
        )
    if scatter is not None and volumes is not None:
        raise InputError("Both a scatter and the volumes of the grains were given; give one of the two.")
    if scatter is not None and not 0.0 <= scatter <= 2.0:
        raise InputError(f"The scatter of the grains' volumes is {scatter}; it must lie in [0, 2].")
    if not 0.0 <= thickness < 0.5:
        raise InputError(f"The thickness of the grain boundaries is {thickness}; it must lie in [0, 0.5) cell sides.")
    given = np.ones(count) if volumes is None else np.asarray(volumes, dtype=np.float64)
    if given.shape != (count,) or not (np.isfinite(given).all() and (given > 0.0).all()):
        raise InputError(f"The volumes of {count} grains have the shape {given.shape}; give {count} positive numbers.")
