"""The distribution of a further value, from draws of location and scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.life.asked import central, probability
from scalebridge.learn.life.laws import Law
from scalebridge.quantities import Floats

HALVINGS = 60


@dataclass(frozen=True)
class LifePosterior:
    """A further value at ``m`` points: a mixture over draws of the parameters.

    Args:
        location: ``[s, m]``.
        scale: ``[s, m]``.
        law: of the error.
    """

    location: Floats
    scale: Floats
    law: Law

    @property
    def mean(self) -> Floats:
        """Mean ``[m]``."""
        return np.asarray((self.location + self.law.mean * self.scale).mean(axis=0))

    @property
    def std(self) -> Floats:
        """Standard deviation ``[m]``, of scatter and parameters together."""
        within = (self.law.std * self.scale) ** 2
        between = (self.location + self.law.mean * self.scale).var(axis=0)
        return np.asarray(np.sqrt(within.mean(axis=0) + between))

    def below(self, y: Floats) -> Floats:
        """Probability ``[m]`` of a value of at most ``y [m]``."""
        return np.asarray(np.exp(self.law.log_below((y - self.location) / self.scale)).mean(axis=0))

    def above(self, y: Floats) -> Floats:
        """Probability ``[m]`` of a value above ``y [m]``: survival."""
        return np.asarray(np.exp(self.law.log_above((y - self.location) / self.scale)).mean(axis=0))

    def quantile(self, p: float) -> Floats:
        """Quantile ``[m]`` of a further value at the probability ``p`` in (0, 1), by bisection."""
        p = probability(p)
        each = self.location + self.law.quantile(np.array(p)) * self.scale
        low, high = each.min(axis=0), each.max(axis=0)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            under = self.below(middle) < p
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return np.asarray(0.5 * (low + high))

    def population_quantile(self, p: float, level: float = 0.95) -> tuple[Floats, Floats]:
        """Interval ``([m], [m])`` of the population's own quantile: the design curve and how well it is known."""
        each = self.location + self.law.quantile(np.array(probability(p))) * self.scale
        low, high = np.quantile(each, central(level), axis=0)
        return low, high

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Further values ``[n, m]``; one draw of the parameters for all points of a row."""
        rng = np.random.default_rng(seed)
        rows = rng.integers(len(self.location), size=n)
        share = rng.random((n, self.location.shape[1]))
        return self.location[rows] + self.law.quantile(share) * self.scale[rows]
