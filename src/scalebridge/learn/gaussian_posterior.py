"""The joint normal posterior of a Gaussian process at many points, in memory linear in their number."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from scalebridge.learn.kernels import Kernel
from scalebridge.learn.reduction import downdated, noise_matrix, reduced
from scalebridge.models import Functional
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor

# Above this number of points a weighted sum is taken over weighted representatives of them.
REPRESENTATIVES = 256
# The least variance, as a part of the prior's: what rounding leaves of it at a run.
FLOOR = 1e-12


class Conditional(Protocol):
    """A Gaussian process of mean zero that knows its runs, in scaled coordinates: what `GaussianPosterior` asks of it.

    The posterior covariance is everywhere ``K(x, z) - W(x)' W(z)``: what was not known before, less what the runs
    have told. A process with more uncertainty than a kernel's adds it to K.
    """

    def prior_blocks(self, x: Tensor) -> Tensor:
        """K between the outputs at each point ``[n, m, m]``."""

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """K of the outputs at ``x [n, d]`` with ``sum(weights * f(z))``, ``weights [k, m]``: ``[n, m]``."""

    def whitened(self, x: Tensor) -> Tensor:
        """W ``[r, n, m]``."""

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """Posterior covariance ``[n, m, k, m]`` between two sets with their W."""


@dataclass(frozen=True)
class Conditioned:
    """A kernel conditioned on runs, in scaled coordinates.

    Args:
        kernel: covariance of unit variance.
        scale: inverse squared lengths ``[d]``.
        variance: factor of the covariance.
        points: scaled inputs of the runs ``[b, d]``.
        factor: Cholesky factor ``[b*m, b*m]`` of their covariance with noise; empty without runs.
    """

    kernel: Kernel
    scale: Tensor
    variance: float
    points: Tensor
    factor: Tensor

    def prior_blocks(self, x: Tensor) -> Tensor:
        """See `Conditional.prior_blocks`."""
        return self.variance * self.kernel.blocks(x, self.scale)

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """See `Conditional.prior_dot`."""
        return self.variance * self.kernel.dot(x, z, self.scale, weights)

    def whitened(self, x: Tensor) -> Tensor:
        """``factor^-1 Cov(runs, f(x))``, ``[b*m, n, m]``."""
        cross = self.variance * self.kernel.cross(self.points, x, self.scale)
        b, m, n, _ = cross.shape
        white: Tensor = torch.linalg.solve_triangular(self.factor, cross.reshape(b * m, n * m), upper=False)
        return white.reshape(b * m, n, m)

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """See `Conditional.cross`."""
        return self.variance * self.kernel.cross(x, z, self.scale) - torch.einsum("rna,rkb->nakb", wx, wz)


@dataclass(frozen=True)
class _Summed:
    """A weighted sum: its representatives ``[r, d]``, their weights ``[r, m]``, its W."""

    at: Tensor
    weights: Tensor
    white: Tensor


@dataclass(frozen=True)
class GaussianPosterior:
    """Posterior at ``n`` points; see `scalebridge.models.Posterior`.

    Args:
        mean: ``[n, m]`` in the output's units.
        at: the points, scaled ``[n, d]``.
        conditioned: the process that knows its runs.
        units: ``[m]``, factor from the scaled outputs to the output's units.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
        residual: variance ``[n, m]``, in the output's units, of scatter that was learned as unexplained: independent
            at every point and output.
    """

    mean: Floats
    at: Tensor
    conditioned: Conditional
    units: Floats
    bounds: tuple[Floats, Floats]
    residual: Floats | None = None
    _sums: dict[bytes, _Summed] = field(default_factory=dict, repr=False)

    @cached_property
    def _white(self) -> Tensor:
        return self.conditioned.whitened(self.at)

    @cached_property
    def _prior(self) -> Tensor:
        return self.conditioned.prior_blocks(self.at)

    @property
    def _floor(self) -> float:
        """Rounding may leave a tiny negative variance at a run."""
        return FLOOR * float(self._prior.diagonal(dim1=1, dim2=2).abs().mean())

    @cached_property
    def _blocks(self) -> Tensor:
        """Scaled covariance ``[n, m, m]``, no scatter in it."""
        prior, floor = self._prior, self._floor
        inner = torch.einsum("rna,rnb->nab", self._white, self._white)
        block = prior - inner + floor * torch.eye(prior.shape[1], dtype=prior.dtype)
        values, vectors = torch.linalg.eigh(block)
        kept: Tensor = (vectors * values.clamp_min(floor)[:, None, :]) @ vectors.transpose(1, 2)
        return kept

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        scaled: Floats = self._blocks.numpy() * self.units[:, None] * self.units[None, :]
        if self.residual is not None:
            m = len(self.units)
            scaled[:, np.arange(m), np.arange(m)] += self.residual
        return scaled

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return np.sqrt(np.diagonal(self.blocks, axis1=1, axis2=2))

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``."""
        from scipy.stats import norm

        quantile: Floats = np.clip(self.mean + float(norm.ppf(p)) * self.std, *self.bounds)
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``; quadratic memory in the number of points."""
        points, m = self.mean.shape
        c = self.conditioned
        cov = c.cross(self.at, self.at, self._white, self._white).reshape(points * m, points * m).numpy()
        values, vectors = np.linalg.eigh(0.5 * (cov + cov.T) + self._floor * np.eye(len(cov)))
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((n, points * m))
        root = vectors * np.sqrt(np.maximum(values, 0))
        # Where rounding alone is left of a variance, samples have the one that quantiles have.
        own = np.sqrt(np.square(root).sum(axis=1))
        wanted = self._blocks.diagonal(dim1=1, dim2=2).sqrt().reshape(-1).numpy()
        root = root * (wanted / np.where(own > 0, own, 1.0))[:, None]
        draws = (normal @ root.T).reshape(n, points, m) * self.units
        if self.residual is not None:
            draws = draws + rng.standard_normal(draws.shape) * np.sqrt(self.residual)
        samples: Floats = np.clip(self.mean + draws, *self.bounds)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``; the same representatives stand in every term."""
        summed = self._summed(weights)
        own = self.conditioned.prior_dot(summed.at, summed.at, summed.weights)
        variance = float((own * summed.weights).sum()) - float(summed.white @ summed.white)
        if self.residual is not None:
            variance = max(variance, 0.0) + float((weights**2 * self.residual).sum())
        mean = float((weights * self.mean).sum())
        return Functional(mean, float(np.sqrt(max(variance, 0.0))), self._with(summed, weights, slice(None)))

    def _summed(self, weights: Floats) -> _Summed:
        """The weighted sum on its representatives, kept: placement asks for the same one again and again."""
        key = weights.tobytes()
        if key not in self._sums:
            at, total = representatives(self.at.numpy(), weights * self.units)
            points, w = torch.from_numpy(at), torch.from_numpy(total)
            white = self._white if len(at) == len(self.at) else self.conditioned.whitened(points)
            self._sums[key] = _Summed(points, w, torch.einsum("rkb,kb->r", white, w))
        return self._sums[key]

    def _with(self, summed: _Summed, weights: Floats, rows: Any) -> Floats:
        """Covariance of a weighted sum with the outputs at some of the points ``[c, m]``."""
        c = self.conditioned
        prior = torch.cat([c.prior_dot(x, summed.at, summed.weights) for x in self.at[rows].split(2048)])
        cov = prior - torch.einsum("rna,r->na", self._white[:, rows], summed.white)
        scaled: Floats = cov.numpy() * self.units
        return scaled if self.residual is None else scaled + (self.residual * weights)[rows]

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        m = self.mean.shape[1]
        noise = noise_matrix(m, noise_std)
        summed = self._summed(weights)
        blocks, target = self.blocks[candidates], self._with(summed, weights, candidates)
        if given is not None and len(given):
            joint = self.covariance(given, given) + np.kron(np.eye(len(given)), noise)
            link = self.covariance(candidates, given).reshape(len(candidates), m, -1)
            known = self._with(summed, weights, given).ravel()
            blocks, target = downdated(blocks, target, joint, link, known)
        return reduced(blocks, target, noise)

    def covariance(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """Covariance ``[r*m, c*m]`` between two sets of points given by their indices."""
        c, m = self.conditioned, len(self.units)
        cov = c.cross(self.at[rows], self.at[columns], self._white[:, rows], self._white[:, columns]).numpy()
        scaled: Floats = cov * self.units[:, None, None] * self.units
        if self.residual is not None:
            same = np.asarray(rows)[:, None] == np.asarray(columns)
            for a in range(m):
                scaled[:, a, :, a] += np.where(same, self.residual[rows, a][:, None], 0.0)
        return scaled.reshape(len(rows) * m, len(columns) * m)


def representatives(x: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Group points by halving along their widest direction; each group keeps its total weight ``[r, m]``.

    Points without weight have no part in it.
    """
    if len(x) <= REPRESENTATIVES:
        return x, weights
    counts = weights.any(axis=1)
    x, weights = (x[counts], weights[counts]) if counts.any() else (x[:1], weights[:1])
    if len(x) <= REPRESENTATIVES:
        return x, weights
    importance = np.abs(weights).sum(1)

    def entry(group: NDArray[np.int64]) -> tuple[float, int, NDArray[np.int64]]:
        widest = float(np.ptp(x[group], axis=0).max())
        return (-float(importance[group].sum()) * widest, int(group[0]), group)

    heap = [entry(np.arange(len(x)))]
    while len(heap) < REPRESENTATIVES and heap[0][0] < 0:
        group = heapq.heappop(heap)[2]
        axis = int(np.argmax(np.ptp(x[group], axis=0)))
        order = group[np.argsort(x[group, axis], kind="stable")]
        for half in (order[: len(order) // 2], order[len(order) // 2 :]):
            heapq.heappush(heap, entry(half))
    groups = [group for _, _, group in sorted(heap, key=lambda e: e[1])]
    at = np.stack([np.average(x[g], axis=0, weights=importance[g]) for g in groups])
    return at, np.stack([weights[g].sum(0) for g in groups])
