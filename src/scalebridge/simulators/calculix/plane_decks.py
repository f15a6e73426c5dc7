"""The mesh of a plane deck for `scalebridge.macro.Solid`: its node sets become boundaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError
from scalebridge.simulators.calculix.inp import read_inp


def read_plane_mesh(path: str | Path, unit: str) -> Any:
    """Return the plane elements of a deck as a scikit-fem mesh in metres, ready for `scalebridge.macro.Solid`.

    Elements are read by their corners. An edge of the body belongs to the boundary ``NAME`` where both of its ends are
    in the node set ``NAME``; sets without an edge are left out.

    Args:
        path: of the deck (``.inp``) of triangles or of quadrilaterals, in the x-y plane.
        unit: of its coordinates, such as "mm".

    Raises:
        InputError: a deck that cannot be read, other elements or a mixture, no node set along an edge.
        UnitError: a unit that is no length.
    """
    import skfem

    mesh = read_inp(path, unit).in_unit("m")
    shape = _shape(mesh, path)
    corners = np.concatenate([block.corners for block in mesh.cells])
    used, cells = np.unique(corners, return_inverse=True)
    kind = {"triangle": skfem.MeshTri, "quad": skfem.MeshQuad}[shape]
    points = np.ascontiguousarray(mesh.points[used, :2].T)
    made = kind(points, np.ascontiguousarray(cells.reshape(corners.shape).T))
    boundary = made.boundary_facets()
    named = {}
    for name, members in mesh.point_sets.items():
        facets = boundary[np.isin(used[made.facets[:, boundary]], members).all(0)]
        if 0 < len(facets) < len(boundary):
            named[name] = facets
    if not named:
        raise InputError(
            f"The deck '{path}' has no node set along a part of the body's edge; add sets such as *NSET, NSET=LEFT."
        )
    return made.with_boundaries(named, boundaries_only=True)


def _shape(mesh: Mesh, path: str | Path) -> str:
    shapes = {block.kind.corners for block in mesh.cells}
    if len(shapes) != 1 or not shapes <= {"triangle", "quad"}:
        raise InputError(
            f"The deck '{path}' holds cells of the shapes {', '.join(sorted(shapes)) or 'none'}; a plane solid takes "
            "triangles alone or quadrilaterals alone."
        )
    if np.ptp(mesh.points[:, 2]) > 1e-9 * np.ptp(mesh.points):
        raise InputError(f"The deck '{path}' is not flat in z; a plane solid takes elements in the x-y plane.")
    return next(iter(shapes))
