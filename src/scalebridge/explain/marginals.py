"""Laws of one input: from a normal score to its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scalebridge.quantities import Floats


class Marginal(Protocol):
    """A law of one number."""

    def value(self, score: Floats) -> Floats:
        """The quantile that a normal score stands for."""

    def score(self, value: Floats) -> Floats:
        """The normal score of a value."""


@dataclass(frozen=True)
class Normal:
    """The normal law."""

    mean: float = 0.0
    std: float = 1.0

    def value(self, score: Floats) -> Floats:
        """See `Marginal`."""
        return self.mean + self.std * score

    def score(self, value: Floats) -> Floats:
        """See `Marginal`."""
        return (value - self.mean) / self.std


@dataclass(frozen=True)
class Uniform:
    """Evenly spread between two bounds."""

    lower: float = 0.0
    upper: float = 1.0

    def value(self, score: Floats) -> Floats:
        """See `Marginal`."""
        from scipy.special import ndtr

        value: Floats = self.lower + (self.upper - self.lower) * ndtr(score)
        return value

    def score(self, value: Floats) -> Floats:
        """See `Marginal`."""
        from scipy.special import ndtri

        share = (value - self.lower) / (self.upper - self.lower)
        score: Floats = ndtri(np.clip(share, 1e-12, 1 - 1e-12))
        return score


@dataclass(frozen=True, eq=False)
class Empirical:
    """The values seen ``[n]``, sorted: no other is ever drawn, so that categories and steps stay what they are."""

    seen: Floats

    @staticmethod
    def of(values: Floats) -> Empirical:
        """The law of a column ``[n]``."""
        return Empirical(np.sort(np.asarray(values, dtype=np.float64)))

    def value(self, score: Floats) -> Floats:
        """See `Marginal`."""
        from scipy.special import ndtr

        # A share that falls on a step by rounding stays on this side of it.
        rank = np.ceil(ndtr(score) * len(self.seen) - 1e-9).astype(np.int64) - 1
        value: Floats = self.seen[np.clip(rank, 0, len(self.seen) - 1)]
        return value

    def score(self, value: Floats) -> Floats:
        """See `Marginal`; the middle of the ranks of equal values."""
        from scipy.special import ndtri

        low = np.searchsorted(self.seen, value, side="left")
        high = np.searchsorted(self.seen, value, side="right")
        score: Floats = ndtri(np.clip(0.5 * (low + high), 0.5, len(self.seen) - 0.5) / len(self.seen))
        return score
