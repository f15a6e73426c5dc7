"""What a conformal score measures from, and in which unit: ``max(lower - y, y - upper) / unit``.

One rule makes every interval: ``[lower - q unit, upper + q unit]`` with q the quantile of the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.models import Posterior
from scalebridge.quantities import Floats

# Below this share of the spread of the values a deviation is no claim but rounding.
CERTAIN = 1e-6


@dataclass(frozen=True)
class Frame:
    """Reference interval and unit, ``[n, m]`` each, in the outputs' units."""

    lower: Floats
    upper: Floats
    unit: Floats

    def scores(self, y: Floats) -> Floats:
        """How far ``y [n, m]`` lies outside, in units; negative inside."""
        score: Floats = np.maximum(self.lower - y, y - self.upper) / self.unit
        return score

    def take(self, rows: slice | NDArray[np.int64]) -> Frame:
        """Some of the points."""
        return Frame(self.lower[rows], self.upper[rows], self.unit[rows])


def absolute(posterior: Posterior, spread: Floats, level: float) -> Frame:
    """Residuals of the mean in units of the spread ``[m]`` of the values: one width everywhere.

    Source: J. Lei et al., Distribution-free predictive inference for regression (2018), algorithm 2.
    """
    return Frame(posterior.mean, posterior.mean, np.broadcast_to(spread, posterior.mean.shape))


def normalised(posterior: Posterior, spread: Floats, level: float) -> Frame:
    """Residuals in units of the posterior's deviation: wide where the surrogate is unsure.

    A surrogate that claims none gets one width everywhere.

    Source: Lei et al. (2018), section 5.2; H. Papadopoulos, A. Gammerman and V. Vovk (2008).
    """
    return Frame(posterior.mean, posterior.mean, np.maximum(posterior.std, CERTAIN * spread))


def quantile(posterior: Posterior, spread: Floats, level: float) -> Frame:
    """Distance outside the posterior's own interval: conformalised quantile regression.

    Source: Y. Romano, E. Patterson and E. Candes, Conformalized quantile regression (2019).
    """
    lower, upper = posterior.quantile(0.5 * (1 - level)), posterior.quantile(0.5 * (1 + level))
    return Frame(np.minimum(lower, upper), np.maximum(lower, upper), np.broadcast_to(spread, lower.shape))


FRAMES: dict[str, Callable[[Posterior, Floats, float], Frame]] = {
    "absolute": absolute,
    "normalised": normalised,
    "quantile": quantile,
}


def spread_or_one(y: Floats) -> Floats:
    """Standard deviation ``[m]`` of values ``[b, m]``; one where they do not vary."""
    spread = y.std(axis=0)
    return np.where(spread > 0, spread, 1.0)
