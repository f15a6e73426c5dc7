"""Shapley values against the axioms and against what is known exactly."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from scalebridge.explain import Answering, Players, shapley_values
from tests.explain.cases import Known


def setting(function: object, d: int, n: int = 6, b: int = 20) -> tuple[Answering, np.ndarray, np.ndarray, Players]:
    model = Known(function, d)  # type: ignore[arg-type]
    rng = np.random.default_rng(d)
    return Answering.of(model), rng.random((n, d)), rng.random((b, d)), Players.of(model.inputs)


def product(x: np.ndarray) -> np.ndarray:
    return x[:, 0] * x[:, 1] * (1 + x[:, 2]) + np.sin(3 * x[:, 3])


def by_definition(answering: Answering, x: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mean of what an input adds over all orders."""
    d = x.shape[1]
    told = np.zeros((len(x), d))
    orders = list(permutations(range(d)))
    for i, row in enumerate(x):
        for order in orders:
            filled = background.copy()
            before = answering(filled).mean()
            for j in order:
                filled[:, j] = row[j]
                after = answering(filled).mean()
                told[i, j] += (after - before) / len(orders)
                before = after
    return told


def test_exact_values_are_those_of_the_definition() -> None:
    answering, x, background, players = setting(product, 4)
    found = shapley_values(answering, x, background, players, method="exact")
    assert found.exact
    assert np.allclose(found.values, by_definition(answering, x, background), atol=1e-12)


@pytest.mark.parametrize("method", ["exact", "sampled"])
def test_values_sum_to_the_prediction_less_its_mean(method: str) -> None:
    answering, x, background, players = setting(product, 4)
    found = shapley_values(answering, x, background, players, method=method)
    assert found.gap < 1e-12
    assert np.allclose(found.prediction, product(x))
    assert found.expected == pytest.approx(product(background).mean())


@pytest.mark.parametrize("method", ["exact", "sampled"])
def test_a_linear_response_is_shared_out_by_slope_and_distance_from_the_mean(method: str) -> None:
    slope = np.array([2.0, -1.0, 0.0, 0.5, 3.0])
    answering, x, background, players = setting(lambda x: x @ slope, 5)
    found = shapley_values(answering, x, background, players, method=method)
    assert np.allclose(found.values, slope * (x - background.mean(axis=0)), atol=1e-12)


def test_an_input_that_does_nothing_gets_nothing_and_equal_ones_get_the_same() -> None:
    answering, x, background, players = setting(lambda x: x[:, 0] * x[:, 1], 3)
    x[:, 1], background[:, 1] = x[:, 0], background[:, 0]
    found = shapley_values(answering, x, background, players)
    assert np.allclose(found.values[:, 2], 0, atol=1e-14)
    assert np.allclose(found.values[:, 0], found.values[:, 1], atol=1e-12)


def test_sampled_values_lie_within_their_errors_of_the_exact_ones() -> None:
    answering, x, background, players = setting(product, 4, n=2, b=400)
    exact = by_all(answering, x, background, players)
    ratios = []
    for seed in range(100):
        found = shapley_values(answering, x, background, players, method="sampled", budget=800, seed=seed)
        assert not found.exact and found.background == 50
        ratios.append((found.values - exact) / found.error)
    # Rows share their background, so that only the draws are independent; an eighth of it is drawn without return.
    assert np.mean(np.abs(ratios) < 2) > 0.93
    assert 0.75 < np.std(ratios) < 1.15


def by_all(answering: Answering, x: np.ndarray, background: np.ndarray, players: Players) -> np.ndarray:
    """Exact values against the whole background: the mean of those against parts of equal size."""
    parts = np.split(background, len(background) // 20)
    return np.mean([shapley_values(answering, x, b, players, method="exact").values for b in parts], axis=0)


def test_columns_taken_together_have_the_sum_of_theirs_where_nothing_interacts() -> None:
    model = Known(lambda x: x[:, 0] ** 2 + np.exp(x[:, 1]) + x[:, 2], 3)
    rng = np.random.default_rng(0)
    x, background = rng.random((5, 3)), rng.random((15, 3))
    one = shapley_values(Answering.of(model), x, background, Players.of(model.inputs))
    two = shapley_values(Answering.of(model), x, background, Players.of(model.inputs, {"pair": ["x1", "x2"]}))
    assert np.allclose(two.values[:, 0], one.values[:, 0] + one.values[:, 1], atol=1e-12)


def test_many_inputs_are_sampled_within_the_budget() -> None:
    asked = 0

    def counted(x: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(x)
        return x.sum(axis=1)

    answering, x, background, players = setting(counted, 40, n=10, b=100)
    found = shapley_values(answering, x, background, players, budget=20_000)
    assert not found.exact and found.gap < 1e-10
    assert asked < 1.2 * 20_000
