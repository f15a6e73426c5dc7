"""A Gaussian process whose noise is another one: the marginalised variational bound and what it leaves.

The logarithm g of the noise's variance is a process of its own, approximated by a normal law whose covariance is
``(K^-1 + diag(precision))^-1``; given g the response is marginalised exactly. Source: M. Lazaro-Gredilla, M. K.
Titsias, Variational heteroscedastic Gaussian process regression, ICML 2011, eqs. 4 to 8. Repeats of a row enter by
their mean and their scatter, as in M. Binois, R. B. Gramacy, M. Ludkovski, Practical heteroscedastic Gaussian process
modeling for large simulation experiments, J. Comput. Graph. Stat. 27 (2018) 808-821.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.evidence import (
    JITTER,
    LEAST_NOISE,
    Hyperprior,
    correlation,
    deviation_prior,
    differentiated,
    exact_search,
    lengths_prior,
    minimise,
    normal_loss,
)
from scalebridge.learn.independent import Process, conditioned
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Repeats:
    """Runs of one output with equal rows taken together, in scaled coordinates.

    Args:
        x: different rows ``[k, d]``.
        mean: of the values at each ``[k]``.
        scatter: sum of squares about it ``[k]``.
        count: of the values ``[k]``.
        noise: declared variance of each value, with the least that is assumed ``[k]``.
    """

    x: Tensor
    mean: Tensor
    scatter: Tensor
    count: Tensor
    noise: Tensor

    @staticmethod
    def of(x: Floats, value: Floats, noise: Floats) -> Repeats:
        """Of rows ``x [b, d]``, values and declared variances ``[b]``."""
        keys, group = np.unique(np.column_stack([x, noise]), axis=0, return_inverse=True)
        group = group.reshape(-1)
        count = np.bincount(group).astype(np.float64)
        mean = np.bincount(group, value) / count
        scatter = np.bincount(group, (value - mean[group]) ** 2)
        columns = (keys[:, :-1].copy(), mean, scatter, count, keys[:, -1] + LEAST_NOISE**2)
        return Repeats(*(torch.from_numpy(a) for a in columns))


@dataclass(frozen=True)
class LogNoise:
    """The learned noise of one output: ``exp(level + g)`` is its variance.

    Args:
        level: mean of the logarithm.
        process: g.
    """

    level: float
    process: Process

    def variance(self, x: Tensor) -> Tensor:
        """Mean of the variance at ``x [n, d]``, ``[n]``; at most four times that of the scaled outputs."""
        log = self.level + self.process.mean(x)[0] + 0.5 * self.process.spread(x)
        return log.clamp_max(float(np.log(4.0))).exp()


@dataclass(frozen=True)
class _Shape:
    """What the parameters say at the rows: mean and variance of g, the noise of the means, and the pieces of both."""

    shift: Tensor
    factor: Tensor
    weight: Tensor
    mean: Tensor
    spread: Tensor
    share: Tensor
    total: Tensor

    @property
    def effective(self) -> Tensor:
        """The variance that acts on the response, ``[k]``, for one value."""
        return self.total * (-0.5 * self.share.square() * self.spread).exp()


def noise_prior(d: int, level: float, rows: int) -> Hyperprior:
    """Of the response's log lengths and log deviation, those of g, its level, and the log precisions of the rows."""
    of_noise = Hyperprior.one(0.0, 1.0, -5.0, np.log(3.0))
    at = Hyperprior.one(level, 3.0, 2 * np.log(LEAST_NOISE) - 2, np.log(4.0))
    free = Hyperprior(np.zeros(rows), np.full(rows, 1e3), np.full(rows, -8.0), np.full(rows, 8.0))
    return Hyperprior.joined(lengths_prior(d), deviation_prior(), lengths_prior(d), of_noise, at, free)


def negative_bound(theta: Tensor, rows: Repeats, share: Tensor, profile: str) -> Tensor | None:
    """Minus the bound on the log evidence (Lazaro-Gredilla and Titsias, eq. 8), with repeats.

    It is one where no noise was declared; a declared one is added to first order in the spread of g.
    """
    d = rows.x.shape[1]
    s = _shape(theta, rows, share, profile)
    if s is None:
        return None
    own = (2 * theta[d]).exp() * correlation(rows.x, rows.x, theta[:d], profile)
    fit = normal_loss(own + torch.diag(s.effective / rows.count), rows.mean)
    if fit is None:
        return None
    bent = s.share.square() * s.spread
    repeated = (rows.count - 1) * (s.total.log() + float(np.log(2 * np.pi))) + rows.count.log()
    repeated = repeated + rows.scatter * (0.5 * bent).exp() / s.total
    apart = s.shift @ (s.mean - theta[2 * d + 2]) - (s.weight * s.spread).sum() + 2 * s.factor.diagonal().log().sum()
    loss: Tensor = fit + 0.25 * bent.sum() + 0.5 * repeated.sum() + 0.5 * apart
    return loss


