"""Elements of COMSOL as cells under meshio's names, their nodes in VTK's order.

COMSOL numbers corners in rows, x fastest: a quadrilateral is (0,0), (1,0), (0,1), (1,1) (COMSOL Multiphysics
Programming Reference Manual, "Mesh Element Numbering Conventions"). The further nodes of second order follow in the
same way, x fastest, then y, then z: so they stand in real files of edg2, tri2, quad2, tet2 and hex2; prism2 and pyr2
follow the same rule here, and `follows` checks every file against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cell_types import EDGES
from scalebridge.quantities import Floats

Wholes = NDArray[np.int64]
# Corners at their places, in COMSOL's order.
_CORNERS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "vtx": ((0, 0, 0),),
    "edg": ((0, 0, 0), (1, 0, 0)),
    "tri": ((0, 0, 0), (1, 0, 0), (0, 1, 0)),
    "quad": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)),
    "tet": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "pyr": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1)),
    "prism": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1)),
    "hex": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
}
_CELLS = {"vtx": "vertex", "edg": "line", "tri": "triangle", "quad": "quad", "tet": "tetra", "pyr": "pyramid"}
_CELLS |= {"prism": "wedge", "hex": "hexahedron"}
# Corners in VTK's order, as rows of the above.
_ORDER = {"quad": (0, 1, 3, 2), "pyr": (0, 1, 3, 2, 4), "hex": (0, 1, 3, 2, 4, 5, 7, 6)}
# VTK's further nodes of second order stand in edges, then in faces and in the whole cell, by corners in VTK's order.
_FACES: dict[str, tuple[tuple[int, ...], ...]] = {
    "quad": ((0, 1, 2, 3),),
    "pyr": ((0, 1, 2, 3),),
    "prism": ((0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)),
    "hex": (
        (0, 3, 7, 4),
        (1, 2, 6, 5),
        (0, 1, 5, 4),
        (3, 2, 6, 7),
        (0, 1, 2, 3),
        (4, 5, 6, 7),
        (0, 1, 2, 3, 4, 5, 6, 7),
    ),
}
# An element whose middle nodes lie further from the middles of their edges (in lengths of the edge) is none we know.
_FURTHEST = 0.3


@dataclass(frozen=True)
class ElementKind:
    """A type of elements of COMSOL.

    Args:
        name: of COMSOL, such as ``"tet2"``.
        cell: meshio's name.
        columns: COMSOL's nodes in VTK's order.
        edges: of second order: corner, corner, middle, as columns of the cell.
    """

    name: str
    cell: str
    columns: tuple[int, ...]
    edges: tuple[tuple[int, int, int], ...] = ()

    def follows(self, points: Floats, nodes: Wholes) -> bool:
        """Whether the middle nodes of most cells ``[e, k]`` lie in the middle of their edges."""
        if not self.edges or not len(nodes):
            return True
        one, other, middle = (points[nodes[:, [edge[i] for edge in self.edges]]] for i in range(3))
        length = np.linalg.norm(other - one, axis=2)
        away = np.linalg.norm(middle - (one + other) / 2, axis=2)
        return bool(np.median((away <= _FURTHEST * length).all(axis=1)) == 1)


@cache
def element_kind(name: str, n_nodes: int) -> ElementKind | None:
    """The type of that name and number of nodes; None where there is no such."""
    corners, second = name.removesuffix("2"), name.endswith("2")
    if corners not in _CORNERS:
        return None
    places = _CORNERS[corners]
    order = _ORDER.get(corners, tuple(range(len(places))))
    if not second:
        return ElementKind(name, _CELLS[corners], order) if n_nodes == len(places) else None
    edges, faces = EDGES.get(_CELLS[corners], ()), _FACES.get(corners, ())
    further = [_middle(places, order, group) for group in (*edges, *faces)]
    if n_nodes != len(places) + len(further) or not edges:
        return None
    ranked = sorted(range(len(further)), key=lambda k: further[k][::-1])
    columns = (*order, *(len(places) + ranked.index(k) for k in range(len(further))))
    middles = tuple((edge[0], edge[1], len(places) + k) for k, edge in enumerate(edges))
    return ElementKind(name, f"{_CELLS[corners]}{n_nodes}", columns, middles)


def _middle(
    places: tuple[tuple[float, float, float], ...], order: tuple[int, ...], group: tuple[int, ...]
) -> tuple[float, ...]:
    # The apex of a pyramid lies over its first corner here; its edges keep the order of the corners all the same.
    members = np.array([places[order[k]] for k in group])
    return tuple(float(v) for v in members.mean(axis=0))
