"""Pooling of verification rounds into one interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

# A round that the surrogate thought ten times worse than another still has a tenth of its weight.
RATIO_CAP = 10.0


@dataclass(frozen=True)
class Round:
    """One verification round of one quantity, frozen when it was drawn.

    Args:
        value: q of the surrogate that was verified.
        correction: the estimate of ``sum w (f - f_surrogate)``; residuals against that surrogate, for good.
        n_drawn: random draws, states taken whole not counted.
        predicted: variance of the correction known before the draw.
        observed: variance of the correction estimated from the draws.
        bound: half-width that rows without an answer add.
        surprise: mean of ``(w r)^2 / s^2`` over the rows drawn, one where the surrogate judges itself well.
    """

    value: float
    correction: float
    n_drawn: int
    predicted: float
    observed: float
    bound: float = 0.0
    surprise: float = 0.0

    @property
    def estimate(self) -> float:
        """To first order unbiased estimate of q."""
        return self.value + self.correction

    def variance(self, excess: float = 1.0) -> float:
        """The larger of what was expected, times ``excess``, and what was seen."""
        return max(self.predicted * excess, self.observed)


@dataclass(frozen=True)
class Pooled:
    """Rounds pooled.

    Args:
        value: the pooled estimate.
        half_width: of the closure's part alone.
        unanswered: what of it rows without an answer may hide.
        weights: of the rounds.
        degrees: Satterthwaite's degrees of freedom.
        level: two-sided probability of error spent at this look.
    """

    value: float
    half_width: float
    unanswered: float
    weights: Floats
    degrees: float
    level: float


def pool(rounds: Sequence[Round], alpha: float) -> Pooled:
    """Pool all rounds; the k-th look spends ``alpha / 2^k``, so that all looks together spend ``alpha``.

    Weights go by the variance known before the draw, never by the one observed, which is small exactly
    when the bad states were missed.
    """
    excess = surprise(rounds)
    return pooled_interval(
        np.array([r.estimate for r in rounds]),
        np.array([r.predicted for r in rounds]),
        np.array([r.variance(excess) for r in rounds]),
        np.array([r.n_drawn for r in rounds]),
        np.array([r.bound for r in rounds]),
        alpha,
    )


def surprise(rounds: Sequence[Round]) -> float:
    """By what factor the surrogate has underrated its squared errors where it was looked at; at least one.

    Where errors sit in few states (a kink), most draws miss them and the spread seen is too small; the draws
    that hit one tell, and what they tell holds for every round.
    """
    return max(1.0, float(np.mean([r.surprise for r in rounds]))) if rounds else 1.0


def pooled_interval(
    estimates: Floats, predicted: Floats, variances: Floats, draws: Floats, bounds: Floats, alpha: float
) -> Pooled:
    """See `pool`; all arrays ``[k]``."""
    from scipy.stats import t

    known = np.maximum(predicted, predicted.max() * 1e-300)
    best = known[known > 0].min() if (known > 0).any() else 1.0
    weights = 1.0 / np.clip(known, best, RATIO_CAP * best)
    weights /= weights.sum()
    parts = weights**2 * variances
    total = float(parts.sum())
    freedom = parts**2 / np.maximum(draws - 1, 1)
    degrees = total**2 / float(freedom.sum()) if freedom.sum() > 0 else float("inf")
    level = alpha / 2.0 ** len(estimates)
    quantile = float(t.ppf(1 - level / 2, degrees)) if np.isfinite(degrees) else 0.0
    half = quantile * math.sqrt(total) if total > 0 else 0.0
    hidden = float(weights @ bounds)
    return Pooled(float(weights @ estimates), half + hidden, hidden, weights, degrees, level)


def unseen_mass(draws: int, confidence: float) -> float:
    """Share of the draw probability that a fault may hide in unseen, at this confidence."""
    return 1.0 - (1.0 - confidence) ** (1.0 / draws) if draws else 1.0
