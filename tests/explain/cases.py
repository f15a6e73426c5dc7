"""Models with known explanations, which the tests of the room share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import scalebridge as sb
from scalebridge.models import Runs


class Known:
    """A model of ``d`` inputs whose answer is a plain function of them."""

    name = "known"
    version = "1"

    def __init__(
        self, function: Callable[[np.ndarray], np.ndarray], d: int, low: float = 0.0, high: float = 1.0
    ) -> None:
        self.function = function
        self.inputs = sb.Space({f"x{i + 1}": ("1", low, high) for i in range(d)})
        self.outputs = sb.Space({"y": "MPa"})

    def run(self, x: np.ndarray) -> Runs:
        return Runs(self.function(x)[:, None])


def correlated(n: int, rho: float, d: int = 2, seed: int = 0) -> np.ndarray:
    """Normal rows ``[n, d]``, the first two of which go together."""
    covariance = np.eye(d)
    covariance[0, 1] = covariance[1, 0] = rho
    return np.random.default_rng(seed).multivariate_normal(np.zeros(d), covariance, n)
