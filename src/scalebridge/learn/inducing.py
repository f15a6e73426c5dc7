"""A Gaussian process through inducing points: their choice, the collapsed variational bound, what they know.

Every pass over the runs takes them in parts: memory is that of the inducing points' own matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.learn.evidence import JITTER, WALL, Hyperprior, correlation, minimise, process_prior
from scalebridge.learn.independent import Process
from scalebridge.quantities import Floats

# Rows that are taken at once: what is worked on stays near the processor.
PART = 512
# How far beyond the rows points may move, in deviations of the inputs.
BEYOND = 0.5
# A row whose variance given the chosen ones is less than this part adds nothing but rounding.
EXPLAINED = 1e-10
# Rows among which inducing points are chosen, at most.
CANDIDATES = 20_000


@dataclass(frozen=True)
class Rows:
    """Runs of one output, in scaled coordinates.

    Args:
        x: ``[b, d]``.
        value: ``[b]``.
        noise: declared variance ``[b]``.
    """

    x: Tensor
    value: Tensor
    noise: Tensor

    def drawn(self, count: int, seed: int) -> Rows:
        """At most ``count`` of them, drawn."""
        if len(self.x) <= count:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self.x), count, replace=False))
        return Rows(self.x[rows], self.value[rows], self.noise[rows])

    def parts(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The rows, some at a time."""
        return zip(self.x.split(PART), self.value.split(PART), self.noise.split(PART), strict=True)


def greedy_rows(x: Tensor, log_lengths: Tensor, profile: str, count: int, seed: int) -> NDArray[np.int64]:
    """Indices of at most ``count`` rows of ``x [b, d]``, each the one that those before explain least.

    A pivoted Cholesky decomposition, in time O(b count^2). Source: D. R. Burt, C. E. Rasmussen, M. van der Wilk,
    Convergence of sparse variational inference in Gaussian processes regression, JMLR 21 (2020), section 4.2.
    """
    among = np.arange(len(x))
    if len(x) > CANDIDATES:
        among = np.sort(np.random.default_rng(seed).choice(len(x), CANDIDATES, replace=False))
    at = x[among]
    left, columns = torch.ones(len(at), dtype=x.dtype), x.new_zeros(min(count, len(at)), len(at))
    chosen: list[int] = []
    for k in range(len(columns)):
        pivot = int(left.argmax())
        if float(left[pivot]) < EXPLAINED:
            break
        own = correlation(at[pivot : pivot + 1], at, log_lengths, profile)[0]
        columns[k] = (own - columns[:k, pivot] @ columns[:k]) / left[pivot].sqrt()
        left = (left - columns[k].square()).clamp_min(0.0)
        left[pivot] = 0.0
        chosen.append(pivot)
    rows: NDArray[np.int64] = among[np.array(chosen, dtype=np.int64)]
    return rows


def negative_bound(values: Floats, points: Tensor, rows: Rows, profile: str) -> tuple[float, Floats, Floats]:
    """Minus the collapsed bound, its gradient in ``[d + 2]`` log lengths, log deviation, log noise, and in the points.

    Titsias (2009), eq. 9, with a variance of the noise for every row. The rows enter by two sums over them; their
    gradients are taken back through the rows in a second pass, so that no graph over all of them is built.
    """
    theta = torch.from_numpy(values.copy()).requires_grad_(True)
    points = points.detach().clone().requires_grad_(True)
    factor = _own_factor(theta, points, profile)
    white = _Whitener.of(factor.detach())
    if white is None:
        return WALL, np.zeros_like(values), np.zeros(points.shape)
    square, linear = _sums(theta.detach(), rows, points.detach(), profile, white)
    square.requires_grad_(True), linear.requires_grad_(True)
    bound = _bound(theta, square, linear, rows)
    if bound is None:
        return WALL, np.zeros_like(values), np.zeros(points.shape)
    bound.backward()
    by_square, by_linear = square.grad, linear.grad
    assert by_square is not None and by_linear is not None
    for x, value, noise in rows.parts():
        known = correlation(points, x, theta[:-2], profile)
        weight = 1 / (noise + (2 * theta[-1]).exp())
        h = white.inverse @ known.detach()
        through = by_square @ h
        along = (through * h).sum(0) + (by_linear @ h) * value
        back = 2 * through * weight.detach() + torch.outer(by_linear, value * weight.detach())
        torch.autograd.backward((known, weight), (white.inverse.T @ back, along))
    inner = 2 * by_square @ square.detach() + torch.outer(by_linear, linear.detach())
    factor.backward(-(white.inverse.T @ inner).tril())
    assert theta.grad is not None and points.grad is not None
    return float(bound.detach()), theta.grad.numpy(), points.grad.numpy()


