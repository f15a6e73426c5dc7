"""A part of a mesh, and a field restricted to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field

Indices = NDArray[np.int64]


def part_of(mesh: Mesh, cells: str | ArrayLike) -> tuple[Mesh, Indices, Indices]:
    """The chosen cells with their points as a mesh of its own, and which points and cells of the old one it has.

    Args:
        cells: name of a cell set, or of a point set (cells all of whose nodes are in it); a mask ``[e]``; or numbers.

    Raises:
        InputError: a set that is not there, a mask of another length, numbers that are no cells, no cells at all.
    """
    chosen = _chosen(mesh, cells)
    if not len(chosen):
        raise InputError(f"The part {_said(cells)} of the mesh '{mesh.name}' has no cells; choose another.")
    blocks, used, first = [], np.zeros(mesh.n_points, dtype=np.bool_), 0
    for block in mesh.cells:
        own = chosen[(chosen >= first) & (chosen < first + len(block))] - first
        first += len(block)
        if len(own):
            used[block.nodes[own]] = True
            blocks.append((block, own))
    points, number = np.flatnonzero(used), np.cumsum(used) - 1
    made = tuple(CellBlock(b.type, number[b.nodes[o]], {k: v[o] for k, v in b.tags.items()}) for b, o in blocks)
    part = Mesh(
        mesh.points[points],
        made,
        mesh.unit,
        {k: number[v[used[v]]] for k, v in mesh.point_sets.items() if used[v].any()},
        {k: np.flatnonzero(np.isin(chosen, v)) for k, v in mesh.cell_sets.items() if np.isin(chosen, v).any()},
        cells if isinstance(cells, str) else f"part of {mesh.name}",
    )
    return part, points, chosen


def restricted(field: Field, cells: str | ArrayLike) -> Field:
    """The field on a part of its mesh: see `Field.restricted`."""
    part, points, chosen = part_of(field.mesh, cells)
    rows = points if field.location == "points" else chosen
    return replace(field, mesh=part, values=field.values[rows])


def _chosen(mesh: Mesh, cells: Any) -> Indices:
    if isinstance(cells, str):
        if cells in mesh.cell_sets:
            return np.unique(mesh.cell_sets[cells])
        if cells in mesh.point_sets:
            inside = np.zeros(mesh.n_points, dtype=np.bool_)
            inside[mesh.point_sets[cells]] = True
            return np.flatnonzero(np.concatenate([inside[b.nodes].all(axis=1) for b in mesh.cells]))
        valid = [*mesh.cell_sets, *mesh.point_sets]
        raise InputError(f"The mesh '{mesh.name}' has no set '{cells}'{did_you_mean(cells, valid)}")
    from scalebridge.data.selection import chosen_rows

    return np.unique(chosen_rows(cells, mesh.n_cells, mesh.name))


def _said(cells: Any) -> str:
    return f"'{cells}'" if isinstance(cells, str) else "chosen"
