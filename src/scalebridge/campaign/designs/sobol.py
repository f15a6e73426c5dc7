"""Scrambled Sobol points: even in every projection, and any first part of the sequence is even too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.quantities import Floats
from scalebridge.quantities.cube import Cube

OWNER = "A Sobol design"


def sobol(space: Any, n: int, seed: int = 0, *, log: bool | Sequence[str] = ()) -> Design:
    """First ``n`` points of the Sobol sequence, with Owen's scrambling by ``seed``; powers of two are balanced.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows.
        seed: of the scrambling.
        log: True for a logarithmic scale on every variable, or the names of those that have one.

    Raises:
        InputError: bounds are missing, ``n`` is no whole number of at least 1, more components than 21 201.

    Source: A. B. Owen, J. Complexity 14 (1998) 466; directions of S. Joe and F. Y. Kuo (2008).
    """
    cube = Cube(space, log, OWNER)
    return from_unit(cube, _points(cube.size, 0, count(n, OWNER), seed), "sobol", seed)


def extend(existing: Design, n: int) -> Design:
    """Go on with the sequence: the same points as a longer design would have had."""
    u = _points(existing.space.size, len(existing), n, existing.seed)
    return from_unit(existing.cube, u, "sobol", existing.seed, after=existing)


def _points(d: int, start: int, n: int, seed: int) -> Floats:
    from scipy.stats import qmc

    # Drawing a power of two and cutting it gives the same sequence, without the warning about balance.
    u: Floats = qmc.Sobol(d, scramble=True, rng=seed).random_base2((start + n - 1).bit_length())[start : start + n]
    return u
