"""Symmetric and periodic responses."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import GaussianProcess, PolynomialChaos, RandomForest
from scalebridge.learn.transforms import Periodic, Symmetric, Transformed
from scalebridge.models import structure_of
from scalebridge.testing import check_surrogate
from tests.learn.transforms_cases import check_law, held, rms

INPUTS = sb.Space({"a": "m", "b": "m", "c": "K"})
OUTPUTS = sb.Space({"y": "1"})


def law(x: np.ndarray) -> np.ndarray:
    """The same when a and b are exchanged, and when c changes its sign."""
    a, b, c = x.T
    return (np.sin(3 * a * b) + (a - b) ** 2 + np.cos(2 * c))[:, None]


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 3))
    return x, law(x)


SYMMETRY = Symmetric(exchange=[("a", "b")], even=["c"])


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
@pytest.mark.parametrize("transform", [Symmetric(even=["c"]), Symmetric(odd=[("a", "b", "c")])], ids=["even", "odd"])
def test_the_contract_is_kept(learner, transform) -> None:
    surrogate = Transformed(learner(INPUTS, OUTPUTS), transform)
    # The suite's function is odd where that is declared, but even along nothing.
    check_surrogate(surrogate, fit_rtol=1.2, calibration=60 if structure_of(surrogate).even else 0)


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_the_whole_answer_is_symmetric(learner) -> None:
    fitted = Transformed(learner(INPUTS, OUTPUTS), SYMMETRY).fit(*drawn(20))
    x = drawn(30, 1)[0]
    for image in (x[:, [1, 0, 2]], x * [1, 1, -1], x[:, [1, 0, 2]] * [1, 1, -1]):
        here, there = fitted.posterior(x), fitted.posterior(image)
        assert np.array_equal(here.mean, there.mean)
        assert np.array_equal(here.std, there.std)
        assert np.array_equal(here.quantile(0.9), there.quantile(0.9))
        assert (fitted.domain.contains(x) == fitted.domain.contains(image)).all()


def test_an_odd_answer_changes_its_sign_and_is_zero_in_the_middle() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    y = np.sin(x @ [[1.0], [2.0], [3.0]])
    fitted = Transformed(GaussianProcess(INPUTS, OUTPUTS), Symmetric(odd=[("a", "b", "c")])).fit(x, y)
    np.testing.assert_allclose(fitted.predict(-x)[0], -fitted.predict(x)[0], atol=1e-12)
    assert abs(fitted.predict(np.zeros((1, 3)))[0][0, 0]) < 1e-12
    np.testing.assert_allclose(fitted.posterior(-x).quantile(0.1), -fitted.posterior(x).quantile(0.9), atol=1e-9)
    assert structure_of(fitted).even


def test_symmetry_spares_runs() -> None:
    x, y = drawn(500, 1)
    known = Transformed(GaussianProcess(INPUTS, OUTPUTS), SYMMETRY).fit(*drawn(25))
    plain = GaussianProcess(INPUTS, OUTPUTS).fit(*drawn(50))
    assert rms(known, x, y) < rms(plain, x, y)
    assert held(known, x, y) > 0.8


def test_inputs_that_go_together_are_exchanged_together() -> None:
    inputs = sb.Space({"x1": "m", "y1": "m", "x2": "m", "y2": "m"})
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4))
    y = (x[:, :1] * x[:, 1:2]) ** 2 + x[:, 2:3] * x[:, 3:]
    y = y + (x[:, 2:3] * x[:, 3:]) ** 2 + x[:, :1] * x[:, 1:2]
    fitted = Transformed(GaussianProcess(inputs, OUTPUTS), Symmetric(exchange=[(("x1", "y1"), ("x2", "y2"))])).fit(x, y)
    np.testing.assert_allclose(fitted.predict(x[:, [2, 3, 0, 1]])[0], fitted.predict(x)[0], rtol=1e-9)


@pytest.mark.parametrize("learner", [RandomForest, PolynomialChaos])
def test_intervals_from_held_out_runs_stay_honest(learner) -> None:
    x, y = drawn(400, 1)
    fitted = Transformed(learner(INPUTS, OUTPUTS), SYMMETRY).fit(*drawn(40))
    assert held(fitted, x, y) > 0.8
    assert len(fitted.inner.data[0]) == 40


def test_what_is_its_own_image_with_the_other_sign_is_zero_for_certain() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (10, 3))
    fitted = Transformed(GaussianProcess(INPUTS, OUTPUTS), Symmetric(odd=[("a",)])).fit(x, x[:, :1] ** 3)
    posterior = fitted.posterior(np.array([[0.0, 0.3, 0.2]]))
    assert posterior.mean[0, 0] == 0 and posterior.std[0, 0] == 0


@pytest.mark.parametrize("learner", [GaussianProcess, RandomForest])
def test_a_periodic_answer_comes_round(learner) -> None:
    inputs = sb.Space({"phi": ("degree", 0, 360), "r": ("m", 0, 1)})
    surrogate = Transformed(learner(inputs, OUTPUTS), Periodic({"phi": 360.0}))
    x = np.random.default_rng(0).uniform([0, 0], [360, 1], (25, 2))
    y = x[:, 1:] * np.exp(np.cos(np.radians(x[:, :1])))
    fitted = surrogate.fit(x, y)
    for turns in (-720, 360):
        np.testing.assert_allclose(fitted.predict(x + np.array([turns, 0]))[0], fitted.predict(x)[0], rtol=1e-8)
    assert fitted.told == ("cos_phi", "sin_phi")
    check_law(fitted, x[:4] * 0.9 + 0.03, float(y.std()))
    check_surrogate(surrogate, fit_rtol=0.7, calibration=0)


def test_a_component_of_an_array_can_be_periodic() -> None:
    inputs = sb.Space([sb.Variable("v", "1", (2,))])
    x = np.random.default_rng(0).uniform(0, 1, (15, 2))
    fitted = Transformed(GaussianProcess(inputs, OUTPUTS), Periodic({"v[1]": 1.0})).fit(x, x[:, :1])
    assert fitted.inner.inputs.names == ("v_0", "cos_v_1", "sin_v_1")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Symmetric(), "got no symmetry"),
        (lambda: Symmetric(exchange=[("a",)]), "give at least two inputs"),
        (lambda: Symmetric(exchange=[("a", ("b", "c"))]), "sets of as many inputs each"),
        (lambda: Symmetric(exchange=[("a", "c")]), r"exchange 'a' \(m\) with 'c' \(K\)"),
        (lambda: Symmetric(even=["q"]), "names 'q'"),
        (lambda: Symmetric(even=["a"], odd=["a"]), "contradict each other"),
        (lambda: Periodic({}), "give positive periods"),
        (lambda: Periodic({"a": -1.0}), "give positive periods"),
        (lambda: Periodic({"q": 1.0}), "names 'q'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(make, message) -> None:
    with pytest.raises(InputError, match=message):
        Transformed(GaussianProcess(INPUTS, OUTPUTS), make()).fit(*drawn(6))


def test_too_large_a_group_is_refused() -> None:
    inputs = sb.Space(dict.fromkeys("abcde", "m"))
    with pytest.raises(InputError, match="more than 48"):
        Transformed(GaussianProcess(inputs, OUTPUTS), Symmetric(exchange=[tuple("abcde")])).fit(
            np.ones((2, 5)), [[1], [1]]
        )
