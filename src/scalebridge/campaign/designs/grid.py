"""Full grids: every combination of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scalebridge.campaign.designs.design import Design, count, from_unit
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities.cube import Cube

OWNER = "A grid"
MOST_ROWS = 10_000_000


def grid(
    space: Any,
    n: int | None = None,
    seed: int = 0,
    *,
    log: bool | Sequence[str] = (),
    levels: int | Mapping[str, int] | None = None,
) -> Design:
    """Every combination of evenly spaced levels, bounds included; the last component varies fastest.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        n: number of rows, a power of the number of components; or give ``levels``.
        seed: taken for the sake of one signature; nothing is random here.
        log: True for a logarithmic scale on every variable, or the names of those that have one.
        levels: levels per component, for all or by the name of the variable.

    Raises:
        InputError: bounds are missing, ``n`` fits no grid, both or none of ``n`` and ``levels`` given.
    """
    cube = Cube(space, log, OWNER)
    each = _levels(cube, n, levels)
    total = int(np.prod(np.array(each, dtype=np.float64)))
    if total > MOST_ROWS:
        raise InputError(f"{OWNER} of {' x '.join(map(str, each))} levels has {total} rows; use designs.sobol instead.")
    # A single level stands in the middle.
    axes = [np.linspace(0.0, 1.0, k) if k > 1 else np.array([0.5]) for k in each]
    u = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, cube.size)
    return from_unit(cube, u, "grid", seed)


def extend(existing: Design, n: int) -> Design:
    """Refuse: a grid with rows between is no grid."""
    raise InputError(
        f"A grid of {len(existing)} rows cannot be extended by {n}, because it would be no grid; make a finer grid, or "
        "go on with designs.extend(designs.given(grid.x, grid.space), n)."
    )


def _levels(cube: Cube, n: int | None, levels: int | Mapping[str, int] | None) -> list[int]:
    if (n is None) == (levels is None):
        raise InputError(f"{OWNER} takes either n, the number of rows, or levels per component; give one of the two.")
    if isinstance(levels, Mapping):
        for name in levels:
            if name not in cube.space.names:
                raise InputError(f"{OWNER} got levels of '{name}'{did_you_mean(name, cube.space.names)}")
        lacking = [name for name in cube.space.names if name not in levels]
        if lacking:
            raise InputError(f"{OWNER} lacks the levels of '{lacking[0]}'; give a whole number for every variable.")
        return [count(levels[v.name], OWNER, what=f"levels of '{v.name}'") for v in cube.space for _ in range(v.size)]
    if levels is not None:
        return [count(levels, OWNER, what="levels")] * cube.size
    n, d = count(n, OWNER), cube.size
    root = round(n ** (1 / d))
    if root**d != n:
        low = int(n ** (1 / d))
        raise InputError(
            f"{OWNER} of {d} components has k^{d} rows, and n = {n} is none of these; "
            f"give {low**d} or {(low + 1) ** d}, or levels by name."
        )
    return [root] * d
