"""Regression with values known only by limits."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.life import CensoredRegression, StressLife
from scalebridge.learn.life.laws import LAWS
from scalebridge.learn.life.likelihood import Likelihood

SLOPE, SCATTER, STOP = -3.0, 0.3, 6.9


def lives(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithms of 24 lives at six levels; the tests were stopped at 6.9, which censors the lowest levels."""
    rng = np.random.default_rng(seed)
    x = np.repeat(np.linspace(-0.5, 0.5, 6), 4)
    y = 6 + SLOPE * x + SCATTER * rng.standard_normal(24)
    return x, np.minimum(y, STOP), (y > STOP).astype(int)


@pytest.mark.parametrize("law", sorted(LAWS))
def test_gradient_and_hessian_are_those_of_the_likelihood(law: str) -> None:
    rng = np.random.default_rng(1)
    columns = np.column_stack([np.ones(24), rng.standard_normal(24)])
    low = rng.standard_normal(24)
    high = low.copy()
    high[:6], low[6:12], high[12:18] = np.inf, -np.inf, low[12:18] + 0.7
    likelihood = Likelihood(columns, columns, low, high, LAWS[law])
    at, step = 0.3 * rng.standard_normal(4), 1e-5
    value, gradient, hessian = likelihood.derivatives(at)
    around = [(likelihood.derivatives(at + step * e), likelihood.derivatives(at - step * e)) for e in np.eye(4)]
    np.testing.assert_allclose(gradient, [(a[0] - b[0]) / (2 * step) for a, b in around], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hessian, [(a[1] - b[1]) / (2 * step) for a, b in around], rtol=1e-4, atol=1e-4)
    assert likelihood.many(at[None])[0] == pytest.approx(value, rel=1e-12)


def test_without_censoring_the_fit_is_least_squares_and_its_interval_students() -> None:
    from scipy.stats import t

    x, y, _ = lives(2)
    fit = CensoredRegression().fit(x, y)
    columns = np.column_stack([np.ones(24), x])
    beta, rest = np.linalg.lstsq(columns, y, rcond=None)[:2]
    np.testing.assert_allclose(fit.beta, beta, atol=1e-7)
    std = np.sqrt(rest[0] / 22 * np.linalg.inv(columns.T @ columns)[1, 1])
    reach = float(t.ppf(0.975, 22)) * std
    np.testing.assert_allclose(fit.interval("beta[1]"), (beta[1] - reach, beta[1] + reach), atol=0.1 * reach)


def test_intervals_of_the_censored_fit_cover_and_those_of_the_naive_fit_do_not() -> None:
    seeds = range(120)
    kept = {"censored": 0, "profile": 0, "naive": 0}
    slopes = []
    for seed in seeds:
        x, y, censored = lives(seed)
        fit, naive = CensoredRegression().fit(x, y, censored), CensoredRegression().fit(x, y)
        slopes.append(naive.beta[1])
        for name, (low, high) in (
            ("censored", fit.interval("beta[1]")),
            ("profile", fit.profile("beta[1]")),
            ("naive", naive.interval("beta[1]")),
        ):
            kept[name] += low <= SLOPE <= high
    # Three standard errors of a share of .95 in 120 trials.
    assert kept["censored"] / 120 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 120)
    assert kept["profile"] / 120 >= 0.85
    assert kept["naive"] / 120 < 0.5
    assert np.mean(slopes) > SLOPE + 0.3


def test_a_further_value_lies_in_the_predictive_interval_as_often_as_said() -> None:
    kept = 0
    for seed in range(120):
        x, y, censored = lives(seed)
        further = 6 + 0.4 * SLOPE + SCATTER * np.random.default_rng(9000 + seed).standard_normal()
        posterior = CensoredRegression().fit(x, y, censored).posterior([0.4])
        low, high = posterior.quantile(0.05)[0], posterior.quantile(0.95)[0]
        kept += low <= further <= high
    assert abs(kept / 120 - 0.9) <= 3 * np.sqrt(0.9 * 0.1 / 120)


def test_values_known_between_limits_give_nearly_what_the_values_give() -> None:
    x, y, _ = lives(3)
    rounded = np.floor(y * 20) / 20
    exact, between = CensoredRegression().fit(x, y), CensoredRegression().fit(x, rounded, upper=rounded + 0.05)
    np.testing.assert_allclose(between.mode, exact.mode, atol=0.1)


