"""A mesh file as it was read, before names, units and sets are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class RawMesh:
    """What a mesh file holds, in its own words.

    Args:
        points: ``[p, 1 to 3]``.
        blocks: types of cells and their nodes ``[e, k]``, in order.
        point_data: from name to ``[p, ...]``.
        cell_data: from name to ``[e, ...]`` over all blocks.
        point_sets: from name to numbers of points.
        cell_sets: from name to numbers of cells through all blocks.
        time: in s, where the file says it.
    """

    points: Array
    blocks: list[tuple[str, Array]]
    point_data: dict[str, Array] = field(default_factory=dict)
    cell_data: dict[str, Array] = field(default_factory=dict)
    point_sets: dict[str, Array] = field(default_factory=dict)
    cell_sets: dict[str, Array] = field(default_factory=dict)
    time: float | None = None
