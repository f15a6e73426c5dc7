"""Any method of regression with a spread from repeated cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data
from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import Spread, fit_spread, nearest, same_rows, unknown
from scalebridge.quantities import Floats

FOLDS = 5


class Predictor(Protocol):
    """What a method of regression leaves: a function in scaled coordinates."""

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]`` at ``x [n, d]``."""


@dataclass(frozen=True)
class Constant:
    """The same answer ``level [m]`` everywhere: all that can be defended with very few runs."""

    level: Floats

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        return np.tile(self.level, (len(x), 1))


@dataclass(frozen=True)
class CrossValidated:
    """A predictor fitted on all runs, others fitted on parts of them, and what their deviations are worth.

    Args:
        x, y: scaling of the inputs and outputs.
        points: the runs' inputs, scaled ``[b, d]``.
        whole: fitted on all runs; the mean.
        members: fitted on four fifths of them.
        spread: of the error, from the rows that members had not seen.
    """

    x: Scaling
    y: Scaling
    points: Floats
    whole: Predictor
    members: tuple[Predictor, ...]
    spread: Spread

    def mean(self, x: Floats) -> Floats:
        """Mean ``[n, m]`` in the outputs' units."""
        return self.y.back(self.whole(self.x(x)))

    def posterior(self, x: Floats, mean: Floats, bounds: tuple[Floats, Floats]) -> LowRankPosterior:
        """Joint posterior: the members' deviations, and a rest that points with the same nearest run share."""
        at, (n, m) = self.x(x), mean.shape
        factor, rest = np.zeros((n, m, 0)), np.broadcast_to(self.spread.rest * self.y.width, (n, m))
        own = own_deviation(self.whole, at)
        if own is not None:
            rest = self.spread.std(own) * self.y.width
        elif self.members:
            factor = _deviations(np.stack([member(at) for member in self.members], axis=2))
        near = np.broadcast_to(nearest(at, self.points)[:, None, None], (n, m, 1))
        shared = grouped(near, rest) if rest.any() else None
        factor = factor * (self.spread.follows * self.y.width)[:, None]
        return LowRankPosterior(mean, factor, np.zeros((n, m)), shared, bounds)


def cross_validated(
    train: Callable[[Floats, Floats, int], Predictor], data: Data, repeats: int, seed: int, *, scaled: bool = True
) -> CrossValidated:
    """Train on all rows and, ``repeats`` times over, on all but each of five folds; equal rows share a fold.

    With fewer than five different rows nothing can be validated: the answer is their mean, as uncertain as a
    further value of the same law.

    Args:
        train: from scaled ``x [b, d]``, ``y [b, m]`` and a seed to a predictor.
        data: the runs.
        repeats: of the cross-validation.
        seed: of the folds and of the training.
        scaled: bring the outputs to unit deviation (not wanted for probabilities).
    """
    x, y = Scaling.of(data.x), Scaling.of(data.y)
    if not scaled:
        y = Scaling(np.zeros_like(y.centre), np.ones_like(y.width))
    at, value, labels = x(data.x), y(data.y), same_rows(data.x)
    unit = np.full(value.shape[1], unknown(labels.max() + 1))
    if labels.max() + 1 < FOLDS:
        return CrossValidated(x, y, at, Constant(value.mean(axis=0)), (), Spread(unit, unit))
    members: list[list[Predictor]] = []
    deviations, own = [], None
    for repeat in range(repeats):
        fold = (np.random.default_rng((seed, repeat)).permutation(labels.max() + 1) % FOLDS)[labels]
        members.append([train(at[fold != v], value[fold != v], seed + FOLDS * repeat + v) for v in range(FOLDS)])
        deviations.append(_left_out(members[-1], at, fold, value.shape[1]))
        if repeat == 0 and own_deviation(members[0][0], at[:1]) is not None:
            own = _left_out([partial(_demanded, p) for p in members[0]], at, fold, value.shape[1])
    out = np.stack(deviations, axis=2)
    errors = value - out.mean(axis=2)
    spread = out.std(axis=2, ddof=1) if repeats > 1 else np.zeros_like(errors)
    if own is not None:
        spread, members = own, []
    fitted = fit_spread(errors, spread, data.noise_std / y.width, unit)
    return CrossValidated(x, y, at, train(at, value, seed), tuple(p for row in members for p in row), fitted)


def own_deviation(predictor: Predictor, x: Floats) -> Floats | None:
    """The standard deviation ``[n, m]`` that a predictor tells of itself; None where it tells none."""
    told = getattr(predictor, "deviation", None)
    return None if told is None else told(x)


def _demanded(predictor: Predictor, x: Floats) -> Floats:
    told = own_deviation(predictor, x)
    return np.zeros((len(x), 0)) if told is None else told


def _left_out(members: Sequence[Callable[[Floats], Floats]], at: Floats, fold: NDArray[np.int64], m: int) -> Floats:
    answer = np.zeros((len(at), m))
    for v, member in enumerate(members):
        answer[fold == v] = member(at[fold == v])
    return answer


def _deviations(members: Floats) -> Floats:
    centred: Floats = members - members.mean(axis=2, keepdims=True)
    scaled: Floats = centred / np.sqrt(members.shape[2] - 1)
    return scaled
