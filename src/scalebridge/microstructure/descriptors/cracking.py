"""Voids and cracks: how many, how large, of which shape, and the longest way along a crack.

The length of a region is the longest of the shortest ways within it: along its skeleton from end to end, and half the
width further at both ends. The way is found by two sweeps of Dijkstra's method (exact on trees; Handler 1973).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import ShapeError
from scalebridge.microstructure.descriptors.masks import Floats, Mask
from scalebridge.microstructure.descriptors.region_shapes import Regions, regions


@dataclass(frozen=True, eq=False)
class CrackWays:
    """Regions of a phase as cracks.

    Attributes:
        regions: all regions, elongated and compact.
        length: longest way along each region, ``[n]``.
        width: size over length, ``[n]``: the mean opening.
        path: pixels of the longest way of all, ``[m, 2]`` (row, column), in order from end to end.
    """

    regions: Regions
    length: Floats
    width: Floats
    path: NDArray[np.int64]

    @property
    def slender(self) -> NDArray[np.bool_]:
        """Which are cracks: at least three times as long as they are wide, along their own way, ``[n]``."""
        return np.asarray((self.length >= 3.0 * self.width) & (self.length > 0))

    @property
    def longest(self) -> float:
        """Length of the longest way, 0 without regions."""
        return float(self.length.max(initial=0.0))

    @property
    def density(self) -> float:
        """Length of cracks per area of the field of view."""
        return float(self.length[self.slender].sum() / self.regions.seen)


def crack_ways(phase: ArrayLike, inside: ArrayLike | None = None, spacing: float = 1.0, smallest: int = 4) -> CrackWays:
    """Measure the regions of a phase along their skeletons, in 2-D.

    Args:
        phase: the indicator of void or crack, ``[ny, nx]``.
        inside: the pixels that count; all when ``None``.
        spacing: edge of a pixel.
        smallest: regions of fewer pixels are noise and left out.

    Raises:
        ShapeError: an image that is not 2-D.
        InputError: as `regions`.
    """
    if np.ndim(phase) != 2:
        raise ShapeError(f"Cracks are followed in a slice [ny, nx]; the phase has the shape {np.shape(phase)}.")
    found = regions(phase, inside, spacing, smallest)
    length, path = _ways(found.labels)
    length = length * spacing
    # A crack of one pixel across has a way one pixel shorter than itself; a compact region at least its diameter.
    length = np.maximum(length, np.minimum(found.diameter, found.axes[:, 0])) if len(found) else length
    return CrackWays(found, length, found.size / np.maximum(length, 1e-300), path)


def _ways(labels: NDArray[np.int32]) -> tuple[Floats, NDArray[np.int64]]:
    """Longest way of each label in pixels ``[n]``, and the pixels of the longest."""
    from skimage.morphology import skeletonize

    count = int(labels.max(initial=0))
    if not count:
        return np.zeros(0), np.zeros((0, 2), dtype=np.int64)
    places = np.argwhere(skeletonize(labels > 0))
    which = labels[tuple(places.T)]
    graph = _neighbours(labels, places)
    end, _, _ = _farthest(graph, _one_each(which, count), which, count)
    far, length, before = _farthest(graph, end, which, count)
    longest = int(np.argmax(length))
    tips = _tips(labels, places, end) + _tips(labels, places, far)
    return length + tips, places[_traced(before, far[longest])]


def _neighbours(labels: NDArray[Any], places: NDArray[np.int64]) -> Any:
    """Sparse graph of skeleton pixels of one region and their eight neighbours, with their distances."""
    from scipy.sparse import coo_array

    number = np.full(tuple(n + 2 for n in labels.shape), -1, dtype=np.int64)
    number[tuple(places.T + 1)] = np.arange(len(places))
    rows, columns, lengths = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[places[:, 0] + 1 + dy, places[:, 1] + 1 + dx]
        held = other >= 0
        rows.append(np.flatnonzero(held))
        columns.append(other[held])
        lengths.append(np.full(int(held.sum()), np.hypot(dy, dx)))
    n = len(places)
    return coo_array((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n)).tocsr()


def skeleton_length(skeleton: Mask) -> float:
    """Return the length of a skeleton ``[ny, nx]`` in pixels, steps of 1 and the root of 2, and 1 for its ends.

    The steps are those of the shortest tree that joins the pixels, so that corners do not count twice.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    places = np.argwhere(skeleton)
    if not len(places):
        return 0.0
    return 1.0 + float(minimum_spanning_tree(_neighbours(skeleton, places)).sum())


def _one_each(which: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    first = np.full(count, -1, dtype=np.int64)
    first[which[::-1] - 1] = np.arange(len(which))[::-1]
    return first


def _farthest(
    graph: Any, sources: NDArray[np.int64], which: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int32]]:
    """Farthest pixel of each region from its source, how far it is, and the pixel before each."""
    from scipy.sparse.csgraph import dijkstra

    found, before, _ = dijkstra(
        graph, directed=False, indices=sources[sources >= 0], min_only=True, return_predecessors=True
    )
    order = np.lexsort((found, which))
    last = np.flatnonzero(np.append(np.diff(which[order]) != 0, True))
    far, length = np.full(count, -1, dtype=np.int64), np.zeros(count)
    far[which[order[last]] - 1] = order[last]
    length[which[order[last]] - 1] = found[order[last]]
    return far, length, before


def _tips(labels: NDArray[np.int32], places: NDArray[np.int64], ends: NDArray[np.int64]) -> Floats:
    """Distance from the ends of the skeleton to the ends of the region: half the width there."""
    from scalebridge.microstructure.descriptors.distance_maps import squared_distances

    wide = np.sqrt(squared_distances(np.pad(labels > 0, 1)).astype(np.float64))[1:-1, 1:-1] - 0.5
    return np.asarray(np.where(ends >= 0, wide[tuple(places[np.maximum(ends, 0)].T)], 0.0))


def _traced(before: NDArray[np.int32], end: int) -> NDArray[np.int64]:
    way = [int(end)]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.array(way, dtype=np.int64)
