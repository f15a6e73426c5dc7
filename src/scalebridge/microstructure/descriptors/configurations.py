"""How often each pattern of 2 x 2 pixels, or 2 x 2 x 2 voxels, occurs: fraction, surface and Euler number follow.

Only cells wholly inside are counted, so that what these counts imply per area or volume has no edge bias.

Source: Ohser and Muecklich, Statistical Analysis of Microstructures in Materials Science (Wiley, 2000), chapters 3
and 4.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.descriptors.masks import Mask, slab_ranges

Counts = NDArray[np.int64]


def corners(dim: int) -> list[tuple[int, ...]]:
    """Offsets of the corners of a cell; corner number i is bit i of a pattern."""
    return list(itertools.product((0, 1), repeat=dim))


def patterns(phase: Mask, inside: Mask | None = None) -> Counts:
    """Return how many cells have each pattern, ``[16]`` in 2-D, ``[256]`` in 3-D; a set bit is a corner in the phase.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
    """
    total = np.zeros(1 << (1 << phase.ndim), dtype=np.int64)
    bytes_ = np.ascontiguousarray(phase).view(np.uint8)
    cells = tuple(n - 1 for n in phase.shape)
    if min(cells) < 1:
        return total
    for part in slab_ranges(cells, 1 << 20):
        total += _counted(bytes_, inside, part)
    return total


def tiled_patterns(phase: Mask, inside: Mask | None = None, tiles: int = 4) -> Counts:
    """Return the patterns of each of ``tiles`` x ``tiles`` (x ``tiles``) parts of the image, ``[parts, patterns]``.

    Parts that hold no whole cell are left out.
    """
    cuts = [np.linspace(0, n - 1, min(tiles, n - 1) + 1).astype(int) for n in phase.shape]
    parts = []
    for place in itertools.product(*(range(len(cut) - 1) for cut in cuts)):
        box = tuple(slice(int(cut[k]), int(cut[k + 1]) + 1) for cut, k in zip(cuts, place, strict=True))
        found = patterns(phase[box], None if inside is None else inside[box])
        if found.any():
            parts.append(found)
    return np.array(parts) if parts else np.zeros((0, 1 << (1 << phase.ndim)), dtype=np.int64)


def _counted(values: NDArray[np.uint8], inside: Mask | None, part: slice) -> Counts:
    dim = values.ndim
    size = 1 << (1 << dim)
    code = np.zeros((part.stop - part.start, *(n - 1 for n in values.shape[1:])), dtype=np.uint8)
    counted = None if inside is None else np.ones(code.shape, dtype=bool)
    for bit, corner in enumerate(corners(dim)):
        box = (
            slice(part.start + corner[0], part.stop + corner[0]),
            *(slice(k, n - 1 + k) for k, n in zip(corner[1:], values.shape[1:], strict=True)),
        )
        code |= values[box] << np.uint8(bit)
        if counted is not None and inside is not None:
            counted &= inside[box]
    seen = code.ravel() if counted is None else code[counted]
    return np.bincount(seen, minlength=size).astype(np.int64)
