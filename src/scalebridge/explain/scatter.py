"""Errors of means over rows that are not independent, and which of several findings stand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


def units_of(n: int, groups: ArrayLike | None) -> NDArray[np.int64]:
    """Labels ``[n]`` from 0 of rows that belong together; every row its own without ``groups``.

    Raises:
        InputError: not one label per row.
    """
    if groups is None:
        return np.arange(n)
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"There are {n} rows and groups of shape {labels.shape}; give one label per row.")
    found: NDArray[np.int64] = np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return found


def sums_by(values: Floats, units: NDArray[np.int64]) -> Floats:
    """Sums ``[u, ...]`` of ``values [n, ...]`` over the rows of each unit."""
    total = np.zeros((int(units.max()) + 1, *values.shape[1:]))
    np.add.at(total, units, values)
    return total


def error_of_mean(values: Floats, units: NDArray[np.int64]) -> Floats:
    """Standard error ``[...]`` of the mean of ``values [n, ...]`` over rows, those of one unit not independent."""
    sums = sums_by(values - values.mean(axis=0), units)
    count = len(np.unique(units))
    error: Floats = np.sqrt(count / max(count - 1, 1) * np.sum(sums**2, axis=0)) / len(values)
    return error


def holm(p: ArrayLike) -> Floats:
    """Probabilities ``[k]`` corrected for so many tests at once.

    Source: S. Holm, A simple sequentially rejective multiple test procedure (1979).
    """
    told = np.asarray(p, dtype=np.float64)
    order = np.argsort(told, kind="stable")
    risen = np.maximum.accumulate((len(told) - np.arange(len(told))) * told[order])
    corrected = np.empty_like(told)
    corrected[order] = np.minimum(risen, 1.0)
    return corrected


def above_zero(estimate: float, error: float, count: int) -> float:
    """Probability of an estimate as large or larger where nothing is there: Student's t of ``count`` units."""
    from scipy.stats import t

    if not error > 0:
        return 0.0 if estimate > 0 else 1.0
    return float(t.sf(estimate / error, max(count - 1, 1)))


def reach(level: float, count: int) -> float:
    """How many standard errors of a mean of ``count`` units a central interval reaches."""
    from scipy.stats import t

    return float(t.ppf(0.5 * (1 + level), max(count - 1, 1)))


def names_of(groups: Any) -> list[str]:
    """Names of the groups in order, numbers without a needless fraction."""
    return [f"{v:g}" if isinstance(v, float) else str(v) for v in np.unique(np.asarray(groups)).tolist()]
