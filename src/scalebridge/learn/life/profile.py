"""Profile-likelihood intervals."""

from __future__ import annotations

import numpy as np

from scalebridge.learn.life.asked import central
from scalebridge.learn.life.likelihood import Likelihood
from scalebridge.quantities import Floats

REACH, HALVINGS, CLIMBS = 64.0, 22, 30


def profile_interval(
    likelihood: Likelihood, mode: Floats, std: Floats, place: int, level: float
) -> tuple[float, float]:
    """Where twice the loss of likelihood, the other parameters at their best, stays below chi-squared of one.

    Source: D. J. Venzon, S. H. Moolgavkar, A method for computing profile-likelihood-based confidence intervals,
    J. R. Stat. Soc. C 37 (1988) 87-94.
    """
    from scipy.stats import chi2

    central(level)
    floor = likelihood(mode) - 0.5 * float(chi2.ppf(level, 1))
    return _end(likelihood, mode, std, place, floor, -1), _end(likelihood, mode, std, place, floor, +1)


def _end(likelihood: Likelihood, mode: Floats, std: Floats, place: int, floor: float, side: int) -> float:
    inside, reach, at = 0.0, 1.0, mode
    while True:
        value, near = _held(likelihood, at, place, float(mode[place] + side * reach * std[place]))
        if value < floor:
            break
        inside, at, reach = reach, near, 2 * reach
        if reach > REACH:
            return side * np.inf
    low, high = inside, reach
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        value, near = _held(likelihood, at, place, float(mode[place] + side * middle * std[place]))
        low, high, at = (middle, high, near) if value >= floor else (low, middle, at)
    return float(mode[place] + side * 0.5 * (low + high) * std[place])


def _held(likelihood: Likelihood, start: Floats, place: int, value: float) -> tuple[float, Floats]:
    """The greatest likelihood with one parameter held, and where it is."""
    at = start.copy()
    at[place] = value
    others = np.flatnonzero(np.arange(len(at)) != place)
    best, gradient, hessian = likelihood.derivatives(at)
    damping = 1e-3
    for _ in range(CLIMBS):
        values, vectors = np.linalg.eigh(-hessian[np.ix_(others, others)])
        lifted = np.maximum(np.abs(values), 1e-10 * np.abs(values).max())
        step = vectors @ (vectors.T @ gradient[others] / (lifted * (1 + damping)))
        new = at.copy()
        new[others] += step
        told = likelihood.derivatives(new)
        if np.isfinite(told[0]) and told[0] >= best:
            gain, damping, at = told[0] - best, damping / 10, new
            best, gradient, hessian = told
            if gain < 1e-10:
                break
        else:
            damping = max(10 * damping, 1.0)
    return best, at
