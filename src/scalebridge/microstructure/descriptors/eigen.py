"""Eigenvalues and the eigenvector of the least one of many symmetric 2 x 2 and 3 x 3 matrices at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]


def least_direction(tensor: dict[tuple[int, int], Values]) -> tuple[Values, Values]:
    """Return the eigenvalues, rising, ``[d, ...]`` and the unit eigenvector of the least one ``[d, ...]``.

    Args:
        tensor: components by index pair i <= j, each an array of one shape.
    """
    return _planar(tensor) if (2, 2) not in tensor else _spatial(tensor)


def _planar(t: dict[tuple[int, int], Values]) -> tuple[Values, Values]:
    middle, half = (t[0, 0] + t[1, 1]) / 2, (t[0, 0] - t[1, 1]) / 2
    spread = np.sqrt(half * half + t[0, 1] * t[0, 1])
    # Of the two rows of the matrix less its least eigenvalue, the one that does not cancel.
    steep = half >= 0
    first, second = np.where(steep, -t[0, 1], spread - half), np.where(steep, half + spread, -t[0, 1])
    length = np.sqrt(first * first + second * second)
    told = length > 0
    length = np.where(told, length, 1)
    return np.stack([middle - spread, middle + spread]), np.stack([first / length, np.where(told, second / length, 1)])


def _spatial(t: dict[tuple[int, int], Values]) -> tuple[Values, Values]:
    """By the trigonometric solution (Smith, Commun. ACM 4 (1961) 168), vectors by the cross product of two rows."""
    mean = (t[0, 0] + t[1, 1] + t[2, 2]) / 3
    a, b, c = t[0, 0] - mean, t[1, 1] - mean, t[2, 2] - mean
    d, e, f = t[0, 1], t[0, 2], t[1, 2]
    size = np.sqrt((a * a + b * b + c * c + 2 * (d * d + e * e + f * f)) / 6)
    safe = np.where(size > 0, size, 1)
    det = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)
    angle = np.arccos(np.clip(det / (2 * safe**3), -1, 1)) / 3
    high = mean + 2 * size * np.cos(angle)
    low = mean + 2 * size * np.cos(angle + 2 * np.pi / 3)
    return np.stack([low, 3 * mean - high - low, high]), _null_vector(t, low)


def _null_vector(t: dict[tuple[int, int], Values], value: Values) -> Values:
    rows = (
        (t[0, 0] - value, t[0, 1], t[0, 2]),
        (t[0, 1], t[1, 1] - value, t[1, 2]),
        (t[0, 2], t[1, 2], t[2, 2] - value),
    )
    best = np.zeros((3, *value.shape), dtype=value.dtype)
    length = np.zeros_like(value)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        p, q = rows[i], rows[j]
        across = np.stack([p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]])
        size = (across**2).sum(axis=0)
        longer = size > length
        best = np.where(longer, across, best)
        length = np.where(longer, size, length)
    return np.asarray(np.where(length > 0, best / np.sqrt(np.where(length > 0, length, 1)), 0.0))
