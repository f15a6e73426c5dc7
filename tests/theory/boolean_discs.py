"""The Boolean model of discs: random discs that overlap, of which everything is known in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]


def covered(size: int, radius: float, density: float, seed: int) -> NDArray[np.bool_]:
    """Pixels ``[size, size]`` whose centre some disc covers; germs reach beyond the edge."""
    rng = np.random.default_rng(seed)
    side = size + 2 * radius
    germs = rng.uniform(-radius, size + radius, (rng.poisson(density * side**2), 2))
    rows, columns = np.mgrid[:size, :size]
    distance, _ = cKDTree(germs).query(np.stack([rows, columns], -1).reshape(-1, 2), distance_upper_bound=radius + 1)
    return np.asarray((distance < radius).reshape(size, size))


def void_fraction(radius: float, density: float) -> float:
    return float(np.exp(-density * np.pi * radius**2))


def void_two_point(r: Floats, radius: float, density: float) -> Floats:
    """Probability that two points r apart lie in no disc: no germ in the union of two discs."""
    half = np.clip(r / 2 / radius, 0, 1)
    overlap = 2 * radius**2 * (np.arccos(half) - half * np.sqrt(1 - half**2))
    return np.asarray(np.exp(-density * (2 * np.pi * radius**2 - overlap)))


def void_lineal_path(r: Floats, radius: float, density: float) -> Floats:
    return np.asarray(np.exp(-density * (np.pi * radius**2 + 2 * radius * r)))


def perimeter_per_area(radius: float, density: float) -> float:
    return 2 * np.pi * radius * density * void_fraction(radius, density)
