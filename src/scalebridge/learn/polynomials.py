"""Products of orthonormal polynomials, with exact derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.scaling import Scaling
from scalebridge.quantities import Floats, Space

Powers = NDArray[np.int64]


@dataclass(frozen=True)
class Basis:
    """Legendre polynomials between bounds, Hermite polynomials of a scaled normal input without them.

    Args:
        uniform: ``[d]``, which inputs are uniform on ``centre - width`` to ``centre + width``.
        centre, width: ``[d]``.
    """

    uniform: NDArray[np.bool_]
    centre: Floats
    width: Floats

    @staticmethod
    def of(space: Space, x: Floats) -> Basis:
        """The basis of a space's declared bounds; where a bound is missing, of the data's mean and deviation."""
        uniform, data = np.isfinite(space.lower) & np.isfinite(space.upper), Scaling.of(x)
        low, high = np.where(uniform, space.lower, 0.0), np.where(uniform, space.upper, 0.0)
        centre = np.where(uniform, 0.5 * (low + high), data.centre)
        return Basis(uniform, centre, np.where(uniform, 0.5 * (high - low), data.width))

    def univariate(self, x: Floats, degree: int) -> tuple[Floats, Floats]:
        """Values and derivatives ``[n, d, degree + 1]`` of the orthonormal polynomials of each input."""
        t = (x - self.centre) / self.width
        value, slope = np.ones((*t.shape, degree + 1)), np.zeros((*t.shape, degree + 1))
        for k in range(degree):
            before = value[..., k - 1] if k else 0.0
            legendre = ((2 * k + 1) * t * value[..., k] - k * before) / (k + 1)
            value[..., k + 1] = np.where(self.uniform, legendre, t * value[..., k] - k * before)
            rise = (2 * k + 1) * value[..., k] + (slope[..., k - 1] if k else 0.0)
            slope[..., k + 1] = np.where(self.uniform, rise, (k + 1) * value[..., k])
        order = np.arange(degree + 1)
        hermite = np.array([1 / math.sqrt(math.factorial(k)) for k in order])
        norm = np.where(self.uniform[:, None], np.sqrt(2 * order + 1), hermite)
        return value * norm, slope * norm / self.width[:, None]

    def values(self, x: Floats, powers: Powers) -> Floats:
        """The products ``[n, P]`` with the degrees ``powers [P, d]``."""
        value, _ = self.univariate(x, int(powers.max(initial=0)))
        product = np.ones((len(x), len(powers)))
        for j in range(powers.shape[1]):
            product *= value[:, j, powers[:, j]]
        return product

    def derivative(self, x: Floats, powers: Powers, coefficients: Floats) -> Floats:
        """Derivative ``[n, d]`` of the products' sum with ``coefficients [P]``."""
        value, slope = self.univariate(x, int(powers.max(initial=0)))
        answer = np.zeros(x.shape)
        for i in range(powers.shape[1]):
            product = np.broadcast_to(coefficients, (len(x), len(powers))).copy()
            for j in range(powers.shape[1]):
                product *= (slope if i == j else value)[:, j, powers[:, j]]
            answer[:, i] = product.sum(axis=1)
        return answer


def hyperbolic(d: int, degree: int, norm: float, most: int) -> Powers | None:
    """Degrees ``[P, d]`` with ``(sum p_i^norm)^(1/norm) <= degree``, by total degree; None if more than ``most``."""
    limit = degree**norm * (1 + 1e-12)
    rows: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
    for _ in range(d):
        rows = [((*row, p), used + p**norm) for row, used in rows for p in range(degree + 1) if used + p**norm <= limit]
        if len(rows) > most:
            return None
    powers = np.array([row for row, _ in rows], dtype=np.int64)
    return powers[np.lexsort((*powers.T, powers.sum(axis=1)))]
