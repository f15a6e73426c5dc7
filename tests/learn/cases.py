"""Spaces and a smooth function that the tests of all methods share."""

from __future__ import annotations

import numpy as np

import scalebridge as sb

INPUTS = sb.Space({"a": "1", "b": "K", "c": "1"})
OUTPUTS = sb.Space({"y": "1", "z": "Pa"})
BOUNDED = sb.Space({"y": ("1", 0, None), "z": ("Pa", 0, 1)})


def curve(x: np.ndarray) -> np.ndarray:
    """Two smooth outputs ``[n, 2]`` of three inputs between -1 and 1."""
    return np.stack([np.sin(3 * x[:, 0]) + x[:, 1] ** 2, 1e5 * x[:, 2] * x[:, 0]], axis=1)


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """``n`` rows of inputs and the outputs there."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 3))
    return x, curve(x)


def relative_error(surrogate: object, n: int = 400) -> np.ndarray:
    """Root mean square error of each output at new rows, relative to its spread."""
    x, y = drawn(n, seed=99)
    return np.sqrt(np.mean((surrogate.predict(x)[0] - y) ** 2, axis=0)) / y.std(axis=0)


def held(surrogate: object, level: float = 0.9, n: int = 400) -> np.ndarray:
    """Share of new rows inside the central interval, for each output."""
    x, y = drawn(n, seed=99)
    posterior = surrogate.posterior(x)
    return np.mean((y >= posterior.quantile(0.5 - level / 2)) & (y <= posterior.quantile(0.5 + level / 2)), axis=0)
