"""Multi-fidelity fusion: the contract, levels anywhere, honest intervals with few dear runs, the next run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import qmc

import scalebridge as sb
from scalebridge.errors import InputError, ShapeError
from scalebridge.learn import load, save
from scalebridge.learn.fidelity.beliefs import ADDED, Below, Evidence, misfit
from scalebridge.learn.fidelity.chain import JITTER, conditioned
from scalebridge.learn.fidelity.posterior import FusedPosterior
from scalebridge.learn.fidelity.terms import Terms
from scalebridge.learn.multi_fidelity import MultiFidelity
from scalebridge.problems.scalar import forrester
from scalebridge.testing import check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn

LINE = sb.Space({"x": ("1", 0, 1)})
VALUE = sb.Space({"y": "1"})


def fused(seed: int, dear: int = 5, **options: object) -> MultiFidelity:
    """Forrester's function with eleven cheap runs and a few dear ones."""
    rng = np.random.default_rng(seed)
    low, high = (qmc.LatinHypercube(1, rng=rng).random(n) for n in (11, dear))
    made = MultiFidelity(LINE, VALUE, **options).with_level(0, low, forrester("low")(low))  # type: ignore[arg-type]
    return made.fit(high, forrester()(high))


def test_it_keeps_the_contract_of_a_surrogate_without_cheap_runs() -> None:
    check_surrogate(MultiFidelity(INPUTS, OUTPUTS))


def test_it_keeps_the_contract_of_a_surrogate_with_cheap_runs() -> None:
    # Other units of the dear runs alone would make another problem: bounds fix the units.
    inputs = sb.Space({"a": ("1", -2, 2), "b": ("1", -2, 2)})
    x = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    y = np.stack([np.sin(x[:, 0] + x[:, 1]), 0.5 + 0.2 * x[:, 0]], axis=1)
    check_surrogate(MultiFidelity(inputs, BOUNDED).with_level(0, x, y))


def test_five_dear_runs_and_cheap_ones_tell_more_than_the_dear_alone() -> None:
    x = np.linspace(0, 1, 200)[:, None]
    truth = forrester()(x)
    together = fused(0)
    alone = MultiFidelity(LINE, VALUE, costs=(1.0,)).fit(together.known.x, together.known.y)
    errors = [np.sqrt(np.mean((made.predict(x)[0] - truth) ** 2)) for made in (together, alone)]
    assert errors[0] < 0.2 * errors[1]


@pytest.mark.theory
def test_intervals_hold_with_four_dear_runs() -> None:
    x = np.linspace(0, 1, 200)[:, None]
    truth = forrester()(x)
    held = []
    for seed in range(6):
        posterior = fused(seed, dear=4).posterior(x)
        held.append(np.mean((truth >= posterior.quantile(0.025)) & (truth <= posterior.quantile(0.975))))
    assert np.mean(held) >= 0.9


def test_cheap_runs_that_say_nothing_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    x, y = drawn(30)
    noise = rng.uniform(-1, 1, (30, 3)), rng.standard_normal((30, 2)) * np.array([1.0, 1e5])
    at, truth = drawn(200, seed=9)
    with_noise = MultiFidelity(INPUTS, OUTPUTS, draws=24).with_level(0, *noise).fit(x, y)
    alone = MultiFidelity(INPUTS, OUTPUTS, draws=24).fit(x, y)
    errors = [np.sqrt(np.mean(((m.predict(at)[0] - truth) / truth.std(axis=0)) ** 2)) for m in (with_noise, alone)]
    assert errors[0] < 2 * errors[1] + 0.05
    posterior = with_noise.posterior(at)
    assert np.mean((truth >= posterior.quantile(0.025)) & (truth <= posterior.quantile(0.975))) > 0.85


def test_a_level_in_another_scale_still_tells() -> None:
    x = np.linspace(0, 1, 100)[:, None]
    low, high = np.linspace(0, 1, 12)[:, None], np.array([[0.05], [0.3], [0.55], [0.8], [0.95]])
    made = MultiFidelity(LINE, VALUE).with_level(0, low, 0.02 * forrester()(low)).fit(high, forrester()(high))
    assert np.sqrt(np.mean((made.predict(x)[0] - forrester()(x)) ** 2)) < 0.1 * forrester()(x).std()