def _shape(theta: Tensor, rows: Repeats, share: Tensor, profile: str) -> _Shape | None:
    d, k = rows.x.shape[1], len(rows.x)
    precision = theta[2 * d + 3 :].exp()
    # At the optimum the mean of g and its precision follow from one and the same misfit of each row.
    shift = 0.5 * rows.count * share * (precision - 1)
    weight = 0.5 * rows.count * share.square() * precision
    eye = torch.eye(k, dtype=rows.x.dtype)
    known = (2 * theta[2 * d + 1]).exp() * (
        correlation(rows.x, rows.x, theta[d + 1 : 2 * d + 1], profile) + JITTER * eye
    )
    root = weight.sqrt()
    factor, info = torch.linalg.cholesky_ex(eye + root[:, None] * known * root)
    if int(info):
        return None
    white = torch.linalg.solve_triangular(factor, root[:, None] * known, upper=False)
    mean, spread = theta[2 * d + 2] + known @ shift, known.diagonal() - white.square().sum(0)
    if float(mean.detach().max()) > 20.0:
        return None
    learned = mean.exp()
    return _Shape(shift, factor, weight, mean, spread, learned / (learned + rows.noise), learned + rows.noise)


def learn_noise(rows: Repeats, profile: str, iterations: int, seed: int) -> tuple[Process, LogNoise]:
    """The response and its noise, from the most probable parameters; one level of noise where that explains more."""
    d, k = rows.x.shape[1], len(rows.x)
    first, level = _start(rows, profile, seed)
    share = torch.from_numpy(np.exp(level) / (np.exp(level) + rows.noise.numpy()))
    prior = noise_prior(d, level, k)
    loss = differentiated(lambda theta: negative_bound(theta, rows, share, profile))
    flat = prior.centre.copy()
    flat[: d + 1], flat[2 * d + 1] = first, prior.low[2 * d + 1]
    kept = np.array([*range(d + 1), 2 * d + 2])

    def one_level(values: Floats) -> tuple[float, Floats]:
        flat[kept] = values
        value, gradient = loss(flat)
        return value, gradient[kept]

    flat[kept] = minimise(one_level, flat[kept], prior.of(kept), iterations // 3 + 1)[0]
    start = flat.copy()
    start[2 * d + 1] = prior.centre[2 * d + 1]
    found, _ = minimise(loss, start, prior, iterations)
    best = found if loss(found)[0] < loss(flat)[0] else flat
    return _left(torch.from_numpy(best), rows, share, profile)


def _start(rows: Repeats, profile: str, seed: int) -> tuple[Floats, float]:
    """Log lengths and log deviation ``[d + 1]`` of one level of noise, and the logarithm of its variance."""
    values = exact_search(rows.x, rows.mean, rows.noise / rows.count, profile, seed)
    free = float((rows.count - 1).sum())
    variance = float(np.exp(2 * values[-1])) * float(rows.count.mean())
    if free > 0:
        variance = (variance + float(rows.scatter.sum())) / (1 + free)
    return values[:-1], float(np.log(max(variance, LEAST_NOISE**2)))


def _left(theta: Tensor, rows: Repeats, share: Tensor, profile: str) -> tuple[Process, LogNoise]:
    d = rows.x.shape[1]
    s = _shape(theta, rows, share, profile)
    assert s is not None
    process = conditioned(
        profile, theta[:d].clone(), float((2 * theta[d]).exp()), rows.x, rows.mean, s.effective / rows.count
    )
    root = torch.linalg.solve_triangular(s.factor, torch.diag(s.weight.sqrt()), upper=False)
    noise = Process(
        profile, theta[d + 1 : 2 * d + 1].clone(), float((2 * theta[2 * d + 1]).exp()), rows.x, root, s.shift
    )
    return process, LogNoise(float(theta[2 * d + 2]), noise)
