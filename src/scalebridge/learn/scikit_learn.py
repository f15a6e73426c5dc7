"""Any regressor or classifier that speaks scikit-learn's language, with a spread that is validated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.cross_validated import Constant, CrossValidated, Predictor, cross_validated
from scalebridge.learn.ensemble import MixturePosterior
from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.portable import Average, Columns, LiveClasses, portable
from scalebridge.quantities import Floats

# Modules of scikit-learn whose predictions are step functions of the inputs.
STEPS = (
    "sklearn.tree",
    "sklearn.neighbors",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
    "sklearn.ensemble._weight_boosting",
)
# Of central differences, in deviations of an input.
STEP = 1e-5


@dataclass(frozen=True)
class ScikitLearn(Learner[CrossValidated]):
    """A scikit-learn estimator as a surrogate; see `scalebridge.models.Surrogate`.

    A regressor is fitted on inputs and outputs of unit deviation. Its spread is that between fits of repeated
    five-fold cross-validation, or its own where it has ``return_std``, scaled to the errors at rows not seen.
    A classifier's outputs are the probabilities of the classes: one output is the probability of "yes" and
    takes values from 0 to 1; several are one class each and take rows that add up to one. Its mean is that of
    the fits of cross-validation, its posterior one or another of them: of the probability, not of the label.

    Args:
        inputs, outputs, margin: as in `Learner`.
        estimator: not fitted; it is cloned, never changed.
        smooth: whether its prediction has a derivative, which is then taken by central differences; by default
            found from what it is (trees and neighbours make steps, whose derivative is zero).
        repeats: of the cross-validation; five fits each.
        seed: of the folds, and of the estimator where it has none.

    Raises:
        InputError: no estimator, or one that cannot learn the data.
    """

    estimator: Any = None
    smooth: bool | None = None
    repeats: int = 4
    seed: int = 0

    name = "scikit_learn"

    def _check_options(self) -> None:
        least(self.title, "repeats", self.repeats, 1)
        if isinstance(self.estimator, type) or not all(hasattr(self.estimator, m) for m in ("fit", "predict")):
            raise InputError(
                f"{self.title} got estimator = {self.estimator!r}; give an object with fit and predict, as in "
                "ScikitLearn(inputs, outputs, sklearn.svm.SVR())."
            )
        object.__setattr__(self, "estimator", _clone(self.estimator))
        if self.smooth is None:
            object.__setattr__(self, "smooth", not _makes_steps(self.estimator))

    def _learn(self, data: Data) -> CrossValidated:
        if not self._classifies:
            return cross_validated(self._train, data, self.repeats, self.seed)
        self._check_probabilities(data.y)
        known = cross_validated(self._train_classes, data, self.repeats, self.seed, scaled=False)
        return replace(known, whole=Average(known.members)) if known.members else known

    @property
    def _classifies(self) -> bool:
        return hasattr(self.estimator, "predict_proba")

    def _train(self, x: Floats, y: Floats, seed: int) -> Predictor:
        from sklearn.utils import get_tags

        if y.shape[1] == 1 or not get_tags(self.estimator).target_tags.multi_output:
            parts = [portable(self._fitted(x, column, seed), x) for column in y.T]
            return parts[0] if len(parts) == 1 else Columns(tuple(parts))
        return portable(self._fitted(x, y, seed), x)

    def _train_classes(self, x: Floats, y: Floats, seed: int) -> Predictor:
        m = y.shape[1]
        shares = np.concatenate([1 - y, y], axis=1) if m == 1 else y
        row, label = np.nonzero(shares > 0)
        present = np.unique(label)
        if len(present) == 1:
            return Constant(np.eye(m)[present[0]] if m > 1 else np.array([float(present[0])]))
        soft = not np.isin(shares, (0.0, 1.0)).all()
        fitted = self._fitted(x[row], label, seed, shares[row, label] if soft else None)
        columns = tuple(int(c) for c in present) if m > 1 else (-1, 0)
        return LiveClasses(fitted, columns, m)

    def _fitted(self, x: Floats, y: Any, seed: int, weights: Floats | None = None) -> Any:
        estimator = _clone(self.estimator)
        if "random_state" in estimator.get_params() and estimator.get_params()["random_state"] is None:
            estimator.set_params(random_state=seed)
        try:
            return estimator.fit(x, y) if weights is None else estimator.fit(x, y, sample_weight=weights)
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.title}: {self.estimator!r} cannot learn {len(x)} rows: {error}") from error

    def _check_probabilities(self, y: Floats) -> None:
        total = y.sum(axis=1)
        if y.min() < 0 or y.max() > 1 or (y.shape[1] > 1 and np.abs(total - 1).max() > 1e-9):
            raise InputError(
                f"{self.title} classifies, but its outputs are no probabilities; give 0 or 1 for one output, and for "
                "several a row for each sample with 1 in the column of its class and 0 in the others."
            )

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        mean, slope = self.state.mean(x), np.zeros((len(x), self.outputs.size, x.shape[1]))
        for j, width in enumerate(self.state.x.width if self.smooth else ()):
            shift = np.zeros(x.shape[1])
            shift[j] = STEP * width
            slope[:, :, j] = (self.state.mean(x + shift) - self.state.mean(x - shift)) / (2 * shift[j])
        return mean, slope

    def posterior(self, x: Floats) -> LowRankPosterior | MixturePosterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        mean, bounds = self.predict(x)[0], (self.outputs.lower, self.outputs.upper)
        if not self._classifies:
            return self.state.posterior(x, mean, bounds)
        # One member or another: what any of them says is a probability, and the label's own scatter no part of it.
        at, zero = self.state.x(x), np.zeros(mean.shape)
        told = [member(at) for member in self.state.members] or [np.zeros_like(mean), np.ones_like(mean)]
        members = tuple(LowRankPosterior(each, zero[:, :, None], zero) for each in told)
        return MixturePosterior(members, mean, bounds)


def _clone(estimator: Any) -> Any:
    """An estimator with the same options and nothing learned."""
    from sklearn.base import clone

    return clone(estimator, safe=False)


def _makes_steps(estimator: Any) -> bool:
    """Whether an estimator, or one inside it, answers with steps."""
    parts = [estimator, *(estimator.get_params().values() if hasattr(estimator, "get_params") else ())]
    modules = [type(part).__module__ for part in parts]
    bare = type(estimator).__name__.startswith("Bagging") and estimator.get_params().get("estimator") is None
    return bare or any(module.startswith(STEPS) for module in modules)
