"""Pooling of rounds: weights known beforehand, Satterthwaite's degrees of freedom, the level spent look by look."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from scalebridge.bridge.interval import Pooled, Round, pool, surprise

ONE = Round(value=10.0, correction=0.5, n_drawn=8, predicted=0.04, observed=0.09)
TWO = Round(value=10.4, correction=0.2, n_drawn=8, predicted=0.01, observed=0.005)


def test_one_round_has_the_plain_t_interval_of_its_draws_at_half_the_error_probability() -> None:
    pooled = pool([ONE], 0.05)
    assert pooled.value == 10.5
    assert pooled.level == 0.025
    assert pooled.degrees == pytest.approx(7)
    assert pooled.half_width == pytest.approx(t.ppf(1 - 0.0125, 7) * 0.3)


def test_two_rounds_pool_as_computed_by_hand() -> None:
    # Weights 1/.04 : 1/.01 = .2 : .8; variances max(.04, .09) and max(.01, .005).
    pooled = pool([ONE, TWO], 0.05)
    np.testing.assert_allclose(pooled.weights, [0.2, 0.8])
    assert pooled.value == pytest.approx(0.2 * 10.5 + 0.8 * 10.6)
    parts = np.array([0.04 * 0.09, 0.64 * 0.01])
    # Welch and Satterthwaite: (.0036 + .0064)^2 / (.0036^2/7 + .0064^2/7) = 12.98...
    assert pooled.degrees == pytest.approx(0.01**2 * 7 / (0.0036**2 + 0.0064**2))
    assert pooled.level == 0.0125
    assert pooled.half_width == pytest.approx(t.ppf(1 - 0.00625, pooled.degrees) * np.sqrt(parts.sum()))


@pytest.mark.parametrize("looks", [1, 2, 3, 7])
def test_look_k_spends_alpha_over_two_to_the_k(looks: int) -> None:
    assert pool([ONE] * looks, 0.04).level == pytest.approx(0.04 / 2**looks)


def test_all_looks_together_spend_no_more_than_the_error_probability() -> None:
    assert sum(pool([ONE] * k, 0.05).level for k in range(1, 40)) <= 0.05


def test_the_observed_variance_never_enters_a_weight() -> None:
    # A round that saw nothing, because it missed the bad states, must not gain weight by that.
    lucky = replace(TWO, observed=1e-12)
    unlucky = replace(TWO, observed=1.0)
    np.testing.assert_array_equal(pool([ONE, lucky], 0.05).weights, pool([ONE, unlucky], 0.05).weights)


def test_a_round_that_saw_nothing_keeps_the_variance_that_was_expected() -> None:
    lucky = replace(ONE, observed=0.0)
    assert lucky.variance() == ONE.predicted
    assert pool([lucky], 0.05).half_width == pytest.approx(t.ppf(0.9875, 7) * 0.2)
    assert replace(ONE, observed=5.0).variance() == 5.0


def test_what_the_draws_found_raises_the_floor_of_every_round_and_never_lowers_it() -> None:
    sound = [replace(ONE, observed=0.0, surprise=0.3), replace(TWO, observed=0.0, surprise=0.9)]
    surprised = [replace(sound[0], surprise=0.3), replace(sound[1], surprise=7.7)]
    assert surprise(sound) == 1.0
    assert surprise([]) == 1.0
    assert surprise(surprised) == pytest.approx(4.0)
    # Both floors are four times as high, so the interval is twice as wide; the weights stay as they were.
    assert pool(surprised, 0.05).half_width == pytest.approx(2 * pool(sound, 0.05).half_width)
    np.testing.assert_array_equal(pool(surprised, 0.05).weights, pool(sound, 0.05).weights)
    # Where more was seen than even the raised floor, what was seen counts.
    assert replace(ONE, observed=9.0).variance(4.0) == 9.0


@given(st.lists(st.floats(1e-12, 1e6), min_size=2, max_size=6))
def test_no_round_has_more_than_ten_times_the_weight_of_another(predicted: list[float]) -> None:
    weights = pool([replace(ONE, predicted=v) for v in predicted], 0.05).weights
    assert weights.sum() == pytest.approx(1)
    assert weights.max() <= 10 * weights.min() * (1 + 1e-9)
    # The round expected to be the better one never has the smaller weight.
    assert np.all(np.diff(weights[np.argsort(predicted)]) <= 1e-15)


def test_estimates_are_pooled_not_residuals() -> None:
    # Two rounds against different surrogates: the pooled value is that of Q_1 and Q_2. The residuals of round one
    # say nothing of the second surrogate; adding their mean to its value would give another number.
    first = Round(value=9.0, correction=1.0, n_drawn=8, predicted=0.01, observed=0.01)
    second = Round(value=9.9, correction=0.1, n_drawn=8, predicted=0.01, observed=0.01)
    assert pool([first, second], 0.05).value == pytest.approx(10.0)
    assert second.value + 0.5 * (first.correction + second.correction) == pytest.approx(10.45)


def test_a_round_that_took_every_state_has_no_width() -> None:
    pooled = pool([Round(3.0, 0.25, 0, 0.0, 0.0)], 0.05)
    assert (pooled.value, pooled.half_width) == (3.25, 0.0)
    assert pooled.degrees == np.inf


def test_a_whole_round_beside_a_drawn_one_gives_a_finite_interval_within_the_cap() -> None:
    pooled = pool([Round(3.0, 0.25, 0, 0.0, 0.0), ONE], 0.05)
    assert np.isfinite([pooled.value, pooled.half_width, pooled.degrees]).all()
    assert pooled.weights[0] == pytest.approx(10 / 11)


def test_rows_without_an_answer_add_their_bound_by_the_weight_of_their_round() -> None:
    bounded = pool([ONE, replace(TWO, bound=0.5)], 0.05)
    assert bounded.half_width == pytest.approx(pool([ONE, TWO], 0.05).half_width + 0.8 * 0.5)
    assert pool([replace(ONE, bound=np.inf)], 0.05).half_width == np.inf


@pytest.mark.parametrize("record", [ONE, pool([ONE], 0.05)])
def test_a_round_and_its_pooling_cannot_be_changed_afterwards(record: Round | Pooled) -> None:
    for field in fields(record):
        with pytest.raises(FrozenInstanceError):
            setattr(record, field.name, 0.0)
