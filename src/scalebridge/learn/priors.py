"""Parametric prior means, refitted with every run.

Far from the runs a Gaussian process returns to its prior mean: a law that is linear at zero, hardens
as a power and has a bounded, positive definite tangent keeps Newton's method alive there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats


class Prior(Protocol):
    """A prior mean with its derivative."""

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """Values ``[n, m]`` and derivative ``[n, m, d]`` at ``x [n, d]``."""


@dataclass(frozen=True)
class LinearPrior:
    """``y = offset + slope x``."""

    offset: Floats
    slope: Floats

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """See `Prior`."""
        return self.offset + x @ self.slope.T, np.broadcast_to(self.slope, (len(x), *self.slope.shape))

    def symmetric(self, x: Floats, y: Floats) -> LinearPrior:
        """The gradient of a quadratic potential nearest to it, through the centre of the runs."""
        slope = 0.5 * (self.slope + self.slope.T)
        return LinearPrior(y.mean(0) - slope @ x.mean(0), slope)


@dataclass(frozen=True)
class PowerLawPrior:
    """Gradient of ``1/2 x'Bx + ((1 + t x'Ax)^p - 1) / (2 p t)``: linear at zero, hardening as a power.

    ``f = B x + (1 + t x'Ax)^(p-1) A x`` with A, B positive definite and 0.5 < p <= 1, so that the
    potential is convex and every tangent positive definite.
    """

    linear: Floats
    power: Floats
    t: float
    p: float

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """See `Prior`; the derivative is symmetric positive definite."""
        ax = x @ self.power
        base = 1 + self.t * (x * ax).sum(1)
        factor = base ** (self.p - 1)
        bend = 2 * self.t * (self.p - 1) * factor / base
        slope = self.linear + factor[:, None, None] * self.power + bend[:, None, None] * ax[:, :, None] * ax[:, None, :]
        return x @ self.linear + factor[:, None] * ax, slope


def fit_linear(x: Floats, y: Floats, through_zero: bool) -> LinearPrior:
    """Ridge regression of ``y [b, m]`` on ``x [b, d]``, through the origin for an odd response."""
    centre, level = (np.zeros(x.shape[1]), np.zeros(y.shape[1])) if through_zero else (x.mean(0), y.mean(0))
    a, r = x - centre, y - level
    ridge = 1e-6 * max(float((a * a).sum()), 1e-300) / a.shape[1]
    slope = np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ r).T
    return LinearPrior(level - slope @ centre, slope)


def fit_power_law(x: Floats, y: Floats, start: PowerLawPrior | None = None) -> PowerLawPrior:
    """Least squares for a `PowerLawPrior` on ``x [b, d]``, ``y [b, d]`` of order one.

    The parameters are held to their starting values by a weak ridge, so that a few runs suffice.
    """
    from scipy.optimize import least_squares

    d = x.shape[1]
    rows, cols = np.tril_indices(d)
    size = len(rows)
    first = _encode(_start_law(x, y) if start is None else start, rows, cols)
    spread = np.concatenate([np.full(2 * size, 1.0), [2.0, 0.7]])

    def law(theta: Floats) -> PowerLawPrior:
        return _decode(theta, d, rows, cols)

    def residual(theta: Floats) -> Floats:
        misfit = (law(theta)(x)[0] - y) / (0.01 + 0.03 * np.linalg.norm(y, axis=1, keepdims=True))
        return np.concatenate([misfit.ravel(), (theta - first) / spread])

    theta = least_squares(residual, first, method="lm", ftol=1e-3, xtol=1e-4, max_nfev=400).x
    return law(theta)


def nearest_definite(slope: Floats) -> Floats:
    """The symmetric part of ``slope [d, d]`` with eigenvalues of at least 5 % of the largest."""
    values, vectors = np.linalg.eigh(0.5 * (slope + slope.T))
    floor = 0.05 * max(float(np.abs(values).max()), 1e-12)
    law: Floats = (vectors * np.maximum(values, floor)) @ vectors.T
    return law


def _start_law(x: Floats, y: Floats) -> PowerLawPrior:
    """The symmetric positive definite linear law nearest to the data, split between both terms."""
    law = nearest_definite(fit_linear(x, y, through_zero=True).slope)
    return PowerLawPrior(0.3 * law, 0.9 * law, 1.0, 0.8)


def _encode(law: PowerLawPrior, rows: NDArray[Any], cols: NDArray[Any]) -> Floats:
    parts = [_log_cholesky(np.linalg.cholesky(m))[rows, cols] for m in (law.linear, law.power)]
    z = np.clip((law.p - 0.5) / 0.5, 1e-3, 1 - 1e-3)
    return np.concatenate([*parts, [np.log(law.t), np.log(z / (1 - z))]])


def _decode(theta: Floats, d: int, rows: NDArray[Any], cols: NDArray[Any]) -> PowerLawPrior:
    size = len(rows)
    matrices = []
    for part in (theta[:size], theta[size : 2 * size]):
        factor = np.zeros((d, d))
        factor[rows, cols] = part
        factor[np.diag_indices(d)] = np.exp(np.clip(np.diag(factor), -12, 12))
        matrices.append(factor @ factor.T)
    t, logit = np.clip(theta[-2], -12, 12), np.clip(theta[-1], -12, 12)
    return PowerLawPrior(matrices[0], matrices[1], float(np.exp(t)), float(0.5 + 0.5 / (1 + np.exp(-logit))))


def _log_cholesky(factor: NDArray[Any]) -> Floats:
    out = factor.copy()
    out[np.diag_indices(len(out))] = np.log(np.diag(factor))
    return out
