"""How far off a surrogate's own spread is, learned from errors at rows that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats

# Never all of it: where the members happen to agree they may still be wrong together.
SHARES = np.append(np.linspace(0.0, 0.9, 10), [0.95, 0.98, 0.99])


@dataclass(frozen=True)
class Spread:
    """Variance ``(follows s)^2 + rest^2`` of the error where the members deviate by s.

    Args:
        follows: ``[m]``, factor on the members' deviation.
        rest: ``[m]``, the part that is the same everywhere.
    """

    follows: Floats
    rest: Floats

    def std(self, deviation: Floats) -> Floats:
        """Standard deviation ``[n, m]`` of the error from the members' deviation ``[n, m]``."""
        return np.sqrt((self.follows * deviation) ** 2 + self.rest**2)


def fit_spread(errors: Floats, deviations: Floats, noise_std: Floats, unit: Floats) -> Spread:
    """Choose, output by output, the share of the variance that follows the members, by likelihood.

    Args:
        errors: of predictions at rows that had no part in them ``[b, m]``.
        deviations: the members' deviation there ``[b, m]``.
        noise_std: declared noise of the values ``[b, m]``; its variance is no error of the surrogate.
        unit: ``[m]``, the deviation to assume where fewer than three rows were left out.
    """
    pairs = [_fit_one(*column) for column in zip(errors.T, deviations.T, noise_std.T, unit, strict=True)]
    return Spread(np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))


def _fit_one(error: Floats, deviation: Floats, noise: Floats, unit: float) -> tuple[float, float]:
    b = len(error)
    if b < 3:
        return 1.0, float(unit)
    # Noise explains an error at most to nine tenths: a declared noise may be too large.
    square = np.maximum(error**2 - noise**2, 0.1 * error**2)
    if not square.any():
        return 1.0, 0.0
    mean = float(np.mean(deviation**2))
    best = (-np.inf, 0.0, 0.0)
    for share in SHARES if mean > 0 else SHARES[:1]:
        shape = share * deviation**2 / (mean or 1.0) + 1 - share
        # b / (b - 2): the variance of a standardised error whose scale is itself estimated from b of them.
        variance = float(np.mean(square / shape)) * b / (b - 2)
        likelihood = -0.5 * float(np.sum(np.log(variance * shape) + square / (variance * shape)))
        if likelihood > best[0]:
            best = (likelihood, share * variance / (mean or 1.0), (1 - share) * variance)
    return float(np.sqrt(best[1])), float(np.sqrt(best[2]))


def unknown(b: int) -> float:
    """How many of their own deviations another value may lie off the mean of ``b`` values (as one of a normal law).

    Student's t at 95 % over the normal's, times ``sqrt((b + 1) / (b - 1))``; one value is treated as two.
    """
    from scipy.stats import norm, t

    b = max(b, 2)
    return float(np.sqrt((b + 1) / (b - 1)) * t.ppf(0.975, b - 1) / norm.ppf(0.975))


def same_rows(x: Floats) -> NDArray[np.int64]:
    """A label per row of ``x [b, d]``, the same for equal rows: they must not be parted between folds."""
    labels: NDArray[np.int64] = np.unique(x, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return labels


def nearest(x: Floats, runs: Floats) -> NDArray[np.int64]:
    """Index of the nearest run for every point ``[n]``, in scaled coordinates."""
    from scipy.spatial import cKDTree

    found: NDArray[np.int64] = np.asarray(cKDTree(runs).query(x)[1], dtype=np.int64)
    return found
