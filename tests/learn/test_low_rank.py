"""The low-rank posterior against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest

from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.testing.surrogates import dense_reduction


def posterior(n: int = 12, m: int = 2, r: int = 3, *, shared: bool = True, residual: float = 0.2) -> LowRankPosterior:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (n, m, 2)) + np.array([0, 10])
    groups = grouped(labels, rng.uniform(0.1, 0.5, (n, m))) if shared else None
    rest = residual * rng.uniform(0, 1, (n, m))
    return LowRankPosterior(rng.standard_normal((n, m)), rng.standard_normal((n, m, r)), rest, groups)


def dense(p: LowRankPosterior) -> np.ndarray:
    flat = p.factor.reshape(p.mean.size, -1)
    cov = flat @ flat.T + np.diag(p.residual.ravel())
    return cov if p.shared is None else cov + (p.shared @ p.shared.T).toarray()


@pytest.mark.parametrize("shared", [False, True])
def test_blocks_and_sums_are_those_of_the_dense_covariance(shared: bool) -> None:
    p = posterior(shared=shared)
    cov, w = dense(p), np.random.default_rng(0).standard_normal(p.mean.shape)
    told = p.functional(w)
    np.testing.assert_allclose(told.cov.ravel(), cov @ w.ravel(), rtol=1e-12)
    assert told.std == pytest.approx(np.sqrt(w.ravel() @ cov @ w.ravel()), rel=1e-12)
    assert told.mean == pytest.approx(float((w * p.mean).sum()), rel=1e-12)
    whole = cov.reshape(12, 2, 12, 2)
    np.testing.assert_allclose(p.blocks, np.einsum("nanb->nab", whole), rtol=1e-12)
    np.testing.assert_allclose(p.std.ravel() ** 2, np.diag(cov), rtol=1e-12)


@pytest.mark.parametrize("given", [None, [3], [0, 7, 11]])
@pytest.mark.parametrize("residual", [0.0, 0.2])
def test_reduction_is_that_of_the_dense_covariance(given: list[int] | None, residual: float) -> None:
    p, w = posterior(residual=residual), np.random.default_rng(2).standard_normal((12, 2))
    done = None if given is None else np.array(given)
    candidates, noise = np.arange(12), np.array([0.3, 0.1])
    told = p.reduction(w, candidates, noise, done)
    np.testing.assert_allclose(told, dense_reduction(dense(p), w, candidates, noise, done), rtol=1e-6)


def test_samples_have_the_covariance_and_keep_the_bounds() -> None:
    p = posterior(n=4)
    draws = p.sample(40_000, seed=3).reshape(40_000, -1)
    np.testing.assert_allclose(np.cov(draws, rowvar=False), dense(p), atol=0.15)
    bounded = LowRankPosterior(p.mean, p.factor, p.residual, p.shared, (np.full(2, -1.0), np.full(2, 1.0)))
    assert np.abs(bounded.sample(50)).max() <= 1.0
    assert np.abs(bounded.quantile(0.999)).max() <= 1.0


def test_a_sum_over_very_many_points_needs_no_dense_covariance() -> None:
    # 100 000 points: a dense covariance would take 320 GB.
    n = 100_000
    rng = np.random.default_rng(0)
    near = np.broadcast_to(rng.integers(0, 50, (n, 1, 1)), (n, 2, 1))
    p = LowRankPosterior(
        np.zeros((n, 2)), rng.standard_normal((n, 2, 4)), np.ones((n, 2)), grouped(near, np.ones((n, 2)))
    )
    w = np.full((n, 2), 1 / n)
    told = p.functional(w)
    factor = np.tensordot(w, p.factor, axes=2)
    of_groups = 2 * np.sum((np.bincount(near[:, 0, 0], minlength=50) / n) ** 2)
    assert told.std**2 == pytest.approx(float(factor @ factor) + 2 / n + of_groups, rel=1e-9)
    assert p.reduction(w, np.arange(n), np.ones(2)).shape == (n,)


def test_an_error_that_neighbours_share_does_not_average_out() -> None:
    n, std = 1000, np.ones((1000, 1))
    one_cell = LowRankPosterior(np.zeros((n, 1)), np.zeros((n, 1, 0)), 0 * std, grouped(np.zeros((n, 1, 1), int), std))
    apart = LowRankPosterior(np.zeros((n, 1)), np.zeros((n, 1, 0)), std, None)
    mean = np.full((n, 1), 1 / n)
    assert one_cell.functional(mean).std == pytest.approx(1.0)
    assert apart.functional(mean).std == pytest.approx(1 / np.sqrt(n))
