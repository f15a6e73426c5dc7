"""Points and the cells between them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.data.columns import frozen
from scalebridge.data.fields.cells import CellBlock, whole
from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.quantities import Floats
from scalebridge.quantities.units import check_unit, conversion

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field
    from scalebridge.data.fields.locating import Locator
    from scalebridge.data.fields.pieces import Pieces

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """Points in space and the cells between them; immutable. Cells are numbered through the blocks in their order.

    Args:
        points: ``[p, 3]`` in ``unit``, finite; ``[p, 1]`` and ``[p, 2]`` are filled with zeros.
        cells: blocks of cells of one type each; the same type may come twice.
        unit: of the points: a length, or ``"1"`` where nobody said it.
        point_sets: from name to numbers of points ``[k]``.
        cell_sets: from name to numbers of cells ``[k]``, counted through all blocks.
        name: what messages call it.

    Raises:
        InputError: points that are not finite, node numbers without a point, sets out of range.
        ShapeError: points that are not rows of up to three numbers.
        UnitError: a unit that is no length.
    """

    points: Floats
    cells: tuple[CellBlock, ...] = ()
    unit: str = "m"
    point_sets: Mapping[str, Indices] = field(default_factory=dict)
    cell_sets: Mapping[str, Indices] = field(default_factory=dict)
    name: str = "mesh"

    def __post_init__(self) -> None:
        _check_length(self.unit, self.name)
        object.__setattr__(self, "points", _points(self.points, self.name))
        object.__setattr__(self, "cells", tuple(self.cells))
        for block in self.cells:
            _check_nodes(block, len(self.points), self.name)
        for role, count in (("point", len(self.points)), ("cell", self.n_cells)):
            sets = {k: _set(v, count, f"The {role} set '{k}' of the mesh '{self.name}'") for k, v in self._sets(role)}
            object.__setattr__(self, f"{role}_sets", MappingProxyType(sets))

    def _sets(self, role: str) -> list[tuple[str, Any]]:
        return list((self.point_sets if role == "point" else self.cell_sets).items())

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def n_cells(self) -> int:
        """Number of cells in all blocks."""
        return sum(len(block) for block in self.cells)

    @property
    def dimension(self) -> int:
        """Of the cells of the highest dimension: 3 solid, 2 surface, 1 line, 0 points alone."""
        return max((block.kind.dimension for block in self.cells if len(block)), default=0)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of points, cells, tags, sets and unit; the name is no content."""
        total = hashlib.sha256()
        total.update(json.dumps([self.unit, [b.type for b in self.cells]]).encode())
        arrays: list[tuple[str, NDArray[Any]]] = [("points", self.points)]
        for block in self.cells:
            arrays += [("nodes", block.nodes), *sorted(block.tags.items(), key=lambda pair: pair[0])]
        for role in ("point", "cell"):
            arrays += sorted(self._sets(role), key=lambda pair: pair[0])
        for name, array in arrays:
            total.update(f"{name} {array.dtype.kind}{array.dtype.itemsize}{array.shape}".encode())
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            total.update(np.ascontiguousarray(little).tobytes())
        return total.hexdigest()

    @cached_property
    def locator(self) -> Locator:
        """Finds the cells that hold places; made once."""
        from scalebridge.data.fields.locating import locator

        return locator(self)

    @cached_property
    def polyhedra(self) -> tuple[Pieces, ...]:
        """Tetrahedra that fill the polyhedra of each block of them; made once."""
        from scalebridge.data.fields.pieces import tetrahedra

        found, first = [], 0
        for block in self.cells:
            if block.type == "polyhedron" and len(block):
                found.append(tetrahedra(self, block.nodes, first))
            first += len(block)
        return tuple(found)

    @property
    def centres(self) -> Floats:
        """Mean of the corners of every cell ``[e, 3]`` in the mesh's unit."""
        from scalebridge.data.fields.geometry import centres

        return centres(self)

    @property
    def measures(self) -> Floats:
        """Length, area or volume of every cell ``[e]``, in the unit to the power of the cell's own dimension."""
        from scalebridge.data.fields.geometry import measures

        return measures(self)

    def part(self, cells: str | ArrayLike) -> Mesh:
        """The cells of a set, of a mask ``[e]`` or of numbers, with their points, as a mesh of its own.

        Raises:
            InputError: a set that is not there, a mask of another length, no cells at all.
        """
        from scalebridge.data.fields.parts import part_of

        return part_of(self, cells)[0]

    def to_pyvista(self, fields: Mapping[str, Field] | Iterable[Field] = ()) -> Any:
        """A ``pyvista.UnstructuredGrid`` with fields on it, their units in their names.

        Raises:
            InputError: pyvista is not installed.
        """
        from scalebridge.data.fields.pyvista_grids import to_pyvista

        return to_pyvista(self, fields)

    def in_unit(self, unit: str) -> Mesh:
        """The same mesh with its points in another unit of length.

        Raises:
            UnitError: a unit that is no length, or a mesh whose unit nobody said.
        """
        factor, _ = conversion(self.unit, unit, f"The mesh '{self.name}'")
        return replace(self, points=factor * self.points, unit=unit)

    def __repr__(self) -> str:
        blocks = ", ".join(f"{len(b)} {b.type}" for b in self.cells) or "no cells"
        return f"<Mesh '{self.name}': {self.n_points} points in {self.unit}, {blocks}>"


