"""Straight fibres moved apart in a periodic cell, their directions kept.

Fibres are taken as rounded at their ends (the points nearer to a segment than half the distance kept). Each pair
that is too near is moved apart along its shortest connection, all pairs at once, until none is left.
Source: M. Schneider, Comput. Mech. 59 (2017) 247-263, without its sequential addition.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError

Floats = NDArray[np.float64]

SWEEPS = 6000
# Pairs nearer than this more than the least distance are watched, until a fibre has gone a quarter of it.
SKIN = 0.5
# Fibres are moved a little further than they must, or the last overlaps would take forever.
MARGIN = 0.01


@dataclass(frozen=True)
class Pairs:
    """Pairs of fibres that may touch: the first, the second, and the shift ``[p, 3]`` of the second's image."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    shift: Floats


def parted(
    centres: Floats, axes: Floats, lengths: Floats, apart: float, cell: Floats, rng: np.random.Generator
) -> Floats:
    """Return centres ``[n, 3]`` of fibres that keep a distance of ``apart`` from axis to axis.

    Args:
        centres: to start from, ``[n, 3]``.
        axes: unit vectors, ``[n, 3]``.
        lengths: ``[n]``.
        apart: distance of the axes that is kept.
        cell: edges of the periodic cell, ``[3]``.
        rng: for pairs whose axes cross.

    Raises:
        InputError: a fibre that meets its own image, or fibres that could not be parted.
    """
    _refuse_own_image(axes, lengths, apart, cell)
    places, gone = centres.copy(), np.inf
    pairs, near = Pairs(*(np.zeros(0, dtype=np.int64),) * 2, np.zeros((0, 3))), apart * (1.0 + SKIN)
    for _ in range(SWEEPS):
        if gone > 0.25 * SKIN * apart:
            pairs, gone = _near_pairs(places, axes, lengths, near, cell), 0.0
        gap, towards = _connections(places, axes, lengths, pairs, rng)
        if len(gap) == 0 or gap.min() >= apart:
            # None is missed: all pairs once more, from scratch.
            pairs, gone = _near_pairs(places, axes, lengths, near, cell), 0.0
            gap, towards = _connections(places, axes, lengths, pairs, rng)
            if len(gap) == 0 or gap.min() >= apart:
                found: Floats = places % cell
                return found
        push = 0.5 * np.maximum(apart * (1.0 + MARGIN) - gap, 0.0)[:, None] * towards
        step = np.zeros_like(places)
        np.add.at(step, pairs.first, -push)
        np.add.at(step, pairs.second, push)
        places += step
        gone += float(np.linalg.norm(step, axis=1).max())
    raise InputError(
        f"{len(lengths)} short fibres could not be parted in {SWEEPS} sweeps; take a lower fraction, shorter or more "
        "aligned fibres, a smaller gap or another seed."
    )


def _refuse_own_image(axes: Floats, lengths: Floats, apart: float, cell: Floats) -> None:
    shifts = np.array([s for s in itertools.product((-1, 0, 1), repeat=3) if s > (0, 0, 0)]) * cell
    for shift in shifts:
        offset = np.broadcast_to(shift, axes.shape)
        gap = np.linalg.norm(_between(offset, axes, axes, 0.5 * lengths, 0.5 * lengths), axis=1)
        if gap.min() < apart:
            k = int(gap.argmin())
            raise InputError(
                f"A short fibre of length {lengths[k]:.3g} and a thickness of {apart:.3g} with its gap meets its own "
                f"image in the cell of edges {cell.tolist()}; take more or shorter fibres, or a longer cell."
            )


def _near_pairs(places: Floats, axes: Floats, lengths: Floats, near: float, cell: Floats) -> Pairs:
    """Pairs, images included, whose axes are nearer than ``near``."""
    first, second = np.triu_indices(len(places), 1)
    extent = 0.5 * lengths[:, None] * np.abs(axes)
    reach = extent[first] + extent[second] + near
    offset = places[second] - places[first]
    home = -np.rint(offset / cell) * cell
    images = [range(-n, n + 1) for n in np.ceil(reach.max(axis=0, initial=0.0) / cell - 0.5).astype(int)]
    kept = []
    for image in itertools.product(*images):
        shift = home + np.array(image) * cell
        rows = np.flatnonzero((np.abs(offset + shift) <= reach).all(axis=1))
        found = Pairs(first[rows], second[rows], shift[rows])
        close = np.linalg.norm(_vectors(places, axes, lengths, found), axis=1) < near
        kept.append(Pairs(found.first[close], found.second[close], found.shift[close]))
    return Pairs(*(np.concatenate([getattr(k, name) for k in kept]) for name in ("first", "second", "shift")))


def _connections(
    places: Floats, axes: Floats, lengths: Floats, pairs: Pairs, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Distances ``[p]`` and unit vectors from first to second ``[p, 3]`` along the shortest connections."""
    vector = _vectors(places, axes, lengths, pairs)
    gap = np.linalg.norm(vector, axis=1)
    for k in np.flatnonzero(gap < 1e-9 * lengths.max()):
        normal = np.cross(axes[pairs.first[k]], axes[pairs.second[k]])
        vector[k] = normal if np.linalg.norm(normal) > 1e-6 else np.cross(axes[pairs.first[k]], rng.standard_normal(3))
    return gap, vector / np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-300)


def _vectors(places: Floats, axes: Floats, lengths: Floats, pairs: Pairs) -> Floats:
    a, b = pairs.first, pairs.second
    offset = places[b] + pairs.shift - places[a]
    return _between(offset, axes[a], axes[b], 0.5 * lengths[a], 0.5 * lengths[b])


def _between(offset: Floats, p: Floats, q: Floats, half_p: Floats, half_q: Floats) -> Floats:
    """Shortest vectors ``[m, 3]`` from segments along ``p`` about 0 to segments along ``q`` about ``offset``.

    Source: C. Ericson, Real-Time Collision Detection, 2005, section 5.1.9.
    """
    along, back, cosine = (offset * p).sum(1), (offset * q).sum(1), (p * q).sum(1)
    sine2 = 1.0 - cosine**2
    straight = np.where(sine2 > 1e-12, (along - cosine * back) / np.maximum(sine2, 1e-12), 0.5 * along)
    s = np.clip(straight, -half_p, half_p)
    t = np.clip(s * cosine - back, -half_q, half_q)
    s = np.clip(along + t * cosine, -half_p, half_p)
    return np.asarray(offset + t[:, None] * q - s[:, None] * p)
