"""Intervals that keep their level while the world drifts: adaptive conformal inference.

Source: I. Gibbs and E. Candes, Adaptive conformal inference under distribution shift (2021), and Conformal inference
for online prediction with arbitrary distribution shifts (2024), algorithm 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.calibration import ranks
from scalebridge.learn.calibration.calibration import scored
from scalebridge.learn.calibration.frames import FRAMES, Frame, spread_or_one
from scalebridge.learn.calibration.metrics import check_level
from scalebridge.learn.learner import Data
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats

# The published rates of the experts.
RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)


@dataclass(frozen=True)
class Online:
    """A fitted surrogate, and an error rate that follows what was seen; every ``update`` returns the next state.

    One rate gives ACI: over T rows the share of misses differs from ``1 - level`` by at most
    ``(level + rate) / (rate T)``, whatever comes. Several rates give DtACI, which finds the rate itself.
    All outputs of a row are held at once.

    Args:
        surrogate: fitted.
        scores: ``[k]`` newest last, of rows it has not learned from.
        spread: ``[m]``, unit of the outputs.
        level: of the interval.
        score: as for `Conformal`.
        rates: how far a miss moves the error rate, one per expert.
        window: rows that the quantile looks back on.
        horizon: rows over which DtACI is to be near the best expert.
        errors: ``[e]``, error rate of each expert now.
        weights: ``[e]``, trust in each expert.
        rows, misses: seen so far, and how many of them lay outside.
    """

    surrogate: Surrogate
    scores: Floats
    spread: Floats
    level: float = 0.9
    score: str = "normalised"
    rates: tuple[float, ...] = RATES
    window: int = 1000
    horizon: int = 500
    errors: Floats | None = None
    weights: Floats | None = None
    rows: int = 0
    misses: int = 0

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.rates or min(self.rates) <= 0 or self.window < 1 or self.horizon < 1 or self.score not in FRAMES:
            raise InputError(
                f"An online calibration got rates {self.rates}, a window of {self.window}, a horizon of "
                f"{self.horizon} and the score '{self.score}'; give positive ones and a score of {', '.join(FRAMES)}."
            )
        count = len(self.rates)
        if self.errors is None:
            object.__setattr__(self, "errors", np.full(count, 1 - self.level))
        if self.weights is None:
            object.__setattr__(self, "weights", np.full(count, 1 / count))

    @staticmethod
    def start(
        surrogate: Surrogate,
        x: Floats,
        y: Floats,
        *,
        level: float = 0.9,
        score: str = "normalised",
        rates: tuple[float, ...] = RATES,
        window: int = 1000,
    ) -> Online:
        """Begin with rows ``x [k, d]``, ``y [k, m]`` that the fitted surrogate has not learned from, oldest first.

        Raises:
            InputError: too few rows for the level, with the number needed.
        """
        x, y = surrogate.inputs.check(x, "An online calibration"), surrogate.outputs.check(y, "An online calibration")
        if len(x) != len(y):
            raise ShapeError(f"An online calibration got {len(x)} inputs and {len(y)} outputs; give one per input.")
        ranks.check_rows(len(x), level, "An online calibration")
        everything = np.arange(len(x))
        data = Data(x, y, np.zeros_like(y))
        spread = spread_or_one(y)
        one = np.zeros(len(x), dtype=np.int64)
        found = scored((surrogate,), spread[None], one, everything, data, score, level).scores
        return Online(surrogate, found.max(axis=1)[-window:], spread, level, score, rates, window)

    @property
    def error_rate(self) -> float:
        """The error rate asked of the next interval; at or below zero it is infinite, at or above one empty."""
        return float(self._trust @ self._errors)

    @property
    def covered(self) -> float:
        """Share of the rows seen that lay inside; NaN before the first."""
        return 1 - self.misses / self.rows if self.rows else math.nan

    def interval(self, x: Floats) -> tuple[Floats, Floats]:
        """Interval at ``x [n, d]`` for the next row, lower and upper ends ``[n, m]``."""
        frame = self._frame(x)
        reach = self._reach(self.error_rate)
        lower, upper = frame.lower - reach * frame.unit, frame.upper + reach * frame.unit
        middle = 0.5 * (frame.lower + frame.upper)
        space = self.surrogate.outputs
        return (
            np.clip(np.minimum(lower, middle), space.lower, space.upper),
            np.clip(np.maximum(upper, middle), space.lower, space.upper),
        )

    def update(self, x: Floats, y: Floats) -> Self:
        """Return the state after seeing ``y [n, m]`` at ``x [n, d]``, row after row in the order of time."""
        y = self.surrogate.outputs.check(y, "An online calibration")
        if not np.isfinite(y).all():
            raise InputError("An online calibration got a value that is not finite; leave out failed rows.")
        state = self
        for value in self._frame(x).scores(y).max(axis=1):
            state = state._seen(float(value))
        return state

    def _seen(self, score: float) -> Self:
        # The largest error rate at which the interval would have held this row.
        largest = 1.0 - float(np.sum(self.scores < score)) / (len(self.scores) + 1)
        alpha, errors, trust = 1 - self.level, self._errors, self._trust
        missed = errors >= largest
        moved = errors + np.asarray(self.rates) * (alpha - missed)
        loss = np.where(errors < largest, alpha * (largest - errors), (1 - alpha) * (errors - largest))
        count = len(errors)
        # Learning rate and sharing of the 2024 paper, section 3.2.
        pace = math.sqrt(3 / self.horizon * (math.log(count * self.horizon) + 2))
        pace /= math.sqrt((1 - alpha) ** 2 * alpha**3 + alpha**2 * (1 - alpha) ** 3)
        kept = trust * np.exp(-pace * (loss - loss.min()))
        share = 1 / (2 * self.horizon)
        return replace(
            self,
            scores=np.append(self.scores, score)[-self.window :],
            errors=moved,
            weights=(1 - share) * kept / kept.sum() + share / count,
            rows=self.rows + 1,
            misses=self.misses + int(self.error_rate >= largest),
        )

    def _reach(self, error_rate: float) -> float:
        if error_rate <= 0:
            return math.inf
        if error_rate >= 1:
            return -math.inf
        return float(ranks.upper_quantile(self.scores, 1 - error_rate))

    def _frame(self, x: Floats) -> Frame:
        x = self.surrogate.inputs.check(x, "An online calibration")
        return FRAMES[self.score](self.surrogate.posterior(x), self.spread, self.level)

    @property
    def _errors(self) -> Floats:
        return np.asarray(self.errors)

    @property
    def _trust(self) -> Floats:
        return np.asarray(self.weights)
