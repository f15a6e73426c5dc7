"""The quantile forest: the contract, Meinshausen's weights, noise that depends on the inputs."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.learn import QuantileForest
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held


def test_it_keeps_the_contract_of_a_surrogate() -> None:
    for outputs in (OUTPUTS, BOUNDED):
        check_surrogate(QuantileForest(INPUTS, outputs, trees=50), fit_rtol=0.6)


def test_its_mean_spread_and_quantiles_are_those_of_the_weights_in_the_leaves() -> None:
    x, y = drawn(50)
    fitted = QuantileForest(INPUTS, OUTPUTS, trees=20).fit(x, y)
    at = drawn(6, seed=3)[0]
    posterior = fitted.posterior(at)
    for k, trees in enumerate(fitted.state.trees):
        mine, theirs = trees.leaves(fitted.state.x(at)), trees.leaves(fitted.state.x(x))
        for i in range(6):
            together = theirs == mine[i]
            weights = (together / together.sum(axis=0)).mean(axis=1)
            mean = weights @ y[:, k]
            np.testing.assert_allclose(posterior.mean[i, k], mean, rtol=1e-10)
            np.testing.assert_allclose(posterior.std[i, k], np.sqrt(weights @ (y[:, k] - mean) ** 2), rtol=1e-9)
            order = np.argsort(y[:, k])
            reached = np.cumsum(weights[order])
            for p in (0.1, 0.5, 0.9):
                assert posterior.quantile(p)[i, k] == y[order[np.argmax(reached >= p - 1e-12)], k]


def test_it_learns_noise_that_depends_on_the_inputs() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (800, 1))
    y = (0.1 + x) * rng.standard_normal((800, 1))
    fitted = QuantileForest({"a": "1"}, {"y": "1"}, least_leaf=20).fit(x, y)
    told = fitted.posterior(np.array([[0.1], [0.9]])).quantile(0.9)[:, 0]
    assert 0.1 < told[0] < 0.5
    assert 0.8 < told[1] < 1.9


@pytest.mark.theory
def test_its_intervals_hold_at_least_what_they_say() -> None:
    share = held(QuantileForest(INPUTS, OUTPUTS).fit(*drawn(200)))
    assert (share > 0.85).all()


def test_quantiles_and_samples_are_values_that_were_seen() -> None:
    x, y = drawn(40)
    posterior = QuantileForest(INPUTS, OUTPUTS, trees=20).fit(x, y).posterior(drawn(5, seed=4)[0])
    for k in range(2):
        assert np.isin(posterior.sample(10)[:, :, k], y[:, k]).all()
        assert np.isin(posterior.quantile(0.3)[:, k], y[:, k]).all()


def test_the_answers_of_one_seed_are_the_same() -> None:
    x, y = drawn(30)
    one, same = (QuantileForest(INPUTS, sb.Space({"y": "1", "z": "Pa"}), trees=10).fit(x, y) for _ in range(2))
    assert np.array_equal(one.posterior(x).sample(3), same.posterior(x).sample(3))
