"""Where a series has settled: how many samples at its start to leave out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.averaging.inefficiency import correlated
from scalebridge.data.averaging.series import checked_series
from scalebridge.quantities import Floats

# MSER-5: truncation is sought among means of five.
BATCH = 5
# Deviations by which a start must differ from the rest to be called a transient.
SIGNIFICANT = 3.0
CANDIDATES = 40


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


def drift(values: Floats) -> float:
    """By how many standard deviations the two halves of a series differ."""
    half = len(values) // 2
    first, second = values[:half], values[half:]
    inefficiency = max(correlated(first).inefficiency, correlated(second).inefficiency)
    variance = (float(np.var(first)) + float(np.var(second))) * inefficiency / half
    difference = abs(float(first.mean() - second.mean()))
    return difference / np.sqrt(variance) if variance > 0 else (0.0 if difference == 0 else np.inf)


def _apart(head: Floats, tail: Floats) -> float:
    settled = correlated(tail)
    spread = float(np.var(tail)) * settled.inefficiency
    variance = spread * (1 / len(head) + 1 / len(tail))
    difference = abs(float(head.mean() - tail.mean()))
    return difference / np.sqrt(variance) if variance > 0 else (0.0 if difference == 0 else np.inf)
