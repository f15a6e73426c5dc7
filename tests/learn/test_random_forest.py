"""The random forest: the contract, what it learns, calibration, equal rows, sums."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import RandomForest
from scalebridge.models import Surrogate
from scalebridge.testing import check_model, check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, curve, drawn, held, relative_error


@pytest.mark.parametrize("outputs", [OUTPUTS, BOUNDED], ids=["free", "bounded"])
def test_it_keeps_the_contract_of_a_surrogate(outputs: sb.Space) -> None:
    # A forest smooths: it does not pass through fourteen runs.
    check_surrogate(RandomForest(INPUTS, outputs, trees=60), fit_rtol=0.6)


def test_a_fitted_one_is_a_model() -> None:
    x, y = drawn(40)
    fitted = RandomForest(INPUTS, OUTPUTS, trees=40).fit(x, y)
    assert isinstance(fitted, Surrogate)
    check_model(fitted, x)


@pytest.mark.theory
def test_its_intervals_hold_what_they_say() -> None:
    fitted = RandomForest(INPUTS, OUTPUTS).fit(*drawn(200))
    assert (relative_error(fitted) < 0.4).all()
    share = held(fitted)
    assert (share > 0.85).all() and (share < 0.98).all()


@pytest.mark.theory
def test_its_sum_over_points_is_as_uncertain_as_it_is_wrong() -> None:
    # Twenty fits: the mean over the square is off by what functional says, not by a thousandth of it.
    at, apart = np.random.default_rng(5).uniform(-1, 1, (1000, 3)), []
    for seed in range(20):
        told = RandomForest(INPUTS, OUTPUTS, trees=60).fit(*drawn(60, seed)).posterior(at)
        weights = np.zeros((1000, 2))
        weights[:, 0] = 1e-3
        sum_of = told.functional(weights)
        apart.append((float(curve(at)[:, 0].mean()) - sum_of.mean) / sum_of.std)
    assert 0.2 < np.sqrt(np.mean(np.square(apart))) < 2.0


def test_equal_rows_leave_the_bag_together() -> None:
    # Each row twice: an out-of-bag error that sees the other copy would be nearly zero.
    x, y = drawn(40)
    once = RandomForest(INPUTS, OUTPUTS).fit(x, y)
    twice = RandomForest(INPUTS, OUTPUTS).fit(np.tile(x, (2, 1)), np.tile(y, (2, 1)))
    new = drawn(200, seed=9)[0]
    assert twice.posterior(new).std.mean() > 0.5 * once.posterior(new).std.mean()


def test_declared_noise_is_no_error_of_the_forest() -> None:
    x, y = drawn(200)
    noise = 0.5 * y.std(axis=0)
    spoilt = y + noise * np.random.default_rng(0).standard_normal(y.shape)
    told = RandomForest(INPUTS, OUTPUTS).fit(x, spoilt, noise)
    untold = RandomForest(INPUTS, OUTPUTS).fit(x, spoilt)
    new = drawn(200, seed=9)[0]
    assert (told.posterior(new).std.mean(axis=0) < 0.9 * untold.posterior(new).std.mean(axis=0)).all()


def test_another_seed_gives_another_forest_and_the_same_the_same() -> None:
    x, y = drawn(40)
    one, same, other = (RandomForest(INPUTS, OUTPUTS, trees=20, seed=s).fit(x, y) for s in (1, 1, 2))
    assert np.array_equal(one.predict(x)[0], same.predict(x)[0])
    assert not np.array_equal(one.predict(x)[0], other.predict(x)[0])
    assert one.identity() == same.identity() != other.identity()


@pytest.mark.parametrize(("option", "value"), [("trees", 0), ("least_leaf", 0), ("features", -1.0), ("margin", -0.1)])
def test_an_option_out_of_range_is_refused(option: str, value: float) -> None:
    with pytest.raises(sb.InputError, match=f"got {option} = "):
        RandomForest(INPUTS, OUTPUTS, **{option: value})
