"""VTK's cells by their numbers: one type after the other, and what counts as several cells as several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cell_types import CELL_TYPES

Indices = NDArray[np.int64]

# VTK's numbers, from vtkCellType.h, and the names of types whose number of nodes is part of the name.
NUMBERS = {
    1: "vertex", 3: "line", 5: "triangle", 7: "polygon", 8: "pixel", 9: "quad", 10: "tetra", 11: "voxel",
    12: "hexahedron", 13: "wedge", 14: "pyramid", 21: "line3", 22: "triangle6", 23: "quad8", 24: "tetra10",
    25: "hexahedron20", 26: "wedge15", 27: "pyramid13", 28: "quad9", 29: "hexahedron27", 31: "wedge12",
    32: "wedge18", 33: "hexahedron24", 34: "triangle7", 35: "line4", 42: "polyhedron",
}  # fmt: skip
_NUMBER_OF = {name: number for number, name in NUMBERS.items()}
LAGRANGE = {68: "line", 69: "triangle", 70: "quad", 71: "tetra", 72: "hexahedron", 73: "wedge", 74: "pyramid"}
POLY_VERTEX, POLY_LINE, STRIP = 2, 4, 6
SEVERAL = {POLY_VERTEX: "vertex", POLY_LINE: "line", STRIP: "triangle"}
# A pixel and a voxel count along the axes, not around.
AROUND = {"pixel": ("quad", [0, 1, 3, 2]), "voxel": ("hexahedron", [0, 1, 3, 2, 4, 5, 7, 6])}


@dataclass(frozen=True)
class Grouped:
    """Cells of a file, one type after the other.

    Args:
        blocks: types and nodes.
        owners: ``[e]``, the number in the file of each cell.
    """

    blocks: list[tuple[str, Indices]]
    owners: Indices


def grouped(connectivity: Indices, ends: Indices, types: Indices) -> Grouped:
    """Cells whose nodes lie one after the other in ``connectivity``, up to ``ends [e]``, of VTK's ``types [e]``.

    Raises:
        ValueError: ends that do not rise or lie outside, types that are not known or have another number of nodes.
    """
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64) if len(ends) else ends
    sizes = ends - starts
    if len(ends) and (int(sizes.min()) < 0 or int(ends[-1]) > len(connectivity) or int(starts.min()) < 0):
        raise ValueError("its cells end where there are no nodes")
    if len(types) and not 0 <= int(types.min()) <= int(types.max()) < 256:
        raise ValueError("it has cells of types that VTK has not")
    blocks, owners = [], [np.zeros(0, dtype=np.int64)]
    kinds, first = np.unique(sizes * 256 + types, return_index=True)
    for k in np.argsort(first):
        size, number = divmod(int(kinds[k]), 256)
        if size == 0:
            continue
        if len(kinds) == 1:
            rows = np.arange(len(types), dtype=np.int64)
            nodes = connectivity[: size * len(rows)].reshape(-1, size)
        else:
            rows = np.flatnonzero((types == number) & (sizes == size))
            nodes = connectivity[starts[rows][:, None] + np.arange(size)]
        name, made, repeated = _cells(number, nodes)
        blocks.append((name, made))
        owners.append(np.repeat(rows, repeated))
    return Grouped(blocks, np.concatenate(owners))


def number_of(kind: str) -> int:
    """VTK's number of a type under meshio's name.

    Raises:
        KeyError: one that VTK does not have.
    """
    family = kind.rstrip("0123456789")
    return _NUMBER_OF.get(kind) or {name: number for number, name in LAGRANGE.items()}[family]


def _cells(number: int, nodes: Indices) -> tuple[str, Indices, int]:
    """The name, the nodes, and how many cells each has become."""
    size = nodes.shape[1]
    if number in SEVERAL:
        width = {POLY_VERTEX: 1, POLY_LINE: 2, STRIP: 3}[number]
        if size < width:
            raise ValueError(f"a cell of VTK's type {number} has {size} nodes")
        parts = np.stack([nodes[:, i : i + width] for i in range(size - width + 1)], axis=1)
        return SEVERAL[number], parts.reshape(-1, width), size - width + 1
    name = NUMBERS.get(number)
    if name is None and number in LAGRANGE:
        name = LAGRANGE[number] if LAGRANGE[number] in CELL_TYPES else ""
        wide = f"{name}{size}"
        name = name if CELL_TYPES[name].n_nodes == size else wide
    name, order = AROUND.get(name or "", (name, None))
    if name is None or name not in CELL_TYPES or CELL_TYPES[name].n_nodes not in (0, size):
        raise ValueError(f"it has cells of VTK's type {number} with {size} nodes, which are not known here")
    return name, nodes if order is None else nodes[:, order], 1
