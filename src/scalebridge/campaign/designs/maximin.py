"""Maximin designs: no two rows close to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.quantities import Floats
from scalebridge.quantities.cube import Cube

OWNER = "A maximin design"
# Large powers turn the sum over pairs into the smallest distance.
POWER = 15
SWAPS_PER_ENTRY = 60
CANDIDATES = 4096


def maximin(space: Any, n: int, seed: int = 0, *, log: bool | Sequence[str] = ()) -> Design:
    """Latin hypercube of the largest smallest distance that swaps within columns find.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows.
        seed: of the draw and the swaps.
        log: True for a logarithmic scale on every variable, or the names of those that have one.

    Raises:
        InputError: bounds are missing, or ``n`` is no whole number of at least 1.

    Source: M. D. Morris, T. J. Mitchell, J. Stat. Plan. Inference 43 (1995) 381 (criterion phi_p, annealing).
    """
    cube, n = Cube(space, log, OWNER), count(n, OWNER)
    rng = np.random.default_rng(seed)
    levels = (np.arange(n) + 0.5) / n
    u = np.stack([rng.permutation(levels) for _ in range(cube.size)], axis=1)
    if n > 2 and cube.size > 1:
        u = _annealed(u, rng)
    return from_unit(cube, u, "maximin", seed)


def extend(existing: Design, n: int) -> Design:
    """Add the candidate farthest from all rows, again and again, among 4096 Sobol points of the cube."""
    from scipy.spatial.distance import cdist
    from scipy.stats import qmc

    rng = np.random.default_rng([existing.seed, len(existing)])
    size = max(CANDIDATES, 1 << (8 * n - 1).bit_length())
    pool = qmc.Sobol(existing.space.size, rng=rng).random(size)
    gap = np.full(size, np.inf) if not len(existing) else cdist(pool, existing.unit).min(axis=1)
    chosen = []
    for _ in range(n):
        chosen.append(int(np.argmax(gap)))
        gap = np.minimum(gap, np.linalg.norm(pool - pool[chosen[-1]], axis=1))
    return from_unit(existing.cube, pool[chosen], existing.method, existing.seed, existing.options, after=existing)


def _annealed(u: Floats, rng: np.random.Generator) -> Floats:
    """Swap two entries of a column where that lowers ``sum over pairs of distance^-p``, or at random at first."""
    n, d = u.shape
    swaps = SWAPS_PER_ENTRY * n * d
    # Distances relative to a typical one, so that the high power stays in range.
    typical = np.sqrt(d / 6) * n ** (-1 / d)
    closeness = _closeness(((u[:, None] - u) ** 2).sum(2), typical)
    np.fill_diagonal(closeness, 0.0)
    energy = float(closeness.sum()) / 2
    best, least = u.copy(), energy
    heat = 0.1
    for step in range(swaps):
        a, b = rng.choice(n, size=2, replace=False)
        k = int(rng.integers(d))
        u[a, k], u[b, k] = u[b, k], u[a, k]
        rows = _closeness(((u[[a, b]][:, None] - u) ** 2).sum(2), typical)
        rows[0, a] = rows[1, b] = 0.0
        change = float(rows.sum() - closeness[[a, b]].sum()) - float(rows[0, b] - closeness[a, b])
        # phi_p is the p-th root of the energy: what counts is the change relative to it.
        if change <= 0 or rng.random() < np.exp(-change / (heat * energy * (1 - step / swaps) + 1e-300)):
            closeness[[a, b]] = rows
            closeness[:, [a, b]] = rows.T
            energy = float(closeness.sum()) / 2 if step % 256 == 0 else energy + change
            if energy < least:
                best, least = u.copy(), energy
        else:
            u[a, k], u[b, k] = u[b, k], u[a, k]
    return best


def _closeness(squared: Floats, typical: float) -> Floats:
    close: Floats = (squared / typical**2 + 1e-12) ** (-POWER / 2)
    return close
