"""Which cell holds a place, and where in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.pieces import Pieces, corners_at, pieces
from scalebridge.data.fields.shapes import centre, is_affine, margin, shapes
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

Indices = NDArray[np.int64]
# Places that are looked for at once, pairs of place and cell, the fewest neighbours tried, and Newton steps.
CHUNK, PAIRS, NEIGHBOURS, STEPS = 20_000, 500_000, 8, 25
# In coordinates of the cell from 0 to 1: what lies outside by less is inside.
TOLERANCE = 1e-7
# Newton's step, in the same coordinates, after which the next would be rounding.
CONVERGED = 1e-10


@dataclass(frozen=True)
class Located:
    """Where places lie.

    Args:
        cells: ``[n]``, the cell that holds each, -1 outside.
        weights: sparse ``[n, p]``, of the corners' values in the (multi)linear interpolation; empty rows outside.
    """

    cells: Indices
    weights: Any


@dataclass(frozen=True)
class Locator:
    """Cells of the highest dimension of a mesh, by trees of their centres, one for each size of cell.

    Sizes are kept apart, so that in a graded mesh a place is tried in few cells.
    """

    mesh: Mesh
    groups: tuple[_Group, ...] = field(repr=False)

    def locate(self, points: Floats) -> Located:
        """Find the cells of ``points [n, 3]``; of two that share a border, the one with the lower number."""
        from scipy.sparse import csr_matrix, vstack

        cells = np.full(len(points), -1, dtype=np.int64)
        parts = []
        for start in range(0, len(points), CHUNK):
            rows = slice(start, start + CHUNK)
            cells[rows], weights = self._chunk(points[rows])
            parts.append(weights)
        matrix = vstack(parts, format="csr") if parts else csr_matrix((0, self.mesh.n_points))
        return Located(cells, matrix)

    def _chunk(self, points: Floats) -> tuple[Indices, Any]:
        from scipy.sparse import csr_matrix

        cells = np.full(len(points), -1, dtype=np.int64)
        rows, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for group in self.groups:
            left = np.flatnonzero(cells < 0)
            if not len(left):
                break
            at, members, places = group.holding(self.mesh, points[left])
            weights = shapes(group.part.kind, places)[0] if len(at) else np.zeros((0, group.part.nodes.shape[1]))
            weights[np.abs(weights) < TOLERANCE] = 0.0
            nodes = group.part.nodes[members]
            cells[left[at]] = group.part.cells[members]
            used = weights != 0
            rows.append(np.repeat(left[at], used.sum(axis=1)))
            columns.append(nodes[used])
            values.append((weights / weights.sum(axis=1, keepdims=True))[used])
        triple = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return cells, csr_matrix(triple, shape=(len(points), self.mesh.n_points))


def locator(mesh: Mesh) -> Locator:
    """Prepare a mesh for `Locator.locate`.

    Raises:
        InputError: a mesh without cells, in which there is nothing to interpolate between.
    """
    if mesh.dimension == 0:
        raise InputError(
            f"The mesh '{mesh.name}' has points and no cells between them, so nothing is known in between; take the "
            "values of its points."
        )
    groups = []
    for part in pieces(mesh):
        corners = mesh.points[part.nodes]
        middle = corners.mean(axis=1)
        radius = np.sqrt(np.square(corners - middle[:, None]).sum(axis=2).max(axis=1))
        size = np.floor(np.log2(np.maximum(radius, 1e-300))).astype(np.int64)
        for level in np.unique(size)[::-1]:
            groups.append(_Group(mesh, part, np.flatnonzero(size == level), middle, radius))
    return Locator(mesh, tuple(groups))


class _Group:
    """Pieces of one type and about one size."""

    def __init__(self, mesh: Mesh, part: Pieces, members: Indices, middle: Floats, radius: Floats) -> None:
        from scipy.spatial import cKDTree

        self.part, self.members = part, members
        self.radius = float(radius[members].max())
        corners = corners_at(mesh, part, members)
        self.low = corners.min(axis=1) - 1e-6 * self.radius
        self.high = corners.max(axis=1) + 1e-6 * self.radius
        self.tree = cKDTree(middle[members])

    def holding(self, mesh: Mesh, points: Floats) -> tuple[Indices, Indices, Floats]:
        """Rows ``[m]`` of ``points`` that lie in a piece, the numbers of these pieces, and places ``[m, d]`` there."""
        found = np.full(len(points), -1, dtype=np.int64)
        places = np.zeros((len(points), len(centre(self.part.kind))))
        left, k = np.arange(len(points)), NEIGHBOURS
        while len(left):
            k, more = min(k, len(self.members)), np.zeros(len(left), dtype=np.bool_)
            step = max(1, PAIRS // k)
            for start in range(0, len(left), step):
                some = left[start : start + step]
                distance, near = self.tree.query(points[some], k=k, distance_upper_bound=self.radius * (1 + 1e-6))
                distance, near = distance.reshape(len(some), k), near.reshape(len(some), k)
                self._try(mesh, points, some, np.where(np.isfinite(distance), near, -1), found, places)
                more[start : start + step] = np.isfinite(distance[:, -1])
            left = left[(found[left] < 0) & more] if k < len(self.members) else left[:0]
            k *= 4
        at = np.flatnonzero(found >= 0)
        return at, found[at], places[at]

    def _try(self, mesh: Mesh, points: Floats, left: Indices, near: Indices, found: Indices, places: Floats) -> None:
        """Try the pieces ``near [l, k]`` (-1 for none) of each place that is left; note the lowest that holds it."""
        row, column = np.nonzero(near >= 0)
        point, piece = left[row], self.members[near[row, column]]
        low, high = self.low[near[row, column]], self.high[near[row, column]]
        close = np.all((points[point] >= low) & (points[point] <= high), axis=1)
        point, piece = point[close], piece[close]
        x, held = _inverted(self.part.kind, corners_at(mesh, self.part, piece), points[point])
        # Written backwards in the order of the numbers: the lowest is written last.
        order = np.argsort(piece[held], kind="stable")[::-1]
        found[point[held][order]] = piece[held][order]
        places[point[held][order]] = x[held][order]


def _inverted(kind: str, corners: Floats, points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Coordinates ``[n, d]`` in cells with ``corners [n, k, 3]``, and whether the points ``[n, 3]`` lie in them."""
    x = np.tile(np.array(centre(kind)), (len(points), 1))
    if not len(points):
        return x, np.zeros(0, dtype=np.bool_)
    middle = corners.mean(axis=1)
    size = np.sqrt(np.square(corners - middle[:, None]).sum(axis=2).max(axis=1))
    size = np.where(size > 0, size, 1.0)
    corners = (corners - middle[:, None]) / size[:, None, None]
    goal = (points - middle) / size[:, None]
    left = np.arange(len(points))
    for _ in range(1 if is_affine(kind) else STEPS):
        values, slopes = shapes(kind, x[left])
        missed = goal[left] - np.einsum("nk,nki->ni", values, corners[left])
        step = _solved(np.swapaxes(corners[left], 1, 2) @ slopes, missed)
        # Far outside there is nothing to find: what is held at the limits has ended.
        after = np.clip(x[left] + step, -1.0, 2.0)
        moved = np.abs(after - x[left]).max(axis=1) > CONVERGED
        x[left] = after
        left = left[moved]
        if not len(left):
            break
    missed = goal - np.einsum("nk,nki->ni", shapes(kind, x)[0], corners)
    held = (margin(kind, x) >= -TOLERANCE) & (np.abs(missed).max(axis=1) < 1e-6)
    return x, held


def _solved(jacobian: Floats, goal: Floats) -> Floats:
    """Least squares ``[n, d]`` of ``jacobian [n, 3, d]`` against ``goal [n, 3]``; flat cells are answered too."""
    length = np.sqrt(np.square(jacobian).sum(axis=1))
    length = np.where(length > 1e-150, length, 1.0)
    scaled = jacobian / length[:, None, :]
    matrix = np.swapaxes(scaled, 1, 2) @ scaled + 1e-15 * np.eye(jacobian.shape[2])
    right = np.einsum("nid,ni->nd", scaled, goal)
    if jacobian.shape[2] == 1:
        alone: Floats = right / (matrix[:, 0] * length)
        return alone
    solution: Floats = np.linalg.solve(matrix, right[:, :, None])[:, :, 0] / length
    return solution