def test_three_levels_are_fused_and_each_has_its_surrogate() -> None:
    def value(x: np.ndarray, level: int) -> np.ndarray:
        return np.sin(8 * x) + (2 - level) * (0.2 + 0.3 * x)

    made = MultiFidelity(LINE, VALUE, costs=(1, 4, 20), draws=24)
    for level, n in ((1, 8), (0, 14)):
        x = np.linspace(0.01 * level, 1, n)[:, None]
        made = made.with_level(level, x, value(x, level))
    dear = np.array([[0.1], [0.4], [0.65], [0.9]])
    made = made.fit(dear, value(dear, 2))
    x = np.linspace(0.05, 0.95, 50)[:, None]
    assert len(made.state.levels) == 3
    for level in range(3):
        np.testing.assert_allclose(made.level(level).predict(x)[0], value(x, level), atol=0.1)


def test_a_level_without_runs_is_passed_over() -> None:
    x = np.linspace(0, 1, 9)[:, None]
    made = MultiFidelity(LINE, VALUE, costs=(1, 4, 20), draws=8).with_level(1, x, x**2).fit(x[::4], x[::4] ** 2)
    assert made.state.levels == (1, 2)
    assert made.next_run(x).level in (1, 2)


def test_the_order_of_levels_and_fit_makes_no_difference() -> None:
    made = fused(1, draws=8)
    cheap_runs = made.cheaper[0]
    assert cheap_runs is not None
    later = MultiFidelity(LINE, VALUE, draws=8).fit(made.known.x, made.known.y)
    later = later.with_level(0, cheap_runs.data.x, cheap_runs.data.y)
    x = np.linspace(0, 1, 7)[:, None]
    np.testing.assert_array_equal(later.predict(x)[0], made.predict(x)[0])
    assert later.identity() == made.identity()
    bare = MultiFidelity(LINE, VALUE, draws=8).fit(made.known.x, made.known.y)
    assert bare.identity() != made.identity()


def test_a_cheap_run_is_next_where_it_is_as_good_and_a_dear_one_where_it_costs_the_same() -> None:
    points = np.linspace(0, 1, 21)[:, None]
    dear = fused(2, costs=(1.0, 1.0), draws=16).next_run(points)
    assert dear.level == 1
    assert fused(2, costs=(1.0, 1e6), draws=16).next_run(points).level == 0
    assert dear.gain > 0


def test_the_next_dear_run_reduces_the_variance_as_told() -> None:
    made, points = fused(3, draws=16, costs=(1.0, 5.0)), np.linspace(0, 1, 15)[:, None]
    weights = np.linspace(0.0, 0.2, 15)
    gains = made.gains(points, weights)
    wanted = made.posterior(points).reduction(weights[:, None], np.arange(15)) / 5.0
    np.testing.assert_allclose(gains[1], wanted, rtol=1e-6)


def test_noise_declared_for_a_level_widens_its_answer() -> None:
    x = np.linspace(0, 1, 10)[:, None]
    quiet = MultiFidelity(LINE, VALUE, draws=16).with_level(0, x, x**2).fit(x[1::4], x[1::4] ** 2)
    loud = MultiFidelity(LINE, VALUE, draws=16).with_level(0, x, x**2, 0.2).fit(x[1::4], x[1::4] ** 2)
    at = np.linspace(0.03, 0.97, 30)[:, None]
    assert loud.posterior(at).std.mean() > 2 * quiet.posterior(at).std.mean()


def test_a_fused_surrogate_is_the_same_from_its_archive(tmp_path: Path) -> None:
    made = fused(4, draws=8)
    save(made, tmp_path / "fused")
    x = np.linspace(0, 1, 9)[:, None]
    loaded = load(tmp_path / "fused")
    np.testing.assert_array_equal(loaded.posterior(x).std, made.posterior(x).std)
    assert loaded.next_run(x) == made.next_run(x)


