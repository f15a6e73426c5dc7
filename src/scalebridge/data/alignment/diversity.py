"""Diversity: what many small consumers draw together, from the statistics of each.

No two households boil water in the same minute, so a feeder's peak is far below the sum of their peaks. It follows
from each one's mean profile over the day, its spread about that profile, and the little correlation between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

PATHS = 2000
# Normal deviations at which the gamma law is tabulated; between them it is straight enough.
REACH, NODES = 5.0, 201


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
        persistence: correlation of a member's deviation with that of the next step.
        periods: in the record.
        unit: of the demand.
    """

    names: tuple[str, ...]
    profile: Floats
    spread: Floats
    largest: Floats
    correlation: float
    persistence: float
    periods: int
    unit: str

    def peak(
        self, periods: int, members: Sequence[str] | None = None, correlation: float | None = None, seed: int = 0
    ) -> Peak:
        """The peak of the sum over ``periods``.

        At each step the sum has a gamma law (sums of skew, positive demands) with mean ``sum(profile)`` and variance
        ``sum(s^2) + correlation * ((sum s)^2 - sum(s^2))``; steps follow each other as an autoregression of the
        members' own persistence. The highest of many means from few periods is too high, so the profile of the sum is
        shrunk to its mean by the share of its variance that is noise (James and Stein).

        Args:
            periods: how many, such as 7 days.
            members: all by default; a name may stand several times, for several like it.
            correlation: that of others instead of these members' own.
            seed: of the paths from which the largest is taken.

        Raises:
            InputError: an unknown member, no periods.
        """
        if periods < 1:
            raise InputError(f"A peak over {periods} periods was asked for; give at least one.")
        rho = self.correlation if correlation is None else correlation
        at = self._places(members)
        spread = self.spread[:, at]
        square = (spread**2).sum(axis=1)
        variance = np.maximum(square + rho * (spread.sum(axis=1) ** 2 - square), 0.0)
        profile = shrunk(self.profile[:, at].sum(axis=1), variance / self.periods)
        largest = _largest(profile, np.sqrt(variance), self.persistence, periods, seed)
        low, high = np.quantile(largest, [0.05, 0.95])
        return Peak(float(largest.mean()), (float(low), float(high)), float(self.largest[at].sum()), len(at))

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
        InputError: fewer than two periods, times (where the dataset has them) with a hole or unequal steps,
            gaps, demands below zero, columns in different units.
    """
    names = tuple(members) if members is not None else _members(dataset)
    if not names:
        raise InputError(f"'{dataset.name}' has no columns of single numbers; a diversity needs a column per member.")
    demand = np.column_stack([single(dataset, n) for n in names])
    _demand_even(dataset)
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
    if demand.max() > 1e100:
        raise InputError(f"A demand of '{dataset.name}' is {demand.max():.3g}; check the unit and codes for gaps.")
    cube = demand[: whole * period].reshape(whole, period, len(names))
    profile = cube.mean(axis=0)
    return Diversity(
        names,
        profile,
        cube.std(axis=0, ddof=1),
        demand.max(axis=0),
        pair_correlation(cube),
        persistence(cube),
        whole,
        units.pop(),
    )


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


def persistence(cube: Floats) -> float:
    """Correlation of members' deviations with those of the next step; ``cube [periods, t, n]``."""
    rest = (cube - cube.mean(axis=0)).reshape(-1, cube.shape[2])
    size = float((rest**2).sum())
    return float(np.clip((rest[1:] * rest[:-1]).sum() / size, 0.0, 0.99)) if size > 0 else 0.0


def shrunk(profile: Floats, noise: Floats) -> Floats:
    """A profile ``[t]`` drawn to its mean by the share of its variance that is ``noise`` (variance of each ``[t]``)."""
    mean, between = float(profile.mean()), float(profile.var(ddof=1)) if len(profile) > 1 else 0.0
    kept = max(1 - float(noise.mean()) / between, 0.0) if between > 0 else 1.0
    return np.asarray(mean + kept * (profile - mean))


def _members(dataset: Dataset) -> tuple[str, ...]:
    time = None if dataset.time is None else dataset.time.column
    return tuple(n for n in dataset.numeric_names if n != time and dataset.space[n].shape == ())


def _demand_even(dataset: Dataset) -> None:
    """Rows make periods only where each follows the last by the same step."""
    if dataset.time is None:
        return
    steps = np.diff(single(dataset, dataset.time.column))
    usual = float(np.median(steps)) if len(steps) else 0.0
    uneven = np.flatnonzero(~(np.abs(steps - usual) <= 1e-3 * abs(usual)))
    if len(uneven):
        row = int(uneven[0]) + 1
        raise InputError(
            f"Row {row + 1} of '{dataset.name}' comes {steps[row - 1]:g} s after the row before and others "
            f"{usual:g} s; rows are cut into periods, so give every step its row: resample, or fill what is missing."
        )


def _largest(mean: Floats, spread: Floats, follows: float, periods: int, seed: int) -> Floats:
    """The largest ``[PATHS]`` of gamma variables with moments ``[t]`` over ``periods``, each step after the last."""
    from scipy.special import gammaincinv, ndtr

    unit = float(max(mean.max(), spread.max()))
    if unit <= 0:
        return np.zeros(PATHS)
    mean, spread = np.maximum(mean / unit, 1e-9), np.maximum(spread / unit, 1e-6)
    nodes = np.linspace(-REACH, REACH, NODES)
    table = unit * gammaincinv((mean / spread) ** 2, ndtr(nodes)[:, None]) * spread**2 / mean
    rng = np.random.default_rng(seed)
    z, top = rng.standard_normal(PATHS), np.zeros(PATHS)
    fresh = float(np.sqrt(1 - follows**2))
    for _ in range(periods):
        for t in range(len(mean)):
            top = np.maximum(top, np.interp(z, nodes, table[:, t]))
            z = follows * z + fresh * rng.standard_normal(PATHS)
    return top
