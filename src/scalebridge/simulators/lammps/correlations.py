"""Correlation functions in time: from ``fix ave/correlate``, or from a series of fluxes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.averages import read_averages

# No lag is longer, in steps or in time.
_LONGEST = 1e18
# The fourth power of a flux must not run over, nor under.
_SMALLEST = 1e-70


@dataclass(frozen=True, eq=False)
class Correlation:
    """Correlation of quantities in time.

    Attributes:
        lags: ``[k]``, evenly spaced from 0, in steps of the simulation, or in its time where ``in_time``.
        values: ``[k, p]``, mean of the product of two quantities at that lag.
        counts: ``[k]``, products that were averaged; the first says how many samples there were.
        pairs: names ``(a, b)`` per column.
        in_time: whether lags are times already.
        step: of the simulation at which it was written; ``None`` for a series in memory.
    """

    lags: Floats
    values: NDArray[np.float64]
    counts: Floats
    pairs: tuple[tuple[str, str], ...]
    in_time: bool = False
    step: int | None = None

    @property
    def spacing(self) -> float:
        """Distance of neighbouring lags, in the unit of the lags."""
        return float(self.lags[1] - self.lags[0])

    @property
    def duration(self) -> float:
        """Length of the series that was correlated, in the unit of the lags."""
        return float(self.counts[0]) * self.spacing

    def only(self, columns: Sequence[str]) -> Correlation:
        """Auto-correlations of some quantities, by name.

        Raises:
            InputError: a name that has none.
        """
        own = {a: k for k, (a, b) in enumerate(self.pairs) if a == b}
        for name in columns:
            if name not in own:
                raise InputError(f"The correlation has no product of '{name}' with itself{did_you_mean(name, own)}")
        chosen = [own[name] for name in columns]
        return replace(self, values=self.values[:, chosen], pairs=tuple(self.pairs[k] for k in chosen))

    def auto(self) -> Correlation:
        """All correlations of a quantity with itself.

        Raises:
            InputError: none.
        """
        return self.only([a for a, b in self.pairs if a == b] or ["itself"])


def read_correlation(path: str | os.PathLike[str], *, block: int = -1) -> Correlation:
    """Read a block of ``fix ave/correlate`` (or ``ave/correlate/long``), the last by default.

    Of ``ave running`` the last block holds the whole run. Files of ``ave/correlate/long`` have uneven lags and no
    counts: their even beginning is taken, and how long the run was must be said by hand.

    Raises:
        InputError: no such file or block, another file, fewer than 3 lags with samples, lags that are not even.
    """
    averages = read_averages(path)
    values = averages.block(block)
    owner = f"The correlation '{os.fspath(path)}'"
    texts = averages.texts
    in_time = texts[:1] == ("Time",)
    first = 1 if in_time else 3
    if not in_time and texts[:3] != ("Index", "TimeDelta", "Ncount"):
        raise InputError(
            f"{owner} has the columns {', '.join(texts[:5])}, and not Index, TimeDelta and Ncount as those of fix "
            "ave/correlate have; give such a file."
        )
    lags = values[:, 0 if in_time else 1]
    counts = np.full(len(values), np.nan) if in_time else values[:, 2]
    kept = _even(lags) if in_time else int(np.argmin(np.append(counts > 0, False)))
    if kept < 3:
        raise InputError(f"{owner} has {kept} lags with samples in this block; at least 3 are needed, run longer.")
    lags, counts, products = lags[:kept], counts[:kept], values[:kept, first:]
    if _even(lags) < kept or lags[0] != 0 or not (np.abs(products) < _SMALLEST**-2).all():
        raise InputError(
            f"{owner} has lags that are not evenly spaced from 0, or values that are not finite or beyond 1e140."
        )
    head = averages.heads[block]
    step = int(next(iter(head.values()), 0))
    return Correlation(lags, products, counts, tuple(_pair(text) for text in texts[first:]), in_time, step)


def correlation_of_series(values: ArrayLike, spacing: float, *, longest: float | None = None) -> Correlation:
    """Auto-correlation of fluxes sampled evenly in time, by fast Fourier transforms; means are not taken off.

    Args:
        values: ``[n]`` or ``[n, p]``, one column per component.
        spacing: time between samples.
        longest: lag; a fifth of the series by default.

    Raises:
        InputError: values that are not finite or too few, a spacing that is not positive.
    """
    series = np.asarray(values, dtype=np.float64)
    series = series[:, None] if series.ndim == 1 else series
    if series.ndim != 2 or len(series) < 16 or not np.isfinite(series).all() or not spacing > 0:
        raise InputError(
            f"Fluxes of the shape {series.shape} every {spacing} cannot be correlated; give [n, components] finite "
            "numbers, at least 16 of them, and a positive time between samples."
        )
    size = float(np.abs(series).max())
    if size > 0 and not _SMALLEST < size < 1 / _SMALLEST:
        raise InputError(f"Fluxes of the size {size:.3g} cannot be multiplied; give them in a unit of their size.")
    n = len(series)
    k = n // 5 if longest is None else min(int(longest / spacing) + 1, n - 1)
    k = max(k, 3)
    size = 1 << (2 * n - 1).bit_length()
    products = np.empty((k, series.shape[1]))
    counts = np.arange(n, n - k, -1, dtype=np.float64)
    for column in range(series.shape[1]):
        power = np.abs(np.fft.rfft(series[:, column], size)) ** 2
        products[:, column] = np.fft.irfft(power, size)[:k] / counts
    pairs = tuple((f"flux_{c}", f"flux_{c}") for c in range(series.shape[1]))
    lags = spacing * np.arange(k, dtype=np.float64)
    return Correlation(lags, products, counts, pairs, in_time=True)


def _even(lags: Floats) -> int:
    """How many lags from the first are evenly spaced."""
    lags = lags[: int(np.argmin(np.append(np.abs(lags) < _LONGEST, False)))]
    if len(lags) < 2 or not lags[1] > lags[0]:
        return min(len(lags), 1)
    off = np.abs(lags - lags[0] - (lags[1] - lags[0]) * np.arange(len(lags))) > 1e-4 * (lags[1] - lags[0])
    return int(np.argmax(off)) if off.any() else len(lags)


def _pair(text: str) -> tuple[str, str]:
    first, _, second = text.partition("*")
    return first, second or first
