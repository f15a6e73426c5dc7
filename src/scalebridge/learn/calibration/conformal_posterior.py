"""The posterior of a conformal surrogate: its intervals are conformal, its covariance is as wide as they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.calibration.calibration import Calibration
from scalebridge.learn.calibration.metrics import check_level
from scalebridge.learn.calibration.rescaled import Rescaled
from scalebridge.models import Functional, Posterior
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class ConformalPosterior:
    """Posterior at ``n`` points; see `scalebridge.models.Posterior`.

    ``interval`` and ``band`` are conformal at any level for which there are rows enough. Quantiles are those of the
    normal law about the mean that holds the interval at the calibrated level: they equal its ends there, or lie
    outside where folds disagree about the mean. The score ``"quantile"`` may be skew: there each side of the mean has
    its own half of a normal. Deviations, blocks, samples, functionals and reductions are those of one joint normal,
    whose interval at the calibrated level is as wide as the conformal one.

    Args:
        base: posterior of the model inside.
        calibration: models and scores.
        x: the points ``[n, d]``.
        labels: ``[n]``, their groups.
        limits: lower and upper bounds of the outputs, ``[m]`` each.
    """

    base: Posterior
    calibration: Calibration
    x: Floats
    labels: NDArray[Any] | None
    limits: tuple[Floats, Floats]

    @property
    def level(self) -> float:
        """The calibrated level."""
        return self.calibration.level

    @property
    def mean(self) -> Floats:
        """Mean ``[n, m]``, that of the model inside."""
        return self.base.mean

    def interval(self, level: float | None = None) -> tuple[Floats, Floats]:
        """Conformal interval of each output alone, lower and upper ends ``[n, m]``.

        Args:
            level: by default the calibrated one.

        Raises:
            InputError: too few calibration rows for the level, or none in a group.
        """
        lower, upper = self._bounds if level in (None, self.level) else self._conformal(float(level or 0), False)
        # An interval that leaves out its own mean is widened to it.
        return np.clip(np.minimum(lower, self.mean), *self.limits), np.clip(np.maximum(upper, self.mean), *self.limits)

    def band(self, level: float | None = None, how: str = "supremum") -> tuple[Floats, Floats]:
        """Region that holds all outputs of a row at once, lower and upper ends ``[n, m]``.

        Args:
            level: by default the calibrated one.
            how: ``"supremum"`` of the scores over the outputs, or ``"bonferroni"``, which shares the error between
                them and is wider where they go together.

        Raises:
            InputError: too few calibration rows: Bonferroni needs about m times as many.

        Source: J. Diquigiovanni, M. Fontana and S. Vantini, Conformal prediction bands for multivariate functional
        data (2022).
        """
        level = check_level(self.level if level is None else level)
        if how == "bonferroni":
            return self.interval(1 - (1 - level) / self.mean.shape[1])
        if how != "supremum":
            raise InputError(f"A band was asked for by '{how}'; valid: supremum, bonferroni.")
        lower, upper = self._conformal(level, True)
        return np.clip(lower, *self.limits), np.clip(upper, *self.limits)

    def _conformal(self, level: float, joint: bool) -> tuple[Floats, Floats]:
        return self.calibration.bounds(self.x, self.labels, self.base, check_level(level), joint)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        return self._conformal(self.level, False)

    @cached_property
    def _joint(self) -> Rescaled:
        below, above = self._reach
        known = self.calibration
        return Rescaled.to(self.base, 0.5 * (below + above) / self._normal, known.most, known.typical)

    @cached_property
    def _reach(self) -> tuple[Floats, Floats]:
        """How far the law at the calibrated level reaches below and above the mean ``[n, m]``."""
        lower, upper = self._bounds
        below, above = np.maximum(self.mean - lower, 0.0), np.maximum(upper - self.mean, 0.0)
        if self.calibration.score == "quantile":
            return below, above
        either = np.maximum(below, above)
        return either, either

    @property
    def _normal(self) -> float:
        return NormalDist().inv_cdf(0.5 * (1 + self.level))

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return self._joint.std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        return self._joint.blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``, rising with p; those at ``(1 -+ level) / 2`` hold the conformal interval."""
        z = NormalDist().inv_cdf(check_level(p)) / self._normal
        quantile: Floats = np.clip(self.mean + z * self._reach[int(p >= 0.5)], *self.limits)
        return quantile

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``, normal with the joint covariance."""
        samples: Floats = np.clip(self.mean + self._joint.deviations(n, seed), *self.limits)
        return samples

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        return self._joint.functional(weights)

    def reduction(
        self,
        weights: Floats,
        candidates: NDArray[np.int64],
        noise_std: Floats | None = None,
        given: NDArray[np.int64] | None = None,
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return self._joint.reduction(weights, candidates, noise_std, given)
