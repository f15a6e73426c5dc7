"""The cells of one dimension as corner cells: polygons as triangles, polyhedra as tetrahedra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Corner cells of one type.

    Args:
        kind: a corner type: line, triangle, quad, tetra, pyramid, wedge or hexahedron.
        nodes: ``[n, k]``.
        cells: ``[n]``, the cell of the mesh that each belongs to.
    """

    kind: str
    nodes: Indices
    cells: Indices


def pieces(mesh: Mesh, dimension: int | None = None) -> list[Pieces]:
    """The cells of one dimension, by default the mesh's highest; higher-order cells by their corners alone.

    Raises:
        InputError: a polyhedron whose nodes lie in one plane.
    """
    wanted, found, first = mesh.dimension if dimension is None else dimension, [], 0
    polyhedra = iter(mesh.polyhedra if wanted == 3 else ())
    for block in mesh.cells:
        cells = np.arange(first, first + len(block), dtype=np.int64)
        first += len(block)
        if block.kind.dimension != wanted or wanted == 0 or not len(block):
            continue
        if block.kind.name == "polygon":
            found.append(_triangles(block.nodes, cells))
        elif block.kind.name == "polyhedron":
            found.append(next(polyhedra))
        else:
            found.append(Pieces(block.kind.corners, block.corners, cells))
    return found


def _triangles(nodes: Indices, cells: Indices) -> Pieces:
    """A fan from the first node: right for convex polygons."""
    k = nodes.shape[1]
    if k < 3:
        return Pieces("triangle", np.zeros((0, 3), np.int64), np.zeros(0, np.int64))
    fans = [nodes[:, [0, i, i + 1]] for i in range(1, k - 1)]
    return Pieces("triangle", np.concatenate(fans), np.tile(cells, k - 2))


def tetrahedra(mesh: Mesh, nodes: Indices, first: int) -> Pieces:
    """Delaunay's tetrahedra of the nodes of each polyhedron, numbered from ``first``: right for convex ones."""
    from scipy.spatial import Delaunay, QhullError

    parts, owners = [], []
    for cell, row in enumerate(nodes, first):
        own = np.unique(row)
        try:
            simplices = Delaunay(mesh.points[own], qhull_options="QJ Pp").simplices
        except (QhullError, ValueError):
            raise InputError(
                f"The polyhedron {cell} of the mesh '{mesh.name}' has no volume; leave it out, or give its cells as "
                "hexahedra and tetrahedra."
            ) from None
        parts.append(own[simplices])
        owners.append(np.full(len(simplices), cell, dtype=np.int64))
    return Pieces("tetra", np.concatenate(parts).astype(np.int64), np.concatenate(owners))


def corners_at(mesh: Mesh, part: Pieces, rows: slice | Indices) -> Floats:
    """Coordinates ``[n, k, 3]`` of the corners of some of the pieces."""
    corners: Floats = mesh.points[part.nodes[rows]]
    return corners
