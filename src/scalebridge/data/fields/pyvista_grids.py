"""To pyvista and back, for those who have it: cells, points and fields with the unit in their names."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.data.fields.assembling import Asked, fields_of, mesh_of
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.raw import RawMesh
from scalebridge.data.fields.vtk_cells import grouped, number_of
from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.fields.mesh import Mesh


def to_pyvista(mesh: Mesh, fields: Mapping[str, Field] | Iterable[Field] = ()) -> Any:
    """A ``pyvista.UnstructuredGrid`` of a mesh and fields on it; see `Mesh.to_pyvista`."""
    try:
        pyvista = importlib.import_module("pyvista")
    except ImportError:
        raise InputError(
            f"The mesh '{mesh.name}' goes to pyvista, which is not installed: pip install 'scalebridge[pyvista]'."
        ) from None
    cells = [np.column_stack([np.full(len(b), b.nodes.shape[1]), b.nodes]).ravel() for b in mesh.cells]
    types = [np.full(len(b), number_of(b.type), dtype=np.uint8) for b in mesh.cells]
    empty = np.zeros(0, dtype=np.int64)
    grid = pyvista.UnstructuredGrid(
        np.concatenate([empty, *cells]), np.concatenate([empty.astype(np.uint8), *types]), np.array(mesh.points)
    )
    for field in fields.values() if isinstance(fields, Mapping) else fields:
        own = field.to_cells() if field.location == "integration points" else field
        name = field.name if field.unit == "1" else f"{field.name} [{field.unit}]"
        values = np.array(own.values.reshape(len(own.values), -1) if len(own.shape) > 1 else own.values)
        (grid.point_data if own.location == "points" else grid.cell_data)[name] = values
    return grid


def from_pyvista(
    grid: Any,
    *,
    unit: str = "1",
    units: Mapping[str, str] | None = None,
    fields: Collection[str] | None = None,
    name: str = "mesh",
) -> tuple[Mesh, dict[str, Field]]:
    """A mesh and its fields from any pyvista data set.

    Args:
        grid: a ``pyvista.DataSet``; others than unstructured grids are cast to one.
        unit, units, fields: as of `read_mesh`.
        name: of the mesh.

    Raises:
        InputError: no data set, cells that are not known here.
    """
    own = grid if hasattr(grid, "celltypes") else getattr(grid, "cast_to_unstructured_grid", lambda: None)()
    if own is None:
        raise InputError(f"A {type(grid).__name__} was given for a pyvista data set; give a grid or a surface.")
    # Older versions of pyvista say ``offset``.
    starts = own.cell_offsets if hasattr(own, "cell_offsets") else own.offset
    ends, types = np.asarray(starts, dtype=np.int64)[1:], np.asarray(own.celltypes, dtype=np.int64)
    try:
        cells = grouped(np.asarray(own.cell_connectivity, dtype=np.int64), ends, types)
    except ValueError as error:
        raise InputError(f"The pyvista data set '{name}' cannot be taken over: {error}.") from None
    raw = RawMesh(
        np.asarray(own.points, dtype=np.float64),
        cells.blocks,
        {str(k): np.asarray(v) for k, v in own.point_data.items()},
        {str(k): np.asarray(v)[cells.owners] for k, v in own.cell_data.items()},
    )
    asked = Asked(unit, units, fields)
    owner = f"The pyvista data set '{name}'"
    mesh = mesh_of(raw, asked, owner, name)
    return mesh, fields_of(raw, mesh, asked, owner)
