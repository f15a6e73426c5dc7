"""The heteroscedastic Gaussian process: the contract, its bound, noise large here and small there, repeats."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import scalebridge as sb
from scalebridge.learn.evidence import correlation, differentiated, normal_loss
from scalebridge.learn.heteroscedastic_gaussian_process import HeteroscedasticGaussianProcess
from scalebridge.learn.log_noise import Repeats, negative_bound
from scalebridge.learn.sparse_gaussian_process import SparseGaussianProcess
from scalebridge.models import Surrogate
from scalebridge.testing import check_model, check_surrogate
from tests.learn.cases import BOUNDED, INPUTS, OUTPUTS, drawn, held, relative_error

X, Y = sb.Space({"x": "mm"}), sb.Space({"y": "MPa"})


def law(x: np.ndarray) -> np.ndarray:
    return np.sin(6 * x)


def growing(x: np.ndarray) -> np.ndarray:
    """Deviation 0.05 on the left, up to 0.5 on the right."""
    return 0.05 + 0.45 * np.maximum(x, 0)


def level(x: np.ndarray) -> np.ndarray:
    return np.full_like(x, 0.2)


def noisy(b: int, seed: int, std: object, repeats: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.repeat(rng.uniform(-1, 1, (b // repeats, 1)), repeats, axis=0)
    return x, law(x) + std(x) * rng.standard_normal(x.shape)


def loss(surrogate: object, x: np.ndarray, y: np.ndarray) -> float:
    """Mean negative log density at new rows."""
    p = surrogate.posterior(x)
    return float(np.mean(0.5 * np.log(2 * np.pi * p.std**2) + 0.5 * ((y - p.mean) / p.std) ** 2))


@pytest.mark.parametrize("outputs", [OUTPUTS, BOUNDED], ids=["free", "bounded"])
def test_it_keeps_the_contract_of_a_surrogate(outputs: sb.Space) -> None:
    check_surrogate(HeteroscedasticGaussianProcess(INPUTS, outputs))


def test_a_fitted_one_is_a_model() -> None:
    x, y = drawn(30)
    fitted = HeteroscedasticGaussianProcess(INPUTS, OUTPUTS).fit(x, y)
    assert isinstance(fitted, Surrogate)
    check_model(fitted, x)


@pytest.mark.theory
@pytest.mark.parametrize("repeats", [1, 4])
def test_intervals_hold_where_the_noise_is_small_and_where_it_is_large(repeats: int) -> None:
    low, high = [], []
    for seed in range(4):
        fitted = HeteroscedasticGaussianProcess(X, Y).fit(*noisy(200, seed, growing, repeats))
        x, y = noisy(2000, seed + 100, growing)
        posterior = fitted.posterior(x)
        inside = np.abs(y - posterior.mean) < 1.645 * posterior.std
        low.append(inside[x < -0.1].mean())
        high.append(inside[x > 0.4].mean())
    assert 0.85 < np.mean(low) < 0.95
    assert 0.85 < np.mean(high) < 0.95


@pytest.mark.theory
def test_where_the_noise_changes_its_density_is_far_better_than_with_one_level_and_elsewhere_as_good() -> None:
    gain = {growing: [], level: []}
    for std, told in gain.items():
        for seed in range(3):
            runs, new = noisy(150, seed, std), noisy(2000, seed + 100, std)
            one = SparseGaussianProcess(X, Y).fit(*runs)
            told.append(loss(one, *new) - loss(HeteroscedasticGaussianProcess(X, Y).fit(*runs), *new))
    assert np.mean(gain[growing]) > 0.4
    # A density one per cent smaller.
    assert np.mean(gain[level]) > -0.01


def test_the_deviation_of_the_noise_is_found_from_repeats() -> None:
    x, y = noisy(400, 0, growing, repeats=8)
    at = np.array([[-0.8], [-0.2], [0.5], [0.9]])
    found = HeteroscedasticGaussianProcess(X, Y).fit(1e3 * x, 1e-6 * y).noise_std(1e3 * at)
    np.testing.assert_allclose(1e6 * found, growing(at), rtol=0.3)


def test_repeats_taken_together_give_what_the_rows_give_one_by_one() -> None:
    x, y = noisy(24, 3, growing, repeats=3)
    zero = np.zeros(24)
    together = Repeats.of(x, y[:, 0], zero)
    assert len(together.x) == 8 and float(together.count.sum()) == 24
    apart = Repeats.of(x + 1e-9 * np.arange(24)[:, None], y[:, 0], zero)
    share = torch.ones(1, dtype=torch.float64)
    theta = torch.tensor([-0.5, 0.1, 0.3, -5.0, -2.0], dtype=torch.float64)
    # With one level of noise the bound is the evidence, of repeats and of rows.
    told = [
        float(negative_bound(torch.cat([theta, torch.zeros(len(r.x), dtype=torch.float64)]), r, share, "matern72"))
        for r in (together, apart)
    ]
    assert told[0] == pytest.approx(told[1], rel=1e-3)


def test_the_bound_lies_below_the_evidence_given_by_sampling_the_noise() -> None:
    x, y = noisy(12, 1, growing)
    rows = Repeats.of(x, y[:, 0], np.zeros(12))
    d, share = 1, torch.ones(1, dtype=torch.float64)
    theta = np.concatenate([[-0.5, 0.1, 0.3, 0.0, -3.0], np.random.default_rng(0).normal(0, 0.3, 12)])
    bound = -float(negative_bound(torch.from_numpy(theta), rows, share, "matern72"))
    t = torch.from_numpy(theta)
    own = (2 * t[d]).exp() * correlation(rows.x, rows.x, t[:d], "matern72")
    of_noise = (2 * t[2 * d + 1]).exp() * correlation(rows.x, rows.x, t[d + 1 : 2 * d + 1], "matern72")
    root = torch.linalg.cholesky(of_noise + 1e-8 * torch.eye(12))
    draws = theta[2 * d + 2] + np.random.default_rng(1).standard_normal((4000, 12)) @ root.numpy().T
    logs = np.array(
        [-float(normal_loss(own + torch.diag(torch.from_numpy(np.exp(g)) + rows.noise), rows.mean)) for g in draws]
    )
    evidence = float(logs.max() + np.log(np.mean(np.exp(logs - logs.max()))))
    assert bound < evidence + 0.1


def test_the_gradient_of_the_bound_is_its_derivative() -> None:
    x, y = noisy(16, 2, growing, repeats=2)
    rows = Repeats.of(x, y[:, 0], np.full(16, 0.01))
    share = torch.full((8,), 0.7, dtype=torch.float64)
    theta = np.concatenate([[-0.5, 0.1, 0.3, -0.2, -2.0], np.random.default_rng(0).normal(0, 0.3, 8)])
    objective = differentiated(lambda t: negative_bound(t, rows, share, "matern72"))
    apart = [(objective(theta + e)[0] - objective(theta - e)[0]) / 2e-5 for e in 1e-5 * np.eye(len(theta))]
    np.testing.assert_allclose(objective(theta)[1], apart, rtol=1e-5, atol=1e-6)


def test_a_declared_noise_is_not_learned_again() -> None:
    x, y = noisy(200, 5, growing)
    told = HeteroscedasticGaussianProcess(X, Y).fit(x, y, growing(x))
    new = np.linspace(-0.9, 0.9, 50)[:, None]
    assert (told.noise_std(new) < 0.5 * growing(new)).mean() > 0.9
    posterior = told.posterior(new)
    assert posterior.std.mean() < 0.5 * growing(new).mean()
    assert np.mean(np.abs(law(new) - posterior.mean) < 1.645 * posterior.std) > 0.8


def test_exact_runs_are_learned_closely_in_unlike_units() -> None:
    fitted = HeteroscedasticGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(80))
    assert (relative_error(fitted) < 0.02).all()
    assert (held(fitted) > 0.85).all()


@pytest.mark.theory
def test_few_runs_leave_wide_intervals() -> None:
    for b in (3, 6, 12):
        share = [held(HeteroscedasticGaussianProcess(INPUTS, OUTPUTS).fit(*drawn(b, seed))).mean() for seed in range(6)]
        assert np.mean(share) > 0.85


@pytest.mark.parametrize(("option", "value"), [("iterations", 0), ("iterations", 2.5), ("profile", "cubic")])
def test_an_option_out_of_range_is_refused(option: str, value: object) -> None:
    with pytest.raises(sb.InputError, match=f"got {option} = "):
        HeteroscedasticGaussianProcess(INPUTS, OUTPUTS, **{option: value})
