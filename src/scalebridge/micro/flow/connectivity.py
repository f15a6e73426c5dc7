"""Which pores reach through the cell, and along which axes."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scalebridge.micro.flow.image import Mask

Integers = NDArray[np.int64]


def through_pores(fluid: Mask, periodic: bool) -> list[Mask]:
    """Return for every axis of ``fluid`` the voxels of those pores that reach through the cell along it.

    Voxels connect by their faces. In a periodic cell a pore reaches through along an axis where a closed path
    in it winds around the cell along that axis; otherwise, where it touches both ends.

    Args:
        fluid: ``[*grid]``.
        periodic: whether opposite ends of the cell are joined.
    """
    labels, count = ndimage.label(fluid)
    reaches = _windings(labels, count) if periodic else _spans(labels, count)
    return [reaches[axis][labels] for axis in range(fluid.ndim)]


def _spans(labels: NDArray[Any], count: int) -> NDArray[np.bool_]:
    found = np.zeros((labels.ndim, count + 1), dtype=np.bool_)
    for axis in range(labels.ndim):
        first, last = np.take(labels, 0, axis=axis), np.take(labels, -1, axis=axis)
        found[axis, np.intersect1d(first, last)] = True
    found[:, 0] = False
    return found


def _windings(labels: NDArray[Any], count: int) -> NDArray[np.bool_]:
    """Follow the pores of the open image across the ends of the cell, counting crossings.

    Two ways to the same pore whose crossings differ make a closed path; the difference is its winding.
    """
    neighbours = _crossings(labels)
    dim = labels.ndim
    found = np.zeros((dim, count + 1), dtype=np.bool_)
    place: dict[int, tuple[int, ...]] = {}
    for root in neighbours:
        if root in place:
            continue
        place[root] = (0,) * dim
        members, queue, winds = [root], deque([root]), [False] * dim
        while queue:
            here = queue.popleft()
            for there, axis, step in neighbours[here]:
                at = tuple(p + step * (k == axis) for k, p in enumerate(place[here]))
                if there not in place:
                    place[there] = at
                    members.append(there)
                    queue.append(there)
                else:
                    winds = [w or a != p for w, a, p in zip(winds, at, place[there], strict=True)]
        found[:, members] = np.array(winds)[:, None]
    return found


def _crossings(labels: NDArray[Any]) -> dict[int, list[tuple[int, int, int]]]:
    """For each pore: (pore met, axis, direction) for every way across an end of the cell."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for axis in range(labels.ndim):
        last, first = np.take(labels, -1, axis=axis).ravel(), np.take(labels, 0, axis=axis).ravel()
        both = (last > 0) & (first > 0)
        for a, b in np.unique(np.stack([last[both], first[both]], axis=1), axis=0).tolist():
            found.setdefault(a, []).append((b, axis, 1))
            found.setdefault(b, []).append((a, axis, -1))
    return found
