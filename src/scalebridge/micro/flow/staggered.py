"""Stokes flow on a staggered (MAC) grid of voxels, assembled on the fluid alone.

Pressure sits at the centres of fluid voxels, each velocity component on the faces normal to it between two
fluid voxels. Unit viscosity. Walls do not slip: velocity is zero on solid faces; a wall beside a face lies half
a voxel away and is met by reflection, which keeps the matrix symmetric. Next to an edge of the solid the
neighbouring face is itself solid and holds zero. (Harlow and Welch, Phys. Fluids 8, 2182, 1965.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scalebridge.micro.flow.image import Mask
from scalebridge.quantities import Floats

# How the cell ends along an axis. "open": pressure given, flow normal to the end (the plane of a mirror image
# under a reversed pressure); "slip": no flow through and no shear (a mirror image); "wall": no slip.
End = Literal["periodic", "open", "slip", "wall"]

_MISSING, _OUTSIDE = -1, -2


@dataclass(frozen=True)
class Component:
    """Unknowns of one velocity component, along one axis of the image.

    Args:
        faces: positions ``[n]`` of the unknowns in the flattened array of faces.
        shape: of that array; face i along the axis is the upper face of voxel i, of voxel i - 1 at an open end.
        volume: control volume ``[n]``; half a voxel at an open end.
    """

    faces: NDArray[np.int64]
    shape: tuple[int, ...]
    volume: Floats


@dataclass(frozen=True)
class Staggered:
    """The discrete Stokes problem ``A u - D^T p = force``, ``D u = 0``, edge of the last axis 1.

    Args:
        momentum: A ``[n_u, n_u]``, symmetric, positive definite.
        gradient: D^T ``[n_u, n_p]``; D is outflow of a voxel times area.
        components: per axis of the image, in its order; velocities are stacked in that order.
        cells: positions ``[n_p]`` of the fluid voxels in the flattened image.
        shape: of the image.
    """

    momentum: Any
    gradient: Any
    components: tuple[Component, ...]
    cells: NDArray[np.int64]
    shape: tuple[int, ...]

    @property
    def volume(self) -> Floats:
        """Control volume of every velocity ``[n_u]``."""
        found: Floats = np.concatenate([c.volume for c in self.components])
        return found

    def part(self, axis: int) -> slice:
        """Where the component along ``axis`` lies among the velocities."""
        sizes = [len(c.faces) for c in self.components]
        return slice(sum(sizes[:axis]), sum(sizes[: axis + 1]))

    def velocity_places(self) -> NDArray[np.int32]:
        """Integer coordinates ``[n_u, dim]`` of the velocities, for coarsening."""
        places = [np.stack(np.unravel_index(c.faces, c.shape), axis=1) for c in self.components]
        return np.concatenate(places).astype(np.int32)

    def pressure_places(self) -> NDArray[np.int32]:
        """Integer coordinates ``[n_p, dim]`` of the pressures."""
        return np.stack(np.unravel_index(self.cells, self.shape), axis=1).astype(np.int32)


def staggered(fluid: Mask, edges: Sequence[float], ends: Sequence[End]) -> Staggered:
    """Assemble the Stokes problem of the fluid voxels.

    Args:
        fluid: ``[*grid]``.
        edges: edge of a voxel along each axis of the image.
        ends: how the cell ends along each axis.
    """
    cells = np.flatnonzero(fluid)
    number = np.full(fluid.shape, _MISSING, dtype=np.int32)
    number.ravel()[cells] = np.arange(len(cells), dtype=np.int32)
    components, momenta, gradients = [], [], []
    for axis in range(fluid.ndim):
        component, momentum = _momentum(fluid, axis, edges, ends)
        components.append(component)
        momenta.append(momentum)
        gradients.append(_gradient(number, axis, component, math.prod(edges) / edges[axis], ends[axis]))
    momentum = _stacked(momenta)
    gradient = sparse.vstack(gradients, format="csr")
    return Staggered(momentum, gradient, tuple(components), cells, fluid.shape)


def _pair(array: NDArray[Any], axis: int, end: End, outside: Any = None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values in the voxels below and above every face; beyond an open end a mirror image, or ``outside``."""
    if end == "periodic":
        return array, np.roll(array, -1, axis)
    inner = np.moveaxis(array, axis, 0)
    if end == "open":
        first, last = inner[:1], inner[-1:]
        if outside is not None:
            first, last = np.full_like(first, outside), np.full_like(last, outside)
        below, above = np.concatenate([first, inner]), np.concatenate([inner, last])
    else:
        below, above = inner[:-1], inner[1:]
    return np.moveaxis(below, 0, axis), np.moveaxis(above, 0, axis)


