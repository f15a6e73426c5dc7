"""How fast a field changes in space."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.fields.geometry import CHUNK
from scalebridge.data.fields.pieces import corners_at, pieces
from scalebridge.data.fields.shapes import centre, shapes
from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field


def gradient(field: Field) -> Field:
    """Derivatives in x, y and z at the middle of each cell: see `Field.gradient`."""
    mesh = field.mesh
    if mesh.dimension == 0:
        raise InputError(f"The mesh '{mesh.name}' of '{field.name}' has no cells, and so no gradient.")
    own = field.to_points()
    flat = own.values.reshape(len(own.values), -1)
    found = np.full((mesh.n_cells, flat.shape[1], 3), np.nan)
    for part in pieces(mesh):
        slopes = shapes(part.kind, np.array([centre(part.kind)]))[1][0]
        for start in range(0, len(part.nodes), CHUNK):
            rows = slice(start, start + CHUNK)
            jacobian = np.einsum("nki,kd->nid", corners_at(mesh, part, rows), slopes)
            rates = np.einsum("nkm,kd->nmd", flat[part.nodes[rows]], slopes)
            found[part.cells[rows]] = rates @ np.linalg.pinv(jacobian)
    own_unit = "delta_" + field.unit if field.unit in ("degC", "degF") else field.unit
    unit = own_unit if mesh.unit == "1" else f"({own_unit})/{mesh.unit}"
    return replace(
        own,
        name=f"{field.name}_gradient",
        unit=unit,
        values=found.reshape(mesh.n_cells, *field.shape, 3),
        location="cells",
        description="gradient in x, y, z",
    )
