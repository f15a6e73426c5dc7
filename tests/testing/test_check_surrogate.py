"""check_surrogate passes an exact linear model and catches each planted fault with the right words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from scalebridge.models import Functional
from scalebridge.quantities import Space
from scalebridge.testing import BayesianLinear, check_model, check_surrogate
from scalebridge.testing.linear import LinearPosterior

INPUTS = Space({"a": "1", "b": ("1", 0, 1)})
OUTPUTS = Space({"y": "1", "z": "Pa"})
SOUND = BayesianLinear(INPUTS, OUTPUTS, noise_ratio=0.2)


def test_the_linear_surrogate_passes_and_its_fit_is_a_model() -> None:
    # A line does not claim to know the curve that calibration is checked on.
    check_surrogate(SOUND, calibration=0)
    x = np.random.default_rng(0).uniform(0, 1, (8, 2))
    check_model(SOUND.fit(x, x @ np.array([[1.0, 2.0], [3.0, 4.0]])), x)


def test_a_problem_of_ones_own_can_be_given() -> None:
    import scalebridge as sb

    @sb.model(INPUTS, OUTPUTS)
    def problem(a: float, b: float) -> dict[str, float]:
        return {"y": a - 2 * b, "z": 3 * a + b}

    check_surrogate(SOUND, problem)


class WrongPosterior(LinearPosterior):
    """A posterior with one fault, by name."""

    fault = ""

    @property
    def std(self) -> np.ndarray:
        return 1.1 * super().std if self.fault == "std" else super().std

    @property
    def blocks(self) -> np.ndarray:
        blocks = super().blocks
        return blocks + 0.3 * blocks[:, ::-1] if self.fault == "blocks" else blocks

    def quantile(self, p: float) -> np.ndarray:
        return super().quantile(0.75 if self.fault == "quantile" else p)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        if self.fault == "seed":
            return super().sample(n, 0)
        if self.fault == "independent samples":
            z = np.random.default_rng(seed).standard_normal((n, *self.mean.shape))
            return self.mean + z * LinearPosterior(self.mean, self.covariance).std
        shift = 0.5 * LinearPosterior(self.mean, self.covariance).std if self.fault == "shifted samples" else 0.0
        return super().sample(n, seed) + shift

    def functional(self, weights: np.ndarray) -> Functional:
        told = super().functional(weights)
        many = np.count_nonzero(weights) > 1
        if self.fault == "functional std" and many:
            return replace(told, std=float(np.sqrt(np.sum(weights**2 * super().std ** 2))))
        if self.fault == "functional cov" and many:
            return replace(told, cov=told.cov * 1.05)
        if self.fault == "functional mean":
            return replace(told, mean=told.mean + 1.0)
        return told

    def reduction(self, weights: np.ndarray, candidates: Any, noise_std: Any = None, given: Any = None) -> np.ndarray:
        if self.fault == "reduction without noise":
            return super().reduction(weights, candidates, None, given)
        if self.fault == "reduction without given":
            return super().reduction(weights, candidates, noise_std, None)
        return super().reduction(weights, candidates, noise_std, given)


@dataclass(frozen=True)
class WithWrongPosterior(BayesianLinear):
    """The linear surrogate with a wrong posterior."""

    fault: str = ""

    def posterior(self, x: np.ndarray) -> LinearPosterior:
        sound = super().posterior(x)
        wrong = WrongPosterior(sound.mean, sound.covariance)
        object.__setattr__(wrong, "fault", self.fault)
        return wrong


POSTERIOR_FAULTS = {
    "std": "The diagonal of blocks is not std squared",
    "blocks": "blocks are not the covariance that functional gives",
    "quantile": r"quantile\(0.9\) does not hold nine tenths",
    "seed": "the same values for another seed",
    "independent samples": "Joint samples do not have the covariance",
    "shifted samples": "standard errors off the posterior's mean",
    "functional std": "functional's std is not that of the weighted sum",
    "functional cov": "functional's cov is not the covariance of the sum",
    "functional mean": "functional's mean is not the weighted mean",
    "reduction without noise": r"reduction is not C'\(S \+ N\)\^-1 C with noise",
    "reduction without given": "after a run that is already decided",
}


def test_the_wrong_posterior_without_a_fault_passes() -> None:
    check_surrogate(WithWrongPosterior(INPUTS, OUTPUTS, noise_ratio=0.2), calibration=0)


@pytest.mark.parametrize("fault", POSTERIOR_FAULTS)
def test_a_fault_in_the_posterior_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError, match=POSTERIOR_FAULTS[fault]):
        check_surrogate(WithWrongPosterior(INPUTS, OUTPUTS, noise_ratio=0.2, fault=fault))


class Everywhere:
    """A domain that holds everything."""

    def contains(self, x: np.ndarray) -> np.ndarray:
        return np.ones(len(x), dtype=bool)


@dataclass(frozen=True)
class Wrong(BayesianLinear):
    """The linear surrogate with one fault in what it predicts or how it is fitted."""

    fault: str = ""

    @property
    def domain(self) -> Any:
        return Everywhere() if self.fault == "domain" else super().domain

    def fit(self, x: Any, y: Any, noise_std: Any = None, jacobian: Any = None) -> Any:
        if self.fault == "nan":
            y = np.nan_to_num(y)
        if self.fault == "mismatch" and len(y):
            x = x[: len(y)]
        if self.fault == "one sample" and len(x) == 1:
            raise ZeroDivisionError("variance of one sample")
        if self.fault == "unlearned":
            y = 0 * y + np.linspace(0, 1, y.size).reshape(y.shape)
        if self.fault == "random":
            y = y + 1e-3 * np.random.default_rng().standard_normal(y.shape)
        fitted = super().fit(x, y)
        if self.fault == "in place":
            object.__setattr__(self, "_fit", fitted._fit)
            return self
        return fitted

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, tangent = super().predict(x)
        if self.fault == "tangent":
            tangent = tangent * 1.02
        if self.fault == "shape":
            tangent = np.swapaxes(tangent, 1, 2)[:, :1]
        return mean, tangent

    def run(self, x: np.ndarray) -> Any:
        runs = super().run(x)
        return replace(runs, values=runs.values + 0.01) if self.fault == "run" else runs

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        return super().jacobian(x) + (0.01 if self.fault == "jacobian" else 0.0)


FAULTS = {
    "domain": "holds a point a million times beyond",
    "nan": "fit takes a value of NaN",
    "mismatch": "fit takes fewer values than inputs",
    "one sample": "cannot be fitted on one sample",
    "unlearned": "it has not learned",
    "random": "Two fits of the same data differ",
    "in place": "a fitted surrogate",
    "tangent": "not the derivative of its values",
    "shape": "predict gave shapes",
    "run": "run gives other values than predict",
    "jacobian": "jacobian is not the tangent",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError, match=FAULTS[fault]):
        check_surrogate(Wrong(INPUTS, OUTPUTS, noise_ratio=0.2, fault=fault))


def test_bounds_that_are_not_kept_are_caught() -> None:
    bounded = Space({"y": ("1", 0, None), "z": "Pa"})
    with pytest.raises(AssertionError, match="The mean leaves the declared bounds"):
        check_surrogate(BayesianLinear(INPUTS, bounded, noise_ratio=0.2))


def test_a_thing_that_is_no_surrogate_is_told_what_it_lacks() -> None:
    with pytest.raises(AssertionError, match="is no Surrogate: it lacks"):
        check_surrogate(object())
