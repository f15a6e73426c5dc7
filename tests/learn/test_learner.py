"""What all surrogates in the box share: bad data is answered in one sentence, runs are copied, outside is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import GaussianProcess, GradientBoosting, PolynomialChaos, RandomForest
from scalebridge.learn.learner import Learner
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import fit_spread, same_rows, unknown
from tests.learn.cases import INPUTS, OUTPUTS, drawn

X, Y = drawn(6)
METHODS = [GaussianProcess, PolynomialChaos, RandomForest]


def spoilt(array: np.ndarray, value: float) -> np.ndarray:
    copy = array.copy()
    copy[2, 1] = value
    return copy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((X, spoilt(Y, np.nan)), r"got nan in row 2 of the outputs, column 'z'"),
        ((spoilt(X, -np.inf), Y), r"got -inf in row 2 of the inputs, column 'b'"),
        ((X, Y[:4]), "6 inputs and 4 outputs"),
        ((X[:0], Y[:0]), "0 inputs and 0 outputs"),
        ((np.full(X.shape, "warm"), Y), "values that are not numbers"),
        ((X + 1j, Y), "values that are not numbers"),
        ((X[:, 0], Y), r"shape \(6,\); it takes \[b, 3\] with the columns a, b, c"),
        ((X.T, Y), r"shape \(3, 6\)"),
        ((X, Y, np.full(3, 0.1)), r"noise_std of shape \(3,\)"),
        ((X, Y, -0.1), "noise_std that is negative"),
        ((X, Y, None, np.zeros((6, 3, 2))), r"give \(6, 2, 3\): \[b, outputs, inputs\]"),
    ],
)
def test_bad_data_are_answered_in_one_sentence(method: Any, data: tuple[Any, ...], words: str) -> None:
    with pytest.raises(sb.InputError, match=words) as told:
        method(INPUTS, OUTPUTS).fit(*data)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("method", [PolynomialChaos, RandomForest, GradientBoosting])
def test_fewer_rows_than_columns_are_learned_with_wide_intervals(method: Any) -> None:
    few, many = method(INPUTS, OUTPUTS).fit(X[:2], Y[:2]), method(INPUTS, OUTPUTS).fit(*drawn(60))
    new = drawn(50, seed=8)[0]
    assert (few.posterior(new).std.mean(axis=0) > 2 * many.posterior(new).std.mean(axis=0)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_surrogate_that_is_not_fitted_says_what_to_do(method: Any) -> None:
    for ask in (lambda s: s.predict(X), lambda s: s.posterior(X), lambda s: s.domain, lambda s: s.data):
        with pytest.raises(sb.InputError, match=r"is not fitted; call fit\(x, y\) and use what it returns"):
            ask(method(INPUTS, OUTPUTS))


@pytest.mark.parametrize("method", METHODS)
def test_a_run_outside_its_domain_or_of_nan_says_so(method: Any) -> None:
    runs = method(INPUTS, OUTPUTS).fit(*drawn(20)).run(np.array([[0.0, 0, 0], [9.0, 0, 0], [np.nan, 0, 0]]))
    assert runs.status.tolist() == ["ok", "outside", "failed"]
    assert runs.reason[1:] == ("outside the domain of the surrogate", "the input is not finite")


def test_the_runs_are_copied() -> None:
    x, y = drawn(8)
    fitted = RandomForest(INPUTS, OUTPUTS, trees=5).fit(x, y)
    x[:], y[:] = 0.0, 0.0
    assert fitted.data[0].any() and fitted.data[1].any()


def test_a_method_is_an_abstract_class_made_final() -> None:
    assert all(cls.__mro__[1] is Learner for cls in METHODS)
    with pytest.raises(TypeError, match="abstract"):
        Learner(INPUTS, OUTPUTS)


def test_constant_columns_are_scaled_by_their_size() -> None:
    values = np.array([[3.0, 0.0, 1.0], [3.0, 0.0, 5.0]])
    scaling = Scaling.of(values)
    assert scaling.width.tolist() == [3.0, 1.0, 2.0]
    np.testing.assert_array_equal(scaling(values)[:, :2], 0.0)
    np.testing.assert_allclose(scaling.back(scaling(values)), values)


def test_the_share_of_the_spread_that_follows_the_members_is_found() -> None:
    rng = np.random.default_rng(0)
    deviation = np.exp(rng.standard_normal((4000, 1)))
    for follows, rest in ((2.0, 0.0), (0.0, 0.5), (1.0, 1.5)):
        true = np.sqrt((follows * deviation) ** 2 + rest**2)
        found = fit_spread(true * rng.standard_normal((4000, 1)), deviation, np.zeros((4000, 1)), np.ones(1))
        ratio = found.std(deviation) / true
        assert 0.9 < np.mean(ratio) < 1.1
        assert np.quantile(ratio, 0.05) > 0.7


def test_with_hardly_any_row_left_out_the_spread_is_that_of_the_outputs() -> None:
    found = fit_spread(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((2, 1)), np.array([3.0]))
    assert found.rest.tolist() == [3.0]


@pytest.mark.theory
def test_the_law_of_few_values_holds_another_one_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    for b in (2, 3, 5, 20):
        seen, other = rng.standard_normal((20_000, b)), rng.standard_normal(20_000)
        apart = np.abs(other - seen.mean(axis=1)) / (unknown(b) * seen.std(axis=1))
        assert np.mean(apart < 1.96) == pytest.approx(0.95, abs=0.01)


def test_equal_rows_get_one_label() -> None:
    labels = same_rows(np.array([[1.0, 2], [3, 4], [1, 2]]))
    assert labels[0] == labels[2] != labels[1]
