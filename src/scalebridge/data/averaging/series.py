"""What every statistic of a series checks first."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


def checked_series(values: ArrayLike, owner: str, shortest: int = 2) -> Floats:
    """A series ``[n]`` of finite numbers as float64.

    Raises:
        InputError: not one number per step, too few of them, or one that is not finite.
    """
    try:
        series = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{owner} holds something that is no number; give an array [n] of numbers.") from None
    if series.ndim != 1:
        raise InputError(f"{owner} has the shape {series.shape}; give one number per step, an array [n].")
    if len(series) < shortest:
        raise InputError(f"{owner} has {len(series)} values; at least {shortest} are needed to tell an error.")
    bad = np.flatnonzero(~np.isfinite(series))
    if len(bad):
        raise InputError(
            f"{owner} is {series[bad[0]]:g} at step {bad[0] + 1}, one of {len(bad)} values that are not finite; a run "
            "that blew up has no mean, and gaps must be cut out first."
        )
    return series
