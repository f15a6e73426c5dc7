"""Latin hypercubes: every row alone in its slice of every component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.quantities import Floats
from scalebridge.quantities.cube import Cube

OWNER = "A Latin hypercube"
# An extension is the best of this many drawn at random, by its smallest distance.
TRIES = 32


def latin_hypercube(
    space: Any, n: int, seed: int = 0, *, log: bool | Sequence[str] = (), optimise: bool = False
) -> Design:
    """One row in each of ``n`` slices of every component, at random within it.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows.
        seed: of the draw.
        log: True for a logarithmic scale on every variable, or the names of those that have one.
        optimise: swap entries of columns until the centred discrepancy falls no further.

    Raises:
        InputError: bounds are missing, or ``n`` is no whole number of at least 1.

    Source: M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979) 239.
    """
    from scipy.stats import qmc

    cube, n = Cube(space, log, OWNER), count(n, OWNER)
    # A single row has nothing to swap.
    how = "random-cd" if optimise and n > 1 else None
    u = qmc.LatinHypercube(cube.size, optimization=how, rng=seed).random(n)
    return from_unit(cube, u, "latin_hypercube", seed)


def extend(existing: Design, n: int) -> Design:
    """Fill slices that are empty when each component is cut into as many as there will be rows.

    Doubling a Latin hypercube gives a Latin hypercube; otherwise a few slices stay empty.

    Source: C. J. Sallaberry, J. C. Helton, S. C. Hora, Reliab. Eng. Syst. Saf. 93 (2008) 1047.
    """
    rng = np.random.default_rng([existing.seed, len(existing)])
    before = existing.unit
    drawn = [_in_empty_slices(before, n, rng) for _ in range(TRIES)]
    best = max(drawn, key=lambda u: _least_distance(u, before))
    return from_unit(existing.cube, best, "latin_hypercube", existing.seed, after=existing)


def _in_empty_slices(before: Floats, n: int, rng: np.random.Generator) -> Floats:
    total = len(before) + n
    columns = []
    for column in before.T:
        taken = np.minimum((column * total).astype(np.int64), total - 1)
        empty = np.setdiff1d(np.arange(total), taken)
        columns.append((rng.permutation(empty)[:n] + rng.random(n)) / total)
    return np.stack(columns, axis=1)


def _least_distance(u: Floats, before: Floats) -> float:
    from scipy.spatial.distance import cdist

    gaps = cdist(u, np.concatenate([before, u]))
    gaps[np.arange(len(u)), len(before) + np.arange(len(u))] = np.inf
    return float(gaps.min(initial=np.inf))
