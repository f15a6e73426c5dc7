"""The sparse Gaussian process: the contract, the bound and the exact process it approaches, noise, many rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.learn.evidence import covariance, normal_loss
from scalebridge.learn.inducing import Rows, greedy_rows, informed, negative_bound, optimised
from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
from scalebridge.models import Surrogate
from scalebridge.testing import check_model, check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

SIX = sb.Space([sb.Variable("x", "1", (6,))])
THETA = np.array([0.2, 0.1, 0.4, 0.1, -1.5])


def six(x: np.ndarray) -> np.ndarray:
    """A smooth function of six inputs between -1 and 1."""
    values = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + x[:, 2] * x[:, 3] + 0.5 * np.cos(2 * x[:, 4] + x[:, 5])
    return values[:, None]


def rows(b: int = 50, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x, value, noise = rng.standard_normal((b, 3)), rng.standard_normal(b), rng.uniform(0, 0.1, b)
    return Rows(torch.from_numpy(x), torch.from_numpy(value), torch.from_numpy(noise))


def evidence(some: Rows, theta: np.ndarray) -> float:
    loss = normal_loss(covariance(some.x, torch.from_numpy(theta), some.noise, "matern72"), some.value)
    assert loss is not None
    return -float(loss)


@pytest.mark.parametrize("outputs", [OUTPUTS, BOUNDED], ids=["free", "bounded"])
def test_it_keeps_the_contract_of_a_surrogate(outputs: sb.Space) -> None:
    check_surrogate(SparseGaussianProcess(INPUTS, outputs))


def test_it_keeps_the_contract_with_fewer_inducing_points_than_runs() -> None:
    check_surrogate(
        SparseGaussianProcess(INPUTS, {"y": "1"}, inducing=10, profile="squared_exponential"), calibration=0
    )


def test_a_fitted_one_is_a_model() -> None:
    x, y = drawn(40)
    fitted = SparseGaussianProcess(INPUTS, OUTPUTS).fit(x, y)
    assert isinstance(fitted, Surrogate)
    check_model(fitted, x)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 5, 20, 50])
def test_the_bound_never_exceeds_the_exact_evidence_and_grows_with_the_points(seed: int, count: int) -> None:
    some = rows(seed=seed)
    chosen = greedy_rows(some.x, torch.from_numpy(THETA[:3]), "matern72", count, 0)
    bound = -negative_bound(THETA, some.x[chosen], some, "matern72")[0]
    assert bound <= evidence(some, THETA)
    fewer = -negative_bound(THETA, some.x[chosen[: (count + 1) // 2]], some, "matern72")[0]
    assert fewer <= bound + 1e-9


def test_with_every_row_an_inducing_point_bound_mean_and_covariance_are_those_of_the_exact_process() -> None:
    some = rows()
    assert -negative_bound(THETA, some.x, some, "matern72")[0] == pytest.approx(evidence(some, THETA), rel=1e-6)
    process, theta = informed(THETA, some, some.x, "matern72"), torch.from_numpy(THETA)
    new = torch.from_numpy(np.random.default_rng(7).standard_normal((30, 3)))
    cross = process.between(some.x, new)
    solved = torch.linalg.solve(covariance(some.x, theta, some.noise, "matern72"), cross)
    torch.testing.assert_close(process.mean(new)[0], solved.T @ some.value, rtol=0, atol=1e-6)
    exact = process.between(new, new) - cross.T @ solved
    torch.testing.assert_close(
        process.between(new, new) - process.white(new).T @ process.white(new), exact, rtol=0, atol=1e-6
    )


def test_the_gradient_of_the_bound_is_its_derivative_in_the_parameters_and_in_the_points() -> None:
    some = rows(1100)
    points = some.x[:12].clone()
    _, by_theta, by_points = negative_bound(THETA, points, some, "matern72")
    step = 1e-5

    def bound(e: np.ndarray, p: torch.Tensor) -> float:
        return negative_bound(THETA + e, points + p, some, "matern72")[0]

    still = torch.zeros_like(points)
    apart = [(bound(e, still) - bound(-e, still)) / (2 * step) for e in step * np.eye(5)]
    np.testing.assert_allclose(by_theta, apart, rtol=1e-6)
    moved = torch.from_numpy(np.random.default_rng(0).standard_normal(points.shape))
    along = (bound(0 * THETA, step * moved) - bound(0 * THETA, -step * moved)) / (2 * step)
    assert float((by_points * moved.numpy()).sum()) == pytest.approx(along, rel=1e-6)


def test_points_that_move_explain_exact_runs_better_than_rows() -> None:
    x, y = drawn(400)
    some = Rows(torch.from_numpy(x), torch.from_numpy(y[:, 0].copy()), torch.zeros(400, dtype=torch.float64))
    points = some.x[greedy_rows(some.x, torch.from_numpy(THETA[:3]), "matern72", 15, 0)]
    stay, moved = (optimised(THETA, points, some, "matern72", 30, moving) for moving in (False, True))
    told = [-negative_bound(values, at, some, "matern72")[0] for values, at in (stay, moved)]
    assert told[1] > told[0] + 10


def test_the_points_chosen_first_are_those_that_leave_least_unexplained() -> None:
    line = torch.linspace(-1, 1, 101, dtype=torch.float64)[:, None]
    chosen = greedy_rows(line, torch.zeros(1, dtype=torch.float64) - 1.0, "matern72", 5, 0)
    # The first row is as good as any; then the far end, then the middle, then between these.
    assert chosen[:3].tolist() == [0, 100, 50]
    assert sorted(abs(i - 50) for i in chosen[3:].tolist()) == pytest.approx([25, 25], abs=2)
    twice = torch.cat([line, line])
    assert len(
        set((greedy_rows(twice, torch.zeros(1, dtype=torch.float64), "matern72", 200, 0) % 101).tolist())
    ) == len(greedy_rows(twice, torch.zeros(1, dtype=torch.float64), "matern72", 200, 0))


def test_many_noisy_runs_are_learned_with_their_noise_and_their_intervals_hold() -> None:
    rng, new = np.random.default_rng(0), drawn(1500, seed=1)
    x, truth = drawn(3000)
    y = truth + np.array([0.1, 3e4]) * rng.standard_normal(truth.shape)
    fitted = SparseGaussianProcess(INPUTS, OUTPUTS, inducing=60).fit(x, y)
    few = SparseGaussianProcess(INPUTS, OUTPUTS).fit(x[:200], y[:200])
    error, at_first = (np.sqrt(np.mean((f.predict(new[0])[0] - new[1]) ** 2, axis=0)) for f in (fitted, few))
    assert (error < 0.5 * at_first).all()
    np.testing.assert_allclose(fitted.state.noise * fitted.state.y.width, [0.1, 3e4], rtol=0.05)
    posterior = fitted.posterior(new[0])
    again = new[1] + np.array([0.1, 3e4]) * rng.standard_normal(truth[:1500].shape)
    share = np.mean(np.abs(again - posterior.mean) < 1.645 * posterior.std, axis=0)
    assert (share > 0.87).all() and (share < 0.93).all()


def test_a_declared_noise_is_not_learned_and_not_part_of_the_posterior() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (400, 6))
    y = six(x) + 0.3 * rng.standard_normal((400, 1))
    plain = SparseGaussianProcess(SIX, {"y": "1"}, inducing=60)
    told, learned = plain.fit(x, y, np.array([0.3])), plain.fit(x, y)
    assert told.state.noise[0] < 0.5 * learned.state.noise[0]
    new = rng.uniform(-1, 1, (300, 6))
    assert told.posterior(new).std.mean() < 0.7 * learned.posterior(new).std.mean()
    again = six(new)
    assert np.mean(np.abs(again - told.posterior(new).mean) < 1.645 * told.posterior(new).std) > 0.85


def test_exact_runs_are_learned_closely_in_unlike_units() -> None:
    fitted = SparseGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(120))
    assert (relative_error(fitted) < 0.01).all()
    assert (held(fitted) > 0.85).all()


@pytest.mark.theory
def test_few_runs_leave_wide_intervals() -> None:
    for b in (3, 6, 12):
        share = [held(SparseGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(b, seed))).mean() for seed in range(6)]
        assert np.mean(share) > 0.85


@pytest.mark.parametrize(
    ("option", "value"), [("inducing", 0), ("iterations", 0), ("iterations", 2.5), ("profile", "cubic")]
)
def test_an_option_out_of_range_is_refused(option: str, value: object) -> None:
    with pytest.raises(sb.InputError, match=f"got {option} = "):
        SparseGaussianProcess(INPUTS, OUTPUTS, **{option: value})