def same_mesh(one: Mesh, other: Mesh) -> bool:
    """Whether two meshes are one, or hold the same."""
    return one is other or (one.n_points == other.n_points and one.digest == other.digest)


def _check_length(unit: str, name: str) -> None:
    check_unit(unit, f"The mesh '{name}'")
    if unit == "1":
        return
    try:
        conversion(unit, "m", f"The mesh '{name}'")
    except UnitError:
        raise UnitError(
            f"The mesh '{name}' has the unit '{unit}', which is no length; write 'm', 'mm' or '1' where nobody said it."
        ) from None


def _points(points: Any, name: str) -> Floats:
    try:
        with np.errstate(invalid="ignore"):  # bytes that are no number are NaN, and refused below
            array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The points of the mesh '{name}' are no numbers; give rows of x, y, z.") from None
    if array.ndim != 2 or not 1 <= array.shape[1] <= 3:
        raise ShapeError(f"The points of the mesh '{name}' have the shape {array.shape}; give [points, 3].")
    if array.shape[1] < 3:
        array = np.hstack([array, np.zeros((len(array), 3 - array.shape[1]))])
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise InputError(
            f"The point {bad[0]} of the mesh '{name}' lies at {array[bad[0]].tolist()}, which is nowhere; give finite "
            "coordinates, or leave the point out."
        )
    return frozen(array)


def _check_nodes(block: CellBlock, n_points: int, name: str) -> None:
    if not isinstance(block, CellBlock):
        raise InputError(f"The cells of the mesh '{name}' hold {type(block).__name__}; give CellBlock(type, nodes).")
    if not block.nodes.size:
        return
    low, high = int(block.nodes.min()), int(block.nodes.max())
    if low < 0 or high >= n_points:
        bad = high if high >= n_points else low
        raise InputError(
            f"A '{block.type}' cell of the mesh '{name}' has the node {bad}, and there are the points 0 to "
            f"{n_points - 1}; number points from 0, and give all of them."
        )


def _set(members: Any, count: int, owner: str) -> Indices:
    array = whole(members, owner)
    if array.ndim != 1:
        raise ShapeError(f"{owner} has the shape {array.shape}; give one row of numbers.")
    bad = np.flatnonzero((array < 0) | (array >= count))
    if len(bad):
        raise InputError(f"{owner} holds the number {array[bad[0]]}, and there are 0 to {count - 1}; number from 0.")
    return frozen(array)
