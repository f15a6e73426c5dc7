"""Exact Euclidean distances to the nearest pixel outside of a phase, in little memory.

The squared distance is separable: along a line the nearest pixel is found by two running extrema, and each further
axis takes the lower envelope of shifted parabolas (Saito and Toriwaki, Pattern Recognition 27 (1994) 1551). A shift
of k pixels lowers nothing once k^2 exceeds the largest value, so the work grows with the widest place of the phase;
16 bits hold distances to `NARROW` pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.descriptors.masks import Mask, slab_ranges

Squares = NDArray[np.unsignedinteger[Any]]

NARROW = 180
"""Largest distance in pixels whose sum of squares over two shifts fits into 16 bits."""

_WIDEST = 32_000
_SLIM = 32


def squared_distances(phase: Mask, cap: int | None = None) -> Squares:
    """Return the squared distance in pixels of each pixel to the nearest one outside of the phase, ``[*grid]``.

    What lies beyond the image is unknown and counts as phase.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        cap: distances above this many pixels may be told as ``cap`` (faster); ``None`` for exact ones everywhere.
    """
    extent = math.ceil(math.hypot(*phase.shape))
    if phase.ndim == 2 and cap is None:
        near = _squared(phase, min(_SLIM, extent), np.dtype(np.uint16))
        return near if int(near.max()) < _SLIM**2 else _by_scipy(phase, extent)
    if cap is not None and min(cap, extent) <= NARROW:
        return _squared(phase, min(cap, extent), np.dtype(np.uint16))
    found = _squared(phase, min(NARROW, extent), np.dtype(np.uint16))
    if extent <= NARROW or int(found.max()) < NARROW**2:
        return found
    return _squared(phase, min(extent, _WIDEST) if cap is None else cap, np.dtype(np.uint32))


def distances(phase: Mask) -> NDArray[np.float32]:
    """Return the distance in pixels to the nearest pixel outside of the phase, ``[*grid]``; see `squared_distances`."""
    return np.sqrt(squared_distances(phase), dtype=np.float32)


def _by_scipy(phase: Mask, extent: int) -> Squares:
    """In a slice memory is no matter, and wide places are measured faster by Maurer's method."""
    from scipy.ndimage import distance_transform_edt

    if phase.all():
        return np.full(phase.shape, extent**2, dtype=np.uint32)
    return np.asarray(np.rint(np.square(distance_transform_edt(phase))), dtype=np.uint32)


def _squared(phase: Mask, reach: int, kind: np.dtype[Any]) -> Squares:
    found = np.empty(phase.shape, dtype=kind)
    for part in slab_ranges(phase.shape):
        near = np.minimum(_along_last(phase[part]), reach).astype(kind)
        np.multiply(near, near, out=found[part])
    for axis in range(phase.ndim - 1):
        found = _lowered(found, axis, kind)
    return found


def _along_last(phase: Mask) -> NDArray[np.signedinteger[Any]]:
    """Distance along the last axis, huge on lines without any other pixel."""
    n = phase.shape[-1]
    kind = np.int16 if n < 8_000 else np.int32
    far = kind(16_000 if n < 8_000 else 2 * _WIDEST)
    place = np.arange(n, dtype=kind)
    before = np.where(phase, -far, place)
    np.maximum.accumulate(before, axis=-1, out=before)
    after = np.where(phase, far, place)[..., ::-1]
    after = np.minimum.accumulate(after, axis=-1)[..., ::-1]
    return np.asarray(np.minimum(place - before, after - place))


def _lowered(squares: Squares, axis: int, kind: np.dtype[Any]) -> Squares:
    lowest, shifted = squares.copy(), np.empty_like(squares)
    n = squares.shape[axis]
    for k in range(1, n):
        if k * k >= int(lowest.max()):
            break
        head = tuple(slice(0, n - k) if j == axis else slice(None) for j in range(squares.ndim))
        tail = tuple(slice(k, n) if j == axis else slice(None) for j in range(squares.ndim))
        step = kind.type(k * k)
        for here, there in ((head, tail), (tail, head)):
            np.add(squares[here], step, out=shifted[here])
            np.minimum(lowest[there], shifted[here], out=lowest[there])
    return lowest
