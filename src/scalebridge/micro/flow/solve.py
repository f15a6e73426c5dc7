"""From a pore space to its permeability and its flow field."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scalebridge.errors import InputError
from scalebridge.micro.flow.connectivity import through_pores
from scalebridge.micro.flow.image import Mask
from scalebridge.micro.flow.result import LocalFlow, Permeability, Progress
from scalebridge.micro.flow.staggered import Component, End
from scalebridge.micro.flow.stokes import Solved, Stokes
from scalebridge.quantities import Floats

Boundary = Literal["periodic", "mirror", "walls"]
Watch = Callable[[Progress], None] | None

_LIMIT = 1000


@dataclass(frozen=True)
class PoreSpace:
    """The question in voxel units: edge of the last axis 1, viscosity 1.

    Args:
        fluid: ``[*grid]``.
        edges: edges of a voxel along the axes of the image.
        boundary: how the cell ends.
        tolerance: relative error of the permeability; of fields in the norm of the dissipation.
    """

    fluid: Mask
    edges: tuple[float, ...]
    boundary: Boundary
    tolerance: float

    @property
    def volume(self) -> float:
        """Volume of the cell, solid included."""
        return self.fluid.size * math.prod(self.edges)

    def ends(self, along: int) -> tuple[End, ...]:
        """How the cell ends along each axis of the image, for a pressure gradient along one of them."""
        if self.boundary == "periodic":
            joined: End = "periodic"
            return (joined,) * self.fluid.ndim
        side: End = "slip" if self.boundary == "mirror" else "wall"
        pressed: End = "open"
        return tuple(pressed if axis == along else side for axis in range(self.fluid.ndim))

    def through(self) -> list[Mask]:
        """Per axis of the image, the pores that reach through along it."""
        return through_pores(self.fluid, self.boundary == "periodic")


def permeability(
    space: PoreSpace, axes: Sequence[int], names: Sequence[str], voxel_size: float | None, watch: Watch
) -> Permeability:
    """Solve for the permeability along some axes of the image.

    Raises:
        InputError: a solve that does not converge.
    """
    started = time.perf_counter()
    through = space.through()
    used = np.logical_or.reduce([through[a] for a in axes])
    open_axes = [a for a in axes if through[a].any()]
    if space.boundary == "periodic":
        solved, memory = _coupled(space, used, open_axes, dict(zip(axes, names, strict=True)), watch)
    else:
        solved, memory = _separate(space, through, open_axes, dict(zip(axes, names, strict=True)), watch)
    tensor = np.zeros((len(axes), len(axes)))
    for j, b in enumerate(axes):
        for i, a in enumerate(axes):
            if a == b or space.boundary == "periodic":
                tensor[i, j] = _entry(solved.get(a), solved.get(b)) / space.volume
    closed = [n for a, n in zip(axes, names, strict=True) if a not in solved]
    fluid = int(space.fluid.sum())
    return Permeability(
        axes=tuple(names),
        voxel2=tensor,
        voxel_size=voxel_size,
        boundary=space.boundary,
        porosity=fluid / space.fluid.size,
        isolated=1.0 - int(used.sum()) / fluid,
        iterations=tuple(solved[a].iterations if a in solved else 0 for a in axes),
        error=tuple(solved[a].error if a in solved else 0.0 for a in axes),
        power_gap=tuple(_gap(solved[a]) if a in solved else 0.0 for a in axes),
        memory=memory,
        seconds=time.perf_counter() - started,
        note=f"The pores do not connect through the cell along {' and '.join(closed)}: no flow there" if closed else "",
    )


def local_flow(space: PoreSpace, force: Sequence[float], watch: Watch) -> LocalFlow:
    """Flow under a uniform ``force [dim]`` per volume, in the order of the image's axes, in voxel units.

    Raises:
        InputError: a solve that does not converge.
    """
    dim = space.fluid.ndim
    through = space.through()
    loaded = [a for a in range(dim) if force[a] != 0.0 and through[a].any()]
    flowing = np.logical_or.reduce([through[a] for a in loaded] or [np.zeros_like(space.fluid)])
    pressure = np.zeros(space.fluid.shape)
    faces = [np.zeros(tuple(n + (k == a) for k, n in enumerate(space.fluid.shape))) for a in range(dim)]
    dissipation, error = 0.0, 0.0
    # With mirrors every axis has its own problem, each a part of the one on the mirrored cell; they add up there.
    groups = [loaded] if space.boundary == "periodic" else [[a] for a in loaded]
    for group in filter(None, groups):
        pores = flowing if space.boundary == "periodic" else through[group[0]]
        stokes = Stokes(pores, space.edges, space.ends(group[0]), space.tolerance)
        load = [force[a] if a in group else 0.0 for a in range(dim)]
        solved = _solve(stokes, space, load, space.tolerance**2, "", watch)
        _spread(stokes, solved, space, pressure, faces)
        dissipation += solved.dissipation / space.volume
        error = max(error, math.sqrt(solved.error))
    centred = [0.5 * (_ends(f, a, slice(1, None)) + _ends(f, a, slice(None, -1))) for a, f in enumerate(faces)]
    velocity = np.stack(centred[::-1])
    mean = velocity.reshape(dim, -1).mean(axis=1)
    macro = -np.asarray(force)[::-1]
    return LocalFlow(macro, velocity, tuple(faces[::-1]), pressure, flowing, mean, dissipation, error, "1", "1")


def _coupled(
    space: PoreSpace, used: Mask, axes: Sequence[int], names: dict[int, str], watch: Watch
) -> tuple[dict[int, Solved], int]:
    """One problem for all directions of a periodic cell."""
    if not axes:
        return {}, 0
    stokes = Stokes(used, space.edges, space.ends(axes[0]), math.sqrt(space.tolerance))
    solved = {a: _solve(stokes, space, _unit(a, space), space.tolerance, names[a], watch) for a in axes}
    return solved, stokes.bytes + sum(s.x.nbytes + s.residual.nbytes + s.force.nbytes for s in solved.values())


def _separate(
    space: PoreSpace, through: Sequence[Mask], axes: Sequence[int], names: dict[int, str], watch: Watch
) -> tuple[dict[int, Solved], int]:
    """A problem of its own for each direction."""
    solved, memory = {}, 0
    for a in axes:
        stokes = Stokes(through[a], space.edges, space.ends(a), math.sqrt(space.tolerance))
        solved[a] = _solve(stokes, space, _unit(a, space), space.tolerance, names[a], watch)
        memory = max(memory, stokes.bytes)
        del stokes
    return solved, memory


def _unit(axis: int, space: PoreSpace) -> list[float]:
    return [float(k == axis) for k in range(space.fluid.ndim)]


def _solve(stokes: Stokes, space: PoreSpace, force: Sequence[float], target: float, name: str, watch: Watch) -> Solved:
    # Powers and permeabilities are those of a unit force.
    size = math.sqrt(sum(f * f for f in force))

    def progress(iteration: int, error: float, power: float) -> None:
        if watch is not None:
            watch(Progress(name, iteration, error, power / space.volume))

    solved = stokes.solve([f / size for f in force], target, _LIMIT, progress)
    if not solved.converged:
        raise InputError(
            f"The flow{' along ' + name if name else ''} was not found: after {solved.iterations} iterations its "
            f"estimated error is {solved.error:.1e} and {target:.1e} was asked for; raise the tolerance."
        )
    return solved.scaled(size)


def _entry(row: Solved | None, column: Solved | None) -> float:
    """Force of ``row`` on the flow of ``column``, corrected by its residual: the error is then quadratic in theirs."""
    if row is None or column is None:
        return 0.0
    n = len(row.force)
    return float(row.force @ column.x[:n] + row.x @ column.residual)


def _gap(solved: Solved) -> float:
    return abs(solved.power - solved.dissipation) / solved.power


def _spread(stokes: Stokes, solved: Solved, space: PoreSpace, pressure: Floats, faces: list[Floats]) -> None:
    """Add the solution to the fields of the whole cell."""
    n = len(solved.force)
    found = -solved.x[n:]
    if space.boundary == "periodic":
        pore = stokes.connected_pores()
        found = found - (np.bincount(pore, found) / np.bincount(pore))[pore]
    pressure.ravel()[stokes.grid.cells] += found
    for axis, component in enumerate(stokes.grid.components):
        _add_faces(faces[axis], axis, component, solved.x[stokes.grid.part(axis)], space)


def _add_faces(target: Floats, axis: int, component: Component, values: Floats, space: PoreSpace) -> None:
    held = np.zeros(component.shape)
    held.ravel()[component.faces] = values
    cells = space.fluid.shape[axis]
    if component.shape[axis] == cells + 1:  # open: every face, both ends included
        target += held
    elif component.shape[axis] == cells:  # periodic: the upper faces
        _ends(target, axis, slice(1, None))[...] += held
        _ends(target, axis, slice(0, 1))[...] += _ends(held, axis, slice(-1, None))
    else:  # closed: the faces inside
        _ends(target, axis, slice(1, -1))[...] += held


def _ends(array: Floats, axis: int, part: slice) -> Floats:
    """A view of ``array`` cut along ``axis``."""
    return array[(slice(None),) * axis + (part,)]
