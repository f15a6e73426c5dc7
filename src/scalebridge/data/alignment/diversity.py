"""Diversity: what many small consumers draw together, from the statistics of each.

No two households boil water in the same minute, so a feeder's peak is far below the sum of their peaks. It follows
from each one's mean profile over the day, its spread about that profile, and the little correlation between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

GRID = 4000


@dataclass(frozen=True)
class Peak:
    """The largest sum within some periods.

    Attributes:
        mean: expected peak.
        interval: central 90 % of it: the peak of one week is a random number itself.
        sum_of_peaks: what the members' own largest recorded demands add up to.
        members: how many.
    """

    mean: float
    interval: tuple[float, float]
    sum_of_peaks: float
    members: int

    @property
    def coincidence(self) -> float:
        """Peak of the sum over the sum of the peaks; the diversity factor is its inverse."""
        return self.mean / self.sum_of_peaks

    @property
    def per_member(self) -> float:
        """After-diversity maximum demand."""
        return self.mean / self.members


@dataclass(frozen=True, eq=False)
class Diversity:
    """Statistics of single members, and one number between them.

    Attributes:
        names: of the members ``[n]``.
        profile: mean of each over the periods ``[t, n]``, t steps in a period.
        spread: standard deviation of each about its profile ``[t, n]``.
        largest: demand that each had in the record ``[n]``.
        correlation: between two members' deviations at one time, mean over pairs.
        unit: of the demand.
    """

    names: tuple[str, ...]
    profile: Floats
    spread: Floats
    largest: Floats
    correlation: float
    unit: str

    def peak(self, periods: int, members: Sequence[str] | None = None, correlation: float | None = None) -> Peak:
        """The peak of the sum over ``periods``.

        At each step the sum has a gamma law (sums of skew, positive demands) with mean ``sum(profile)`` and variance
        ``sum(s^2) + correlation * ((sum s)^2 - sum(s^2))``; steps are taken as independent given the profile.

        Args:
            periods: how many, such as 7 days.
            members: all by default; a name may stand several times, for several like it.
            correlation: that of others instead of these members' own.

        Raises:
            InputError: an unknown member, no periods.
        """
        if periods < 1:
            raise InputError(f"A peak over {periods} periods was asked for; give at least one.")
        rho = self.correlation if correlation is None else correlation
        at = self._places(members)
        mean, spread = self.profile[:, at], self.spread[:, at]
        square = (spread**2).sum(axis=1)
        variance = square + rho * (spread.sum(axis=1) ** 2 - square)
        expected, interval = _largest(mean.sum(axis=1), np.sqrt(np.maximum(variance, 0.0)), periods)
        return Peak(expected, interval, float(self.largest[at].sum()), len(at))

    def _places(self, members: Sequence[str] | None) -> list[int]:
        if members is None:
            return list(range(len(self.names)))
        unknown = [m for m in members if m not in self.names]
        if unknown or not len(members):
            raise InputError(
                f"The diversity knows no member '{', '.join(unknown)}'; valid: {', '.join(self.names[:8])}."
            )
        return [self.names.index(m) for m in members]


def diversity(dataset: Dataset, period: int, members: Sequence[str] | None = None) -> Diversity:
    """Statistics of each member of a dataset of demands.

    Args:
        dataset: a row per time, a column per member, all in one unit.
        period: rows in a period, such as 48 half-hours in a day; a last period that is not complete is left out.
        members: names of the columns; by default all of numbers but the time.

    Raises:
        InputError: fewer than two periods, gaps, demands below zero, columns in different units.
    """
    names = tuple(members) if members is not None else _members(dataset)
    demand = dataset.numeric(names)
    units = {dataset.space[n].unit for n in names}
    if len(units) != 1:
        raise InputError(
            f"The members of '{dataset.name}' are in the units {', '.join(sorted(units))}; convert to one."
        )
    whole = len(demand) // period if period >= 1 else 0
    if whole < 2:
        raise InputError(
            f"'{dataset.name}' has {len(demand)} rows, fewer than two periods of {period}; a spread needs two."
        )
    bad = np.argwhere(~(demand >= 0))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"The member '{names[column]}' of '{dataset.name}' draws {demand[row, column]:g} in row {row + 1}; demands "
            "are at least zero, without gaps: fill gaps first, and take feed-in apart."
        )
    cube = demand[: whole * period].reshape(whole, period, len(names))
    profile = cube.mean(axis=0)
    return Diversity(names, profile, cube.std(axis=0, ddof=1), demand.max(axis=0), pair_correlation(cube), units.pop())


def pair_correlation(cube: Floats) -> float:
    """Mean correlation between two members' deviations from their profiles; ``cube [periods, t, n]``.

    From the variance of the sum, which holds all pairs at once: ``Var(sum) = sum(s^2) + rho ((sum s)^2 - sum(s^2))``.
    """
    rest = cube - cube.mean(axis=0)
    free = len(cube) - 1
    own = (rest**2).sum(axis=0) / free
    together = (rest.sum(axis=2) ** 2).sum(axis=0) / free
    pairs = np.sqrt(own).sum(axis=1) ** 2 - own.sum(axis=1)
    return float((together - own.sum(axis=1)).sum() / pairs.sum()) if pairs.sum() > 0 else 0.0


def _members(dataset: Dataset) -> tuple[str, ...]:
    time = None if dataset.time is None else dataset.time.column
    return tuple(n for n in dataset.numeric_names if n != time and dataset.space[n].shape == ())


def _largest(mean: Floats, spread: Floats, periods: int) -> tuple[float, tuple[float, float]]:
    """Mean and central 90 % of the largest of gamma variables with moments ``[t]``, each drawn ``periods`` times."""
    from scipy.stats import gamma

    spread = np.maximum(spread, 1e-6 * max(float(mean.max()), 1e-300))
    mean = np.maximum(mean, 1e-9 * max(float(mean.max()), 1e-300))
    x = np.linspace(0.0, float((mean + 12 * spread).max()), GRID)
    shape, scale = (mean / spread) ** 2, spread**2 / mean
    log_below = np.zeros(GRID)
    for a, b in zip(shape, scale, strict=True):
        log_below += gamma.logcdf(x, a, scale=b)
    below = np.exp(periods * log_below)
    low, high = (float(np.interp(p, below, x)) for p in (0.05, 0.95))
    return float(np.trapezoid(1 - below, x)), (low, high)
