"""Accumulated local effects and partial dependence against what is known exactly, with inputs that go together."""

from __future__ import annotations

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.explain import Answering, accumulated_local_effects, partial_dependence
from tests.explain.cases import Known, correlated

RHO = 0.8


def line(function: object, x: np.ndarray, column: int = 0, points: int = 30) -> tuple[np.ndarray, np.ndarray]:
    answering = Answering.of(Known(function, x.shape[1]))  # type: ignore[arg-type]
    effect = accumulated_local_effects(answering, x, column, np.arange(len(x)), points=points)
    return np.array(effect.at), np.array(effect.value)


def inner(at: np.ndarray) -> np.ndarray:
    """Places where there are rows enough."""
    return np.abs(at) < 2


def test_the_effect_in_a_sum_is_the_term_itself_whatever_goes_together() -> None:
    x = correlated(3000, RHO)
    at, value = line(lambda x: np.sin(2 * x[:, 0]) + x[:, 1] ** 3, x)
    expected = np.sin(2 * at) - np.sin(2 * x[:, 0]).mean()
    assert np.abs(value - expected)[inner(at)].max() < 0.03


def test_the_effect_in_a_product_of_correlated_normal_inputs_is_half_the_correlation_times_the_square() -> None:
    # d f / d x1 = x2, whose mean given x1 is rho x1; centred over the rows.
    x = correlated(20_000, RHO)
    at, value = line(lambda x: x[:, 0] * x[:, 1], x, points=40)
    # Wide bins at the ends move the constant alone.
    apart = (value - RHO * at**2 / 2)[inner(at)]
    assert np.abs(apart - apart.mean()).max() < 0.03


def test_an_input_that_only_goes_with_another_has_no_effect() -> None:
    _, value = line(lambda x: np.exp(x[:, 0]), correlated(500, 0.95), column=1)
    assert np.allclose(value, 0, atol=1e-14)


def test_partial_dependence_extrapolates_where_accumulated_effects_do_not() -> None:
    # Beyond what occurs together the response goes wild; only averages over unlikely combinations see it.
    rng = np.random.default_rng(0)
    first = rng.uniform(-2, 2, 1000)
    x = np.stack([first, first + 0.2 * rng.standard_normal(1000)], axis=1)
    wild = Known(lambda x: np.where(np.abs(x[:, 0] - x[:, 1]) > 1.5, 1000.0, x[:, 0]), 2)
    answering, units = Answering.of(wild), np.arange(len(x))
    local = accumulated_local_effects(answering, x, 0, units)
    law = sb.explain.Copula.of(x)
    average = partial_dependence(answering, x, 0, units, law=law)
    assert local.span < 10
    assert average.span > 100
    assert average.unlike > 0.3


def test_partial_dependence_of_a_sum_is_the_term_itself() -> None:
    x = correlated(400, 0.5, d=3)
    answering = Answering.of(Known(lambda x: x[:, 2] ** 2 + x[:, 0], 3))
    effect = partial_dependence(answering, x, 2, np.arange(400))
    at = np.array(effect.at)
    assert np.allclose(effect.value, at**2 - np.mean(x[:, 2] ** 2), atol=1e-12)
    assert np.allclose(effect.row_std, 0, atol=1e-12)


def test_the_scatter_over_rows_is_that_of_new_rows() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return x[:, 0] * (1 + x[:, 1])

    answering = Answering.of(Known(f, 2, -9, 9))
    edges = np.linspace(-1, 1, 6)
    found, told = [], []
    for seed in range(150):
        x = np.random.default_rng(seed).choice(edges, (120, 2))
        effect = accumulated_local_effects(answering, x, 0, np.arange(120))
        assert effect.at == tuple(edges)
        found.append(effect.value[-1] - effect.value[0])
        told.append(np.hypot(effect.row_std[-1], effect.row_std[0]))
    assert np.std(found) == pytest.approx(np.mean(told), rel=0.6)


