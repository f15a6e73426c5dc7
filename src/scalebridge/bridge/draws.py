"""Random draws of states for verification, and the unbiased estimate they give.

Unequal probability sampling of a finite population: Hansen and Hurwitz (1943) with replacement,
systematic sampling in a meaningful order (Madow 1949) with the with-replacement variance, and a
stratum that is taken whole (Horvitz and Thompson 1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats

# Share of the draw probability that follows the surrogate's deviation; the rest follows the plain
# weight, so that a state the surrogate is wrongly sure of is still seen.
DEVIATION_SHARE = 0.7


@dataclass(frozen=True)
class Draws:
    """States drawn for one round.

    Args:
        rows: ``[m]`` indices of states, repeats included.
        factor: ``[m]``, what a row's ``w * r`` is multiplied by: 1 for a state taken whole,
            ``1 / (m' p)`` for one of ``m'`` drawn.
        drawn: ``[m]``, False for the states taken whole.
        probability: ``[n]`` per draw, zero for the states taken whole.
    """

    rows: NDArray[np.int64]
    factor: Floats
    drawn: NDArray[np.bool_]
    probability: Floats

    @property
    def n_drawn(self) -> int:
        """Number of random draws, ``m'``."""
        return int(self.drawn.sum())

    def estimate(self, weighted: Floats) -> float:
        """Unbiased estimate of ``sum_i w_i r_i`` from ``weighted [m]``, the products at the rows drawn."""
        return float((self.factor * weighted).sum())

    def observed_variance(self, weighted: Floats) -> float:
        """Estimated variance of `estimate`, by the with-replacement formula."""
        m = self.n_drawn
        if m == 0:
            return 0.0
        if m == 1:
            return float("inf")
        y = m * self.factor[self.drawn] * weighted[self.drawn]
        return float(y.var(ddof=1)) / m

    def predicted_variance(self, second_moment: Floats) -> float:
        """Variance of `estimate` before the draw where ``E (w_i r_i)^2 = second_moment [n]``."""
        m = self.n_drawn
        kept = self.probability > 0
        if m == 0 or not kept.any():
            return 0.0
        return float((second_moment[kept] / self.probability[kept]).sum()) / m


def probabilities(deviation: Floats, magnitude: Floats) -> Floats:
    """Draw probabilities ``[n]`` from ``s_i = std(w_i f(x_i))`` and ``a_i = sum_j |w_ij| scale_j``, both ``[n]``.

    Positive wherever the magnitude is.
    """
    total_s, total_a = float(deviation.sum()), float(magnitude.sum())
    if total_a <= 0:
        return np.zeros_like(magnitude)
    plain = magnitude / total_a
    if total_s <= 0:
        return plain
    return DEVIATION_SHARE * deviation / total_s + (1 - DEVIATION_SHARE) * plain


def draw(p: Floats, order: Floats, m: int, rng: np.random.Generator, systematic: bool = True) -> Draws:
    """Draw ``m`` states by the probabilities ``p [n]``.

    States with ``m p_i >= 1`` are taken whole; the rest by systematic sampling in the order of
    ``order [n]``, or with replacement where ``systematic`` is False.
    """
    whole, rest, left = _taken_whole(p, m)
    rows = [*np.flatnonzero(whole)]
    factor = [1.0] * len(rows)
    probability = np.where(whole, 0.0, p)
    if rest > 0 and left > 0:
        probability /= probability.sum()
        ranked = np.argsort(order, kind="stable") if systematic else np.arange(len(p))
        edges = np.cumsum(probability[ranked])
        at = (rng.random() + np.arange(left)) / left if systematic else rng.random(left)
        places = np.minimum(np.searchsorted(edges / edges[-1], at, side="right"), len(p) - 1)
        chosen = ranked[places]
        rows += [*chosen]
        factor += [*(1.0 / (left * probability[chosen]))]
    drawn = np.arange(len(rows)) >= int(whole.sum())
    return Draws(np.array(rows, dtype=np.int64), np.array(factor), drawn, probability)


def _taken_whole(p: Floats, m: int) -> tuple[NDArray[np.bool_], int, int]:
    """Which states are taken whole, how many remain, and how many draws are left for them."""
    whole = np.zeros(len(p), dtype=bool)
    alive = p > 0
    while True:
        left = m - int(whole.sum())
        rest = alive & ~whole
        total = float(p[rest].sum())
        if left <= 0 or total <= 0:
            return whole, int(rest.sum()), max(left, 0)
        more = rest & (left * p >= total * (1 - 1e-12))
        if not more.any():
            # One single draw has no spread to judge it by.
            return whole, int(rest.sum()), max(left, 2)
        whole |= more
