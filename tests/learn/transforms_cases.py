"""What the tests of all transforms share: the joint law of a posterior where constant data mean nothing to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalebridge.testing import surrogates as suite
from scalebridge.testing.surrogate_data import check_archive


def check_law(fitted: Any, points: np.ndarray, spread: float) -> None:
    """The part of `check_surrogate` that looks at one fitted surrogate: for laws that no constant output obeys."""
    floor = 1e-4 * spread**2
    suite._check_mean(fitted, points)
    suite._check_model_side(fitted, points)
    covariance = suite._check_covariance(fitted, points, floor)
    suite._check_samples(fitted, points, covariance)
    suite._check_functional(fitted, points, covariance, floor)
    suite._check_reduction(fitted, points, covariance, floor)
    check_archive(fitted, points)


def rms(surrogate: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Root mean square error over all outputs."""
    return float(np.sqrt(np.mean((surrogate.predict(x)[0] - y) ** 2)))


def held(surrogate: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Share of values inside the central interval of nine tenths."""
    posterior = surrogate.posterior(x)
    return float(np.mean((y >= posterior.quantile(0.05)) & (y <= posterior.quantile(0.95))))
