"""Scrambled Halton points: a sequence as Sobol's, without a preference for powers of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.quantities import Floats
from scalebridge.quantities.cube import Cube

OWNER = "A Halton design"


def halton(space: Any, n: int, seed: int = 0, *, log: bool | Sequence[str] = ()) -> Design:
    """First ``n`` points of the Halton sequence, scrambled by ``seed``.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows; any number is as good.
        seed: of the scrambling.
        log: True for a logarithmic scale on every variable, or the names of those that have one.

    Raises:
        InputError: bounds are missing, or ``n`` is no whole number of at least 1.

    Source: A. B. Owen, "A randomized Halton algorithm in R", arXiv:1706.02808 (2017).
    """
    cube = Cube(space, log, OWNER)
    return from_unit(cube, _points(cube.size, 0, count(n, OWNER), seed), "halton", seed)


def extend(existing: Design, n: int) -> Design:
    """Go on with the sequence: the same points as a longer design would have had."""
    u = _points(existing.space.size, len(existing), n, existing.seed)
    return from_unit(existing.cube, u, "halton", existing.seed, after=existing)


def _points(d: int, start: int, n: int, seed: int) -> Floats:
    from scipy.stats import qmc

    u: Floats = qmc.Halton(d, scramble=True, rng=seed).random(start + n)[start:]
    return u
