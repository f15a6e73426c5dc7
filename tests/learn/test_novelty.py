"""Novelty: the rate of false alarms is kept on any law, shifts are seen, surrogates are trusted within it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import PolynomialChaos, load, save
from scalebridge.learn.states.novelty import METHODS, Leverages, Novelty
from scalebridge.learn.states.within import Within
from scalebridge.models import Domain, Surrogate
from scalebridge.testing import check_surrogate
from tests.learn.cases import INPUTS, OUTPUTS, curve

CHEAP = ("nearest", "mahalanobis")


def states(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Skewed, correlated states with heavy tails ``[n, 3]``, far from normal; shifted by deviations."""
    rng = np.random.default_rng(seed)
    z = rng.standard_t(5, (n, 3))
    return np.stack([np.exp(0.5 * z[:, 0]), 1e3 * (z[:, 0] + 0.3 * z[:, 1]) + 1e3 * shift, z[:, 2] - 5 * shift], axis=1)


@pytest.mark.theory
@pytest.mark.parametrize("alarms", [0.05, 0.2])
@pytest.mark.parametrize("method", CHEAP)
def test_the_rate_of_false_alarms_is_exact_over_draws(method: str, alarms: float) -> None:
    rows, new, draws = 39, 20, 600
    called = [
        float(np.mean(~Novelty(method, alarms).fit(states(rows, seed)).contains(states(new, 10_000 + seed))))
        for seed in range(draws)
    ]
    assert abs(np.mean(called) - alarms) < 4 * np.std(called) / np.sqrt(draws)


@pytest.mark.theory
@pytest.mark.parametrize("method", ["isolation_forest", "local_outlier_factor"])
def test_the_rate_of_false_alarms_is_kept_by_scores_of_scikit_learn(method: str) -> None:
    draws = 60 if method == "local_outlier_factor" else 12
    called = [
        float(np.mean(~Novelty(method, 0.1).fit(states(100, seed)).contains(states(100, 10_000 + seed))))
        for seed in range(draws)
    ]
    assert abs(np.mean(called) - 0.1) < 4 * np.std(called) / np.sqrt(draws)


def test_p_values_of_like_states_are_evenly_spread() -> None:
    p = np.concatenate(
        [Novelty("mahalanobis").fit(states(39, seed)).p_value(states(5, 500 + seed)) for seed in range(300)]
    )
    assert abs(np.mean(p) - (1 + 1 / 40) / 2) < 0.02
    np.testing.assert_allclose([np.mean(p <= level) for level in (0.25, 0.5, 0.75)], (0.25, 0.5, 0.75), atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_a_shift_is_seen_and_more_of_it_the_further(method: str) -> None:
    domain = Novelty(method, 0.05).fit(states(200, 0))
    found = [float(np.mean(~domain.contains(states(300, 7, shift)))) for shift in (0.0, 1.0, 4.0)]
    assert found[0] < 0.13 < found[1] < found[2] and found[2] > 0.95


def test_a_hole_in_the_middle_is_new_to_the_nearest_row_but_not_to_an_ellipsoid() -> None:
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 200)
    ring, middle = np.stack([np.cos(angle), np.sin(angle)], axis=1), np.zeros((1, 2))
    assert not Novelty("nearest").fit(ring).contains(middle)[0]
    assert Novelty("mahalanobis").fit(ring).contains(middle)[0]


def test_mahalanobis_p_values_are_those_of_the_definition() -> None:
    seen, new = states(30, 0), states(6, 1, 0.5)
    told = Leverages.of(seen)
    for x, p, score in zip(new, told.p_value(new), told.score(new), strict=True):
        together = np.concatenate([seen, x[None]])
        inverse = np.linalg.inv(np.cov(together, rowvar=False))
        apart = together - together.mean(axis=0)
        distance = np.einsum("ni,ij,nj->n", apart, inverse, apart)
        assert p == pytest.approx(np.mean(distance >= distance[-1]))
        off = x - seen.mean(axis=0)
        assert score**2 == pytest.approx(off @ np.linalg.inv(np.cov(seen, rowvar=False)) @ off)


def test_a_state_off_the_plane_of_the_seen_ones_is_new() -> None:
    seen = np.concatenate([states(60, 0), np.full((60, 1), 300.0)], axis=1)
    domain = Novelty("mahalanobis").fit(seen)
    off = seen.mean(axis=0) + np.array([0, 0, 0, 1.0])
    assert domain.score(off[None])[0] == np.inf and not domain.contains(off[None])[0]
    assert domain.contains(seen.mean(axis=0)[None])[0]


