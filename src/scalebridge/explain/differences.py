"""Do parts of the rows differ from the rest? Tests for many parts and figures at once, by shuffling whole groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.explain.scatter import sums_by
from scalebridge.quantities import Floats

SHUFFLES = 999
# Groups that a part and its rest must hold for signs to be flipped rather than labels shuffled.
ENOUGH = 5


def part_against_rest(values: Floats, member: NDArray[np.bool_], units: NDArray[np.int64], seed: int = 0) -> Floats:
    """Probability ``[p, q]``, corrected for all ``p q`` tests, that a part differs so much from the rest by chance.

    Where every unit lies wholly inside or outside of each part, units are dealt anew to the parts, which is exact;
    else the units' influences change their signs at random, which asks for a few units on either side.

    Args:
        values: figures of each row ``[n, q]``, such as squared error, error, coverage.
        member: which rows belong to which part ``[n, p]``; parts may overlap.
        units: ``[n]`` labels of rows that are not independent.
        seed: of the shuffles.

    Returns:
        NaN where a part is too small, or has no rest.

    Source: P. H. Westfall and S. S. Young, Resampling-based multiple testing (1993), single-step maxT; A. C. Cameron,
    J. B. Gelbach and D. L. Miller, Bootstrap-based improvements for inference with clustered errors (2008).
    """
    inside = sums_by(member.astype(float), units) > 0
    nested = bool(np.array_equal(inside[units], member))
    rng = np.random.default_rng(seed)
    observed, drawn, usable = _dealt(values, inside, units, rng) if nested else _flipped(values, member, units, rng)
    spread = drawn.std(axis=0)
    ratio = np.where(spread > 0, np.abs(observed) / np.where(spread > 0, spread, 1.0), 0.0)
    usual = np.where(spread > 0, np.abs(drawn) / np.where(spread > 0, spread, 1.0), 0.0)
    if not usable.any():
        return np.full(observed.shape, np.nan)
    highest = usual[:, usable].reshape(len(usual), -1).max(axis=1)
    p = (1 + (highest[:, None, None] >= ratio[None]).sum(axis=0)) / (len(highest) + 1)
    told: Floats = np.where(usable[:, None], p, np.nan)
    return told


def _dealt(
    values: Floats, inside: NDArray[np.bool_], units: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Differences ``[p, q]`` of part and rest, and ``[s, p, q]`` with units dealt anew."""
    counts = np.bincount(units).astype(float)
    known = np.concatenate([counts[:, None], sums_by(values, units)], axis=1)

    def difference(which: NDArray[np.bool_]) -> Floats:
        """``[s, p, q]`` of units ``[s, u, p]`` in each part."""
        of = np.tensordot(which.astype(float), known, axes=([1], [0]))
        rest = known.sum(axis=0) - of
        told: Floats = of[..., 1:] / np.maximum(of[..., :1], 1.0) - rest[..., 1:] / np.maximum(rest[..., :1], 1.0)
        return told

    usable = np.asarray(inside.any(axis=0) & ~inside.all(axis=0))
    orders = np.stack([rng.permutation(len(inside)) for _ in range(SHUFFLES)])
    drawn = np.concatenate([difference(inside[part]) for part in np.array_split(orders, 20)])
    return difference(inside[None])[0], drawn, usable


def _flipped(
    values: Floats, member: NDArray[np.bool_], units: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Differences ``[p, q]``, and ``[s, p, q]`` of the units' influences with random signs."""
    n, p, q = len(values), member.shape[1], values.shape[1]
    observed, influence = np.zeros((p, q)), np.zeros((int(units.max()) + 1, p, q))
    usable = np.zeros(p, dtype=bool)
    for k in range(p):
        in_part = member[:, k]
        if not in_part.any() or in_part.all():
            continue
        least = min(len(np.unique(units[in_part])), len(np.unique(units[~in_part])))
        usable[k] = least >= ENOUGH
        weight = np.where(in_part, 1 / in_part.sum(), -1 / (n - in_part.sum()))
        # About the mean of all rows, as if nothing differed: about its own, a part where all values are covered would
        # have no scatter, and every such part would differ.
        influence[:, k] = sums_by(weight[:, None] * (values - values.mean(axis=0)), units)
        observed[k] = influence[:, k].sum(axis=0)
    signs = rng.choice([-1.0, 1.0], size=(SHUFFLES, len(influence)))
    drawn = (signs @ influence.reshape(len(influence), -1)).reshape(SHUFFLES, p, q)
    return observed, drawn, usable
