"""From integration points to cells, from cells to points and back."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.data.fields.geometry import cell_measures, shares
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field


def to_cells(field: Field) -> Field:
    """One value in each cell: see `Field.to_cells`."""
    if field.location == "cells":
        return field
    if field.location == "integration points":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a cell without any value keeps NaN
            means = np.nanmean(field.values, axis=1) if field.values.shape[1] else np.full(_of(field), np.nan)
        return replace(field, values=means, location="cells")
    _check_cells(field)
    parts = shares(field.mesh)
    whole = np.asarray(parts.sum(axis=1)).ravel()
    flat = field.values.reshape(len(field.values), -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.asarray(parts @ flat) / np.where(whole > 0, whole, np.nan)[:, None]
    return replace(field, values=means.reshape(-1, *field.shape), location="cells")


def to_points(field: Field) -> Field:
    """One value at each point: see `Field.to_points`."""
    if field.location == "points":
        return field
    _check_cells(field)
    cells = to_cells(field)
    flat = cells.values.reshape(len(cells.values), -1)
    known = ~np.isnan(flat)
    touching = _touching(field).T
    above = np.asarray(touching @ np.where(known, flat, 0.0))
    below = np.asarray(touching @ known.astype(np.float64))
    values = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return replace(field, values=values.reshape(-1, *field.shape), location="points")


def _touching(field: Field) -> Any:
    """Sparse ``[e, p]``: the measure of each cell of the highest dimension at every one of its nodes."""
    from scipy.sparse import csr_matrix

    mesh, weights, first = field.mesh, cell_measures(field.mesh), 0
    rows, columns = [], []
    for block in mesh.cells:
        rows.append(np.repeat(np.arange(first, first + len(block)), block.nodes.shape[1]))
        columns.append(block.nodes.ravel())
        first += len(block)
    at, nodes = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((weights[at], (at, nodes)), shape=(mesh.n_cells, mesh.n_points))


def _check_cells(field: Field) -> None:
    if field.mesh.dimension == 0:
        raise InputError(
            f"The field '{field.name}' lives on the mesh '{field.mesh.name}', which has points and no cells between "
            "them; there is nothing to average over."
        )


def _of(field: Field) -> tuple[int, ...]:
    return (field.mesh.n_cells, *field.shape)


def weights_of(field: Field) -> Floats:
    """What of the mesh's volume (area, length) each value of the field stands for, ``[p or e]``."""
    from scalebridge.data.fields.geometry import point_measures

    return point_measures(field.mesh) if field.location == "points" else cell_measures(field.mesh)
