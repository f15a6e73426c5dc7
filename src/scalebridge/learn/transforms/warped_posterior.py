"""The posterior of outputs that are rising functions of jointly normal ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.calibration.rescaled import reduction
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.transforms.warps import Warp
from scalebridge.models import Functional, Posterior
from scalebridge.quantities import Floats

# Nodes of the trapezoidal rule between -10 and 10 deviations (exact to rounding for smooth maps, sound at a kink as
# well, unlike Gauss's), and terms of Hermite's series: a log-normal law of deviation 3 to rounding.
NODES, TERMS = 201, 48
REACH, CHUNK = 10.0, 4096
# Columns of the curved part of the joint covariance that are taken as they are; what these leave is independent.
COLUMNS = 64
NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class WarpedPosterior:
    """Posterior of ``y = T(z)``, output by output, with z from ``base``; see `scalebridge.models.Posterior`.

    Quantiles and samples are those of the base, warped. Means and covariances are those of jointly normal z with the
    mean and covariance of the base: ``cov(y_i, y_j) = sum_k c_ik c_jk rho_ij^k`` with the coefficients c of Hermite's
    series, which is ``m_i m_j (exp(S_ij) - 1)`` for a logarithm. Its first term is the base's own covariance, scaled;
    of the others, small unless deviations are large, up to 64 columns are taken where most is left unexplained
    (pivoted Cholesky), and a diagonal: memory is linear in n, and up to 64 values are exact.

    Args:
        base: posterior of z at ``n`` points.
        warps: T, one per output.
    """

    base: Posterior
    warps: tuple[Warp, ...]

    @cached_property
    def _series(self) -> Floats:
        """Coefficients of Hermite's series ``[n, m, TERMS]``, the first of which is the mean."""
        mean, std = self.base.mean, self.base.std
        return np.stack([series(w, mean[:, a], std[:, a]) for a, w in enumerate(self.warps)], axis=1)

    @property
    def mean(self) -> Floats:
        """Mean ``[n, m]``."""
        mean: Floats = self._series[:, :, 0]
        return mean

    @cached_property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        std: Floats = np.sqrt(np.sum(self._series[:, :, 1:] ** 2, axis=2))
        return std

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        base = self.base.blocks
        std = np.sqrt(np.diagonal(base, axis1=1, axis2=2))
        rho = correlation(base, std[:, :, None] * std[:, None, :])
        c = self._series
        blocks = _summed(c[:, :, None, :] * c[:, None, :, :], rho)
        m = blocks.shape[1]
        blocks[:, np.arange(m), np.arange(m)] = self.std**2
        return blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``, that of the base, warped."""
        return warped(self.warps, self.base.quantile(p))

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        return warped(self.warps, self.base.sample(n, seed))

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        weights = np.asarray(weights, dtype=np.float64)
        straight, bent = self.base.functional(weights * self._factor), self._bent.functional(weights)
        std = float(np.hypot(straight.std, bent.std))
        return Functional(float((weights * self.mean).sum()), std, straight.cov * self._factor + bent.cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return reduction(self, weights, candidates, noise_std, given)

    @cached_property
    def _factor(self) -> Floats:
        """By which the straight part of a map scales a deviation of the base ``[n, m]``."""
        first, std = self._series[:, :, 1], self.base.std
        factor: Floats = np.divide(first, std, out=np.zeros_like(std), where=std > 0)
        return factor

    @cached_property
    def _bent(self) -> LowRankPosterior:
        """What the straight part leaves of the joint law, with no mean."""
        n, m = self.mean.shape
        terms = self._series.reshape(n * m, -1).copy()
        terms[:, :2] = 0.0
        rest = (terms**2).sum(axis=1)
        factor, rank = np.zeros((min(COLUMNS, n * m), n * m)), 0
        stop = NEGLIGIBLE * float(np.max(self.std**2))
        while rank < len(factor):
            pivot = int(np.argmax(rest))
            if rest[pivot] <= stop:
                break
            column = self._column(pivot, terms) - factor[:rank, pivot] @ factor[:rank]
            factor[rank] = column / np.sqrt(rest[pivot])
            rest = np.maximum(rest - factor[rank] ** 2, 0.0)
            rest[pivot] = 0.0
            rank += 1
        return LowRankPosterior(np.zeros((n, m)), factor[:rank].T.reshape(n, m, rank), rest.reshape(n, m))

    def _column(self, pivot: int, terms: Floats) -> Floats:
        """Covariance ``[n m]`` of the bent part of one value with those of all."""
        unit = np.zeros(self.mean.shape)
        unit.flat[pivot] = 1.0
        cov, std = self.base.functional(unit).cov, self.base.std
        rho = correlation(cov, std * std.flat[pivot]).ravel()
        column = _summed(terms * terms[pivot], rho)
        column[pivot] = float(terms[pivot] @ terms[pivot])
        return column


def series(warp: Warp, mean: Floats, std: Floats) -> Floats:
    """Coefficients ``[n, TERMS]`` of ``T(mean + std u)`` in Hermite's polynomials, orthonormal for normal u."""
    nodes, polynomials = _rule()
    coefficients = np.empty((len(mean), TERMS))
    # About the middle: what is left of a large constant would be rounding.
    middle = warp.out(mean)[0][:, None]
    for start in range(0, len(mean), CHUNK):
        part = slice(start, start + CHUNK)
        values = warp.out(mean[part, None] + std[part, None] * nodes)[0]
        coefficients[part] = (values - middle[part]) @ polynomials.T
    coefficients[:, :1] += middle
    return coefficients


def mean_and_slopes(warp: Warp, mean: Floats, std: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean ``[n]`` of ``T(mean + std u)``, and its derivatives with respect to mean and std."""
    nodes, polynomials = _rule()
    slopes = warp.out(mean[:, None] + std[:, None] * nodes)[1]
    return series(warp, mean, std)[:, 0], slopes @ polynomials[0], slopes @ polynomials[1]


def warped(warps: tuple[Warp, ...], z: Floats) -> Floats:
    """``T(z)`` for ``z [..., m]``."""
    return np.stack([w.out(z[..., a])[0] for a, w in enumerate(warps)], axis=-1)


def correlation(cov: Floats, scale: Floats) -> Floats:
    """``cov / scale`` between -1 and 1; zero where the scale is."""
    rho: Floats = np.clip(np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0), -1.0, 1.0)
    return rho


def _summed(products: Floats, rho: Floats) -> Floats:
    """``sum_k products[..., k] rho^k`` over k of at least one."""
    total = np.zeros_like(rho)
    for k in range(products.shape[-1] - 1, 0, -1):
        total = (total + products[..., k]) * rho
    return total


def _rule() -> tuple[Floats, Floats]:
    """Nodes ``[q]`` and weighted polynomials ``[TERMS, q]``: ``values @ polynomials.T`` are the coefficients."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-0.5 * nodes**2)
    rows = [np.ones_like(nodes), nodes]
    for k in range(1, TERMS - 1):
        rows.append((nodes * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1))
    return nodes, np.stack(rows) * (weights / weights.sum())