def optimised(
    values: Floats, points: Tensor, rows: Rows, profile: str, iterations: int, moving: bool
) -> tuple[Floats, Tensor]:
    """The parameters ``[d + 2]`` and points of the largest bound found from these; points stay where not ``moving``."""
    own = process_prior(points.shape[1])
    if not moving:
        found, _ = minimise(lambda theta: negative_bound(theta, points, rows, profile)[:2], values, own, iterations)
        return found, points
    low, high = rows.x.min(0)[0].numpy() - BEYOND, rows.x.max(0)[0].numpy() + BEYOND
    flat, count = points.numpy().ravel(), len(points)
    anywhere = Hyperprior(flat, np.full(len(flat), np.inf), np.tile(low, count), np.tile(high, count))
    size = len(values)

    def loss(both: Floats) -> tuple[float, Floats]:
        at = torch.from_numpy(both[size:].reshape(points.shape).copy())
        value, by_theta, by_points = negative_bound(both[:size], at, rows, profile)
        return value, np.concatenate([by_theta, by_points.ravel()])

    found, _ = minimise(loss, np.concatenate([values, flat]), Hyperprior.joined(own, anywhere), iterations)
    return found[:size].copy(), torch.from_numpy(found[size:].reshape(points.shape).copy())


def informed(values: Floats, rows: Rows, points: Tensor, profile: str) -> Process:
    """The process that ``points [u, d]`` know about after the rows; the optimal one of the bound (eq. 10).

    Raises:
        ValueError: the points' covariance cannot be factorised.
    """
    theta = torch.from_numpy(values)
    white = _Whitener.of(_own_factor(theta, points, profile))
    if white is None:
        raise ValueError("The covariance of the inducing points has no factor.")
    square, linear = _sums(theta, rows, points, profile, white)
    variance = float((2 * theta[-2]).exp())
    sizes, vectors = torch.linalg.eigh(variance * 0.5 * (square + square.T))
    sizes = sizes.clamp_min(0.0)
    turned = vectors.T @ white.inverse
    # Of the inducing values' covariance V L L', the rows tell V L (I - B^-1) L' with B = I + inner.
    root = (sizes / (1 + sizes)).sqrt()[:, None] * turned / variance**0.5
    coefficients = turned.T @ ((vectors.T @ linear) / (1 + sizes))
    return Process(profile, theta[:-2].clone(), variance, points, root, coefficients)


@dataclass(frozen=True)
class _Whitener:
    """The inverse ``[u, u]`` of the factor of the inducing points' correlation.

    Rows are whitened one by one before they are summed: summed first, the cancellation of what they explain with what
    there is to explain would lose all digits where the noise is small.
    """

    inverse: Tensor

    @staticmethod
    def of(factor: Tensor) -> _Whitener | None:
        if not bool(torch.isfinite(factor).all()) or not bool((factor.diagonal() > 0).all()):
            return None
        eye = torch.eye(len(factor), dtype=factor.dtype)
        return _Whitener(torch.linalg.solve_triangular(factor, eye, upper=False))


def _own_factor(theta: Tensor, points: Tensor, profile: str) -> Tensor:
    jitter = JITTER * torch.eye(len(points), dtype=points.dtype)
    factor: Tensor = torch.linalg.cholesky_ex(correlation(points, points, theta[:-2], profile) + jitter)[0]
    return factor


def _sums(theta: Tensor, rows: Rows, points: Tensor, profile: str, white: _Whitener) -> tuple[Tensor, Tensor]:
    """``H N^-1 H' [u, u]`` and ``H N^-1 y [u]`` of the rows' whitened correlations H."""
    square, linear = points.new_zeros(len(points), len(points)), points.new_zeros(len(points))
    for x, value, noise in rows.parts():
        h = white.inverse @ correlation(points, x, theta[:-2], profile)
        weighted = h / (noise + (2 * theta[-1]).exp())
        square += weighted @ h.T
        linear += weighted @ value
    return square, linear


def _bound(theta: Tensor, square: Tensor, linear: Tensor, rows: Rows) -> Tensor | None:
    variance, noise = (2 * theta[-2]).exp(), rows.noise + (2 * theta[-1]).exp()
    eye = torch.eye(len(square), dtype=square.dtype)
    factor, info = torch.linalg.cholesky_ex(eye + 0.5 * variance * (square + square.T))
    if int(info):
        return None
    white = torch.linalg.solve_triangular(factor, linear[:, None], upper=False)
    fit = (rows.value.square() / noise).sum() - variance * white.square().sum()
    size = noise.log().sum() + 2 * factor.diagonal().log().sum() + len(noise) * float(np.log(2 * np.pi))
    unexplained = variance * ((1 / noise).sum() - square.diagonal().sum())
    negative: Tensor = 0.5 * (fit + size + unexplained)
    return negative
