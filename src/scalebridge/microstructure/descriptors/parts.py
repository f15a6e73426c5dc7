"""How much a descriptor scatters among parts of an image, and hence how well the whole image knows it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.masks import Mask

HALVES = 2
"""Parts per axis: as few as have a scatter, so that each is still as like the whole as can be."""


def boxes(shape: tuple[int, ...], parts: int = HALVES) -> Iterator[tuple[slice, ...]]:
    """Yield the parts of a grid, ``parts`` per axis, that do not overlap."""
    cuts = [np.linspace(0, n, parts + 1).astype(int) for n in shape]
    yield from itertools.product(*([slice(int(a), int(b)) for a, b in itertools.pairwise(cut)] for cut in cuts))


def std_of_mean(
    measure: Callable[[tuple[slice, ...]], Mapping[str, float]], inside: Mask, parts: int = HALVES
) -> dict[str, float]:
    """Return the standard deviation of the whole image's descriptors: that of its parts over the root of their number.

    Parts of which less than half lies inside, or where the descriptor does not apply, are left out; a descriptor that
    fewer than three parts have is not told. As if parts were independent, which holds once they are many correlation
    lengths wide.

    Args:
        measure: returns descriptors by name for a part of the grid.
        inside: the pixels that count, ``[*grid]``.
        parts: per axis.
    """
    found: dict[str, list[float]] = {}
    for box in boxes(inside.shape, parts):
        if inside[box].size == 0 or inside[box].mean() < 0.5:
            continue
        try:
            values = measure(box)
        except InputError:
            continue
        for name, value in values.items():
            if np.isfinite(value):
                found.setdefault(name, []).append(value)
    return {
        name: float(np.std(values, ddof=1) / np.sqrt(len(values))) for name, values in found.items() if len(values) > 2
    }
