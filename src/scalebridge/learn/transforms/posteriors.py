"""Posteriors made of other posteriors: by a linear map at each point, or moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.calibration.rescaled import reduction
from scalebridge.models import Functional, Posterior
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class LinearPosterior:
    """Posterior of ``f = A(x) g + b + e`` at ``n`` points; see `scalebridge.models.Posterior`.

    Args:
        base: posterior of g, ``k`` outputs.
        frame: A, ``[n, m, k]``.
        offset: b, ``[m]``.
        rest: ``[m]``, variance of e, which is independent between points and outputs.
    """

    base: Posterior
    frame: Floats
    offset: Floats
    rest: Floats

    @cached_property
    def mean(self) -> Floats:
        """Mean ``[n, m]``."""
        mean: Floats = np.einsum("nmk,nk->nm", self.frame, self.base.mean) + self.offset
        return mean

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        blocks: Floats = self.frame @ self.base.blocks @ np.swapaxes(self.frame, 1, 2) + np.diag(self.rest)
        return blocks

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return np.sqrt(np.maximum(np.diagonal(self.blocks, axis1=1, axis2=2), 0.0))

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``: exact where each output is a multiple of one of the base's, else of a normal law."""
        if self.rest.any() or (np.count_nonzero(self.frame, axis=2) > 1).any():
            from scipy.stats import norm

            return self.mean + float(norm.ppf(p)) * self.std
        at = np.argmax(np.abs(self.frame), axis=2)
        factor = np.take_along_axis(self.frame, at[:, :, None], axis=2)[:, :, 0]
        low, high = (np.take_along_axis(self.base.quantile(q), at, axis=1) for q in (p, 1 - p))
        quantile: Floats = factor * np.where(factor >= 0, low, high) + self.offset
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        drawn: Floats = np.einsum("nmk,snk->snm", self.frame, self.base.sample(n, seed)) + self.offset
        if self.rest.any():
            normal = np.random.default_rng([seed, 2]).standard_normal(drawn.shape)
            drawn = drawn + np.sqrt(self.rest) * normal
        return drawn

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``, in memory linear in n as far as the base's is."""
        weights = np.asarray(weights, dtype=np.float64)
        told = self.base.functional(np.einsum("nmk,nm->nk", self.frame, weights))
        cov = np.einsum("nmk,nk->nm", self.frame, told.cov) + self.rest * weights
        variance = told.std**2 + float((self.rest * weights**2).sum())
        return Functional(float((weights * self.mean).sum()), float(np.sqrt(variance)), cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return reduction(self, weights, candidates, noise_std, given)


@dataclass(frozen=True)
class MovedPosterior:
    """A posterior about another mean, kept inside bounds; see `scalebridge.models.Posterior`.

    Args:
        base: posterior at ``n`` points.
        mean: ``[n, m]``; all of the base moves with it.
        bounds: lower and upper bounds of the outputs, ``[m]`` each, kept by quantiles and samples.
    """

    base: Posterior
    mean: Floats
    bounds: tuple[Floats, Floats]

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return self.base.std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        return self.base.blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``."""
        return self._moved(self.base.quantile(p))

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        return self._moved(self.base.sample(n, seed))

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        told = self.base.functional(weights)
        return Functional(float((weights * self.mean).sum()), told.std, told.cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return self.base.reduction(weights, candidates, noise_std, given)

    def _moved(self, values: Floats) -> Floats:
        moved: Floats = np.clip(values + (self.mean - self.base.mean), *self.bounds)
        return moved
