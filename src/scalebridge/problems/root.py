"""Roots of increasing functions, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scalebridge.quantities import Floats


def increasing_root(
    function: Callable[[Floats], tuple[Floats, Floats]], lower: Floats, upper: Floats, *, max_steps: int = 200
) -> Floats:
    """Roots ``[b]`` of an increasing function between ``lower [b]`` and ``upper [b]``.

    Newton's method, kept inside a shrinking bracket by bisection (Press et al., Numerical Recipes, 9.4).

    Args:
        function: maps ``[b]`` to values and slopes (the exact derivative), each ``[b]``.
        lower: where the function is not positive.
        upper: where it is not negative.
        max_steps: bisection alone needs about 60 to reach the last digit.
    """
    lower, upper = lower.copy(), upper.copy()
    span = upper - lower
    x = 0.5 * (lower + upper)
    last, done = span.copy(), span == 0
    for _ in range(max_steps):
        value, slope = function(x)
        lower = np.where(value <= 0, x, lower)
        upper = np.where(value >= 0, x, upper)
        newton = x - value / np.where(slope > 0, slope, 1.0)
        # A Newton step that leaves the bracket or does not halve the last one is replaced by a bisection.
        kept = (slope > 0) & (newton >= lower) & (newton <= upper) & (np.abs(newton - x) < 0.5 * last)
        new = np.where(kept, newton, 0.5 * (lower + upper))
        new = np.where(done | (value == 0), x, new)
        # Newton's method doubles the digits: a step of the eleventh digit leaves nothing for another.
        done = done | (value == 0) | (kept & (np.abs(new - x) <= 1e-11 * span)) | (upper - lower <= 4e-16 * span)
        last, x = np.abs(new - x), new
        if done.all():
            break
    return x
