"""Ensembles: the contract, the law of total variance, mixtures of any members."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import scalebridge as sb
from scalebridge.learn import Ensemble, GaussianProcess, PolynomialChaos, RandomForest
from scalebridge.learn.ensemble import MixturePosterior
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held

POLYNOMIAL, FOREST = PolynomialChaos(INPUTS, OUTPUTS), RandomForest(INPUTS, OUTPUTS, trees=30)


def test_one_of_smooth_members_keeps_the_contract() -> None:
    check_surrogate(Ensemble(INPUTS, OUTPUTS, (POLYNOMIAL, GaussianProcess(INPUTS, OUTPUTS))))


def test_one_of_bootstrapped_copies_keeps_the_contract() -> None:
    member = PolynomialChaos(INPUTS, BOUNDED, degree=3)
    check_surrogate(Ensemble(INPUTS, BOUNDED, (member,), copies=4), fit_rtol=0.6, calibration=0)


def test_one_with_a_forest_in_it_says_that_it_has_steps_and_keeps_the_contract() -> None:
    ensemble = Ensemble(INPUTS, OUTPUTS, (POLYNOMIAL, FOREST))
    assert ensemble.smooth is False
    check_surrogate(ensemble, fit_rtol=0.5)


def mixture(shift: float) -> MixturePosterior:
    members = tuple(
        LowRankPosterior(np.full((3, 1), mean), std * np.ones((3, 1, 1)), np.zeros((3, 1)))
        for mean, std in ((0.0, 1.0), (shift, 0.5))
    )
    return MixturePosterior(members, np.full((3, 1), shift / 2), (np.full(1, -np.inf), np.full(1, np.inf)))


def test_its_variance_is_that_of_the_members_and_that_between_them() -> None:
    told = mixture(4.0)
    np.testing.assert_allclose(told.std**2, (1.0 + 0.25) / 2 + 4.0)
    np.testing.assert_allclose(told.blocks[:, 0, 0], told.std[:, 0] ** 2)
    # One factor for all points: the mean over them is as uncertain as each.
    assert told.functional(np.full((3, 1), 1 / 3)).std == pytest.approx(told.std[0, 0])


@pytest.mark.parametrize("shift", [0.0, 1.0, 6.0])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.3, 0.5, 0.8, 0.99])
def test_its_quantiles_are_those_of_the_mixture(shift: float, p: float) -> None:
    reached = mixture(shift).quantile(p)[0, 0]
    below = 0.5 * (norm.cdf(reached) + norm.cdf((reached - shift) / 0.5))
    assert below == pytest.approx(p, abs=0.01)


@pytest.mark.theory
def test_its_intervals_hold_what_they_say() -> None:
    share = held(Ensemble(INPUTS, OUTPUTS, (FOREST, PolynomialChaos(INPUTS, OUTPUTS, degree=3))).fit(*drawn(150)))
    assert (share > 0.85).all()


def test_copies_learn_other_samples_and_one_member_alone_answers_for_itself() -> None:
    x, y = drawn(40)
    copies = Ensemble(INPUTS, OUTPUTS, (FOREST,), copies=3).fit(x, y)
    assert len({member.identity()["runs"] for member in copies.state}) == 3
    alone, one = Ensemble(INPUTS, OUTPUTS, (FOREST,)).fit(x, y), FOREST.fit(x, y)
    np.testing.assert_array_equal(alone.predict(x)[0], one.predict(x)[0])
    np.testing.assert_allclose(alone.posterior(x).std, one.posterior(x).std)
    np.testing.assert_array_equal(alone.posterior(x).quantile(0.9), one.posterior(x).quantile(0.9))


def test_the_domain_is_that_of_all_runs_not_of_the_samples() -> None:
    x, y = drawn(12)
    assert Ensemble(INPUTS, OUTPUTS, (POLYNOMIAL,), copies=2).fit(x, y).domain.contains(x).all()


def test_no_members_and_members_of_other_spaces_are_refused() -> None:
    with pytest.raises(sb.InputError, match="has no members; give surrogates"):
        Ensemble(INPUTS, OUTPUTS)
    with pytest.raises(sb.InputError, match="'random_forest' with other inputs or outputs"):
        Ensemble(INPUTS, OUTPUTS, (RandomForest({"a": "1"}, OUTPUTS),))
