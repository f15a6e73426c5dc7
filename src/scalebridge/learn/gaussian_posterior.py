"""The joint normal posterior of a Gaussian process at many points, in memory linear in their number."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

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

    def whitened(self, x: Tensor) -> Tensor:
        """``factor^-1 Cov(runs, f(x))``, ``[b*m, n, m]``."""
        cross = self.variance * self.kernel.cross(self.points, x, self.scale)
        b, m, n, _ = cross.shape
        white: Tensor = torch.linalg.solve_triangular(self.factor, cross.reshape(b * m, n * m), upper=False)
        return white.reshape(b * m, n, m)

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """Posterior covariance ``[n, m, k, m]`` between two sets with their whitened covariances."""
        return self.variance * self.kernel.cross(x, z, self.scale) - torch.einsum("rna,rkb->nakb", wx, wz)


@dataclass(frozen=True)
class _Summed:
    """A weighted sum: its representatives ``[r, d]``, their weights ``[r, m]``, its whitened covariance ``[b*m]``."""

    at: Tensor
    weights: Tensor
    white: Tensor


@dataclass(frozen=True)
class GaussianPosterior:
    """Posterior at ``n`` points; see `scalebridge.models.Posterior`.

    Args:
        mean: ``[n, m]`` in the output's units.
        at: the points, scaled ``[n, d]``.
        conditioned: the kernel and the runs.
        units: ``[m]``, factor from the scaled outputs to the output's units.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
    """

    mean: Floats
    at: Tensor
    conditioned: Conditioned
    units: Floats
    bounds: tuple[Floats, Floats]
    _sums: dict[bytes, _Summed] = field(default_factory=dict, repr=False)

    @cached_property
    def _white(self) -> Tensor:
        return self.conditioned.whitened(self.at)

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        c = self.conditioned
        prior = c.variance * c.kernel.blocks(self.at, c.scale)
        inner = torch.einsum("rna,rnb->nab", self._white, self._white)
        # Rounding may leave a tiny negative variance at a run.
        floor = FLOOR * prior.diagonal(dim1=1, dim2=2).abs().mean()
        block = prior - inner + floor * torch.eye(prior.shape[1], dtype=prior.dtype)
        values, vectors = torch.linalg.eigh(block)
        block = (vectors * values.clamp_min(float(floor))[:, None, :]) @ vectors.transpose(1, 2)
        scaled: Floats = block.numpy() * self.units[:, None] * self.units[None, :]
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
        values, vectors = np.linalg.eigh(0.5 * (cov + cov.T))
        normal = np.random.default_rng(seed).standard_normal((n, points * m))
        draws = (normal * np.sqrt(np.maximum(values, 0))) @ vectors.T
        samples: Floats = np.clip(self.mean + draws.reshape(n, points, m) * self.units, *self.bounds)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``; the same representatives stand in every term."""
        c, summed = self.conditioned, self._summed(weights)
        own = c.kernel.dot(summed.at, summed.at, c.scale, summed.weights)
        variance = c.variance * float((own * summed.weights).sum()) - float(summed.white @ summed.white)
        mean = float((weights * self.mean).sum())
        return Functional(mean, float(np.sqrt(max(variance, 0.0))), self._with(summed, slice(None)))

    def _summed(self, weights: Floats) -> _Summed:
        """The weighted sum on its representatives, kept: placement asks for the same one again and again."""
        key = weights.tobytes()
        if key not in self._sums:
            at, total = _representatives(self.at.numpy(), weights * self.units)
            points, w = torch.from_numpy(at), torch.from_numpy(total)
            white = self._white if len(at) == len(self.at) else self.conditioned.whitened(points)
            self._sums[key] = _Summed(points, w, torch.einsum("rkb,kb->r", white, w))
        return self._sums[key]

    def _with(self, summed: _Summed, rows: Any) -> Floats:
        """Covariance of a weighted sum with the outputs at some of the points ``[c, m]``."""
        c = self.conditioned
        prior = torch.cat([c.kernel.dot(x, summed.at, c.scale, summed.weights) for x in self.at[rows].split(2048)])
        cov = c.variance * prior - torch.einsum("rna,r->na", self._white[:, rows], summed.white)
        scaled: Floats = cov.numpy() * self.units
        return scaled

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
        blocks, target = self.blocks[candidates], self._with(summed, torch.from_numpy(candidates))
        if given is not None and len(given):
            joint = self._between(given, given) + np.kron(np.eye(len(given)), noise)
            link = self._between(candidates, given).reshape(len(candidates), m, -1)
            known = self._with(summed, torch.from_numpy(given)).ravel()
            blocks, target = downdated(blocks, target, joint, link, known)
        return reduced(blocks, target, noise)

    def _between(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
        """Covariance ``[a*m, b*m]`` between two sets of points, in the outputs' units."""
        ia, ib = torch.from_numpy(a), torch.from_numpy(b)
        cov = self.conditioned.cross(self.at[ia], self.at[ib], self._white[:, ia], self._white[:, ib]).numpy()
        m = len(self.units)
        scaled: Floats = cov * self.units[:, None, None] * self.units
        return scaled.reshape(len(a) * m, len(b) * m)


def _representatives(x: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Group points by halving along their widest direction; each group keeps its total weight ``[r, m]``."""
    if len(x) <= REPRESENTATIVES:
        return x, weights
    importance = np.abs(weights).sum(1) + 1e-300

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