def test_the_surrogates_own_uncertainty_is_that_of_joint_samples() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (25, 2))
    inputs, outputs = {"x1": "1", "x2": "1"}, {"y": "1"}
    fitted = sb.learn.GaussianProcess(inputs, outputs).fit(x, (np.sin(3 * x[:, 0]) + x[:, 1])[:, None])
    rows = rng.uniform(-1.5, 1.5, (40, 2))
    answering = Answering.of(fitted)
    effect = accumulated_local_effects(answering, rows, 0, np.arange(40), points=6)
    average = partial_dependence(answering, rows, 0, np.arange(40), points=6)
    # The first point of the partial dependence by joint samples of the posterior.
    asked = rows.copy()
    asked[:, 0] = average.at[0]
    drawn = fitted.posterior(asked).sample(1000, seed=1)[:, :, 0].mean(axis=1)
    assert average.model_std[0] == pytest.approx(drawn.std(), rel=0.1)
    # The last less the first of the accumulated effect: differences of the same rows.
    edges = np.array(effect.at)
    place = np.maximum(np.searchsorted(edges, rows[:, 0]), 1)
    low, high = rows.copy(), rows.copy()
    low[:, 0], high[:, 0] = edges[place - 1], edges[place]
    samples = fitted.posterior(np.concatenate([low, high])).sample(1500, seed=2)[:, :, 0]
    step = samples[:, 40:] - samples[:, :40]
    total = np.stack([step[:, place == k].mean(axis=1) for k in range(1, len(edges))], axis=1)
    risen = np.concatenate([np.zeros((1500, 1)), np.cumsum(total, axis=1)], axis=1)
    centre = 0.5 * (risen[:, place] + risen[:, place - 1]).mean(axis=1)
    assert np.allclose(effect.model_std, (risen - centre[:, None]).std(axis=0), rtol=0.1, atol=1e-3)


@pytest.mark.parametrize(("rows", "groups"), [(40, 40), (9, 9), (80, 8)])
def test_the_scatter_over_few_rows_or_groups_of_one_value_each_is_that_of_new_ones(rows: int, groups: int) -> None:
    answering = Answering.of(Known(lambda x: x[:, 0] * x[:, 1], 2, -9, 9))
    units = np.arange(rows) * groups // rows
    found, told = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = np.stack([rng.permutation(np.linspace(-3, 3, groups))[units], 3 * rng.standard_normal(groups)[units]], 1)
        effect = accumulated_local_effects(answering, x, 0, units)
        found.append(effect.value[-1])
        told.append(effect.row_std[-1])
    # Of the variance: a deviation from few is too small on average even where its square is right.
    assert 0.6 < np.mean(np.square(told)) / np.var(found) < 1.7


def test_a_bin_that_holds_one_group_takes_the_scatter_of_the_others() -> None:
    rng = np.random.default_rng(0)
    values = np.append(np.repeat(np.arange(4.0), 10), 4.0)
    x = np.stack([values, rng.standard_normal(41)], axis=1)
    answering = Answering.of(Known(lambda x: x[:, 0] * x[:, 1], 2, -9, 9))
    effect = accumulated_local_effects(answering, x, 0, np.arange(41))
    assert effect.at[-2:] == (3.0, 4.0)
    # The last step stands on one row, the one before on ten.
    assert effect.row_std[-1] ** 2 - effect.row_std[-2] ** 2 > 0.5
    assert 0.5 < effect.row_std[-1] < 2


def test_no_way_is_told_from_so_few_groups_that_their_scatter_is_not_known() -> None:
    from scalebridge.explain.explanation import relation_of

    answering = Answering.of(Known(lambda x: x[:, 0], 1))
    for groups, relation in ((4, ""), (5, "rises")):
        units = np.repeat(np.arange(groups), 10)
        x = units[:, None] + 0.0
        assert relation_of(accumulated_local_effects(answering, x, 0, units)) == relation