@pytest.mark.parametrize("method", METHODS)
def test_what_was_seen_is_never_new_and_what_is_not_finite_always(method: str) -> None:
    seen = states(60, 0)
    domain = Novelty(method).fit(seen)
    assert isinstance(domain, Domain)
    assert domain.contains(seen).all()
    assert not domain.contains([[np.nan, 0, 0], [np.inf, 0, 0], [1e9, 1e9, 1e9]]).any()
    assert domain.score([[np.nan, 0, 0]])[0] == np.inf


@pytest.mark.parametrize("method", METHODS)
def test_the_same_states_give_the_same_answer_twice_and_in_any_units(method: str) -> None:
    seen, new, units = states(60, 0), states(40, 1), np.array([2.0**10, 2.0**-20, 1.0])
    first, again = Novelty(method).fit(seen).p_value(new), Novelty(method).fit(seen).p_value(new)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(Novelty(method).fit(seen * units).p_value(new * units), first)


def test_too_few_rows_for_the_rate_are_refused_with_the_number_needed() -> None:
    with pytest.raises(
        sb.InputError, match="got 20 rows of 3 columns, but 'nearest' with 5 % of false alarms needs 21"
    ):
        Novelty().fit(states(20, 0))
    Novelty().fit(states(21, 0))
    with pytest.raises(sb.InputError, match=r"got 30 rows of 40 columns, .* needs 42; .*compress the columns"):
        Novelty("mahalanobis").fit(np.random.default_rng(0).standard_normal((30, 40)))


def test_options_and_states_that_cannot_be_used_are_refused_in_one_sentence() -> None:
    for options, sentence in (
        ({"method": "svm"}, "method = 'svm'; valid: nearest, mahalanobis"),
        ({"alarms": 0.0}, "alarms = 0.0; give a rate between 0 and 1"),
        ({"neighbours": 0}, "neighbours = 0"),
    ):
        with pytest.raises(sb.InputError, match=sentence):
            Novelty(**options)
    seen = states(40, 0)
    for bad, sentence in (
        (np.full((40, 3), "warm"), "not numbers"),
        (seen * [1, np.nan, 1], "nan in row 0, column 1"),
        (seen[0], r"shape \(3,\)"),
    ):
        with pytest.raises(sb.InputError, match=sentence):
            Novelty().fit(bad)
    with pytest.raises(sb.InputError, match="3 columns as it was fitted on"):
        Novelty().fit(seen).contains(seen[:, :2])


@pytest.mark.parametrize("method", CHEAP)
def test_a_surrogate_within_what_was_seen_keeps_the_contract(method: str) -> None:
    fewest = 21 if method == "nearest" else 19
    surrogate = Within(PolynomialChaos(INPUTS, OUTPUTS), Novelty(method))
    check_surrogate(surrogate, n=44, fewest=fewest)
    assert isinstance(surrogate.fit(*ring(60)), Surrogate)


def ring(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs on a ring: the middle of their box was never seen."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, n)
    x = np.stack([np.cos(angle), np.sin(angle), 0.1 * np.sin(3 * angle)], axis=1)
    return x, curve(x)


def test_a_surrogate_says_outside_in_a_hole_that_its_box_takes_for_known() -> None:
    x, y = ring(80)
    plain, within = PolynomialChaos(INPUTS, OUTPUTS).fit(x, y), Within(PolynomialChaos(INPUTS, OUTPUTS)).fit(x, y)
    middle = np.zeros((1, 3))
    assert plain.run(middle).ok[0] and not within.run(middle).ok[0]
    assert within.run(middle).reason[0] == "unlike the states seen"
    np.testing.assert_array_equal(within.predict(x)[0], plain.predict(x)[0])


@pytest.mark.parametrize("method", CHEAP)
def test_one_is_saved_with_its_domain_and_loaded(method: str, tmp_path: Path) -> None:
    x, y = ring(60)
    made = Within(PolynomialChaos(INPUTS, OUTPUTS), Novelty(method)).fit(x, y)
    save(made, tmp_path / "surrogate")
    new = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    loaded = load(tmp_path / "surrogate")
    np.testing.assert_array_equal(loaded.domain.p_value(new), made.domain.p_value(new))
    np.testing.assert_array_equal(loaded.domain.contains(new), made.domain.contains(new))


def test_one_with_a_live_estimator_refuses_to_be_saved(tmp_path: Path) -> None:
    made = Within(PolynomialChaos(INPUTS, OUTPUTS), Novelty("isolation_forest")).fit(*ring(60))
    with pytest.raises(sb.InputError, match="cannot be saved"):
        save(made, tmp_path / "surrogate")


def test_one_that_is_not_fitted_says_so() -> None:
    with pytest.raises(sb.InputError, match="'within_polynomial_chaos' is not fitted"):
        _ = Within(PolynomialChaos(INPUTS, OUTPUTS)).domain
