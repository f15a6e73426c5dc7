"""Analytic closures for the tests of macro models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.models import ClosureValue

TRACE = np.array([1.0, 1.0, 0.0])


def answer(values, tangent):
    return ClosureValue(values, tangent, np.ones(len(values), dtype=bool))


@dataclass(frozen=True)
class PowerLaw:
    """Isotropic: ``s = bulk tr(e) 1 + 2 shear (1 + |dev e|²/yield²)^((n-1)/2) dev e`` in plane strain."""

    bulk: float = 4e9
    shear: float = 1.3e9
    onset: float = 5e-3
    exponent: float = 0.3

    def __call__(self, x):
        trace = x @ TRACE
        dev = x - trace[:, None] * TRACE / 3
        # The deviator has a third normal component, -tr/3, that a plane vector does not show.
        size = (x**2).sum(1) - trace**2 / 3
        base = 1 + size / self.onset**2
        power = (self.exponent - 1) / 2
        secant = 2 * self.shear * base**power
        slope = 2 * self.shear * power * base ** (power - 1) / self.onset**2
        values = self.bulk * trace[:, None] * TRACE + secant[:, None] * dev
        projector = np.eye(3) - np.outer(TRACE, TRACE) / 3
        tangent = self.bulk * np.outer(TRACE, TRACE) + secant[:, None, None] * projector
        return answer(values, tangent + 2 * slope[:, None, None] * dev[:, :, None] * dev[:, None, :])


@dataclass(frozen=True)
class Elastic:
    """Isotropic plane strain."""

    young: float = 3e9
    poisson: float = 0.3

    @property
    def matrix(self):
        lame = self.young * self.poisson / (1 + self.poisson) / (1 - 2 * self.poisson)
        return self.young / (1 + self.poisson) * np.eye(3) + lame * np.outer(TRACE, TRACE)

    def __call__(self, x):
        return answer(x @ self.matrix.T, np.broadcast_to(self.matrix, (len(x), 3, 3)))


@dataclass(frozen=True)
class Softening:
    """``s = exp(-e:C:e / 2 e0²) C e`` with C in units of 1 GPa: carries no load beyond a peak."""

    onset: float = 0.01

    def __call__(self, x):
        unit = np.eye(3) + 0.75 * np.outer(TRACE, TRACE)
        stress = x @ unit
        decay = np.exp(-(x * stress).sum(1) / 2 / self.onset**2)
        tangent = decay[:, None, None] * (unit - stress[:, :, None] * stress[:, None, :] / self.onset**2)
        return answer(1e9 * decay[:, None] * stress, 1e9 * tangent)


@dataclass(frozen=True)
class Bent:
    """Another closure plus ``size * sin(direction x / scale)``, neither symmetric nor even, tangent included."""

    inner: object
    size: float
    scale: float

    def change(self, x, m):
        directions = np.cos(np.arange(1.0, 1 + m * x.shape[1])).reshape(m, x.shape[1])
        phase = x @ directions.T / self.scale + np.arange(m)
        return np.sin(phase), np.cos(phase)[:, :, None] * directions / self.scale

    def __call__(self, x):
        base = self.inner(x)
        values, tangent = self.change(x, base.values.shape[1])
        return answer(base.values + self.size * values, base.tangent + self.size * tangent)


@dataclass(frozen=True)
class LinearConductivity:
    """``k = a + b T``."""

    a: float = 1.0
    b: float = 1 / 300

    def __call__(self, x):
        return answer(self.a + self.b * x, np.full((len(x), 1, 1), self.b))


@dataclass(frozen=True)
class PowerFlux:
    """``h = k (1 + |g|²/g0²)^((n-1)/2) g``: derives from a convex potential."""

    conductivity: float = 2.0
    onset: float = 100.0
    exponent: float = 0.5

    def __call__(self, x):
        base = 1 + (x**2).sum(1) / self.onset**2
        power = (self.exponent - 1) / 2
        secant = self.conductivity * base**power
        slope = 2 * self.conductivity * power * base ** (power - 1) / self.onset**2
        tangent = secant[:, None, None] * np.eye(x.shape[1])
        return answer(secant[:, None] * x, tangent + slope[:, None, None] * x[:, :, None] * x[:, None, :])


def adjoint_ratio(model, law, qoi, size, scale):
    """Change of a quantity of interest under a bent closure, by difference and by the adjoint."""
    solution = model.solve(law)
    assert solution.converged, solution.reason
    plus = model.solve(Bent(law, size, scale), solution.restart).qois[qoi]
    minus = model.solve(Bent(law, -size, scale), solution.restart).qois[qoi]
    weights = solution.sensitivity(qoi)
    values, _ = Bent(law, size, scale).change(solution.states, weights.shape[1])
    return (plus - minus) / 2, size * float((weights * values).sum())
