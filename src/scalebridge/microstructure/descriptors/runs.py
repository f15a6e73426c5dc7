"""Runs of a phase along the axes of an image: how long they are, and whether both ends are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.descriptors.masks import Mask, slab_ranges

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Runs:
    """Numbers of runs by length in pixels, index 0 unused; all arrays ``[longest + 1]``.

    Attributes:
        phase: maximal runs of the phase inside of the field of view.
        complete: those of which the pixels beyond both ends lie inside, so that the length is the true one.
        inside: maximal runs of the field of view.
        starts: starts of runs that are seen (the pixel before lies inside and is of another phase).
    """

    phase: Counts
    complete: Counts
    inside: Counts
    starts: int


def runs(phase: Mask, inside: Mask | None, axis: int) -> Runs:
    """Count the runs of a phase along one axis of the grid."""
    n = phase.shape[axis]
    lines = np.moveaxis(phase, axis, -1)
    seen = None if inside is None else np.moveaxis(inside, axis, -1)
    every, complete, open_ = (np.zeros(n + 1, dtype=np.int64) for _ in range(3))
    starts = 0
    for part in slab_ranges(lines.shape):
        state = _states(lines[part], None if seen is None else seen[part])
        first, last = _edges(state == 2)
        known_start, known_end = state[first - 1] == 1, state[last] == 1
        length = last - first
        every += np.bincount(length, minlength=n + 1)
        complete += np.bincount(length[known_start & known_end], minlength=n + 1)
        starts += int(known_start.sum())
        if seen is not None:
            first, last = _edges(state > 0)
            open_ += np.bincount(last - first, minlength=n + 1)
    if seen is None:
        open_[n] = phase.size // n
    return Runs(every, complete, open_, starts)


def _states(phase: Mask, inside: Mask | None) -> NDArray[np.uint8]:
    """One flat line: 0 beyond the image or outside, 1 another phase, 2 the phase; lines are parted by a 0."""
    shape = (*phase.shape[:-1], phase.shape[-1] + 1)
    state = np.zeros(shape, dtype=np.uint8)
    state[..., :-1] = phase
    state[..., :-1] += 1
    if inside is not None:
        state[..., :-1] *= inside
    return np.concatenate([np.zeros(1, dtype=np.uint8), state.ravel()])


def _edges(on: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First place of each run, and the place after its last."""
    turns = np.flatnonzero(on[1:] != on[:-1]) + 1
    return turns[::2], turns[1::2]
