"""Plane-strain elements of CalculiX on the mesh of a plane solid: the same shapes, the same integration points.

CalculiX makes solid elements of its plane ones, one layer thick: ``CPE3`` has one triangular point in each of two
layers, ``CPE6`` three in each of three, ``CPE4`` four in each of two. In the plane these are the rules of
`scalebridge.macro.Solid` for triangles of order 1 and 2 and for quadrilaterals of order 1. (For quadrilaterals of
order 2 they are not: CalculiX has eight nodes, the solid nine.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PlaneElement:
    """One plane-strain element.

    Args:
        name: CalculiX's.
        n_layers: integration points through the thickness.
        reversed_order: nodes of a cell that runs clockwise, in the order that makes it run counter-clockwise.
    """

    name: str
    n_layers: int
    reversed_order: tuple[int, ...]


# By the shape of the cell and the order of the element.
ELEMENTS = {
    ("triangle", 1): PlaneElement("CPE3", 2, (0, 2, 1)),
    ("triangle", 2): PlaneElement("CPE6", 3, (0, 2, 1, 5, 4, 3)),
    ("quadrilateral", 1): PlaneElement("CPE4", 2, (0, 3, 2, 1)),
}


def plane_element(cell: str, order: int) -> PlaneElement:
    """Return the element that agrees with a solid's.

    Raises:
        InputError: none does.
    """
    if (cell, order) not in ELEMENTS:
        raise InputError(
            f"CalculiX has no plane-strain element like a {cell} of order {order}; give a Solid of triangles of order "
            "1 or 2, or of quadrilaterals of order 1."
        )
    return ELEMENTS[cell, order]


@dataclass(frozen=True, eq=False)
class PlaneMesh:
    """A plane solid as CalculiX sees it.

    Args:
        element: of all cells.
        points: ``[n, 2]``, m.
        cells: ``[e, k]``, points from 0, counter-clockwise.
        thickness: m.
        state_points: ``[e, q, 2]``: where the states are, in the order of the solid.
        weights: ``[e, q]``: the volume of each state, m³.
    """

    element: PlaneElement
    points: Floats
    cells: Ints
    thickness: float
    state_points: Floats
    weights: Floats

    @property
    def n_printed(self) -> int:
        """Integration points that CalculiX prints for each element, all layers."""
        return int(self.element.n_layers * self.weights.shape[1])

    def apart(self) -> PlaneMesh:
        """Every cell alone with nodes of its own, moved to the origin and brought to the area and thickness 1."""
        corners, area = self.points[self.cells], self.weights.sum(1) / self.thickness
        centre, size = corners.mean(1, keepdims=True), np.sqrt(area)[:, None, None]
        cells = np.arange(self.cells.size, dtype=np.int64).reshape(self.cells.shape)
        return replace(
            self,
            points=((corners - centre) / size).reshape(-1, 2),
            cells=cells,
            thickness=1.0,
            state_points=(self.state_points - centre) / size,
            weights=self.weights / (area * self.thickness)[:, None],
        )


def plane_mesh(solid: Any, thickness: float) -> PlaneMesh:
    """Return the mesh of a `scalebridge.macro.Solid` in CalculiX's elements."""
    element = plane_element(solid.domain.cell, solid.order)
    space = solid.discrete.space
    points, cells = space.locations, np.array(space.cells.dofs)
    a, b = points[cells[:, 1]] - points[cells[:, 0]], points[cells[:, 2]] - points[cells[:, 0]]
    clockwise = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0
    cells[clockwise] = cells[clockwise][:, list(element.reversed_order)]
    return PlaneMesh(element, points, cells, thickness, space.cells.points, solid.discrete.weights)


def printed_states(mesh: PlaneMesh, places: Floats) -> Ints:
    """Return ``[e, q, layers]``: which printed points of a cell are at each state.

    Args:
        mesh: cells of area 1, see `PlaneMesh.apart`.
        places: ``[e, printed, 2]``, where CalculiX says that its points are.

    Raises:
        InputError: a state at which CalculiX has no integration points.
    """
    distance = np.linalg.norm(places[:, None] - mesh.state_points[:, :, None], axis=-1)
    nearest = np.argsort(distance, axis=2, kind="stable")[:, :, : mesh.element.n_layers]
    far = np.take_along_axis(distance, nearest, axis=2) > 1e-4
    if far.any():
        raise InputError(
            f"CalculiX integrates its {mesh.element.name} element {int(np.argmax(far.any((1, 2)))) + 1} at other "
            "points than the Solid, so this version of it has another rule; use 2.20."
        )
    return np.sort(nearest, axis=2)
