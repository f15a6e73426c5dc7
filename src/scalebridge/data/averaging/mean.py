"""The mean of a correlated series with an honest interval, or the words that it is too short for one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.averaging.scales import ErrorOfMean, error_of_mean
from scalebridge.data.averaging.series import checked_series
from scalebridge.data.averaging.settling import drift, equilibration, movement
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

# Fewer independent samples, or pieces to tell the error from, than this say nothing about an error.
FEWEST_EFFECTIVE = 16.0
FEWEST_DEGREES = 4.0
# Halves that differ by more deviations than this have not settled.
STILL_DRIFTING = 5.0
# A start that widens the error by more than this is told.
STILL_MOVING = 1.25


@dataclass(frozen=True)
class SeriesMean:
    """The mean of a series that hangs together in time.

    Attributes:
        value: mean of the samples kept.
        std_error: standard error of the mean, with what an unsettled start adds; infinite where it is too short.
        interval: ``(low, high)`` at ``confidence``, by Student's t; ``(-inf, inf)`` where it is too short.
        confidence: of the interval.
        degrees: of freedom that the standard error is known from, as of Student's t.
        unit: of value, error and interval.
        n_samples: of the series.
        n_discarded: at its start, before it had settled.
        n_effective: independent samples that those kept count for, by variance and error of the mean.
        inefficiency: samples that count as one.
        enough: whether the series is long enough for an interval.
        remark: what to know or do, in words; ``""`` where there is nothing.
    """

    value: float
    std_error: float
    interval: tuple[float, float]
    confidence: float
    degrees: float
    unit: str
    n_samples: int
    n_discarded: int
    n_effective: float
    inefficiency: float
    enough: bool
    remark: str

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        if not self.enough:
            return f"{self.value:.6g}{unit} without an interval: {self.remark}"
        half = 0.5 * (self.interval[1] - self.interval[0])
        return f"{self.value:.6g} ± {half:.2g}{unit} ({100 * self.confidence:g} %, n_eff {self.n_effective:.0f})"


def mean_of_series(
    values: ArrayLike, *, confidence: float = 0.95, discard: int | None = None, unit: str = "1", name: str = "series"
) -> SeriesMean:
    """Mean of a series in time, its start cut off, with an interval that counts correlated samples for what they are.

    The statistical error is that of `error_of_mean`, on whichever scale it is largest. How far the mean moves as more
    of the start is left out, beyond chance, is added in quadrature. The interval is Student's t with as many degrees as
    the statistical error is known from.

    Args:
        values: ``[n]``, evenly spaced in time.
        confidence: of the interval.
        discard: samples to leave out at the start; found by `equilibration` if not given.
        unit: of the values, as pint spells it.
        name: what messages call the series.

    Raises:
        InputError: values that are not finite numbers, fewer than 2, a confidence outside (0, 1), a bad ``discard``.
    """
    owner = f"The {name}" if name == "series" else f"The series '{name}'"
    series = checked_series(values, owner)
    if not 0 < confidence < 1:
        raise InputError(f"The confidence is {confidence}; give a number between 0 and 1, such as 0.95.")
    # By a power of two, which changes no digit: squares of what blew up must not run over.
    power = int(np.frexp(np.abs(series).max())[1])
    series = np.ldexp(series, -power)
    cut = _cut(series, discard, owner)
    kept = series[cut:]
    found = error_of_mean(kept)
    value = math.ldexp(float(kept.mean()), power)
    why = _too_short(kept, found)
    scaled = math.hypot(found.std_error, movement(kept, found.std_error))
    with np.errstate(over="ignore"):
        error = math.inf if why else float(np.ldexp(scaled, power))
    half = math.inf if why else _student(confidence, found.degrees) * error
    return SeriesMean(
        value=value,
        std_error=error,
        interval=(value - half, value + half),
        confidence=confidence,
        degrees=found.degrees,
        unit=unit,
        n_samples=len(series),
        n_discarded=cut,
        n_effective=len(kept) / found.inefficiency,
        inefficiency=found.inefficiency,
        enough=not why,
        remark=why or _told(found.std_error, scaled),
    )


def _cut(series: Floats, discard: int | None, owner: str) -> int:
    if discard is None:
        return equilibration(series)
    if not 0 <= discard <= len(series) - 2:
        raise InputError(
            f"{owner} has {len(series)} values and {discard} were to be left out at the start; keep at least 2."
        )
    return int(discard)


def _told(statistical: float, error: float) -> str:
    if error > STILL_MOVING * statistical:
        return "The mean still moves as more of the start is left out, which its error counts; a longer run helps."
    return ""


def _too_short(kept: Floats, found: ErrorOfMean) -> str:
    if not np.ptp(kept) > 0:
        return ""
    if found.n_independent < FEWEST_EFFECTIVE or found.degrees < FEWEST_DEGREES:
        return (
            f"too short to say: {len(kept)} samples count for {found.n_independent:.1f} independent ones, and at least "
            f"{FEWEST_EFFECTIVE:g} are needed; run about "
            f"{max(2.0, 5 * FEWEST_EFFECTIVE / found.n_independent):.0f} times longer."
        )
    if len(kept) >= 32 and drift(kept) > STILL_DRIFTING:
        return "not settled: the two halves differ by more than chance; run longer, or leave out more at the start."
    return ""


def _student(confidence: float, degrees: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + 0.5 * confidence, max(degrees, 1.0)))
