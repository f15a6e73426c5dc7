"""Dilation of a mask by a ball, 64 pixels at a time.

Pixels are packed into words of 64 bits along the last axis. A ball is a stack of segments: for each offset along the
other axes the mask, widened along the last axis by the segment's half length, is joined to the result. That is as many
steps as the ball has lines - 2 r in 2-D, 3 r^2 in 3-D - each over an eighth of a byte per pixel.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.descriptors.distance_maps import squared_distances
from scalebridge.microstructure.descriptors.masks import Mask

Words = NDArray[np.uint64]

MOST_LINES = 16_000
"""Lines of a ball above which a distance map is faster."""


def dilated(core: Mask, radius: float) -> Mask:
    """Return the pixels nearer than ``radius`` pixels to a core, ``[*grid]``: its dilation by an open ball.

    Args:
        core: ``[ny, nx]`` or ``[nz, ny, nx]``.
        radius: in pixels, above 0.
    """
    lines = _lines(radius, core.ndim - 1)
    if sum(map(len, lines.values())) > MOST_LINES:
        return np.asarray(squared_distances(~core, max(1, math.ceil(radius))) < radius**2)
    wide = _packed(core)
    found = np.zeros_like(wide)
    for half in range(max(lines) + 1):
        if half:
            wide = _widened(wide)
        for offset in lines.get(half, ()):
            here, there = _shifted(offset, core.shape[:-1])
            np.bitwise_or(found[there], wide[here], out=found[there])
    return _unpacked(found, core.shape[-1])


def _lines(radius: float, dim: int) -> dict[int, list[tuple[int, ...]]]:
    """Offsets of the lines of an open ball along the other axes, by half length."""
    reach = math.ceil(radius) - 1
    lines: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for offset in itertools.product(range(-reach, reach + 1), repeat=dim):
        left = radius**2 - sum(k * k for k in offset)
        if left > 0:
            # The largest whole number whose square is below.
            lines[math.ceil(math.sqrt(left)) - 1].append(offset)
    return lines


def _shifted(offset: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(max(-k, 0), max(n - max(k, 0), 0)) for k, n in zip(offset, shape, strict=True))
    there = tuple(slice(max(k, 0), max(n + min(k, 0), 0)) for k, n in zip(offset, shape, strict=True))
    return here, there


def _packed(mask: Mask) -> Words:
    bits = np.packbits(mask, axis=-1, bitorder="little")
    short = -bits.shape[-1] % 8
    padded = np.pad(bits, [(0, 0)] * (mask.ndim - 1) + [(0, short)])
    return np.ascontiguousarray(padded).view("<u8").astype(np.uint64, copy=False)


def _unpacked(words: Words, length: int) -> Mask:
    bits = np.unpackbits(words.astype("<u8", copy=False).view(np.uint8), axis=-1, count=length, bitorder="little")
    return bits.view(bool)


def _widened(words: Words) -> Words:
    """Join each line with itself moved by a pixel to either side."""
    one, rest = np.uint64(1), np.uint64(63)
    wide = words << one
    wide |= words
    wide |= words >> one
    wide[..., 1:] |= words[..., :-1] >> rest
    wide[..., :-1] |= words[..., 1:] << rest
    return wide
