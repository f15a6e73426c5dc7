"""One result set of a result file: its header and the degrees of freedom at its nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.cells import rows_of
from scalebridge.simulators.ansys.geometry import Geometry, place_of
from scalebridge.simulators.ansys.headers import ResultHeader
from scalebridge.simulators.ansys.records import Records

Wholes = NDArray[np.int64]
# What ANSYS writes where a node has no value.
NO_VALUE = 2.0**100


@dataclass(frozen=True, eq=False)
class Solution:
    """The header of one result set.

    Args:
        place: word at which it starts.
        degrees: numbers of the degrees of freedom of a node: 1 UX, 2 UY, ..., 20 TEMP.
        n_nodes: that have results.
        imaginary: the imaginary part of a complex result.
        title: of the load step.
        nodal, elements: words at which the results at nodes and the index of elements start; 0 where there are none.
    """

    place: int
    degrees: tuple[int, ...]
    n_nodes: int
    imaginary: bool
    nodal: int
    elements: int


def read_solution(records: Records, place: int, index: int) -> Solution:
    """The header of the result set ``index`` (from 0).

    Raises:
        InputError: damaged.
    """
    what = f"the header of result set {index + 1}"
    items = records.wholes(place, what, 1000)
    if len(items) < 120:
        raise records.damaged(place, what, f"{len(items)} items, fewer than the 120 it needs")
    n_degrees = int(items[19])
    if not 0 <= n_degrees <= 30 or not 0 <= items[2] <= len(records.words):
        raise records.damaged(place, what, f"{n_degrees} degrees of freedom at {items[2]} nodes")
    nodal, elements = place_of(items, 104) or int(items[10]), place_of(items, 118) or int(items[11])
    return Solution(
        place,
        tuple(items[20 : 20 + n_degrees].tolist()),
        int(items[2]),
        bool(items[18] == 1),
        place + nodal if nodal > 0 else 0,
        place + elements if elements > 0 else 0,
    )


def nodal_values(
    records: Records, header: ResultHeader, geometry: Geometry, solution: Solution, stored: Wholes
) -> Floats:
    """Degrees of freedom ``[p, k]`` in the order of the points, NaN where a node has none, in global directions.

    Args:
        records, header, geometry, solution: of the file.
        stored: ``[n]`` node numbers in the order of the results.

    Raises:
        InputError: damaged.
    """
    n_degrees, what = len(solution.degrees), "the results at nodes"
    values = np.full((len(geometry.nodes), n_degrees), np.nan)
    if not solution.nodal or not n_degrees:
        return values
    items = records.reals(solution.nodal, what, 32 * max(len(stored), 1))
    n = len(items) // n_degrees
    if n * n_degrees != len(items) or n > len(stored):
        raise records.damaged(solution.nodal, what, f"{len(items)} items for {len(stored)} nodes")
    found = items.reshape(n, n_degrees)
    rows = rows_of(geometry.nodes, stored[:n])
    kept = rows >= 0
    values[rows[kept]] = np.where(np.isfinite(found) & (found != NO_VALUE), found, np.nan)[kept]
    _to_global(values, solution.degrees, geometry.angles)
    return values


def _to_global(values: Floats, degrees: tuple[int, ...], angles: Floats) -> None:
    """Turn vectors from the coordinate systems of their nodes; a node without angles keeps its own."""
    turned = np.flatnonzero((angles != 0).any(axis=1))
    if not len(turned):
        return
    rotation = node_rotations(angles[turned])
    for first in (1, 4, 7, 10):
        columns = [degrees.index(d) if d in degrees else -1 for d in range(first, first + 3)]
        present = [c for c in columns if c >= 0]
        if not present:
            continue
        vector = np.zeros((len(turned), 3))
        for axis, column in enumerate(columns):
            if column >= 0:
                vector[:, axis] = values[turned, column]
        vector = np.einsum("nij,nj->ni", rotation, vector)
        for axis, column in enumerate(columns):
            if column >= 0:
                values[turned, column] = vector[:, axis]


def node_rotations(angles: Floats) -> Floats:
    """Matrices ``[p, 3, 3]`` from the system of a node to the global one: Rz(thxy) Rx(thyz) Ry(thzx), in degrees."""
    z, x, y = np.deg2rad(angles).T
    matrices = []
    for angle, (i, j) in ((z, (0, 1)), (x, (1, 2)), (y, (2, 0))):
        matrix = np.tile(np.eye(3), (len(angles), 1, 1))
        matrix[:, i, i] = matrix[:, j, j] = np.cos(angle)
        matrix[:, i, j], matrix[:, j, i] = -np.sin(angle), np.sin(angle)
        matrices.append(matrix)
    product: Floats = matrices[0] @ matrices[1] @ matrices[2]
    return product
