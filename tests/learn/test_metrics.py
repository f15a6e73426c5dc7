"""Figures of merit against values worked out by hand, by quadrature and by their own definitions."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.integrate import quad

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.calibration import metrics, score
from scalebridge.learn.calibration.scores import LEVELS
from scalebridge.testing.linear import LinearPosterior

RNG = np.random.default_rng(0)
MEAN, STD = RNG.standard_normal((40, 2)), RNG.uniform(0.3, 2.0, (40, 2))
Y = MEAN + STD * RNG.standard_normal((40, 2))


def normal_quantiles(levels: np.ndarray) -> np.ndarray:
    return np.stack([MEAN + NormalDist().inv_cdf(float(p)) * STD for p in levels])


def test_errors_are_those_of_their_definitions_for_each_output() -> None:
    y, mean = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[1.0, 1.0], [2.0, 5.0]])
    np.testing.assert_allclose(metrics.rmse(y, mean), [np.sqrt(0.5), np.sqrt(2.0)])
    np.testing.assert_allclose(metrics.nrmse(y, mean), [np.sqrt(0.5), np.sqrt(2.0)])
    np.testing.assert_allclose(metrics.r2(y, mean), [0.5, -1.0])


def test_values_that_do_not_vary_have_no_relative_error() -> None:
    assert np.isnan(metrics.nrmse(np.full((5, 1), 3.0), np.zeros((5, 1)))).all()


def test_the_crps_of_a_normal_is_the_integral_that_defines_it() -> None:
    law = NormalDist(0.3, 1.7)
    below = quad(lambda t: law.cdf(t) ** 2, -20, 1.1)[0]
    above = quad(lambda t: (1 - law.cdf(t)) ** 2, 1.1, 20)[0]
    found = metrics.crps_normal(np.array([[1.1]]), np.array([[0.3]]), np.array([[1.7]]))
    assert found[0] == pytest.approx(below + above, rel=1e-8)


def test_crps_and_likelihood_of_samples_and_quantiles_tend_to_those_of_the_law() -> None:
    samples = MEAN + STD * np.random.default_rng(1).standard_normal((4000, 40, 2))
    wanted = metrics.crps_normal(Y, MEAN, STD)
    np.testing.assert_allclose(metrics.crps_samples(Y, samples), wanted, rtol=0.01)
    np.testing.assert_allclose(metrics.crps_quantiles(Y, LEVELS, normal_quantiles(LEVELS)), wanted, rtol=0.01)
    likelihood = metrics.nll_normal(Y, MEAN, STD)
    np.testing.assert_allclose(metrics.nll_samples(Y, samples), likelihood, atol=0.03)
    np.testing.assert_allclose(metrics.nll_quantiles(Y, LEVELS, normal_quantiles(LEVELS)), likelihood, atol=0.03)


def test_the_crps_of_samples_is_fair_with_two_draws() -> None:
    rng = np.random.default_rng(2)
    y, draws = rng.standard_normal((20000, 1)), rng.standard_normal((2, 20000, 1))
    # For a law scored on its own values the expectation is 1 / sqrt(pi), whatever the number of draws.
    assert metrics.crps_samples(y, draws)[0] == pytest.approx(1 / np.sqrt(np.pi), abs=0.02)


def test_the_density_between_quantiles_integrates_to_one() -> None:
    levels, q = np.array([0.1, 0.4, 0.9]), np.array([-1.0, 0.5, 2.0]).reshape(3, 1, 1)

    def density(t: float) -> float:
        return float(np.exp(-metrics.nll_quantiles(np.array([[t]]), levels, q)[0]))

    assert quad(density, -40, 60, points=[-1.0, 0.5, 2.0], limit=400)[0] == pytest.approx(1.0, abs=1e-6)


def test_coverage_width_and_interval_score_count_bounds_as_inside() -> None:
    y, low, high = np.array([[0.0], [1.0], [3.0]]), np.zeros((3, 1)), np.ones((3, 1))
    assert metrics.coverage(y, low, high)[0] == pytest.approx(2 / 3)
    assert metrics.mean_width(low, high)[0] == 1.0
    # One value lies two beyond the end: 2 / 0.1 times two, shared by three rows, beside a width of one.
    assert metrics.interval_score(y, low, high, 0.9)[0] == pytest.approx(1 + 40 / 3)
    both = np.array([[0.5, 0.5], [0.5, 2.0]])
    assert metrics.simultaneous_coverage(both, np.zeros((2, 2)), np.ones((2, 2))) == 0.5


def test_the_calibration_curve_of_the_true_law_is_the_diagonal_and_bends_for_an_overconfident_one() -> None:
    rng = np.random.default_rng(3)
    y, levels = rng.standard_normal((5000, 1)), np.linspace(0.05, 0.95, 19)

    def quantile(width: float) -> object:
        return lambda p: np.full((5000, 1), width * NormalDist().inv_cdf(p))

    honest = metrics.calibration_curve(y, quantile(1.0), levels)  # type: ignore[arg-type]
    assert np.abs(honest[:, 0] - levels).max() < 5 * np.sqrt(0.25 / 5000)
    assert metrics.calibration_error(y, quantile(0.3), levels)[0] > 0.15  # type: ignore[arg-type]


def test_scores_hold_coverage_and_width_beside_every_error_and_rank_the_honest_law_first() -> None:
    def posterior(factor: float) -> LinearPosterior:
        return LinearPosterior(MEAN, np.diag((factor * STD.ravel()) ** 2))

    ranks = {factor: score(posterior(factor), Y).rank for factor in (0.2, 1.0, 5.0)}
    assert min(ranks, key=lambda f: ranks[f]) == 1.0
    row = score(posterior(1.0), Y, level=0.8).row()
    assert {"rmse", "crps", "coverage", "width", "level", "n"} <= set(row)
    assert row["coverage"] == pytest.approx(0.8, abs=0.15)
    by_quantiles = score(posterior(1.0), Y, law="quantiles")
    np.testing.assert_allclose(by_quantiles.crps, score(posterior(1.0), Y).crps, rtol=0.02)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: metrics.rmse(Y, MEAN[:5]), ShapeError, "same shape"),
        (lambda: metrics.rmse(Y[:0], MEAN[:0]), ShapeError, "at least one row"),
        (lambda: metrics.nll_normal(Y, MEAN, -STD), InputError, "negative"),
        (lambda: metrics.crps_samples(Y, MEAN[None]), InputError, "two draws"),
        (lambda: metrics.interval_score(Y, MEAN, MEAN, 1.0), InputError, "between 0 and 1"),
        (lambda: metrics.crps_quantiles(Y, [0.5, 0.2], normal_quantiles(LEVELS[:2])), InputError, "rising"),
        (lambda: score(LinearPosterior(MEAN, np.eye(80)), Y, law="cauchy"), InputError, "normal, quantiles"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()  # type: ignore[operator]
