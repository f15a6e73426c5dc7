"""Answers that are monotone along named inputs."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import GaussianProcess, GradientBoosting, PolynomialChaos, RandomForest
from scalebridge.learn.transforms import Monotone, Transformed
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import rms

INPUTS = sb.Space({"a": "1", "b": "1"})
OUTPUTS = sb.Space({"y": "1"})


def law(x: np.ndarray) -> np.ndarray:
    """Rises along a, falls along b."""
    return np.tanh(4 * x[:, :1]) - x[:, 1:] ** 3


def drawn(n: int, seed: int = 0, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    return x, law(x) + noise * rng.standard_normal((n, 1))


def quick(learner: type) -> dict[str, int]:
    return {"trees": 20} if learner is RandomForest else {}


BOTH = Monotone({"a": 1, "b": -1}, points=17)


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
@pytest.mark.parametrize("transform", [Monotone({"a": 1}), Monotone({"a": 1, "b": -1}, points=9)], ids=["one", "two"])
def test_the_contract_is_kept(learner, transform) -> None:
    # The suite's function is not monotone.
    check_surrogate(Transformed(learner(INPUTS, OUTPUTS, **quick(learner)), transform), fit_rtol=1.5, calibration=0)


@pytest.mark.parametrize("learner", [GaussianProcess, GradientBoosting])
def test_the_mean_is_monotone_everywhere_and_no_worse(learner) -> None:
    options = {"iterations": 30, "repeats": 1} if learner is GradientBoosting else {}
    x, y = drawn(30)
    plain = learner(INPUTS, OUTPUTS, **options).fit(x, y)
    fitted = Transformed(learner(INPUTS, OUTPUTS, **options), BOTH).fit(x, y)
    rng = np.random.default_rng(3)
    start = rng.uniform(-1.5, 1.5, (100, 2))
    step = rng.exponential(0.2, (100, 2)) * [1, -1]
    rise = fitted.predict(start + step)[0] - fitted.predict(start)[0]
    assert (rise >= -1e-12).all()
    assert (plain.predict(start + step)[0] < plain.predict(start)[0] - 1e-3).any()
    at = np.random.default_rng(4).uniform(-1, 1, (150, 2))
    assert rms(fitted, at, law(at)) <= rms(plain, at, law(at)) + 1e-2


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_the_derivative_keeps_its_sign(learner) -> None:
    fitted = Transformed(learner(INPUTS, OUTPUTS, **quick(learner)), BOTH).fit(*drawn(30))
    slope = fitted.jacobian(np.random.default_rng(3).uniform(-1.5, 1.5, (100, 2)))[:, 0]
    assert (slope[:, 0] >= 0).all() and (slope[:, 1] <= 0).all()


def test_what_is_monotone_already_stays_as_it_is() -> None:
    x = drawn(60)[0]
    y = x[:, :1] ** 3 + 0.1 * x[:, :1] - x[:, 1:] ** 2
    chaos = PolynomialChaos(INPUTS, OUTPUTS)
    plain, fitted = chaos.fit(x, y), Transformed(chaos, Monotone({"a": 1})).fit(x, y)
    at = np.random.default_rng(4).uniform(-0.9, 0.9, (200, 2))
    assert np.abs(fitted.predict(at)[0] - plain.predict(at)[0]).max() < 1e-4
    assert np.abs(fitted.jacobian(at) - plain.jacobian(at)).max() < 0.05


def test_quantiles_and_samples_move_with_the_mean() -> None:
    x, y = drawn(20)
    plain = GaussianProcess(INPUTS, OUTPUTS).fit(x, y).posterior(x)
    posterior = Transformed(GaussianProcess(INPUTS, OUTPUTS), BOTH).fit(x, y).posterior(x)
    moved = posterior.mean - plain.mean
    np.testing.assert_allclose(posterior.quantile(0.2), plain.quantile(0.2) + moved)
    np.testing.assert_allclose(posterior.std, plain.std)
    np.testing.assert_allclose(posterior.sample(3), plain.sample(3) + moved)


def test_other_outputs_are_left_alone() -> None:
    outputs = sb.Space({"y": "1", "z": "1"})
    x, y = drawn(20)
    both = np.concatenate([y, np.sin(5 * x[:, :1])], axis=1)
    plain = GaussianProcess(INPUTS, outputs).fit(x, both)
    fitted = Transformed(GaussianProcess(INPUTS, outputs), Monotone({"a": 1}, outputs="y")).fit(x, both)
    np.testing.assert_array_equal(fitted.predict(x)[0][:, 1], plain.predict(x)[0][:, 1])
    assert not np.array_equal(fitted.predict(x)[0][:, 0], plain.predict(x)[0][:, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Monotone({}), "one to three inputs"),
        (lambda: Monotone({"a": 2}), "one to three inputs"),
        (lambda: Monotone(dict.fromkeys("abcd", 1)), "one to three inputs"),
        (lambda: Monotone({"a": 1}, points=1), "at least 2"),
        (lambda: Monotone({"q": 1}), "names 'q'"),
        (lambda: Monotone({"a": 1}, outputs="q"), "names 'q'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(make, message) -> None:
    with pytest.raises(InputError, match=message):
        Transformed(GaussianProcess(INPUTS, OUTPUTS), make()).fit(*drawn(6))


def test_an_array_needs_the_name_of_a_component() -> None:
    inputs = sb.Space([sb.Variable("v", "1", (2,))])
    with pytest.raises(InputError, match=r"as in 'v\[0\]'"):
        Transformed(GaussianProcess(inputs, OUTPUTS), Monotone({"v": 1})).fit(*drawn(6))
