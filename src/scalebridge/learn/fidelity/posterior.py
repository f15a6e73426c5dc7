"""The posterior of several levels at many points: the mixture over draws of what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.learn.fidelity.chain import Chain
from scalebridge.learn.gaussian_posterior import representatives
from scalebridge.learn.reduction import downdated, noise_matrix, reduced
from scalebridge.models import Functional
from scalebridge.quantities import Floats

Rows = NDArray[np.int64]
# Numbers of one temporary array at most.
ROOM = 1.5e6
# The least variance, in scaled outputs: what rounding leaves of it at a run.
FLOOR = 1e-12
# Halvings of an interval of 16 deviations around a mixture.
HALVINGS = 60


@dataclass(frozen=True)
class FusedPosterior:
    """Posterior of independent outputs, each a mixture of normal laws; see `scalebridge.models.Posterior`.

    Args:
        mean: ``[n, m]`` in the outputs' units, inside their bounds.
        at: scaled points ``[n, d]``.
        level: of each point ``[n]``, as the chains count.
        chains: one for each output.
        units: ``[m]``, factor from scaled outputs to the outputs' units.
        centres: ``[levels, m]``, what is added to these at each level.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
    """

    mean: Floats
    at: Tensor
    level: Rows
    chains: tuple[Chain, ...]
    units: Floats
    centres: Floats
    bounds: tuple[Floats, Floats]
    _sums: dict[bytes, Functional] = field(default_factory=dict, repr=False)

    @cached_property
    def _laws(self) -> list[tuple[Floats, Floats]]:
        """Mean and variance of each draw ``[s, n]``, for each output, scaled."""
        return [(self._gathered(chain, chain.mean), self._gathered(chain, _left(chain))) for chain in self.chains]

    @cached_property
    def _apart(self) -> list[Floats]:
        """Deviations of the draws' means from their average over the root of their number ``[s, n]``, scaled."""
        return [(mean - mean.mean(axis=0)) / np.sqrt(len(mean)) for mean, _ in self._laws]

    @cached_property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        parts = zip(self._laws, self._apart, strict=True)
        variance = [own.mean(axis=0) + np.square(apart).sum(axis=0) for (_, own), apart in parts]
        std: Floats = np.sqrt(np.stack(variance, axis=1)) * self.units
        return std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``, zero between two of them."""
        return self.std[:, :, None] ** 2 * np.eye(len(self.units))

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of the mixture, by halving."""
        from scipy.special import ndtr

        columns = []
        for mean, variance in self._laws:
            deviation = np.sqrt(variance)
            low, high = (mean - 8 * deviation).min(axis=0), (mean + 8 * deviation).max(axis=0)
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                below = ndtr((middle - mean) / deviation).mean(axis=0) < p
                low, high = np.where(below, middle, low), np.where(below, high, middle)
            columns.append(0.5 * (low + high))
        found = np.stack(columns, axis=1) * self.units + self.centres[self.level]
        quantile: Floats = np.clip(found, *self.bounds)
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``; quadratic memory in the number of points."""
        rng = np.random.default_rng(seed)
        points = len(self.at)
        draws = np.zeros((n, points, len(self.chains)))
        everywhere = np.arange(points)
        for a, (chain, (mean, _)) in enumerate(zip(self.chains, self._laws, strict=True)):
            # Each draw as often as the others: what samples say of the mixture scatters less.
            chosen = rng.permutation((np.arange(n) + rng.integers(len(mean))) % len(mean))
            normal = rng.standard_normal((n, points))
            for s in np.unique(chosen):
                own = chosen == s
                one = _draw(chain, int(s))
                covariance = self._covariance(one, everywhere, everywhere)[0]
                values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
                draws[own, :, a] = mean[s] + (_matched(normal[own]) * np.sqrt(np.maximum(values, 0))) @ vectors.T
        samples: Floats = np.clip(draws * self.units + self.centres[self.level], *self.bounds)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``; of many points, representatives stand in every term."""
        key = weights.tobytes()
        if key not in self._sums:
            self._sums[key] = self._functional(weights)
        return self._sums[key]

    def _functional(self, weights: Floats) -> Functional:
        columns, variance = [], 0.0
        for a, (chain, apart) in enumerate(zip(self.chains, self._apart, strict=True)):
            w = weights[:, a] * self.units[a]
            sums = list(self._summed(w))
            whites = torch.stack([chain.white(x, i) @ v for x, i, v in sums]).sum(0)
            own = sum(chain.prior(x, i, z, j) @ v @ u for x, i, u in sums for z, j, v in sums)
            within = torch.as_tensor(own) - whites.square().sum(1)
            between = float(np.square(apart @ w).sum())
            variance += float(within.clamp_min(0.0).mean()) + between
            with_sum = self._gathered(chain, _with_sum(chain, sums, whites)).mean(axis=0)
            columns.append((with_sum + apart.T @ (apart @ w)) * self.units[a])
        mean = float((weights * self.mean).sum())
        return Functional(mean, float(np.sqrt(variance)), np.stack(columns, axis=1))

    def reduction(
        self, weights: Floats, candidates: Rows, noise_std: Floats | None = None, given: Rows | None = None
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``.

        That of the normal law with the mixture's covariance.
        """
        m = len(self.units)
        noise, cov = noise_matrix(m, noise_std), self.functional(weights).cov
        blocks, target = self.blocks[candidates], cov[candidates]
        if given is not None and len(given):
            joint = self.covariance(given, given) + np.kron(np.eye(len(given)), noise)
            link = self.covariance(candidates, given).reshape(len(candidates), m, -1)
            blocks, target = downdated(blocks, target, joint, link, cov[given].ravel())
        return reduced(blocks, target, noise)

    def covariance(self, rows: Rows, columns: Rows) -> Floats:
        """Covariance ``[r m, c m]`` between two sets of points given by their indices."""
        m = len(self.units)
        whole = np.zeros((len(rows), m, len(columns), m))
        for a, (chain, apart) in enumerate(zip(self.chains, self._apart, strict=True)):
            own = self._covariance(chain, rows, columns).mean(axis=0) + apart[:, rows].T @ apart[:, columns]
            whole[:, a, :, a] = own * self.units[a] ** 2
        return whole.reshape(len(rows) * m, len(columns) * m)

    def _covariance(self, chain: Chain, rows: Rows, columns: Rows) -> Floats:
        """Covariance ``[s, r, c]`` of each draw between two sets of points, scaled."""
        out = np.zeros((len(chain.factor), len(rows), len(columns)))
        for i, r in self._by_level(rows):
            for j, c in self._by_level(columns):
                x, z = self.at[torch.from_numpy(rows[r])], self.at[torch.from_numpy(columns[c])]
                known = chain.white(x, i).transpose(1, 2) @ chain.white(z, j)
                out[:, r[:, None], c] = (chain.prior(x, i, z, j) - known).numpy()
        return out

    def _by_level(self, rows: Rows) -> Iterator[tuple[int, Rows]]:
        """Each level among the points of ``rows``, with the places in it."""
        for level in np.unique(self.level[rows]):
            yield int(level), np.flatnonzero(self.level[rows] == level)

    def _summed(self, weights: Floats) -> Iterator[tuple[Tensor, int, Tensor]]:
        """Representatives of the points of each level, the level, and their weights."""
        for level, places in self._by_level(np.arange(len(self.at))):
            if weights[places].any() or not weights.any():
                at, total = representatives(self.at.numpy()[places], weights[places, None])
                yield torch.from_numpy(at), level, torch.from_numpy(total[:, 0])

    def _gathered(self, chain: Chain, of: Callable[[Tensor, int], Tensor]) -> Floats:
        """``of(points, level)`` ``[s, n]`` at all points, in pieces of bounded memory."""
        out = np.zeros((len(chain.factor), len(self.at)))
        piece = max(1, int(ROOM / max(chain.factor.shape[0] * chain.factor.shape[1], 1)))
        for level, places in self._by_level(np.arange(len(self.at))):
            for part in np.split(places, range(piece, len(places), piece)):
                out[:, part] = of(self.at[torch.from_numpy(part)], level).numpy()
        return out


def _matched(normal: Floats) -> Floats:
    """Normal numbers ``[k, n]`` with exactly mean zero and unit covariance, where there are enough for that.

    A mixture has heavy tails: without this, the spread of many samples would hang on the few of its widest draw.
    """
    k, n = normal.shape
    if k < 4 * n:
        return normal
    centred = normal - normal.mean(axis=0)
    root = np.linalg.cholesky(centred.T @ centred / k)
    matched: Floats = np.linalg.solve(root, centred.T).T
    return matched


def _left(chain: Chain) -> Callable[[Tensor, int], Tensor]:
    """Variance ``[s, n]`` that the runs leave."""

    def variance(x: Tensor, i: int) -> Tensor:
        before = chain.variance(x, i)
        after: Tensor = before - chain.white(x, i).square().sum(1)
        return torch.maximum(after, FLOOR * (1 + before))

    return variance


def _with_sum(chain: Chain, sums: list[tuple[Tensor, int, Tensor]], whites: Tensor) -> Callable[[Tensor, int], Tensor]:
    """Covariance ``[s, n]`` with a weighted sum."""

    def covariance(x: Tensor, i: int) -> Tensor:
        prior = torch.stack([chain.prior(x, i, z, j) @ v for z, j, v in sums]).sum(0)
        return prior - (chain.white(x, i) * whites[:, :, None]).sum(1)

    return covariance


def _draw(chain: Chain, s: int) -> Chain:
    """One draw alone."""
    row = torch.tensor([s])
    return Chain(tuple(t.rows(row) for t in chain.terms), chain.points, chain.factor[row], chain.coefficients[row])
