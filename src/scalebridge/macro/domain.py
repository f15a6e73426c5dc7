"""A mesh with named boundaries, and refinement that keeps the names and the circles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

CELLS = {
    "MeshLine": "line",
    "MeshTri": "triangle",
    "MeshQuad": "quadrilateral",
    "MeshTet": "tetrahedron",
    "MeshHex": "hexahedron",
}


@dataclass(frozen=True, eq=False)
class Domain:
    """A scikit-fem mesh with named boundaries, some of which are arcs of circles.

    Args:
        mesh: scikit-fem mesh of lines, triangles, quadrilaterals, tetrahedra or hexahedra, in metres.
        circles: boundary name -> ``(x, y, radius)``: refinement puts new nodes of that boundary on the circle.
    """

    mesh: Any
    circles: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        """Shape of the cells: line, triangle, quadrilateral, tetrahedron or hexahedron."""
        kind = type(self.mesh).__name__.rstrip("0123456789DG")
        if kind not in CELLS:
            raise InputError(f"A mesh of the type {kind} is not supported; give one of {', '.join(CELLS)}.")
        return CELLS[kind]

    @property
    def boundaries(self) -> dict[str, NDArray[np.int64]]:
        """Boundary name -> facet numbers."""
        return {
            name: np.asarray(facets, dtype=np.int64)
            for name, facets in (self.mesh.boundaries or {}).items()
            if not name.startswith("gmsh:")
        }

    def refined(self, cells: NDArray[np.int64] | None = None) -> Domain:
        """Return the domain with the given cells refined (all cells where None or where cells are no triangles).

        Boundary names are kept; new nodes on a circle are put on it.
        """
        adaptive = cells is not None and self.cell in ("triangle", "line")
        old, new = self.mesh, _quietly_refined(self.mesh, cells if adaptive else None)
        new = new.with_boundaries(_inherited(old, new, self.boundaries), boundaries_only=True)
        return replace(self, mesh=new).snapped(first=old.p.shape[1])

    def curved(self) -> Domain:
        """Return the domain with second-order triangles whose edges bend with the circles; itself without circles."""
        import skfem

        if not self.circles or self.cell != "triangle":
            return self
        mesh = skfem.MeshTri2.from_mesh(self.mesh).with_boundaries(self.boundaries, boundaries_only=True)
        points = mesh.doflocs.copy()
        for name, circle in self.circles.items():
            facets = self.boundaries[name]
            points[:, mesh.nvertices + facets] = _on_circle(points[:, mesh.nvertices + facets], circle)
        return replace(self, mesh=replace(mesh, doflocs=points))

    def snapped(self, first: int = 0) -> Domain:
        """Return the domain with the nodes from number ``first`` on put on the circles of their boundaries."""
        points = self.mesh.doflocs.copy()
        for name, circle in self.circles.items():
            nodes = np.unique(self.mesh.facets[:, self.boundaries[name]])
            nodes = nodes[nodes >= first]
            points[:, nodes] = _on_circle(points[:, nodes], circle)
        return replace(self, mesh=replace(self.mesh, doflocs=points))


def _on_circle(points: Floats, circle: tuple[float, float, float]) -> Floats:
    centre = np.array([[circle[0]], [circle[1]]])
    arm = points - centre
    return np.asarray(centre + circle[2] * arm / np.linalg.norm(arm, axis=0))


def _quietly_refined(mesh: Any, cells: Any) -> Any:
    # scikit-fem logs that names are lost; they are restored here.
    bare = replace(mesh, _boundaries=None, _subdomains=None)
    return bare.refined() if cells is None else bare.refined(np.asarray(cells))


def _inherited(old: Any, new: Any, boundaries: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Name the facets of a refined mesh: each lies in the boundary facet of the old mesh nearest to its centre."""
    from scipy.spatial import cKDTree

    if not boundaries:
        return {}
    facets = new.boundary_facets()
    parents = old.boundary_facets()
    centre, corner = new.p[:, new.facets[:, facets]].mean(1).T, old.p[:, old.facets[:, parents]]
    # Children of a facet are spanned by its corners and the points midway between them.
    probes, owners = _children_centres(corner)
    _, nearest = cKDTree(probes).query(centre)
    parent = parents[owners[nearest]]
    return {name: facets[np.isin(parent, members)] for name, members in boundaries.items()}


def _children_centres(corner: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return centres of the possible children (and of itself) of facets ``[dim, k, n]``, and whose they are."""
    k, n = corner.shape[1:]
    centre = corner.mean(1)
    probes = [centre]
    if k > 1:
        probes += [(centre + corner[:, i]) / 2 for i in range(k)]
    return np.concatenate(probes, axis=1).T, np.tile(np.arange(n), len(probes))
