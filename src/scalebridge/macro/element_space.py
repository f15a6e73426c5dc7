"""Lagrange elements of one mesh, tabulated at their quadrature points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.domain import Domain
from scalebridge.quantities import Floats

Ints = NDArray[np.int64]

# Element names of scikit-fem by reference cell and order.
ELEMENTS = {
    "line": ("ElementLineP1", "ElementLineP2"),
    "triangle": ("ElementTriP1", "ElementTriP2", "ElementTriP3", "ElementTriP4"),
    "quadrilateral": ("ElementQuad1", "ElementQuad2"),
    "tetrahedron": ("ElementTetP1", "ElementTetP2"),
    "hexahedron": ("ElementHex1", "ElementHex2"),
}


@dataclass(frozen=True)
class Points:
    """Shape functions at quadrature points of cells or of boundary facets.

    Args:
        dofs: ``[e, b]``, scalar degrees of freedom of each cell.
        weights: ``[e, q]``, quadrature weight times the Jacobian determinant.
        points: ``[e, q, dim]``, coordinates.
        values: ``[e, q, b]``, shape functions.
        grads: ``[e, q, dim, b]``, their gradients.
    """

    dofs: Ints
    weights: Floats
    points: Floats
    values: Floats
    grads: Floats


@dataclass(frozen=True, eq=False)
class ElementSpace:
    """Scalar Lagrange elements of an order on a domain.

    Args:
        domain: mesh with named boundaries.
        order: polynomial order.
        quadrature: order that the rule integrates exactly; 1 takes the centroid of simplices.
    """

    domain: Domain
    order: int
    quadrature: int

    @cached_property
    def _basis(self) -> Any:
        import skfem

        rule = simplex_centroid(self.domain.cell) if self.quadrature <= 1 else None
        element = self._element()
        if rule is not None:
            return skfem.Basis(self.domain.mesh, element, quadrature=rule)
        return skfem.Basis(self.domain.mesh, element, intorder=self.quadrature)

    def _element(self) -> Any:
        import skfem

        names = ELEMENTS[self.domain.cell]
        if not 1 <= self.order <= len(names):
            raise InputError(
                f"Elements of order {self.order} on a mesh of {self.domain.cell}s are not available; "
                f"give an order from 1 to {min(2, len(names))}."
            )
        return getattr(skfem, names[self.order - 1])()

    @cached_property
    def cells(self) -> Points:
        """Shape functions at the quadrature points of all cells."""
        return tabulate(self._basis)

    @cached_property
    def locations(self) -> Floats:
        """Where the degrees of freedom sit ``[n, dim]``."""
        return np.ascontiguousarray(self._basis.doflocs.T)

    @property
    def size(self) -> int:
        """Number of scalar degrees of freedom."""
        return int(self._basis.N)

    @property
    def dim(self) -> int:
        """Dimension of the domain."""
        return int(self.domain.mesh.dim())

    @property
    def nodes(self) -> Floats:
        """Where the degrees of freedom sit in the reference cell ``[b, dim]``."""
        return np.asarray(self._basis.elem.doflocs, dtype=np.float64)

    def shapes_at(self, nodes: Floats) -> Floats:
        """Return the shape functions at points of the reference cell ``[k, dim]`` as ``[k, b]``."""
        element = self._element()
        columns = [np.broadcast_to(element.lbasis(nodes.T, i)[0], len(nodes)) for i in range(self._basis.Nbfun)]
        return np.stack(columns, axis=1)

    def on(self, boundary: str) -> Ints:
        """Scalar degrees of freedom on a named boundary."""
        self.check(boundary)
        dofs: Ints = np.asarray(self._basis.get_dofs(boundary).flatten(), dtype=np.int64)
        return dofs

    def facets(self, boundary: str) -> Points:
        """Shape functions at the quadrature points of a named boundary's facets."""
        import skfem

        self.check(boundary)
        order = max(2 * self.order, 4)
        return tabulate(skfem.FacetBasis(self.domain.mesh, self._basis.elem, facets=boundary, intorder=order))

    def fine_cells(self) -> Points:
        """Shape functions at a finer rule, for loads that vary inside a cell."""
        import skfem

        return tabulate(skfem.Basis(self.domain.mesh, self._basis.elem, intorder=2 * self.order + 2))

    def check(self, boundary: str, owner: str = "The mesh") -> None:
        """Raise `InputError` unless the mesh has a boundary of that name."""
        names = self.domain.boundaries
        if boundary not in names:
            raise InputError(f"{owner} has no boundary '{boundary}'{did_you_mean(str(boundary), names)}")

    def nearest(self, point: Floats) -> int:
        """Return the cell whose centroid is nearest to a point ``[dim]``."""
        centroids = (self.cells.points * self.cells.weights[..., None]).sum(1) / self.cells.weights.sum(1)[:, None]
        return int(np.argmin(((centroids - point) ** 2).sum(-1)))

    def evaluation(self, point: Floats) -> tuple[Ints, Floats]:
        """Return ``(dofs [b], values [b])`` that evaluate a field at a point ``[dim]`` of the domain."""
        column = np.asarray(point, dtype=np.float64)[:, None]
        outside = f"The point {tuple(np.asarray(point).tolist())} lies outside the mesh; give a point inside the body."
        try:
            cell = self._basis.mesh.element_finder()(*column)
        # scikit-fem's finder of a line runs past its table instead of raising ValueError.
        except (ValueError, IndexError) as error:
            raise InputError(outside) from error
        local = self._basis.mapping.invF(column[:, :, None], tind=cell)
        if np.any(local < -1e-6) or np.any(local > 1 + 1e-6):
            raise InputError(outside)
        values = [
            float(np.ravel(self._basis.elem.gbasis(self._basis.mapping, local, i, tind=cell)[0])[0])
            for i in range(self._basis.Nbfun)
        ]
        return np.asarray(self._basis.element_dofs[:, cell[0]], dtype=np.int64), np.array(values)


def simplex_centroid(cell: str) -> tuple[Floats, Floats] | None:
    """Return the one-point rule of a simplex, None for other cells."""
    rules = {"line": (1, 1.0), "triangle": (2, 1 / 2), "tetrahedron": (3, 1 / 6)}
    if cell not in rules:
        return None
    dim, volume = rules[cell]
    return np.full((dim, 1), 1 / (dim + 1)), np.array([volume])


def tabulate(basis: Any) -> Points:
    """Return a scikit-fem basis as arrays with the cell first."""
    shape = basis.dx.shape
    values = np.stack([np.broadcast_to(np.asarray(f[0]), shape) for f in basis.basis], axis=-1)
    grads = np.stack([np.broadcast_to(f[0].grad, (f[0].grad.shape[0], *shape)) for f in basis.basis], axis=-1)
    points = np.broadcast_to(np.asarray(basis.global_coordinates()), (grads.shape[0], *shape))
    return Points(
        dofs=np.ascontiguousarray(basis.element_dofs.T, dtype=np.int64),
        weights=np.ascontiguousarray(basis.dx),
        points=np.ascontiguousarray(np.moveaxis(points, 0, -1)),
        values=np.ascontiguousarray(values),
        grads=np.ascontiguousarray(np.moveaxis(grads, 0, 2)),
    )
