"""Random structures: equal balls placed one after the other where there is room (random sequential addition).

Source: Widom, J. Chem. Phys. 44 (1966) 3888. The method jams at a fraction of 0.547 for discs and 0.384 for spheres
(Torquato, Random Heterogeneous Materials, 2002, section 3.4); long before, places become rare.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.structures import Axis, Balls, check_axis, radius_of

Floats = NDArray[np.float64]

JAMMED = {2: 0.547, 3: 0.384}
"""Fractions at which random sequential addition ends, by dimension."""

TRIES = 4_000_000
_BATCH = 4096


def random_spheres(fraction: float, count: int = 30, *, seed: int = 0, gap: float = 0.0) -> Balls:
    """Return ``count`` equal spheres at random places that do not overlap, of just this fraction.

    Args:
        fraction: of the spheres; about 0.36 at most.
        count: number of spheres; their radius follows.
        seed: of the places.
        gap: least distance between surfaces, in radii.

    Raises:
        InputError: a fraction that this method does not reach, a count or gap that makes no sense.
    """
    return _packed(fraction, count, 3, seed, gap, None)


def random_disks(fraction: float, count: int = 30, *, seed: int = 0, gap: float = 0.0) -> Balls:
    """Return ``count`` equal discs at random places that do not overlap; see `random_spheres`, to about 0.53."""
    return _packed(fraction, count, 2, seed, gap, None)


def random_fibres(fraction: float, count: int = 30, *, axis: Axis = "x", seed: int = 0, gap: float = 0.0) -> Balls:
    """Return ``count`` equal endless fibres along ``axis``; as `random_disks` in the plane across."""
    return _packed(fraction, count, 2, seed, gap, axis)


def _packed(fraction: float, count: int, dim: int, seed: int, gap: float, axis: Axis | None) -> Balls:
    check_axis(axis, 3)
    if count < 1 or not (math.isfinite(gap) and gap >= 0.0):
        raise InputError(f"{count} balls with a gap of {gap} radii were asked for; give at least one, and no overlap.")
    radius = radius_of(None, fraction, count, dim)
    apart = radius * (2.0 + gap)
    # With a gap the balls behave as larger ones.
    taken = fraction * (1.0 + gap / 2.0) ** dim
    if taken >= JAMMED[dim] and count > 1:
        raise InputError(_too_dense(fraction, gap, dim))
    if apart > 1.0:
        raise InputError(
            f"{count} balls of a fraction of {fraction} are {2 * radius:.3g} wide with a gap of {gap} radii, and meet "
            "their own images in the cell of side 1; take more or thinner ones."
        )
    return Balls(_places(count, dim, apart, np.random.default_rng(seed), fraction, gap), radius, axis)


def _places(count: int, dim: int, apart: float, rng: np.random.Generator, fraction: float, gap: float) -> Floats:
    from scipy.spatial import cKDTree

    kept = np.zeros((0, dim))
    for _ in range(TRIES // _BATCH):
        drawn = rng.random((_BATCH, dim))
        if len(kept):
            drawn = drawn[cKDTree(kept, boxsize=1.0).query(drawn, distance_upper_bound=apart)[0] >= apart]
        for place in drawn[:count] if not len(kept) else drawn:
            offset = kept - place
            offset -= np.rint(offset)
            if len(kept) == 0 or (offset**2).sum(axis=1).min() >= apart**2:
                kept = np.vstack([kept, place])
                if len(kept) == count:
                    return kept
    raise InputError(_too_dense(fraction, gap, dim))


def _too_dense(fraction: float, gap: float, dim: int) -> str:
    return (
        f"A fraction of {fraction} with a gap of {gap} radii is too dense for balls added one by one, which jam at "
        f"{JAMMED[dim]} in {dim} dimensions without a gap; take a lower fraction, a smaller gap or another seed, "
        f"or {'packed_disks or packed_fibres' if dim == 2 else 'packed_spheres'}, whose balls are pushed apart."
    )
