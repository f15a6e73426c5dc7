"""Nodes and elements of a result file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.cells import Elements, Wholes, routine_with
from scalebridge.simulators.ansys.headers import ResultHeader
from scalebridge.simulators.ansys.records import Records

_MOST_NODES = 20
_LONGEST = 10_000


@dataclass(frozen=True)
class ElementType:
    """One element type (ET) of a model.

    Args:
        routine: 185 of SOLID185.
        keyopts: its key options 1 to 12.
        n_stress: nodes that have stresses; the corners of an element of higher order.
    """

    routine: int
    keyopts: tuple[int, ...]
    n_stress: int


@dataclass(frozen=True, eq=False)
class Geometry:
    """Nodes and elements.

    Args:
        nodes: ``[p]`` node numbers.
        points: ``[p, 3]`` where they are.
        angles: ``[p, 3]`` degrees that their coordinate system is turned by: thxy, thyz, thzx.
        elements: as ANSYS numbers them, in the order of the results.
        types: from number to element type.
    """

    nodes: Wholes
    points: Floats
    angles: Floats
    elements: Elements
    types: Mapping[int, ElementType]


def read_geometry(records: Records, header: ResultHeader) -> Geometry:
    """Nodes and elements of a result file.

    Raises:
        InputError: damaged.
    """
    place = header.places["geometry"]
    items = records.wholes(place, "the geometry header", 1000)
    if len(items) < 30:
        raise records.damaged(
            place, "the geometry header", f"{len(items)} items, fewer than the 30 that releases from 14 on write"
        )
    n_nodes, n_elements = int(items[3]), int(items[4])
    if not 0 <= 3 * n_nodes <= len(records.words) or not 0 <= 3 * n_elements <= len(records.words):
        raise records.damaged(place, "the geometry header", f"{n_nodes} nodes and {n_elements} elements")
    types = _types(records, place_of(items, 20), int(items[1]), bool(len(items) > 64 and items[64] == 1))
    nodes = _nodes(records, place_of(items, 26), n_nodes)
    numbers = nodes[:, 0]
    if len(numbers) and (numbers.min() < 1 or numbers.max() > 2**31 - 1 or (numbers != np.floor(numbers)).any()):
        raise records.damaged(place_of(items, 26), "the nodes", "node numbers that are none")
    elements = _elements(records, place_of(items, 28), n_elements, types)
    return Geometry(numbers.astype(np.int64), nodes[:, 1:4], nodes[:, 4:7], elements, types)


def place_of(items: Wholes, low: int) -> int:
    """A place of 64 bits from two items."""
    return (int(items[low + 1]) << 32) | (int(items[low]) & 0xFFFFFFFF)


def index_table(records: Records, place: int, what: str, count: int) -> Wholes:
    """Places ``[count]`` of a table that holds each in two words, relative to the table."""
    words = records.wholes(place, what, 2 * count)
    if len(words) != 2 * count:
        raise records.damaged(place, what, f"{len(words)} items for {count} elements")
    pairs = words.reshape(-1, 2)
    return np.asarray((pairs[:, 1] << 32) | (pairs[:, 0] & 0xFFFFFFFF), dtype=np.int64)


def _types(records: Records, place: int, most: int, two_tables: bool) -> dict[int, ElementType]:
    what = "the element types"
    places = records.wholes(place, what, _LONGEST)
    if two_tables:
        places = records.wholes(records.after(place, what), what, _LONGEST)
    types: dict[int, ElementType] = {}
    for offset in places[places > 0].tolist():
        items = records.wholes(place + offset, "an element type", _LONGEST)
        if len(items) < 94:
            raise records.damaged(place + offset, "an element type", f"{len(items)} items, fewer than 94")
        n_stress = int(items[93])
        if not 0 <= n_stress <= 100:
            raise records.damaged(place + offset, "an element type", f"stresses at {n_stress} nodes")
        types[int(items[0])] = ElementType(int(items[1]), tuple(items[2:14].tolist()), n_stress)
    return types


def _nodes(records: Records, place: int, count: int) -> Floats:
    """Number, x, y, z and three angles ``[p, 7]``."""
    whole = _plain_nodes(records, place, count)
    if whole is not None:
        return whole
    nodes = np.zeros((count, 7))
    for i in range(count):
        items = records.reals(place, f"node {i + 1}", 7)
        nodes[i, : len(items)] = items
        place = records.after(place, f"node {i + 1}")
    if not np.isfinite(nodes).all():
        raise records.damaged(place, "the nodes", "coordinates that are not finite")
    return nodes


def _plain_nodes(records: Records, place: int, count: int) -> Floats | None:
    """All nodes at once where every record is of the same plain form; None where some are packed."""
    end = place + 17 * count
    if not 0 <= place <= end <= len(records.words):
        return None
    table = records.words[place:end].reshape(count, 17)
    if not ((table[:, 0] == 14) & (table[:, 1] == 0) & (table[:, 16] == 14)).all():
        return None
    raw = np.ascontiguousarray(table[:, 2:16]).tobytes()
    nodes = np.frombuffer(raw, records.order + "f8").reshape(count, 7).astype(np.float64)
    return nodes if np.isfinite(nodes).all() else None


def _elements(records: Records, place: int, count: int, types: Mapping[int, ElementType]) -> Elements:
    places = place + index_table(records, place, "the element index", count)
    heads = np.zeros((count, 10), dtype=np.int64)
    nodes = np.zeros((count, _MOST_NODES), dtype=np.int64)
    for i, at in enumerate(places.tolist()):
        items = records.wholes(at, f"element {i + 1}", _LONGEST)
        if len(items) < 10:
            raise records.damaged(at, f"element {i + 1}", f"{len(items)} items, fewer than 10")
        heads[i] = items[:10]
        own = items[10 : 10 + _MOST_NODES]
        nodes[i, : len(own)] = own
    routines = {number: routine_with(kind.routine, kind.keyopts[0]) for number, kind in types.items()}
    routine = np.array([routines.get(t, 0) for t in heads[:, 1].tolist()], dtype=np.int64)
    tags: dict[str, NDArray[np.int64]] = {
        "material": heads[:, 0],
        "type": heads[:, 1],
        "real": heads[:, 2],
        "section": heads[:, 3],
    }
    return Elements(heads[:, 8], routine, nodes, tags)
