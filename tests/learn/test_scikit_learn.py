"""Any scikit-learn estimator under the contract: regressors of all kinds, pipelines, classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import BaggingRegressor, ExtraTreesRegressor, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

import scalebridge as sb
from scalebridge.learn import ScikitLearn, load, save
from scalebridge.learn.portable import Linear
from scalebridge.models import Runs
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

CURVED = make_pipeline(PolynomialFeatures(3), Ridge(1e-3))
PROCESS = GaussianProcessRegressor(RBF(1.0, "fixed"), alpha=1e-6, optimizer=None)
ESTIMATORS: dict[str, Any] = {
    "support vectors": SVR(C=100.0),
    "a pipeline": CURVED,
    "a process with its own deviation": PROCESS,
    "extra trees": ExtraTreesRegressor(20),
    "neighbours": KNeighborsRegressor(2),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_keeps_the_contract_of_a_surrogate(name: str) -> None:
    check_surrogate(ScikitLearn(INPUTS, OUTPUTS, ESTIMATORS[name], repeats=2), fit_rtol=0.7)


def test_it_keeps_the_bounds_of_its_outputs() -> None:
    check_surrogate(ScikitLearn(INPUTS, BOUNDED, SVR(C=100.0), repeats=2))


@pytest.mark.theory
@pytest.mark.parametrize("name", ["a pipeline", "support vectors", "extra trees"])
def test_its_intervals_hold_what_they_say(name: str) -> None:
    fitted = ScikitLearn(INPUTS, OUTPUTS, ESTIMATORS[name]).fit(*drawn(150))
    assert (relative_error(fitted) < 0.5).all()
    share = held(fitted)
    # The second output is a cubic: what is left of it to a cubic fit is the ridge's, not chance.
    assert (share > 0.83).all() and share[0] <= 0.98


def test_an_estimator_with_its_own_deviation_is_taken_at_its_word_and_scaled() -> None:
    fitted = ScikitLearn({"a": "1"}, {"y": "1"}, PROCESS).fit(*_wave(20))
    near, far = fitted.posterior(np.array([[0.5], [2.5]])).std[:, 0]
    assert far > 20 * near
    ridge = ScikitLearn(INPUTS, OUTPUTS, BayesianRidge()).fit(*drawn(60))
    assert (held(ridge) > 0.8).all()


def _wave(n: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.linspace(0, 1, n)[:, None]
    return x, np.sin(6 * x)


def test_what_makes_steps_is_found_and_can_be_told() -> None:
    for estimator, smooth in (
        (SVR(), True),
        (make_pipeline(PolynomialFeatures(2), DecisionTreeRegressor()), False),
        (BaggingRegressor(), False),
        (BaggingRegressor(Ridge()), True),
    ):
        assert ScikitLearn(INPUTS, OUTPUTS, estimator).smooth is smooth
    assert ScikitLearn(INPUTS, OUTPUTS, SVR(), smooth=False).smooth is False


def test_the_estimator_given_is_not_touched_and_its_options_are_in_the_identity() -> None:
    estimator = Ridge(0.5)
    surrogate = ScikitLearn(INPUTS, OUTPUTS, estimator)
    surrogate.fit(*drawn(20))
    assert not hasattr(estimator, "coef_")
    estimator.set_params(alpha=7.0)
    assert "Ridge(alpha=0.5)" in surrogate.identity()["settings"]


def test_a_linear_estimator_is_kept_as_its_coefficients() -> None:
    fitted = ScikitLearn(INPUTS, OUTPUTS, LinearRegression()).fit(*drawn(30))
    assert isinstance(fitted.state.whole, Linear)


def test_one_that_cannot_be_written_says_so_in_one_sentence(tmp_path: Any) -> None:
    fitted = ScikitLearn(INPUTS, OUTPUTS, SVR()).fit(*drawn(20))
    with pytest.raises(sb.InputError, match=r"cannot be saved: A sklearn\.svm.*SVR cannot be written as arrays"):
        save(fitted, tmp_path / "svr")
    assert not (tmp_path / "svr").exists()


@pytest.mark.parametrize("estimator", [LinearRegression(), ExtraTreesRegressor(5), make_pipeline(Ridge())])
def test_those_that_can_be_written_keep_their_options_too(estimator: Any, tmp_path: Any) -> None:
    if not hasattr(estimator, "steps"):
        fitted = ScikitLearn(INPUTS, OUTPUTS, estimator).fit(*drawn(30))
        save(fitted, tmp_path / "one")
        again = load(tmp_path / "one").fit(*drawn(30))
        assert np.array_equal(again.predict(drawn(9)[0])[0], fitted.predict(drawn(9)[0])[0])
        return
    with pytest.raises(sb.InputError, match="cannot be written"):
        save(ScikitLearn(INPUTS, OUTPUTS, estimator).fit(*drawn(30)), tmp_path / "one")


PHASES = sb.Space([sb.Variable("phase", "1", (3,), bounds=(0, 1))])


class Melting:
    """Whether it has melted: certain far from a line."""

    name = "melting"

    def run(self, x: np.ndarray) -> Runs:
        return Runs((x.sum(axis=1, keepdims=True) > 0).astype(float))


@pytest.mark.parametrize("estimator", [LogisticRegression(C=10.0), RandomForestClassifier(20)])
def test_a_classifier_keeps_the_contract(estimator: Any) -> None:
    # Its posterior is that of the probability: the labels themselves are either 0 or 1.
    surrogate = ScikitLearn(INPUTS, {"melted": ("1", 0, 1)}, estimator, repeats=1)
    check_surrogate(surrogate, Melting(), n=24, fit_rtol=0.9, calibration=0)


def test_a_classifier_of_three_classes_gives_probabilities_that_add_up_to_one() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (90, 3))
    label = (x[:, 0] > -0.3).astype(int) + (x[:, 0] > 0.3)
    fitted = ScikitLearn(INPUTS, PHASES, LogisticRegression(C=100.0)).fit(x, np.eye(3)[label])
    told = fitted.predict(x)[0]
    np.testing.assert_allclose(told.sum(axis=1), 1.0)
    assert np.mean(told.argmax(axis=1) == label) > 0.95
    draws = fitted.posterior(x).sample(50)
    assert draws.min() >= 0.0 and draws.max() <= 1.0


def test_a_classifier_takes_shares_as_weights() -> None:
    x = np.linspace(-1, 1, 60)[:, None]
    fitted = ScikitLearn({"a": "1"}, {"yes": "1"}, LogisticRegression(C=1e4)).fit(x, 1 / (1 + np.exp(-3 * x)))
    np.testing.assert_allclose(fitted.predict(x)[0], 1 / (1 + np.exp(-3 * x)), atol=0.02)


def test_values_that_are_no_probabilities_are_refused() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (12, 3))
    with pytest.raises(sb.InputError, match="outputs are no probabilities"):
        ScikitLearn(INPUTS, {"yes": "1"}, LogisticRegression()).fit(x, 2 * np.ones((12, 1)))
    with pytest.raises(sb.InputError, match="outputs are no probabilities"):
        ScikitLearn(INPUTS, PHASES, LogisticRegression()).fit(x, np.ones((12, 3)))


@pytest.mark.parametrize("estimator", [None, SVR, "svr", 3])
def test_what_is_no_estimator_is_refused(estimator: Any) -> None:
    with pytest.raises(sb.InputError, match="give an object with fit and predict"):
        ScikitLearn(INPUTS, OUTPUTS, estimator)


def test_an_estimator_that_cannot_learn_the_data_is_quoted() -> None:
    class Refuses(Ridge):
        def fit(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
            raise ValueError("it is too cold")

    with pytest.raises(sb.InputError, match=r"cannot learn .* rows: it is too cold"):
        ScikitLearn(INPUTS, OUTPUTS, Refuses()).fit(*drawn(20))
