"""Lengths, areas and volumes of cells, and the share of each that belongs to its corners.

Exact for cells with straight edges; mid-side nodes of higher-order cells are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.pieces import Pieces, corners_at, pieces
from scalebridge.data.fields.shapes import rule, shapes
from scalebridge.quantities import Floats

# Corner cells whose derivatives are held at once.
CHUNK = 100_000


def measures(mesh: Mesh) -> Floats:
    """Length, area or volume ``[e]`` of every cell, in the mesh's unit to the power of the cell's own dimension.

    A point has the measure zero. Quadrilaterals that are not flat are integrated with two points a side.
    """
    found = np.zeros(mesh.n_cells)
    for dimension in (1, 2, 3):
        for part in pieces(mesh, dimension):
            for rows, weights in _shares(mesh, part):
                np.add.at(found, part.cells[rows], weights.sum(axis=1))
    return found


def centres(mesh: Mesh) -> Floats:
    """Mean of the corners ``[e, 3]`` of every cell."""
    parts = [mesh.points[block.corners].mean(axis=1) for block in mesh.cells if len(block)]
    return np.concatenate(parts) if parts else np.zeros((0, 3))


def shares(mesh: Mesh) -> Any:
    """Sparse ``[e, p]``: the integral of each point's shape function over each cell of the highest dimension.

    The sum of a row is the cell's measure; of a column, what of the mesh belongs to that point.
    """
    from scipy.sparse import csr_matrix

    rows, columns, values = [], [], []
    for part in pieces(mesh):
        for some, weights in _shares(mesh, part):
            nodes = part.nodes[some]
            rows.append(np.repeat(part.cells[some], nodes.shape[1]))
            columns.append(nodes.ravel())
            values.append(weights.ravel())
    shape = (mesh.n_cells, mesh.n_points)
    if not rows:
        return csr_matrix(shape)
    return csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def point_measures(mesh: Mesh) -> Floats:
    """What of the mesh's volume (area, length) belongs to each point ``[p]``; one each in a mesh without cells."""
    if mesh.dimension == 0:
        return np.ones(mesh.n_points)
    return np.asarray(shares(mesh).sum(axis=0), dtype=np.float64).ravel()


def cell_measures(mesh: Mesh) -> Floats:
    """Measures ``[e]`` of the cells of the highest dimension, zero of all others; one each of points."""
    if mesh.dimension == 0:
        return np.ones(mesh.n_cells)
    dimensions = np.repeat([b.kind.dimension for b in mesh.cells], [len(b) for b in mesh.cells])
    return np.where(dimensions == mesh.dimension, measures(mesh), 0.0)


def _shares(mesh: Mesh, part: Pieces) -> Iterator[tuple[slice, Floats]]:
    """Integrals ``[n, k]`` of the shape functions of the corners of each piece, some pieces at a time."""
    quadrature = rule(part.kind)
    values, slopes = shapes(part.kind, quadrature.places)
    for start in range(0, len(part.nodes), CHUNK):
        rows = slice(start, start + CHUNK)
        corners = corners_at(mesh, part, rows)
        total = np.zeros(corners.shape[:2])
        for weight, value, slope in zip(quadrature.weights, values, slopes, strict=True):
            total += weight * _stretch(np.einsum("nki,kd->nid", corners, slope))[:, None] * value
        yield rows, total


def _stretch(jacobian: NDArray[np.float64]) -> Floats:
    """How much the map stretches lengths, areas or volumes ``[n]``, from its derivatives ``[n, 3, d]``."""
    columns = [jacobian[:, :, d] for d in range(jacobian.shape[2])]
    if len(columns) == 1:
        return np.asarray(np.linalg.norm(columns[0], axis=1), dtype=np.float64)
    normal = np.cross(columns[0], columns[1])
    if len(columns) == 2:
        return np.asarray(np.linalg.norm(normal, axis=1), dtype=np.float64)
    return np.asarray(np.abs(np.einsum("ni,ni->n", normal, columns[2])), dtype=np.float64)
