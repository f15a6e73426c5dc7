"""Autocorrelation of a series, and how many of its samples count as one.

Source: U. Wolff, Monte Carlo errors with less errors, Comput. Phys. Commun. 156 (2004) 143-153.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.averaging.series import checked_series
from scalebridge.quantities import Floats

# Wolff's S: decay of the correlation in units of the integrated time; 1 to 2 are usual, more is cautious.
WINDOW = 2.0


@dataclass(frozen=True)
class Correlated:
    """How strongly the samples of a series hang together.

    Attributes:
        inefficiency: samples that count as one in a mean, ``1 + 2 sum(rho)``; at least 1.
        inefficiency_std: its standard deviation.
        window: lags over which the correlation was summed.
        n_effective: samples divided by the inefficiency.
        degrees: degrees of freedom of the variance of the mean, as of Student's t.
    """

    inefficiency: float
    inefficiency_std: float
    window: int
    n_effective: float
    degrees: float


def autocorrelation(values: ArrayLike) -> Floats:
    """Correlation of a series with itself, ``[n]`` from lag 0 (which is 1); the mean of the series is taken off.

    A series that never changes has no correlation: 1 followed by zeros.
    """
    series = checked_series(values, "The series")
    n = len(series)
    rest = series - series.mean()
    scale = np.abs(rest).max()
    found = np.zeros(n)
    found[0] = 1.0
    if scale > 0:
        rest = rest / scale
        size = 1 << (2 * n - 1).bit_length()
        sums = np.fft.irfft(np.abs(np.fft.rfft(rest, size)) ** 2, size)[:n]
        means = sums / np.arange(n, 0, -1)
        found = means / means[0]
    return found


def correlated(values: ArrayLike) -> Correlated:
    """Integrated correlation time by Wolff's automatic window, corrected for the mean that was taken off.

    The window balances what it cuts off against the noise that it adds. The correction lifts the sum by
    ``1 + (2 w + 1) / n``; the variance of the mean is known like one from ``n / (2 w + 1)`` independent pieces.
    """
    rho = autocorrelation(values)
    n = len(rho)
    if not rho[1:].any():
        return Correlated(1.0, 0.0, 0, float(n), float(n - 1))
    times = 0.5 + np.cumsum(rho[1:])
    window = automatic_window(times, n)
    wide = (2 * window + 1) / n
    inefficiency = max(2 * float(times[window - 1]) * (1 + wide), 1.0)
    std = inefficiency * np.sqrt(2 * wide)
    return Correlated(inefficiency, float(std), window, n / inefficiency, min(1 / wide, n - 1.0))


def automatic_window(times: Floats, n: int) -> int:
    """The first lag, from 1, where lengthening the window adds more noise than it removes bias.

    Args:
        times: integrated correlation time ``[n - 1]`` in steps, as it grows with the window from lag 1.
        n: samples.
    """
    lags = np.arange(1, len(times) + 1)
    safe = np.maximum(times, 0.5 + 1e-12)
    decay = WINDOW / np.log((2 * safe + 1) / (2 * safe - 1))
    slope = np.exp(-lags / decay) - decay / np.sqrt(lags * float(n))
    past = np.flatnonzero(slope < 0)
    return int(lags[past[0]]) if len(past) else len(times)
