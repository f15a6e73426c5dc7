"""A joint posterior with other deviations: its covariance scaled, what then lacks added independently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.reduction import downdated, noise_matrix, reduced
from scalebridge.models import Functional, Posterior
from scalebridge.quantities import Floats

ROUNDING = 1e-12
NEGLIGIBLE = 0.1


@dataclass(frozen=True)
class Rescaled:
    """The covariance ``R K R + D`` with K that of ``base``, R and D diagonal.

    Args:
        base: posterior at ``n`` points.
        factor: ``[n, m]``, the diagonal of R.
        rest: ``[n, m]``, the diagonal of D, variances in squared units of the outputs.
    """

    base: Posterior
    factor: Floats
    rest: Floats

    @staticmethod
    def to(base: Posterior, std: Floats, most: Floats, typical: Floats) -> Rescaled:
        """Give ``base`` the deviations ``std [n, m]``.

        Where it claims less than these, its covariance is scaled by at most ``most [m]``, the factor that fits on
        average: the rest is independent between points and outputs, for the base knows nothing of it. What it claims
        far below its ``typical [m]`` deviation is rounding, and is left out.
        """
        claimed = base.std
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(claimed > 0, std / claimed, 0.0)
            trust = np.nan_to_num(claimed**2 / (claimed**2 + (NEGLIGIBLE * typical) ** 2))
        proportional = bool(np.all(np.abs(ratio - most) <= ROUNDING * most))
        factor = ratio if proportional else np.minimum(ratio, most) * trust
        rest = std**2 - (factor * claimed) ** 2
        return Rescaled(base, factor, np.where(rest > ROUNDING * std**2, rest, 0.0))

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        std: Floats = np.sqrt((self.factor * self.base.std) ** 2 + self.rest)
        return std

    @cached_property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        scaled = self.base.blocks * self.factor[:, :, None] * self.factor[:, None, :]
        blocks: Floats = scaled + self.rest[:, :, None] * np.eye(self.rest.shape[1])
        return blocks

    def deviations(self, n: int, seed: int) -> Floats:
        """Joint draws ``[n_samples, n, m]`` of the difference from the mean."""
        drawn = (self.base.sample(n, seed) - self.base.mean) * self.factor
        if self.rest.any():
            noise = np.random.default_rng([seed, 1]).standard_normal(drawn.shape)
            drawn = drawn + np.sqrt(self.rest) * noise
        return drawn

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        weights = np.asarray(weights, dtype=np.float64)
        told = self.base.functional(weights * self.factor)
        variance = told.std**2 + float((weights**2 * self.rest).sum())
        cov = told.cov * self.factor + weights * self.rest
        return replace(told, mean=float((weights * self.base.mean).sum()), std=float(np.sqrt(variance)), cov=cov)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        apart = np.ptp(self.factor, axis=0) <= ROUNDING * self.factor[0]
        if not self.rest.any() and apart.all() and self.factor[0].all():
            # One factor per output everywhere: the base answers for noise in its own units.
            noise = None if noise_std is None else np.asarray(noise_std) / self.factor[0]
            return self.base.reduction(weights * self.factor, candidates, noise, given)
        return reduction(self, weights, candidates, noise_std, given)


def reduction(
    posterior: Posterior | Rescaled,
    weights: Floats,
    candidates: NDArray[np.int64],
    noise_std: Floats | None = None,
    given: NDArray[np.int64] | None = None,
) -> Floats:
    """`Posterior.reduction` from functionals and blocks alone, for any posterior; ``[c]``.

    Takes one functional per output of each point in ``given``.
    """
    blocks, target = posterior.blocks, posterior.functional(weights).cov
    m = blocks.shape[1]
    noise, chosen, inner = noise_matrix(m, noise_std), target[candidates], blocks[candidates]
    if given is not None and len(given):
        columns = np.stack([_column(posterior, int(g), a) for g in given for a in range(m)], axis=-1)
        joint = columns[given].reshape(len(given) * m, -1) + np.kron(np.eye(len(given)), noise)
        inner, chosen = downdated(inner, chosen, joint, columns[candidates], target[given].ravel())
    return reduced(inner, chosen, noise)


def _column(posterior: Posterior | Rescaled, point: int, output: int) -> Floats:
    """Covariance ``[n, m]`` of one value with all."""
    unit = np.zeros(posterior.blocks.shape[:2])
    unit[point, output] = 1.0
    return posterior.functional(unit).cov
