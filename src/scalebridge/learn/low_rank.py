"""A joint normal posterior kept as its mean, a factor of low rank and independent rest: linear memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.reduction import downdated, noise_matrix, reduced
from scalebridge.models import Functional
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class LowRankPosterior:
    """Posterior ``f = mean + factor z + shared u + residual e`` with z, u, e independent standard normal.

    ``factor`` is dense: few directions that reach every point (members of an ensemble, coefficients of a linear
    model). ``shared`` is sparse: what neighbours have in common (the leaves of a forest, the nearest run). An
    error that neighbours share does not average out in a sum over many points, as independent ones would.
    See `scalebridge.models.Posterior`; time and memory are linear in n.

    Args:
        mean: ``[n, m]``.
        factor: ``[n, m, r]``.
        residual: variance ``[n, m]`` of what is independent at every point and output.
        shared: ``[n m, s]``, sparse, or None.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
    """

    mean: Floats
    factor: Floats
    residual: Floats
    shared: csr_array | None = None
    bounds: tuple[Floats, Floats] | None = None

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        n, m = self.mean.shape
        blocks: Floats = self.factor @ np.swapaxes(self.factor, 1, 2)
        blocks[:, np.arange(m), np.arange(m)] += self.residual
        if self.shared is not None:
            for a in range(m):
                for b in range(m):
                    both = self.shared[a::m].multiply(self.shared[b::m])
                    blocks[:, a, b] += np.asarray(both.sum(axis=1)).reshape(n)
        return blocks

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``, without the blocks, whose memory grows with the square of the outputs."""
        variance = np.einsum("nmr,nmr->nm", self.factor, self.factor) + self.residual
        if self.shared is not None:
            variance = variance + np.asarray(self.shared.multiply(self.shared).sum(axis=1)).reshape(variance.shape)
        std: Floats = np.sqrt(variance)
        return std

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]`` of the normal marginals, kept inside the bounds."""
        from scipy.stats import norm

        return self._clipped(self.mean + float(norm.ppf(p)) * self.std)

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        rng = np.random.default_rng(seed)
        points, m = self.mean.shape
        draws = rng.standard_normal((n, self.factor.shape[2])) @ self.factor.reshape(points * m, -1).T
        draws += rng.standard_normal((n, points * m)) * np.sqrt(self.residual).ravel()
        if self.shared is not None:
            draws += (self.shared @ rng.standard_normal((self.shared.shape[1], n))).T
        return self._clipped(self.mean + draws.reshape(n, points, m))

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)`` for ``weights [n, m]``."""
        cov = self._with(weights)
        std = float(np.sqrt(max(float((weights * cov).sum()), 0.0)))
        return Functional(float((weights * self.mean).sum()), std, cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        m = self.mean.shape[1]
        noise, cov = noise_matrix(m, noise_std), self._with(weights)
        blocks, target = self.blocks[candidates], cov[candidates]
        if given is not None and len(given):
            joint = self.covariance(given, given) + np.kron(np.eye(len(given)), noise)
            link = self.covariance(candidates, given).reshape(len(candidates), m, -1)
            blocks, target = downdated(blocks, target, joint, link, cov[given].ravel())
        return reduced(blocks, target, noise)

    def _with(self, weights: Floats) -> Floats:
        """Covariance ``[n, m]`` of the weighted sum with every value."""
        cov = self.factor @ np.tensordot(weights, self.factor, axes=((0, 1), (0, 1))) + self.residual * weights
        if self.shared is not None:
            cov = cov + (self.shared @ (self.shared.T @ np.ravel(weights))).reshape(cov.shape)
        return cov

    def covariance(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """Covariance ``[r m, c m]`` between two sets of points given by their indices."""
        m = self.mean.shape[1]
        cov: Floats = (
            self.factor[rows].reshape(len(rows) * m, -1) @ self.factor[columns].reshape(len(columns) * m, -1).T
        )
        a, b = ((np.asarray(i)[:, None] * m + np.arange(m)).ravel() for i in (rows, columns))
        if self.shared is not None:
            cov = cov + (self.shared[a] @ self.shared[b].T).toarray()
        return cov + np.where(a[:, None] == b, self.residual.ravel()[a][:, None], 0.0)

    def _clipped(self, values: Floats) -> Floats:
        return values if self.bounds is None else np.clip(values, *self.bounds)


def grouped(labels: NDArray[np.int64], std: Floats) -> Any:
    """A sparse factor ``[n m, s]`` by which points of one label share their error.

    Args:
        labels: ``[n, m, g]``, the groups that each value belongs to, each grouping with labels of its own; a
            group's share of the variance is ``1 / g``: two points correlate by the fraction of groupings they share.
        std: ``[n, m]`` or ``[n, m, g]``, standard deviation of the error; outputs are independent of each other.
    """
    from scipy.sparse import csr_array

    n, m, g = labels.shape
    ids, columns = np.unique(labels, return_inverse=True)
    columns = columns.reshape(n, m, g) * m + np.arange(m)[:, None]
    values = np.broadcast_to(std.reshape(n, m, -1) / np.sqrt(g), (n, m, g))
    starts = np.arange(n * m + 1) * g
    return csr_array((values.ravel(), columns.ravel(), starts), shape=(n * m, len(ids) * m))
