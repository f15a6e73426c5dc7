"""Stresses and strains of elements, averaged at the nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.cells import Wholes, has_tensors, rows_of
from scalebridge.simulators.ansys.geometry import ElementType, Geometry, index_table
from scalebridge.simulators.ansys.records import Records
from scalebridge.simulators.ansys.solution import NO_VALUE, Solution, node_rotations

# Places in the index table of an element, less one (fdresu: ptrENS is the third, ptrEEL the sixth).
_STRESS, _STRAIN, _EULER = 2, 5, 9
# Shells store what is at their bottom first, then at their top.
_SHELLS = (28, 41, 43, 63, 91, 93, 99, 131, 132, 143, 157, 163, 181, 281)
# Elements that are read at a time: memory stays near that of the results.
_CHUNK = 20_000


@dataclass(frozen=True)
class Tensor:
    """Which tensor of the elements is wanted.

    Args:
        is_strain: elastic strain, stored as shear angles; else stress.
        n_items: stored per node, of which those beyond 6 are left out.
        top: of shells alone, at their top; else of shells at their bottom, and of all other elements.
    """

    is_strain: bool
    n_items: int
    top: bool = False

    @property
    def place(self) -> int:
        """Where it stands in the index table of an element."""
        return _STRAIN if self.is_strain else _STRESS

    def has(self, kind: ElementType) -> bool:
        """Whether elements of this type have it."""
        return has_tensors(kind.routine) and kind.n_stress > 0 and (kind.routine in _SHELLS or not self.top)


def averaged_at_nodes(records: Records, geometry: Geometry, solution: Solution, tensor: Tensor) -> Floats | None:
    """Tensors of elements at their corner nodes ``[p, 6]``, averaged over the elements that share a node.

    In global directions (an element's own, of a shell or after ESYS, are turned by the Euler angles that are stored
    with it), in the order xx, yy, zz, xy, yz, zx; strains as components of the tensor, half of the shear angles.
    Midside nodes have none (NaN). None where no element has any.

    Raises:
        InputError: damaged.
    """
    if not solution.elements:
        return None
    total, count = np.zeros((len(geometry.nodes), 6)), np.zeros(len(geometry.nodes))
    elements = geometry.elements
    tables = solution.elements + index_table(records, solution.elements, "the index of results", len(elements))
    rows = np.where(_repeated(elements.nodes), -1, rows_of(geometry.nodes, elements.nodes))
    for number, kind in geometry.types.items():
        if not tensor.has(kind):
            continue
        chosen = np.flatnonzero((elements.tags["type"] == number) & (tables != solution.elements))
        for start in range(0, len(chosen), _CHUNK):
            some = chosen[start : start + _CHUNK]
            values = _of_elements(records, tables[some], kind.n_stress, tensor)
            corners = min(kind.n_stress, rows.shape[1])
            kept = (rows[some][:, :corners] >= 0) & ~np.isnan(values[:, :corners]).any(axis=2)
            np.add.at(total, rows[some][:, :corners][kept], values[:, :corners][kept])
            np.add.at(count, rows[some][:, :corners][kept], 1)
    if not count.any():
        return None
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)


def _repeated(nodes: Wholes) -> NDArray[np.bool_]:
    """Which of ``nodes [e, k]`` stand in their row before: corners of a degenerate element, which count once."""
    found = np.zeros(nodes.shape, dtype=np.bool_)
    for k in range(1, min(nodes.shape[1], 8)):
        found[:, k] = (nodes[:, :k] == nodes[:, k : k + 1]).any(axis=1)
    return found


def _of_elements(records: Records, tables: Wholes, corners: int, tensor: Tensor) -> Floats:
    """Values ``[e, corners, 6]``, NaN of an element that has none: all at once, or one by one where they differ."""
    together = _together(records, tables, corners, tensor)
    if together is not None:
        return together
    values = np.full((len(tables), corners, 6), np.nan)
    for i, table in enumerate(tables.tolist()):
        found = _of_element(records, table, corners, tensor)
        if found is not None:
            values[i] = found
    return values


def _together(records: Records, tables: Wholes, corners: int, tensor: Tensor) -> Floats | None:
    """As `_of_elements` where all records are of one form; None where they are not."""
    places = records.together(tables)
    start, size = int(tensor.top) * corners * tensor.n_items, corners * tensor.n_items
    if places is None or places.dtype.kind != "i" or places.shape[1] <= _EULER or (places[:, tensor.place] <= 0).any():
        return None
    items = records.together(tables + places[:, tensor.place])
    if items is None or items.dtype.kind != "f" or items.shape[1] < start + size:
        return None
    values = _sound(items[:, start : start + size].reshape(-1, corners, tensor.n_items)[:, :, :6])
    if (places[:, _EULER] <= 0).all():
        return _as_tensor(values, None, tensor)
    angles = None if (places[:, _EULER] <= 0).any() else records.together(tables + places[:, _EULER])
    if angles is None or angles.dtype.kind != "f" or angles.shape[1] < 3:
        return None
    return _as_tensor(values, angles, tensor)


def _of_element(records: Records, table: int, corners: int, tensor: Tensor) -> Floats | None:
    """Values ``[corners, 6]`` of one element; None where it has none."""
    places = records.wholes(table, "the results of an element", 200)
    if len(places) <= _EULER:
        return None
    size = corners * tensor.n_items
    offset, start = int(places[tensor.place]), int(tensor.top) * size
    if offset < 0:  # items that are all zero are not stored; the number is how many they are
        return np.zeros((corners, 6)) if -offset >= start + size else None
    if offset == 0:
        return None
    items = records.reals(table + offset, "the results of an element", 1_000_000)
    if len(items) >= start + size:
        values = items[start : start + size].reshape(corners, tensor.n_items)[:, :6]
    elif len(items) == tensor.n_items and not tensor.top:
        values = np.tile(items[:6], (corners, 1))  # after /CONFIG,NST1 one node is stored for all
    else:
        return None
    angles = int(places[_EULER])
    turned = None if angles <= 0 else records.reals(table + angles, "the angles of an element", 10_000)[None]
    one: Floats = _as_tensor(_sound(values)[None], turned, tensor)[0]
    return one


def _sound(values: Floats) -> Floats:
    """Values as stored, NaN where there is none."""
    return np.asarray(np.where(np.isfinite(values) & (values != NO_VALUE), values, np.nan))


def _as_tensor(values: Floats, angles: Floats | None, tensor: Tensor) -> Floats:
    """Stored ``values [e, corners, 6]`` as components in global directions.

    Args:
        values: in the directions of the elements, shear strains as angles.
        angles: ``[e, 3]`` of an element or ``[e, 3 * corners]`` of its corners, in degrees; None where it has none.
        tensor: which it is.
    """
    if tensor.is_strain:
        values = values * np.array([1, 1, 1, 0.5, 0.5, 0.5])
    if angles is None or angles.shape[1] < 3 or not np.isfinite(angles).all() or not angles.any():
        return values
    n, corners = values.shape[:2]
    if angles.shape[1] >= 3 * corners:
        rotation = node_rotations(angles[:, : 3 * corners].reshape(-1, 3)).reshape(n, corners, 3, 3)
    else:
        rotation = node_rotations(angles[:, :3])[:, None]
    matrix = (
        rotation @ values[..., [0, 3, 5, 3, 1, 4, 5, 4, 2]].reshape(n, corners, 3, 3) @ np.swapaxes(rotation, -1, -2)
    )
    return np.asarray(matrix.reshape(n, corners, 9)[..., [0, 4, 8, 1, 5, 2]])
