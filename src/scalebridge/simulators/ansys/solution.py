"""One result set of a result file: its header, degrees of freedom at nodes, results of elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.cells import has_tensors, rows_of
from scalebridge.simulators.ansys.geometry import Geometry, index_table, place_of
from scalebridge.simulators.ansys.headers import ResultHeader
from scalebridge.simulators.ansys.records import Records

Wholes = NDArray[np.int64]
# What ANSYS writes where a node has no value.
_NO_VALUE = 2.0**100
# Places in the index table of an element, less one (fdresu: ptrENS is the third, ptrEEL the sixth).
STRESS, ELASTIC_STRAIN, _EULER = 2, 5, 9
# Shells store what is at their bottom first, then at their top.
_SHELLS = (28, 41, 43, 63, 91, 93, 99, 131, 132, 143, 157, 163, 181, 281)


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
    values[rows[kept]] = np.where(np.isfinite(found) & (found != _NO_VALUE), found, np.nan)[kept]
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


def averaged_at_nodes(
    records: Records, geometry: Geometry, solution: Solution, what: int, n_items: int, *, top: bool = False
) -> Floats | None:
    """Tensors of elements at their corner nodes ``[p, 6]``, averaged over the elements that share a node.

    In global directions (an element's own, of a shell or after ESYS, are turned by the Euler angles that are stored
    with it), in the order xx, yy, zz, xy, yz, zx. Midside nodes have none (NaN). None where no element has any.

    Args:
        records, geometry, solution: of the file.
        what: `STRESS` or `ELASTIC_STRAIN`.
        n_items: stored per node, of which those beyond 6 are left out.
        top: of shells alone, at their top; else of shells at their bottom, and of all other elements.

    Raises:
        InputError: damaged.
    """
    if not solution.elements:
        return None
    total, count = np.zeros((len(geometry.nodes), 6)), np.zeros(len(geometry.nodes))
    elements = geometry.elements
    tables = solution.elements + index_table(records, solution.elements, "the index of results", len(elements))
    rows = np.where(_repeated(elements.nodes), -1, rows_of(geometry.nodes, elements.nodes))
    for i, (table, number) in enumerate(zip(tables.tolist(), elements.tags["type"].tolist(), strict=True)):
        kind = geometry.types.get(number)
        if kind is None or table == solution.elements or not has_tensors(kind.routine):
            continue
        if top and kind.routine not in _SHELLS:
            continue
        values = _of_element(records, table, what, kind.n_stress, n_items, int(top))
        if values is not None:
            own = rows[i, : len(values)]
            kept = own >= 0
            np.add.at(total, own[kept], values[: len(own)][kept])
            np.add.at(count, own[kept], 1)
    if not count.any():
        return None
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)


def _repeated(nodes: Wholes) -> NDArray[np.bool_]:
    """Which of ``nodes [e, k]`` stand in their row before: corners of a degenerate element, which count once."""
    found = np.zeros(nodes.shape, dtype=np.bool_)
    for k in range(1, min(nodes.shape[1], 8)):
        found[:, k] = (nodes[:, :k] == nodes[:, k : k + 1]).any(axis=1)
    return found


def _of_element(records: Records, table: int, what: int, corners: int, n_items: int, layer: int) -> Floats | None:
    """Values ``[corners, 6]`` of one element; None where it has none."""
    places = records.wholes(table, "the results of an element", 200)
    if len(places) <= max(what, _EULER) or not corners:
        return None
    offset, start = int(places[what]), layer * corners * n_items
    if offset < 0:  # items that are all zero are not stored; the number is how many they are
        return np.zeros((corners, 6)) if -offset >= start + corners * n_items else None
    if offset == 0:
        return None
    items = records.reals(table + offset, "the results of an element", 1_000_000)
    if len(items) >= start + corners * n_items:
        values = items[start : start + corners * n_items].reshape(corners, n_items)[:, :6]
    elif len(items) == n_items and not layer:
        values = np.tile(items[:6], (corners, 1))  # after /CONFIG,NST1 one node is stored for all
    else:
        return None
    values = np.where(np.isfinite(values) & (values != _NO_VALUE), values, 0.0)
    angles = int(places[_EULER])
    return values if angles <= 0 else _turned(values, records, table + angles, what == ELASTIC_STRAIN)


def _turned(values: Floats, records: Records, place: int, is_strain: bool) -> Floats:
    """Tensors ``[corners, 6]`` from the directions of the element to the global ones."""
    angles = records.reals(place, "the angles of an element", 10_000)
    if len(angles) < 3 or not np.isfinite(angles).all() or not angles.any():
        return values
    each = len(angles) >= 3 * len(values)
    rotation = node_rotations(angles[: 3 * len(values) if each else 3].reshape(-1, 3))
    shear = 0.5 if is_strain else 1.0  # strains are stored as shear angles
    tensor = values[:, [0, 3, 5, 3, 1, 4, 5, 4, 2]].reshape(-1, 3, 3) * np.where(np.eye(3, dtype=bool), 1.0, shear)
    tensor = rotation @ tensor @ np.swapaxes(rotation, 1, 2)
    turned = tensor.reshape(-1, 9)[:, [0, 4, 8, 1, 5, 2]]
    return np.asarray(turned / np.array([1, 1, 1, shear, shear, shear]))