@pytest.mark.parametrize(
    ("level", "x", "said"),
    [
        (1, np.zeros((2, 1)), "cheaper levels are 0 to 0"),
        (-1, np.zeros((2, 1)), "cheaper levels are 0 to 0"),
        (0, np.full((2, 1), np.nan), "at level 0 got nan"),
    ],
    ids=["the dearest level", "a negative level", "a value that is not finite"],
)
def test_cheap_runs_that_cannot_be_used_are_refused(level: int, x: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        MultiFidelity(LINE, VALUE).with_level(level, x, np.zeros((2, 1)))


@pytest.mark.parametrize("costs", [(), (0.0, 1.0), (2.0, 1.0), (1.0, np.inf)], ids=["none", "zero", "falling", "inf"])
def test_costs_that_cannot_be_used_are_refused(costs: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="positive cost for each level"):
        MultiFidelity(LINE, VALUE, costs=costs)


def test_a_level_without_runs_has_no_surrogate_and_says_how_to_give_them() -> None:
    with pytest.raises(InputError, match="with_level"):
        MultiFidelity(LINE, VALUE).level(0)


def test_weights_that_do_not_fit_the_points_are_refused() -> None:
    with pytest.raises(ShapeError, match="weights of shape"):
        fused(0, draws=8).next_run(np.zeros((3, 1)), np.ones(4))


def terms(rho: float, seed: int) -> Terms:
    rng = np.random.default_rng(seed)
    scale = torch.from_numpy(rng.uniform(1, 4, (2, 2)))
    each = [torch.from_numpy(rng.uniform(0.5, 1, 2)) for _ in range(2)]
    names = ("squared_exponential", "matern52")
    return Terms(names, torch.tensor([0, 1]), scale, *each, 0.5, torch.full((2,), rho, dtype=torch.float64))


def test_a_chain_is_the_dense_process_of_both_levels() -> None:
    rng = np.random.default_rng(0)
    x, z, at = (torch.from_numpy(rng.uniform(-0.5, 0.5, (n, 2))) for n in (6, 3, 4))
    first, added = terms(0.0, 1), terms(1.7, 2)
    values = torch.from_numpy(rng.standard_normal(6)), torch.from_numpy(rng.standard_normal(3))
    chain = conditioned(
        (first, added),
        (x, z),
        values,
        (torch.zeros(6, dtype=torch.float64), torch.full((3,), 0.01, dtype=torch.float64)),
    )
    low, high, both = first.cross(x, x), 1.7**2 * first.cross(z, z) + added.cross(z, z), 1.7 * first.cross(x, z)
    joint = torch.cat([torch.cat([low, both], 2), torch.cat([both.transpose(1, 2), high], 2)], 1)
    joint = joint + torch.diag(torch.tensor([JITTER] * 6 + [0.01 + JITTER] * 3, dtype=torch.float64))
    cross = torch.cat([1.7 * first.cross(at, x), 1.7**2 * first.cross(at, z) + added.cross(at, z)], 2)
    mean = (cross @ torch.linalg.solve(joint, torch.cat(values).expand(2, -1)[..., None]))[..., 0]
    torch.testing.assert_close(chain.mean(at, 1), mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(chain.apply(at, 1)[0], mean, rtol=1e-6, atol=1e-6)
    left = chain.variance(at, 1) - chain.white(at, 1).square().sum(1)
    prior = 1.7**2 * first.cross(at, at) + added.cross(at, at)
    wanted = prior - cross @ torch.linalg.solve(joint, cross.transpose(1, 2))
    torch.testing.assert_close(left, wanted.diagonal(dim1=1, dim2=2), rtol=1e-5, atol=1e-6)


def test_the_weight_of_a_drawn_factor_averages_to_the_integral_over_it() -> None:
    # The level below is known: the integral is in closed form, and every draw has the same weight.
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.uniform(-0.5, 0.5, (4, 1))), torch.from_numpy(rng.standard_normal(4))
    evidence = Evidence(ADDED, "squared_exponential", x, y, torch.full((4,), 0.01, dtype=torch.float64))
    z = torch.zeros(50, ADDED.count(1), dtype=torch.float64)
    below = Below(torch.sin(4 * x[:, 0]).expand(50, -1), torch.zeros(50, 4, 4, dtype=torch.float64))
    rho, told = evidence.factors(z, below, torch.from_numpy(rng.standard_normal(50)))
    assert float(rho.std()) > 0
    torch.testing.assert_close(told, -evidence.loss(z, below), rtol=1e-8, atol=1e-8)


def test_a_covariance_that_cannot_be_factorised_is_impossible_and_no_error() -> None:
    assert float(misfit(-torch.eye(2)[None], torch.ones(1, 2))) >= 1e5


def test_a_weighted_sum_over_many_points_is_that_of_their_representatives() -> None:
    x = np.linspace(0, 1, 600)[:, None]
    posterior = fused(0, draws=8).posterior(x)
    assert isinstance(posterior, FusedPosterior)
    weights = np.full((600, 1), 1 / 600)
    dense = posterior.covariance(np.arange(600), np.arange(600))
    exact = float(np.sqrt(weights[:, 0] @ dense @ weights[:, 0]))
    assert posterior.functional(weights).std == pytest.approx(exact, rel=0.05)
