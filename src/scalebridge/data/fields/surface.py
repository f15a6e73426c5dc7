"""The faces that a mesh shows: its cells in two dimensions, its outer faces in three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.pieces import Pieces, pieces

Indices = NDArray[np.int64]

# Faces of the corner cells, by the numbers of their corners, in order around each.
FACES = {
    "tetra": ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)),
    "pyramid": ((0, 3, 2, 1), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)),
    "wedge": ((0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)),
    "hexahedron": ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)),
}


@dataclass(frozen=True)
class Faces:
    """Faces with as many corners each.

    Args:
        nodes: ``[n, k]`` in order around each.
        cells: ``[n]``, the cell that each belongs to.
    """

    nodes: Indices
    cells: Indices


def faces(mesh: Mesh) -> list[Faces]:
    """Cells of a surface or line as they are; of a solid the faces that belong to one cell alone."""
    parts = pieces(mesh)
    if mesh.dimension < 3:
        return [Faces(part.nodes, part.cells) for part in parts]
    found = [_outer([f for part in parts for f in _faces_of(part, k)]) for k in (3, 4)]
    return [f for f in found if len(f.nodes)]


def _faces_of(part: Pieces, k: int) -> list[Faces]:
    return [Faces(part.nodes[:, list(face)], part.cells) for face in FACES[part.kind] if len(face) == k]


def _outer(every: list[Faces]) -> Faces:
    if not every:
        return Faces(np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    nodes, cells = np.concatenate([f.nodes for f in every]), np.concatenate([f.cells for f in every])
    _, first, count = np.unique(np.sort(nodes, axis=1), axis=0, return_index=True, return_counts=True)
    alone = np.sort(first[count == 1])
    return Faces(nodes[alone], cells[alone])
