"""Fitted scikit-learn estimators as plain arrays, where that can be done to the last bit; else as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.learn.cross_validated import Predictor
from scalebridge.learn.trees import of_boosting, of_forest
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Linear:
    """``x @ slope + offset`` with ``slope [d, m]``."""

    slope: Floats
    offset: Floats

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        answer: Floats = x @ self.slope + self.offset
        return answer


@dataclass(frozen=True)
class Columns:
    """One predictor per output."""

    parts: tuple[Predictor, ...]

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        return np.concatenate([part(x) for part in self.parts], axis=1)


@dataclass(frozen=True)
class Average:
    """The mean of several predictors."""

    parts: tuple[Predictor, ...]

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        answer: Floats = np.mean([part(x) for part in self.parts], axis=0)
        return answer


@dataclass(frozen=True)
class Live:
    """A fitted estimator as it is: it predicts, but cannot be archived."""

    estimator: Any

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        return np.asarray(self.estimator.predict(x), dtype=np.float64).reshape(len(x), -1)


@dataclass(frozen=True)
class LiveWithDeviation:
    """A fitted estimator that tells its own standard deviation."""

    estimator: Any

    def __call__(self, x: Floats) -> Floats:
        """Answer ``[n, m]``."""
        return np.asarray(self.estimator.predict(x), dtype=np.float64).reshape(len(x), -1)

    def deviation(self, x: Floats) -> Floats:
        """Its standard deviation ``[n, m]``."""
        return np.asarray(self.estimator.predict(x, return_std=True)[1], dtype=np.float64).reshape(len(x), -1)


@dataclass(frozen=True)
class LiveClasses:
    """A fitted classifier; ``columns`` are the outputs that its classes stand for, -1 for none."""

    estimator: Any
    columns: tuple[int, ...]
    outputs: int

    def __call__(self, x: Floats) -> Floats:
        """Probability of every class ``[n, m]``."""
        answer = np.zeros((len(x), self.outputs))
        for column, probability in zip(self.columns, self.estimator.predict_proba(x).T, strict=True):
            if column >= 0:
                answer[:, column] = probability
        return answer


def portable(estimator: Any, x: Floats) -> Predictor:
    """The estimator as arrays where these answer alike at ``x [n, d]``; else as it is.

    Linear models (to rounding), trees, forests and histogram gradient boosting (to the last bit) can be written.
    """
    live = LiveWithDeviation(estimator) if _tells_deviation(estimator) else Live(estimator)
    if isinstance(live, LiveWithDeviation):
        return live
    wanted = live(x)
    for read in (_linear, _trees, _boosting):
        try:
            found = read(estimator)
        except (AttributeError, TypeError, ValueError, IndexError):
            continue
        if found is not None:
            told = found(x)
            tolerance = 1e-12 * (1 + np.abs(wanted).max()) if isinstance(found, Linear) else 0.0
            if told.shape == wanted.shape and float(np.abs(told - wanted).max()) <= tolerance:
                return found
    return live


def _tells_deviation(estimator: Any) -> bool:
    import inspect

    return "return_std" in inspect.signature(estimator.predict).parameters


def _linear(estimator: Any) -> Predictor | None:
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return None
    slope = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
    # Not intercept_: some centre the inputs first.
    offset = np.asarray(estimator.predict(np.zeros((1, len(slope)))), dtype=np.float64).reshape(-1)
    return Linear(slope, np.broadcast_to(offset, (slope.shape[1],)).copy())


def _trees(estimator: Any) -> Predictor | None:
    members: Sequence[Any] = [estimator] if hasattr(estimator, "tree_") else getattr(estimator, "estimators_", [])
    return of_forest(members) if len(members) and all(hasattr(e, "tree_") for e in members) else None


def _boosting(estimator: Any) -> Predictor | None:
    if not hasattr(estimator, "_predictors") or not hasattr(estimator, "_baseline_prediction"):
        return None
    return of_boosting([estimator])
