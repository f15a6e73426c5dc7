"""Outputs that have processes in common: the linear model of coregionalisation, its evidence and what runs tell it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.evidence import (
    Hyperprior,
    correlation,
    differentiated,
    exact_search,
    lengths_prior,
    minimise,
    normal_loss,
    process_prior,
    squared,
)
from scalebridge.learn.radial import PROFILES
from scalebridge.quantities import Floats

# Points that are answered at once.
CHUNK = 2048
# Of the iterations, the part that each start has before the better one goes on.
TRIED = 3


@dataclass(frozen=True)
class Coregionalised:
    """A `Conditional` with the prior covariance ``sum_q mixing_q h(|x - z|_q)`` between the outputs.

    Args:
        profile: name of the radial profile h.
        log_lengths: ``[q, d]``, of each process.
        mixing: ``[q, m, m]``, covariance between the outputs that comes from it.
        points: scaled inputs of the runs ``[b, d]``.
        root: ``[m b, m b]``; ``root' root`` is the inverse covariance of the runs, output by output.
        coefficients: ``[b, m]``.
    """

    profile: str
    log_lengths: Tensor
    mixing: Tensor
    points: Tensor
    root: Tensor
    coefficients: Tensor

    def prior_blocks(self, x: Tensor) -> Tensor:
        """See `Conditional.prior_blocks`."""
        return self.mixing.sum(0).expand(len(x), -1, -1).clone()

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """See `Conditional.prior_dot`."""
        parts = [
            correlation(x, z, log, self.profile) @ (weights @ b)
            for log, b in zip(self.log_lengths, self.mixing, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def whitened(self, x: Tensor) -> Tensor:
        """See `Conditional.whitened`."""
        m, n = self.mixing.shape[1], len(x)
        cross = self._between(self.points, x).permute(1, 0, 2, 3)
        return (self.root @ cross.reshape(m * len(self.points), n * m)).reshape(-1, n, m)

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """See `Conditional.cross`."""
        return self._between(x, z) - torch.einsum("rna,rkb->nakb", wx, wz)

    def mean(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""
        parts = [self._mean(part) for part in x.split(CHUNK)]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def _between(self, x: Tensor, z: Tensor) -> Tensor:
        """Prior covariance ``[n, m, k, m]``."""
        h = torch.stack([correlation(x, z, log, self.profile) for log in self.log_lengths])
        return torch.einsum("qnk,qab->nakb", h, self.mixing)

    def _mean(self, x: Tensor) -> tuple[Tensor, Tensor]:
        value = x.new_zeros(len(x), self.mixing.shape[1])
        slope = x.new_zeros(len(x), self.mixing.shape[1], x.shape[1])
        for log, b in zip(self.log_lengths, self.mixing, strict=True):
            scale, c = (-log).exp(), self.coefficients @ b
            h, falls, _, _ = PROFILES[self.profile](squared(x * scale, self.points * scale))
            value += h @ c
            moved = torch.einsum("nk,km,kd->nmd", falls, c, self.points)
            slope += 2 * scale**2 * (x[:, None, :] * (falls @ c)[:, :, None] - moved)
        return value, slope


@dataclass(frozen=True)
class Layout:
    """Where in a vector of parameters each stands.

    First ``rank`` common processes, each with log lengths ``[d]`` and loadings ``[m]`` on the outputs, then for each
    output log lengths ``[d]``, log deviation and log noise of its own.
    """

    d: int
    m: int
    rank: int

    def common(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Log lengths ``[rank, d]`` and loadings ``[rank, m]``."""
        table = theta[: self.rank * (self.d + self.m)].reshape(self.rank, self.d + self.m)
        return table[:, : self.d], table[:, self.d :]

    def own(self, theta: Tensor) -> Tensor:
        """``[m, d + 2]``."""
        return theta[self.rank * (self.d + self.m) :].reshape(self.m, self.d + 2)

    def prior(self) -> Hyperprior:
        """Of all parameters."""
        loading = Hyperprior(np.zeros(self.m), np.full(self.m, 1.5), np.full(self.m, -30.0), np.full(self.m, 30.0))
        common = [lengths_prior(self.d), loading] * self.rank
        return Hyperprior.joined(*common, *[process_prior(self.d)] * self.m)

    def mixing(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Log lengths ``[q, d]`` and mixing ``[q, m, m]`` of the common processes and of each output's own."""
        log, loading = self.common(theta)
        own = self.own(theta)
        alone = torch.diag_embed(torch.diag((2 * own[:, -2]).exp()))
        return torch.cat([log, own[:, :-2]]), torch.cat([loading[:, :, None] * loading[:, None, :], alone])

    def covariance(self, theta: Tensor, x: Tensor, noise: Tensor, profile: str) -> Tensor:
        """Of the runs with noise, output by output ``[m b, m b]``; ``noise [b, m]`` is the declared variance."""
        b = len(x)
        log, loading = self.common(theta)
        answer = x.new_zeros(self.m, b, self.m, b)
        for lengths, a in zip(log, loading, strict=True):
            outer = a[:, None] * a[None, :]
            answer = answer + outer[:, None, :, None] * correlation(x, x, lengths, profile)[None, :, None, :]
        alone = torch.stack(
            [
                (2 * own[-2]).exp() * correlation(x, x, own[:-2], profile) + torch.diag(n + (2 * own[-1]).exp())
                for own, n in zip(self.own(theta), noise.T, strict=True)
            ]
        )
        answer = answer + torch.einsum("aij,ac->aicj", alone, torch.eye(self.m, dtype=x.dtype))
        return answer.reshape(self.m * b, self.m * b)


def search(layout: Layout, x: Tensor, value: Tensor, noise: Tensor, profile: str, iterations: int, seed: int) -> Floats:
    """The most probable parameters: of a start with much in common, one with little, and outputs on their own."""
    prior = layout.prior()
    apart = [exact_search(x, value[:, a], noise[:, a], profile, seed) for a in range(layout.m)]
    stacked = value.T.reshape(-1)
    loss = differentiated(lambda theta: normal_loss(layout.covariance(theta, x, noise, profile), stacked))
    alone = _begun(layout, value, apart, 0.0)
    if layout.m == 1:
        return alone
    tries = [minimise(loss, _begun(layout, value, apart, part), prior, iterations // TRIED + 1) for part in (0.9, 0.3)]
    begun = min(tries, key=lambda pair: pair[1])[0]
    found, least = minimise(loss, begun, prior, iterations)
    own = loss(alone)[0] + 0.5 * float(np.sum(((alone - prior.centre) / prior.width) ** 2))
    return found if least < own else alone


def _begun(layout: Layout, value: Tensor, apart: list[Floats], part: float) -> Floats:
    """Parameters whose common processes have a part of each output's variance, along the principal directions."""
    lengths = np.mean([theta[:-2] for theta in apart], axis=0)
    correlated = np.atleast_2d(np.cov(value.numpy().T, bias=True))
    sizes, vectors = np.linalg.eigh(correlated)
    deviation = np.exp([theta[-2] for theta in apart])
    common = []
    for k in range(layout.rank):
        loading = vectors[:, -1 - k % layout.m] * np.sqrt(max(float(sizes[-1 - k % layout.m]), 1e-3)) * deviation
        common.append(np.concatenate([lengths - 0.3 * k, np.sqrt(part) * loading]))
    own = [np.concatenate([t[:-2], [t[-2] + 0.5 * np.log(1 - part)], t[-1:]]) for t in apart]
    return np.concatenate([*common, *own])


def informed(
    layout: Layout, values: Floats, x: Tensor, value: Tensor, noise: Tensor, profile: str, widen: float
) -> Coregionalised:
    """What the runs tell, every deviation larger by the factor ``widen``."""
    theta = torch.from_numpy(values)
    factor = torch.linalg.cholesky(layout.covariance(theta, x, noise, profile))
    root = torch.linalg.solve_triangular(factor, torch.eye(len(factor), dtype=x.dtype), upper=False)
    coefficients = torch.cholesky_solve(value.T.reshape(-1, 1), factor).reshape(layout.m, -1).T
    log, mixing = layout.mixing(theta)
    return Coregionalised(
        profile, log.clone(), mixing * widen**2, x, root / widen, coefficients.contiguous() / widen**2
    )
