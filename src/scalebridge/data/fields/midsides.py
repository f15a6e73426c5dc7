"""What the mid-side nodes of second-order cells add to the interpolation between their corners.

With the shape functions ``N`` of the corners the serendipity interpolation is ``sum N_i u_i`` and, for every edge from
``a`` to ``b`` with the middle ``m``, ``4 N_a N_b / S (u_m - (u_a + u_b) / 2)``. ``S`` is 1 on a simplex, ``N_a + N_b``
in boxes and along a wedge's axis, the share of its triangle on a wedge's triangles, and ``(N_a + N_b) / (1 - N_apex)``
at the base of a pyramid. It is exact for quadratic fields on straight cells; nodes in faces are not needed for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cell_types import EDGES
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.fields.cells import CellBlock
    from scalebridge.data.fields.field import Field
    from scalebridge.data.fields.locating import Located

Indices = NDArray[np.int64]
SECOND_ORDER = (
    *("line3", "triangle6", "triangle7", "quad8", "quad9", "tetra10", "tetra14", "pyramid13", "pyramid14"),
    *("wedge12", "wedge15", "wedge18", "hexahedron20", "hexahedron24", "hexahedron27"),
)


def bulge(field: Field, found: Located) -> tuple[Floats, NDArray[np.bool_]]:
    """What middles add to a field at points, ``[n, m]``, and at which places ``[n]`` they are all known."""
    flat = field.values.reshape(len(field.values), -1)
    added, known = np.zeros((len(found.cells), flat.shape[1])), np.zeros(len(found.cells), dtype=np.bool_)
    first = 0
    for block in field.mesh.cells:
        edges = _edges(block)
        at = np.flatnonzero((found.cells >= first) & (found.cells < first + len(block))) if len(edges) else edges[:0, 0]
        nodes = block.nodes[found.cells[at] - first]
        first += len(block)
        if not len(at):
            continue
        weights = _weights(found.weights, at, nodes[:, : block.corners.shape[1]])
        one, other, middle = (flat[nodes[:, edges[:, k]]] for k in range(3))
        away = middle - (one + other) / 2
        known[at] = ~np.isnan(away).any(axis=(1, 2)) & (np.diff(np.sort(nodes, axis=1), axis=1) > 0).all(axis=1)
        added[at] = np.einsum("ne,nem->nm", _bubbles(block.kind.corners, weights, edges), np.nan_to_num(away))
    return added, known


def _edges(block: CellBlock) -> Indices:
    """Of a second-order type: corner, corner, middle ``[k, 3]``; empty of any other."""
    if block.type not in SECOND_ORDER:
        return np.zeros((0, 3), dtype=np.int64)
    pairs = EDGES[block.kind.corners][: 6 if block.type == "wedge12" else None]
    return np.array([(a, b, block.corners.shape[1] + k) for k, (a, b) in enumerate(pairs)])


def _weights(weights: Any, at: Indices, corners: Indices) -> Floats:
    """Shape functions ``[n, k]`` of the corners of each place's cell."""
    rows = np.repeat(at, corners.shape[1])
    return np.asarray(weights[rows, corners.ravel()], dtype=np.float64).reshape(corners.shape)


def _bubbles(kind: str, weights: Floats, edges: Indices) -> Floats:
    """The functions ``[n, k]`` of the middles of the edges."""
    one, other = weights[:, edges[:, 0]], weights[:, edges[:, 1]]
    scale = np.ones_like(one)
    if kind not in ("triangle", "tetra"):
        scale = one + other
    if kind == "wedge":
        scale[:, :3], scale[:, 3:6] = weights[:, :3].sum(axis=1)[:, None], weights[:, 3:].sum(axis=1)[:, None]
    if kind == "pyramid":
        scale[:, 4:] = 1.0
        scale[:, :4] /= np.maximum(1 - weights[:, 4:], 1e-12)
    return np.asarray(4 * one * other / np.where(scale > 0, scale, 1.0))
