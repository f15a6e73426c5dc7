"""Where a series has settled: how many samples at its start to leave out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.averaging.inefficiency import correlated
from scalebridge.data.averaging.scales import error_of_mean
from scalebridge.data.averaging.series import checked_series
from scalebridge.quantities import Floats

# MSER-5: truncation is sought among means of five.
BATCH = 5
# Deviations by which a start must differ from the rest to be called a transient.
SIGNIFICANT = 3.0
CANDIDATES = 40
# Parts of a series left out at its start to see whether its mean still moves.
STARTS = (0.1, 0.25, 0.5)


def mser(values: ArrayLike) -> int:
    """Samples to leave out so that the marginal standard error of the rest is smallest, at most half of them.

    Source: K. P. White, An effective truncation heuristic for bias reduction in simulation output, Simulation 69
    (1997) 323-334 (MSER-5). It also cuts series that need no cut; `equilibration` asks for evidence first.
    """
    series = checked_series(values, "The series")
    n = len(series)
    batch = BATCH if n >= 10 * BATCH else 1
    means = series[: n - n % batch].reshape(-1, batch).mean(axis=1)
    means = means - means.mean()
    tail_count = np.arange(len(means), 0, -1)
    tail_sum = np.cumsum(means[::-1])[::-1]
    tail_square = np.cumsum((means**2)[::-1])[::-1]
    error = (tail_square - tail_sum**2 / tail_count) / tail_count**2
    return int(np.argmin(error[: len(means) // 2 + 1])) * batch


def chodera(values: ArrayLike) -> int:
    """Samples to leave out so that the rest counts for most independent samples.

    Source: J. D. Chodera, A simple method for automated equilibration detection, J. Chem. Theory Comput. 12 (2016)
    1799-1805; starts are tried at 40 places of the first half.
    """
    series = checked_series(values, "The series")
    starts = np.unique(np.linspace(0, len(series) // 2, CANDIDATES).astype(np.int64))
    counts = [correlated(series[start:]).n_effective for start in starts if len(series) - start >= 2]
    return int(starts[int(np.argmax(counts))])


def equilibration(values: ArrayLike) -> int:
    """Samples at the start that are a transient: those that `mser` cuts, if their mean differs from the rest's.

    A cut without evidence would only throw away samples and make the rest look calmer than it is.
    """
    series = checked_series(values, "The series")
    cut = mser(series)
    if cut == 0 or len(series) - cut < 8:
        return 0
    head, tail = series[:cut], series[cut:]
    return cut if _apart(head, tail) > SIGNIFICANT else 0


def movement(values: Floats, std_error: float) -> float:
    """How far the mean of a series moves as more of its start is left out, beyond what chance would move it.

    A transient too weak for `equilibration` to cut is still in the mean; this is what can be seen of it. On average
    the square of what is seen is that of the transient's part and the variance of chance, which is taken off.

    Args:
        values: ``[n]``.
        std_error: of their mean.
    """
    mean, moved = values.mean(), 0.0
    for part in STARTS:
        rest = values[int(part * len(values)) :]
        chance = std_error**2 * (len(values) / len(rest) - 1)
        moved = max(moved, float(rest.mean() - mean) ** 2 - chance)
    return math.sqrt(moved)


def drift(values: Floats) -> float:
    """By how many standard deviations the two halves of a series differ."""
    half = len(values) // 2
    first, second = values[:half], values[half:]
    error = math.sqrt(2) * max(error_of_mean(first).std_error, error_of_mean(second).std_error)
    return _deviations(float(first.mean() - second.mean()), error)


def _apart(head: Floats, tail: Floats) -> float:
    error = error_of_mean(tail).std_error * math.sqrt(1 + len(tail) / len(head))
    return _deviations(float(head.mean() - tail.mean()), error)


def _deviations(difference: float, error: float) -> float:
    return abs(difference) / error if error > 0 else (0.0 if difference == 0 else math.inf)
