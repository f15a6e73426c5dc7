"""From faces to cells: a mesh of polyhedra, given by the faces between them, as cells of meshio's types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
# Corners of the faces of each type, the largest first, and which of these faces is the base.
_TYPES = {
    "tetra": ((3,) * 4, 0),
    "pyramid": ((4, 3, 3, 3, 3), 0),
    "wedge": ((4, 4, 4, 3, 3), 3),
    "hexahedron": ((4,) * 6, 0),
}
_N_NODES = {"tetra": 4, "pyramid": 5, "wedge": 6, "hexahedron": 8}
# Cells that are looked at together.
_CHUNK = 50_000


@dataclass(frozen=True, eq=False)
class Faces:
    """Polygons of any number of corners.

    Args:
        starts: ``[n + 1]``, where the corners of each begin in ``nodes``.
        nodes: numbers of points.
    """

    starts: Indices
    nodes: Indices

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> Indices:
        """Corners of each ``[n]``."""
        return np.diff(self.starts)

    def of(self, faces: Indices, size: int) -> Indices:
        """Corners ``[*faces, size]`` of faces that all have that many."""
        corners: Indices = self.nodes[self.starts[faces][..., None] + np.arange(size)]
        return corners


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one type.

    Args:
        type: meshio's name.
        nodes: ``[e, k]``; of a polyhedron its corners in no order.
        numbers: ``[e]``, their numbers in the case.
    """

    type: str
    nodes: Indices
    numbers: Indices


def cells_of(faces: Faces, owner: Indices, neighbour: Indices, n_cells: int) -> list[Cells]:
    """The cells between faces; tetrahedra, pyramids, wedges and hexahedra are recognised, others are polyhedra.

    Args:
        faces: the normal of each points out of its owner.
        owner: ``[f]``, the cell on one side.
        neighbour: ``[i]``, the cell on the other side of the first ``i`` faces.
        n_cells: number of cells; each has a face.
    """
    face = np.concatenate([np.arange(len(owner)), np.arange(len(neighbour))])
    cell = np.concatenate([owner, neighbour])
    order = np.lexsort((face, -faces.sizes[face], cell))
    face, cell, owned = face[order], cell[order], order < len(owner)
    n_faces = np.bincount(cell, minlength=n_cells)
    first = np.cumsum(n_faces) - n_faces
    found: list[Cells] = []
    left = np.ones(n_cells, dtype=bool)
    for name, (sizes, base) in _TYPES.items():
        numbers = np.flatnonzero(left & (n_faces == len(sizes)))
        for start in range(0, len(numbers), _CHUNK):
            some = numbers[start : start + _CHUNK]
            rows = first[some][:, None] + np.arange(len(sizes))
            some, rows = (part[(faces.sizes[face[rows]] == sizes).all(axis=1)] for part in (some, rows))
            nodes = _nodes(name, faces, face[rows], owned[rows[:, base]])
            right = (nodes >= 0).all(axis=1) & (np.diff(np.sort(nodes, axis=1), axis=1) > 0).all(axis=1)
            if right.any():
                found.append(Cells(name, nodes[right], some[right]))
                left[some[right]] = False
    kept = left[cell]
    return [*found, *_polyhedra(faces, face[kept], cell[kept])]


def _nodes(name: str, faces: Faces, face: Indices, outward: NDArray[np.bool_]) -> Indices:
    """Corners ``[m, k]`` of cells that have the faces of a type ``[m, f]``; -1 where they do not fit together."""
    sizes, base = _TYPES[name]
    bottom = faces.of(face[:, base], sizes[base])
    # The normal of the base points into the cell, as in VTK.
    bottom[outward] = bottom[outward, ::-1]
    sides = [faces.of(face[:, j], size) for j, size in enumerate(sizes) if j != base]
    here = np.concatenate([np.concatenate([c, c], axis=1) for c in sides], axis=1)
    there = np.concatenate([np.concatenate([np.roll(c, 1, 1), np.roll(c, -1, 1)], axis=1) for c in sides], axis=1)
    upward = ~(there[:, :, None] == bottom[:, None, :]).any(axis=2)
    top = []
    for corner in bottom.T[: _N_NODES[name] - sizes[base]]:
        match = upward & (here == corner[:, None])
        above = np.take_along_axis(there, match.argmax(axis=1)[:, None], axis=1)[:, 0]
        top.append(np.where(match.any(axis=1), above, -1))
    return np.column_stack([bottom, *top])


def _polyhedra(faces: Faces, face: Indices, cell: Indices) -> list[Cells]:
    """The cells that are of no other type, by their number of corners."""
    if not len(cell):
        return []
    sizes = faces.sizes[face]
    inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    nodes = faces.nodes[np.repeat(faces.starts[face], sizes) + inside]
    pairs = np.unique(np.column_stack([np.repeat(cell, sizes), nodes]), axis=0)
    numbers, first, counts = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    return [
        Cells("polyhedron", pairs[:, 1][first[counts == k][:, None] + np.arange(k)], numbers[counts == k])
        for k in np.unique(counts).tolist()
    ]
