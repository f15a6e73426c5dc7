"""Images of discs that overlap, of known fraction and size, seen by a camera of unknown brightness and contrast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def discs(side: int, fraction: float, radius: float, seed: int) -> NDArray[np.float64]:
    """A Boolean model of discs, blurred and noisy, ``[side, side]`` in [0, 1]."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    wide = side + 2 * radius
    count = rng.poisson(-np.log(1 - fraction) * wide**2 / (np.pi * radius**2))
    y, x = np.mgrid[:side, :side]
    bright = np.zeros((side, side), dtype=bool)
    for row, column in rng.uniform(-radius, side + radius, (count, 2)):
        at = tuple(slice(max(0, int(c - radius)), max(0, int(c + radius) + 2)) for c in (row, column))
        bright[at] |= (y[at] - row) ** 2 + (x[at] - column) ** 2 <= radius**2
    low = rng.uniform(0.1, 0.35)
    grey = low + rng.uniform(0.25, 0.5) * gaussian_filter(bright.astype(float), 1.0)
    return np.clip(grey + rng.normal(0, 0.06, grey.shape), 0, 1)


def media(
    count: int, side: int, seed: int, radii: tuple[float, float] = (4.0, 12.0)
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Images, and fraction and radius of each ``[count, 2]``."""
    rng = np.random.default_rng(seed)
    known = np.stack([rng.uniform(0.15, 0.6, count), rng.uniform(*radii, count)], axis=1)
    images = [discs(side, f, r, 1000 * seed + k) for k, (f, r) in enumerate(known)]
    return images, known


def linear_probe(
    x: NDArray[np.float64], y: NDArray[np.float64], x_new: NDArray[np.float64], y_new: NDArray[np.float64]
) -> NDArray[np.float64]:
    """R^2 at new rows of a ridge regression on features, output by output."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    told = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 25))).fit(x, y).predict(x_new)
    return 1 - np.mean((told - y_new) ** 2, axis=0) / y_new.var(axis=0)
