"""The types of cells under meshio's names: dimension, nodes, and the straight cell that their corners make.

Corners come first in every type, as in VTK: a ``tetra10`` is a ``tetra`` with six more nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.errors import InputError, did_you_mean


@dataclass(frozen=True)
class CellType:
    """One type of cell.

    Args:
        name: meshio's.
        dimension: 0 of a point to 3 of a solid.
        n_nodes: nodes of one cell; 0 where it may be any number (a polygon, a polyhedron).
        corners: name of the type that its first nodes make.
    """

    name: str
    dimension: int
    n_nodes: int
    corners: str


_CORNERS = {
    "vertex": (0, 1),
    "line": (1, 2),
    "triangle": (2, 3),
    "quad": (2, 4),
    "tetra": (3, 4),
    "pyramid": (3, 5),
    "wedge": (3, 6),
    "hexahedron": (3, 8),
    "polygon": (2, 0),
    "polyhedron": (3, 0),
}
_HIGHER = {
    "line": (3, 4, 5, 6),
    "triangle": (6, 7, 10, 15, 21),
    "quad": (8, 9, 16, 25),
    "tetra": (10, 14, 20, 35),
    "pyramid": (13, 14),
    "wedge": (12, 15, 18),
    "hexahedron": (20, 24, 27, 64),
}
# The edges of each, by the numbers of their corners, in the order in which cells of second order have their middles.
_AROUND = ((0, 1), (1, 2), (2, 3), (3, 0))
EDGES: dict[str, tuple[tuple[int, int], ...]] = {
    "line": ((0, 1),),
    "triangle": ((0, 1), (1, 2), (2, 0)),
    "quad": _AROUND,
    "tetra": ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)),
    "pyramid": (*_AROUND, (0, 4), (1, 4), (2, 4), (3, 4)),
    "wedge": ((0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)),
    "hexahedron": (*_AROUND, (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)),
}
CELL_TYPES = {name: CellType(name, dimension, n, name) for name, (dimension, n) in _CORNERS.items()} | {
    f"{corners}{n}": CellType(f"{corners}{n}", _CORNERS[corners][0], n, corners)
    for corners, sizes in _HIGHER.items()
    for n in sizes
}


def cell_type(name: str) -> CellType:
    """The type of that name.

    Raises:
        InputError: no such type.
    """
    if name not in CELL_TYPES:
        raise InputError(f"A mesh has cells of the type '{name}', which is not known{did_you_mean(name, _CORNERS)}")
    return CELL_TYPES[name]