def test_detection_limits_mirror_run_outs() -> None:
    x, y, censored = lives(4)
    right, left = CensoredRegression().fit(x, y, censored), CensoredRegression().fit(x, -y, -censored)
    np.testing.assert_allclose(left.beta, -right.beta, atol=1e-6)


def test_weibull_lives_with_run_outs_recover_shape_and_scale() -> None:
    rng = np.random.default_rng(5)
    x = np.zeros(4000)
    y = np.log(100 * rng.weibull(2.5, 4000))
    stop = np.log(100.0)
    fit = CensoredRegression("weibull", features=lambda at: np.ones((len(at), 1))).fit(x, np.minimum(y, stop), y > stop)
    assert np.exp(fit.beta[0]) == pytest.approx(100, rel=0.03)
    assert np.exp(-fit.mode[1]) == pytest.approx(2.5, rel=0.06)


def test_scatter_that_grows_is_found() -> None:
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 1, 2000)
    y = x + np.exp(-1 + 0.8 * x) * rng.standard_normal(2000)
    fit = CensoredRegression(scatter=lambda at: np.column_stack([np.ones(len(at)), at[:, 0]])).fit(x, y)
    np.testing.assert_allclose(fit.mode[2:], [-1, 0.8], atol=0.08)


def test_a_fatigue_limit_is_found_where_lives_bend_and_none_is_claimed_where_they_do_not() -> None:
    rng = np.random.default_rng(7)
    stress = np.repeat([52.0, 55, 60, 70, 85, 100], 8)
    for true in (50.0, 0.0):
        log_life = 9 - 3 * np.log10(stress - true) + 0.15 * rng.standard_normal(48)
        stop = 8.0
        cycles, censored = 10 ** np.minimum(log_life, stop), log_life > stop
        low, high = StressLife(limit=True).fit(stress, cycles, censored).limit_interval()
        assert low <= true + 1 and high >= true
        assert (low > 30) == (true > 0)


def test_the_same_seed_gives_the_same_draws() -> None:
    x, y, censored = lives(8)
    one, two = (CensoredRegression(seed=3).fit(x, y, censored).draws for _ in range(2))
    assert np.array_equal(one, two)


def test_what_cannot_be_fitted_is_refused_in_a_sentence() -> None:
    x, y, _ = lives(9)
    with pytest.raises(InputError, match="measured values"):
        CensoredRegression().fit(x, y, np.ones(24))
    with pytest.raises(InputError, match="gap in row 4"):
        CensoredRegression().fit(x, np.where(np.arange(24) == 3, np.nan, y))
    with pytest.raises(InputError, match="law 'wiebull'"):
        CensoredRegression("wiebull")
    with pytest.raises(InputError, match="does not vary"):
        CensoredRegression().fit(np.ones(24), y)
    with pytest.raises(ShapeError, match="give"):
        CensoredRegression().fit(x[:5], y)
    with pytest.raises(InputError, match="positive"):
        StressLife().fit([1.0, -2.0, 3.0], [10.0, 10.0, 10.0])


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5, np.nan], ids=str)
def test_levels_and_probabilities_beyond_their_range_are_refused(level: float) -> None:
    fit = CensoredRegression().fit(*lives(9))
    life = fit.posterior([0.0])
    for asked in (
        lambda: fit.interval("beta[0]", level),
        lambda: fit.profile("beta[0]", level),
        lambda: life.quantile(level),
        lambda: life.population_quantile(level),
        lambda: life.population_quantile(0.5, level),
    ):
        with pytest.raises(InputError, match="between 0 and 1"):
            asked()


def test_text_among_numbers_is_refused() -> None:
    with pytest.raises(InputError, match="stresses hold something that is no number"):
        StressLife().fit(["80", "ninety", "100"], [1e4, 1e4, 1e3])
    with pytest.raises(InputError, match="inputs of the censored regression"):
        CensoredRegression().fit(["a", "b"], [1.0, 2.0])


def test_draws_of_which_hardly_any_counted_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = CensoredRegression().fit(*lives(9))
    monkeypatch.setattr("scalebridge.learn.life.regression.draws", lambda *_: (np.zeros((1, 3)), 0.01))
    with pytest.raises(InputError, match=r"1.0% of the proposals.*profile"):
        fit.interval("beta[0]")
    assert np.isfinite(fit.profile("beta[0]")).all()