def _shifted(array: NDArray[Any], axis: int, step: int, periodic: bool, outside: Any) -> NDArray[Any]:
    """``array`` at the neighbours one ``step`` along ``axis``."""
    moved = np.roll(array, -step, axis)
    if not periodic and array.shape[axis]:
        np.moveaxis(moved, axis, 0)[-1 if step > 0 else 0] = outside
    return moved


def _momentum(fluid: Mask, axis: int, edges: Sequence[float], ends: Sequence[End]) -> tuple[Component, Any]:
    below, above = _pair(fluid, axis, ends[axis])
    exists, touched = below & above, below | above
    faces = np.flatnonzero(exists)
    volume = _volumes(exists.shape, axis, ends[axis], math.prod(edges)).ravel()[faces]
    number = np.full(exists.shape, _MISSING, dtype=np.int32)
    number.ravel()[faces] = np.arange(len(faces), dtype=np.int32)
    dim, n = fluid.ndim, len(faces)
    columns = np.empty((n, 2 * dim + 1), dtype=np.int32)
    values = np.empty((n, 2 * dim + 1))
    columns[:, 0] = np.arange(n, dtype=np.int32)
    values[:, 0] = 0.0
    for k, (other, step) in enumerate((a, s) for a in range(dim) for s in (-1, 1)):
        # Between face planes of an open end the link is whole; within such a plane it is half.
        link = math.prod(edges) / edges[other] ** 2 if other == axis else volume / edges[other] ** 2
        periodic = ends[other] == "periodic"
        near = _shifted(number, other, step, periodic, _OUTSIDE).ravel()[faces]
        beside = other != axis
        walled = np.ones(n)
        if beside:
            walled += ~_shifted(touched, other, step, periodic, False).ravel()[faces]
        walled[near == _OUTSIDE] = _beyond(ends[other], beside)
        walled[near >= 0] = 1.0
        columns[:, k + 1] = near
        values[:, k + 1] = -link
        values[:, 0] += link * walled
    held = columns >= 0
    rows = np.concatenate([[0], np.cumsum(held.sum(axis=1))])
    matrix = sparse.csr_matrix((values[held], columns[held], rows), shape=(n, n))
    if min(exists.shape) <= 2:  # a face that is its own neighbour, or the same one twice
        matrix.sum_duplicates()
    return Component(faces, exists.shape, volume), matrix


def _stacked(blocks: Sequence[Any]) -> Any:
    """The blocks along a diagonal; SciPy's own goes through triplets, which takes three times the memory."""
    starts = np.concatenate([[0], np.cumsum([b.shape[0] for b in blocks])])
    entries = np.concatenate([[0], np.cumsum([b.nnz for b in blocks])])
    data = np.concatenate([b.data for b in blocks])
    columns = np.concatenate([b.indices + np.int32(s) for b, s in zip(blocks, starts, strict=False)])
    rows = np.concatenate([[0], *(b.indptr[1:] + e for b, e in zip(blocks, entries, strict=False))])
    return sparse.csr_matrix((data, columns, rows), shape=(int(starts[-1]),) * 2)


def _beyond(end: End, beside: bool) -> float:
    """Weight of the link across the end of the cell to a velocity of zero."""
    if not beside:
        # A mirrored normal velocity asks nothing; a closed end is a solid face one voxel away.
        return 0.0 if end == "open" else 1.0
    return 0.0 if end == "slip" else 2.0


def _volumes(shape: tuple[int, ...], axis: int, end: End, voxel: float) -> Floats:
    volumes = np.full(shape, voxel, dtype=np.float64)
    if end == "open":
        inner = np.moveaxis(volumes, axis, 0)
        inner[0] *= 0.5
        inner[-1] *= 0.5
    return volumes


def _gradient(number: NDArray[np.int32], axis: int, component: Component, area: float, end: End) -> Any:
    below, above = (side.ravel()[component.faces] for side in _pair(number, axis, end, outside=_MISSING))
    columns = np.stack([below, above], axis=1)
    values = np.broadcast_to(np.array([area, -area]), columns.shape)
    held = columns >= 0
    rows = np.concatenate([[0], np.cumsum(held.sum(axis=1))])
    matrix = sparse.csr_matrix((values[held], columns[held], rows), shape=(len(columns), int(number.max()) + 1))
    if min(number.shape) <= 2:
        matrix.sum_duplicates()
    return matrix
