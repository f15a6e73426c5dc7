"""Standard error of the mean of a series of fast and slow parts.

A slow part that is small beside a fast one rules the error of the mean and hardly shows in the correlation of the
samples: the window that suits the fast part closes before it. Averages over batches take the fast part out, so that the
window is sought again on ever longer batches, and the largest error counts.

Source: batch means as in G. S. Fishman, Discrete-Event Simulation (Springer, 2001); on each scale Wolff's window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.averaging.inefficiency import correlated
from scalebridge.data.averaging.series import checked_series
from scalebridge.quantities import Floats

# Batches are so many times longer on every scale, as long as there are so many of them.
LONGER = 4
FEWEST_BATCHES = 64


@dataclass(frozen=True)
class ErrorOfMean:
    """How well the mean of a series is known.

    Attributes:
        std_error: standard error of the mean.
        degrees: of freedom that it is known from, as of Student's t.
        batch: samples averaged to one on the scale that gave it.
        n_independent: independent batches on that scale: few where a slow part has been seen few times.
        inefficiency: samples that count as one in the mean; at least 1 / n.
    """

    std_error: float
    degrees: float
    batch: int
    n_independent: float
    inefficiency: float


def error_of_mean(values: ArrayLike) -> ErrorOfMean:
    """The largest standard error that the samples, or averages over batches of 4, 16, 64, ... of them, tell.

    Args:
        values: ``[n]``, at least 2, equilibrated.

    Raises:
        InputError: values that are not finite numbers, or fewer than 2.
    """
    series = checked_series(values, "The series")
    found = _on_scale(series, 1)
    batch = LONGER
    while len(series) // batch >= FEWEST_BATCHES:
        found = max(found, _on_scale(series, batch), key=lambda error: error.std_error)
        batch *= LONGER
    return found


def _on_scale(series: Floats, batch: int) -> ErrorOfMean:
    n = len(series) // batch
    means = series[: n * batch].reshape(n, batch).mean(axis=1)
    told = correlated(means)
    variance = float(np.var(means, ddof=1)) * told.inefficiency / n
    spread = float(np.var(series, ddof=1))
    inefficiency = variance * len(series) / spread if spread > 0 else 1.0
    return ErrorOfMean(math.sqrt(variance), told.degrees, batch, told.n_effective, inefficiency)
