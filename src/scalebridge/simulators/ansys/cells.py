"""Elements of ANSYS as cells under meshio's names.

What an element looks like follows from its routine number (185 of SOLID185) and from nodes that repeat: a brick with
K = L and O = P is a wedge, with M = N = O = P a pyramid, with both a tetrahedron (Mechanical APDL Element Reference,
"Degenerated shape elements"). The midside nodes stand in VTK's order already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import CellBlock

Wholes = NDArray[np.int64]
_BRICK = (5, 30, 45, 46, 62, 64, 65, 69, 70, 80, 96, 97, 164, 185, 190, 215, 278)
_BRICK20 = (90, 95, 122, 89, 186, 216, 220, 226, 231, 236, 239, 279)
_TETRA = (285, 291)
_TETRA10 = (87, 92, 98, 123, 148, 168, 187, 217, 221, 227, 232, 237, 240)
_QUAD = (13, 25, 28, 29, 39, 41, 42, 43, 54, 55, 57, 63, 67, 75, 79, 81, 131, 143, 157, 162, 163, 181, 182, 212, 222)
_QUAD8 = (53, 77, 78, 82, 83, 88, 91, 93, 99, 121, 132, 152, 154, 183, 213, 223, 230, 233, 238, 281)
_TRIANGLE6 = (2, 35, 146)
_LINE = (1, 3, 4, 8, 10, 14, 16, 31, 32, 33, 34, 11, 20, 23, 24, 44, 59, 60, 68, 116, 161, 180, 184, 188, 280, 288)
_LINE3 = (189, 289, 290)
_POINT = (21, 71)
_FAMILIES: dict[str, tuple[int, ...]] = {
    "hexahedron": _BRICK,
    "hexahedron20": _BRICK20,
    "tetra": _TETRA,
    "tetra10": _TETRA10,
    "quad": _QUAD,
    "quad8": _QUAD8,
    "triangle": (),
    "triangle6": _TRIANGLE6,
    "line": _LINE,
    "line3": _LINE3,
    "vertex": _POINT,
}
# MESH200 has no physics; its first key option says what it looks like.
_MESH: tuple[str, ...] = ("line", "line3", "line", "line3", "triangle", "triangle6", "quad", "quad8")
_MESH += ("tetra", "tetra10", "hexahedron", "hexahedron20")
_FAMILY = {routine: family for family, routines in _FAMILIES.items() for routine in routines}
_FAMILY |= {2000 + option: family for option, family in enumerate(_MESH)}
# Degenerate forms: which nodes repeat others -> the cell and the nodes that make it.
_BRICK_FORMS: tuple[tuple[str, tuple[tuple[int, int], ...], tuple[int, ...]], ...] = (
    ("tetra", ((3, 2), (5, 4), (6, 4), (7, 4)), (0, 1, 2, 4)),
    ("pyramid", ((5, 4), (6, 4), (7, 4)), (0, 1, 2, 3, 4)),
    ("wedge", ((3, 2), (7, 6)), (0, 1, 2, 4, 5, 6)),
)
_MIDSIDES = {
    "tetra": ("tetra10", (8, 9, 11, 16, 17, 18)),
    "pyramid": ("pyramid13", (8, 9, 10, 11, 16, 17, 18, 19)),
    "wedge": ("wedge15", (8, 9, 11, 12, 13, 15, 16, 17, 18)),
}
_CORNERS = {"hexahedron20": ("hexahedron", 8), "tetra10": ("tetra", 4), "quad8": ("quad", 4)}
_CORNERS |= {"triangle6": ("triangle", 3), "line3": ("line", 2)}
_SIZES = {"hexahedron": 8, "hexahedron20": 20, "tetra": 4, "tetra10": 10, "quad": 4, "quad8": 8, "triangle": 3}
_SIZES |= {"triangle6": 6, "line": 2, "line3": 3, "vertex": 1, "wedge": 6, "wedge15": 15, "pyramid": 5, "pyramid13": 13}


@dataclass(frozen=True, eq=False)
class Elements:
    """Elements as ANSYS numbers them.

    Args:
        number: ``[e]`` element numbers.
        routine: ``[e]`` routine numbers: 185 of SOLID185 (`routine_with` for those of MESH200).
        nodes: ``[e, 20]`` node numbers, 0 where there is none.
        tags: ``material``, ``type``, ``real``, ``section`` -> ``[e]``.
    """

    number: Wholes
    routine: Wholes
    nodes: Wholes
    tags: Mapping[str, Wholes]

    def __len__(self) -> int:
        return len(self.number)


def routine_with(routine: int, first_option: int) -> int:
    """The routine number; 2000 and more for MESH200, whose first key option says what it looks like."""
    return 2000 + first_option if routine == 200 else routine


def has_tensors(routine: int) -> bool:
    """Whether stresses of such an element are tensors: of solids, planes and shells, not of lines and points."""
    return _FAMILY.get(routine, "line") not in ("line", "line3", "vertex")


def rows_of(numbers: Wholes, wanted: Wholes) -> Wholes:
    """Rows of ``numbers [p]`` that hold the ``wanted`` (any shape); -1 where none does."""
    if not len(numbers):
        return np.full(wanted.shape, -1, dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    place = np.minimum(np.searchsorted(numbers[order], wanted), len(numbers) - 1)
    return np.asarray(np.where(numbers[order][place] == wanted, order[place], -1), dtype=np.int64)


def cell_blocks(elements: Elements, numbers: Wholes) -> tuple[tuple[CellBlock, ...], Wholes, tuple[str, ...]]:
    """Elements as cells.

    Args:
        elements: as ANSYS numbers them.
        numbers: ``[p]`` node numbers of the points.

    Returns:
        blocks with the tags ``element``, ``material``, ``type``, ``real``, ``section``; for every cell the row of
        its element; sentences about what was left out.
    """
    family = np.array([_FAMILY.get(int(r), "") for r in elements.routine], dtype="<U12")
    blocks: list[CellBlock] = []
    order: list[Wholes] = []
    notes = _left_out(elements, family)
    for name in _FAMILIES:
        chosen = np.flatnonzero(family == name)
        for cell, members, nodes in _shapes(name, elements.nodes, chosen):
            points = rows_of(numbers, nodes)
            whole = (points >= 0).all(axis=1)
            if not whole.all():
                notes.append(f"{(~whole).sum()} {cell} cells with nodes that are not in the file are left out")
            if whole.any():
                members = members[whole]
                tags = {"element": elements.number[members]} | {k: t[members] for k, t in elements.tags.items()}
                blocks.append(CellBlock(cell, points[whole], tags))
                order.append(members)
    rows_of_cells = np.concatenate(order) if order else np.zeros(0, np.int64)
    return tuple(blocks), rows_of_cells, tuple(notes)


def _left_out(elements: Elements, family: NDArray[np.str_]) -> list[str]:
    routines, counts = np.unique(elements.routine[family == ""], return_counts=True)
    return [
        f"{count} elements of the type {routine} have no cell here and are left out of the mesh"
        for routine, count in zip(routines.tolist(), counts.tolist(), strict=True)
    ]


def _shapes(family: str, nodes: Wholes, chosen: Wholes) -> list[tuple[str, Wholes, Wholes]]:
    """Cells of one family: name, rows of the elements, nodes ``[e, k]``."""
    found: list[tuple[str, Wholes, Wholes]] = []
    if family in ("hexahedron", "hexahedron20"):
        found, chosen = _degenerate_bricks(family, nodes, chosen)
    if family == "quad" or family == "quad8":
        triangle = nodes[chosen, 2] == nodes[chosen, 3]
        columns = (0, 1, 2) if family == "quad" else (0, 1, 2, 4, 5, 7)
        found += _complete("triangle" if family == "quad" else "triangle6", chosen[triangle], nodes, columns)
        chosen = chosen[~triangle]
    return found + _complete(family, chosen, nodes, tuple(range(_SIZES[family])))


def _degenerate_bricks(family: str, nodes: Wholes, chosen: Wholes) -> tuple[list[tuple[str, Wholes, Wholes]], Wholes]:
    found: list[tuple[str, Wholes, Wholes]] = []
    for cell, repeats, columns in _BRICK_FORMS:
        here = np.ones(len(chosen), dtype=bool)
        for one, other in repeats:
            here &= nodes[chosen, one] == nodes[chosen, other]
        if family == "hexahedron20":
            higher, midsides = _MIDSIDES[cell]
            found += _complete(higher, chosen[here], nodes, columns + midsides)
        else:
            found.append((cell, chosen[here], nodes[chosen[here]][:, list(columns)]))
        chosen = chosen[~here]
    return found, chosen


def _complete(cell: str, chosen: Wholes, nodes: Wholes, columns: tuple[int, ...]) -> list[tuple[str, Wholes, Wholes]]:
    """Cells of a higher order; those with a midside node left out (0) as their straight form."""
    picked = nodes[chosen][:, list(columns)]
    simple, n_corners = {"wedge15": ("wedge", 6), "pyramid13": ("pyramid", 5), **_CORNERS}.get(
        cell, (cell, len(columns))
    )
    full = (picked[:, n_corners:] > 0).all(axis=1)
    return [(cell, chosen[full], picked[full]), (simple, chosen[~full], picked[~full][:, :n_corners])]
