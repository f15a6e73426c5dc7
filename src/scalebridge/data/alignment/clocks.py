"""Clocks of different instruments: epochs, zones, a lag between two series, a clock that runs fast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.cleansing.noise import difference_noise
from scalebridge.data.frames import TimeFrame
from scalebridge.data.zones import seconds_ahead, zone_named
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


@dataclass(frozen=True)
class Lag:
    """By how much one series comes after another.

    Attributes:
        seconds: to be taken off the second's times to meet the first.
        std: its standard deviation, from the curvature of the correlation at its top.
        correlation: there.
    """

    seconds: float
    std: float
    correlation: float


@dataclass(frozen=True)
class Drift:
    """A clock against a better one: ``true = offset + rate * shown`` about the middle of the record.

    Attributes:
        offset: seconds at the middle; ``offset_std`` its standard deviation.
        rate: seconds per second; ``rate_std`` likewise.
        middle: the shown time at which the offset holds.
        noise: scatter of a single pair in seconds.
    """

    offset: float
    offset_std: float
    rate: float
    rate_std: float
    middle: float
    noise: float

    def __call__(self, shown: Floats) -> Floats:
        """True time of what the clock showed."""
        return np.asarray(shown + self.offset + (self.rate - 1) * (shown - self.middle))

    def std(self, shown: Floats) -> Floats:
        """Standard deviation of the true time."""
        return np.asarray(np.hypot(self.offset_std, self.rate_std * (shown - self.middle)))


def to_epoch(dataset: Dataset, epoch: str) -> Dataset:
    """Times counted from another second zero, as a step.

    Raises:
        InputError: no time column, an epoch that is no time, or epochs of which only one has a zone.
    """
    time = _time(dataset)
    old, new = datetime.fromisoformat(time.epoch), _moment(epoch)
    if (old.tzinfo is None) != (new.tzinfo is None):
        raise InputError(f"The epoch '{time.epoch}' and '{epoch}' must both have a zone, as in 1970-01-01T00:00:00Z.")
    shift = (old - new).total_seconds()
    return _moved(dataset, dataset[time.column] + shift, replace(time, epoch=epoch), f"Counted time from {epoch}.")


def to_utc(dataset: Dataset, zone: str | None = None) -> Dataset:
    """Times of a clock whose zone nobody had said taken to UTC, summer time included, as a step.

    A time frame that states its zone counts seconds in UTC already and stays as it is.

    Args:
        zone: of the clock, such as ``"America/Chicago"`` or ``"-06:00"``.

    Raises:
        InputError: no zone, another than the time frame states, or a time that the clock showed twice or never (the
            change of summer time).
    """
    time = _time(dataset)
    if time.zone is not None:
        if zone not in (None, time.zone):
            raise InputError(f"The times of '{dataset.name}' were read in the zone '{time.zone}', not '{zone}'.")
        return dataset
    if zone is None:
        raise InputError(f"Nobody said in which zone the clock of '{dataset.name}' was; give zone='Europe/Berlin'.")
    start = datetime.fromisoformat(time.epoch).replace(tzinfo=None)
    clock, of = zone_named(zone), f"of '{dataset.name}'"
    shown = enumerate(dataset[time.column].tolist())
    shift = np.array([seconds_ahead(start, s, clock, f"row {i + 1} {of}") for i, s in shown])
    moved = dataset[time.column] - shift
    return _moved(dataset, moved, replace(time, zone=zone, step=None), f"Took times from '{zone}' to UTC.")


def lag(
    first: Dataset, second: Dataset, column: str, second_column: str | None = None, step: float | None = None
) -> Lag:
    """How much later the second series shows what the first shows, by cross-correlation.

    Args:
        first, second: with time frames of the same epoch; even or uneven sampling.
        column: of the first; ``second_column`` of the second, the same by default.
        step: seconds of the common grid; the finer median step of both by default.

    Raises:
        InputError: no time, different epochs, too little overlap, or a series that does not vary.
    """
    times = [d[_time(d).column] for d in (first, second)]
    if _time(first).epoch != _time(second).epoch:
        raise InputError(f"'{first.name}' and '{second.name}' count time from different epochs; use to_epoch first.")
    values = [d.numeric([n])[:, 0] for d, n in ((first, column), (second, second_column or column))]
    width = step or min(float(np.median(np.diff(np.sort(t)))) for t in times)
    begin, end = max(t.min() for t in times), min(t.max() for t in times)
    n = int((end - begin) / width) + 1 if width > 0 else 0
    if n < 32:
        raise InputError(f"'{first.name}' and '{second.name}' overlap in {max(n, 0)} steps; a lag needs 32.")
    grid = begin + width * np.arange(n)
    a, b = (_gridded(t, v, grid) for t, v in zip(times, values, strict=True))
    return series_lag(a, b, width)


def series_lag(a: Floats, b: Floats, step: float) -> Lag:
    """Lag of ``b [n]`` behind ``a [n]``, both on one grid, at most a third of it.

    The top of the correlation is that of a parabola fitted about its highest point; the deviation is that of a
    maximum of likelihood with white residuals, ``sigma^2 / sum(da/dt)^2``, widened by the residuals' own correlation.
    """
    a, b = a - a.mean(), b - b.mean()
    if a.std() == 0 or b.std() == 0:
        raise InputError("A series that does not vary has no lag behind another.")
    n, most = len(a), len(a) // 3
    shifts = np.arange(-most, most + 1)
    # Correlation of the overlapping parts only, each with its own mean: a trend is no lag.
    told = overlaps(a, b, shifts)
    top = int(np.argmax(told))
    s = int(shifts[top])
    x, y = (a[: n - s], b[s:]) if s >= 0 else (a[-s:], b[: n + s])
    gain = float(x @ y / (x @ x))
    rest, slope = y - gain * x, np.gradient(x, step)
    # Noise of the samples makes slopes of its own; a difference over two steps holds half its variance.
    steep = max(float(slope @ slope) - len(x) * difference_noise(x) ** 2 / (2 * step**2), 1e-300)
    std = np.sqrt(rest.var() * correlation_time(rest) / steep) / max(abs(gain), 1e-300)
    middle = _top(shifts, told, top)
    return Lag(middle * step, float(std), float(told[top]))


def shift_time(dataset: Dataset, found: Lag) -> Dataset:
    """Times with a lag taken off, its deviation in their ``std``, as a step."""
    time = _time(dataset)
    sentence = f"Took a lag of {found.seconds:.6g} ± {found.std:.2g} s off the times."
    return _moved(dataset, dataset[time.column] - found.seconds, time, sentence, np.full(len(dataset), found.std))


def fit_drift(shown: Floats, true: Floats) -> Drift:
    """Offset and rate of a clock from pairs of what it showed and the true time ``[n]``, by least squares.

    Raises:
        InputError: fewer than three pairs, or all at one time.
    """
    shown, true = np.asarray(shown, dtype=np.float64), np.asarray(true, dtype=np.float64)
    if len(shown) < 3 or shown.shape != true.shape or np.ptp(shown) == 0:
        raise InputError(f"A clock's drift needs three pairs of times at different moments and got {len(shown)}.")
    middle = float(shown.mean())
    x, y = shown - middle, true - shown
    slope = float(x @ (y - y.mean()) / (x @ x))
    rest = y - y.mean() - slope * x
    noise = float(np.sqrt((rest**2).sum() / (len(x) - 2)))
    return Drift(float(y.mean()), noise / np.sqrt(len(x)), 1 + slope, noise / float(np.sqrt(x @ x)), middle, noise)


def correct_drift(dataset: Dataset, drift: Drift) -> Dataset:
    """Times of a clock that drifts made true, their deviation in ``std``, as a step."""
    time = _time(dataset)
    shown = dataset[time.column]
    sentence = f"Corrected a clock that runs {(1 - drift.rate) * 86400:.3g} s a day fast."
    return _moved(dataset, drift(shown), replace(time, step=None), sentence, drift.std(shown))


def correlation_time(rest: Floats) -> float:
    """Steps that count as one in a mean: ``1 + 2 sum(rho)`` up to the first that is not positive; at least 1.

    Source: C. J. Geyer, Practical Markov chain Monte Carlo, Stat. Sci. 7 (1992) 473-483, whose initial positive
    sequence this follows with the pairs shifted by one: they begin at the first lag.
    """
    n = len(rest)
    rest = rest - rest.mean()
    if n < 4 or not rest.any():
        return 1.0
    power = np.abs(np.fft.rfft(rest, 2 * n)) ** 2
    rho = np.fft.irfft(power)[:n]
    rho /= rho[0]
    pairs = rho[1 : n - 1 : 2] + rho[2:n:2]
    stop = np.flatnonzero(pairs <= 0)
    kept = pairs[: stop[0]] if len(stop) else pairs
    return float(np.clip(1 + 2 * kept.sum(), 1.0, n / 2))


def _top(shifts: NDArray[np.int64], told: Floats, top: int) -> float:
    """Where a parabola fitted to the cap of the correlation, down to three quarters of its height, is highest."""
    low = told < told[top] - 0.25 * (told[top] - np.median(told))
    left = top - int(np.argmax(low[: top + 1][::-1])) + 1 if low[:top].any() else 0
    right = top + int(np.argmax(low[top:])) - 1 if low[top:].any() else len(told) - 1
    reach = max(min(top - left, right - top), 1)
    part = slice(max(top - reach, 0), top + reach + 1)
    at = (shifts[part] - shifts[top]).astype(np.float64)
    if len(at) < 3:
        return float(shifts[top])
    bend, slope, _ = np.polyfit(at, told[part], 2)
    move = float(np.clip(-0.5 * slope / bend, -reach, reach)) if bend < 0 else 0.0
    return float(shifts[top]) + move


def overlaps(a: Floats, b: Floats, shifts: NDArray[np.int64]) -> Floats:
    """Correlation of ``a[i]`` with ``b[i + s]`` where both are, for each shift s, by fast Fourier transforms."""
    n = len(a)
    products = np.fft.irfft(np.conj(np.fft.rfft(a, 2 * n)) * np.fft.rfft(b, 2 * n), 2 * n)[shifts]
    first, last = np.maximum(-shifts, 0), np.minimum(n - shifts, n)
    m = last - first

    def sums(v: Floats, start: NDArray[np.int64]) -> Floats:
        total = np.concatenate([[0.0], np.cumsum(v)])
        return np.asarray(total[start + m] - total[start])

    of_a, of_b = sums(a, first), sums(b, first + shifts)
    scatter = [sums(a**2, first) - of_a**2 / m, sums(b**2, first + shifts) - of_b**2 / m]
    size = np.sqrt(np.maximum(scatter[0], 0) * np.maximum(scatter[1], 0))
    flat = size <= 1e-12 * float(np.sqrt((a @ a) * (b @ b)))
    return np.where(flat, 0.0, (products - of_a * of_b / m) / np.where(flat, 1.0, size))


def _gridded(t: Floats, v: Floats, grid: Floats) -> Floats:
    known = ~(np.isnan(t) | np.isnan(v))
    order = np.argsort(t[known], kind="stable")
    return np.interp(grid, t[known][order], v[known][order])


def _moment(epoch: str) -> datetime:
    try:
        return datetime.fromisoformat(epoch)
    except (TypeError, ValueError):
        raise InputError(f"The epoch {epoch!r} is no time; write it as in '1970-01-01T00:00:00Z'.") from None


def _time(dataset: Dataset) -> TimeFrame:
    if dataset.time is None:
        raise InputError(f"'{dataset.name}' has no time column; read it as a series, or give a TimeFrame.")
    return dataset.time


def _moved(dataset: Dataset, seconds: Floats, time: TimeFrame, sentence: str, std: Floats | None = None) -> Dataset:
    own = dataset.std.get(time.column)
    both = own if std is None else std if own is None else np.hypot(own, std)
    after = replace(dataset.with_column(time.column, seconds, both), time=time)
    return dataset.stepped(after, "time", {"epoch": time.epoch, "zone": time.zone}, sentence)
