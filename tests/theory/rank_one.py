"""Semi-analytic references for laminates of two phases, in NumPy and SciPy alone: nothing of the package is used.

In a laminate of two homogeneous layers every field is constant in each layer: with the normal n, the volume fraction
f of the first layer, and a macroscopic strain E (deformation gradient F), compatibility leaves one unknown vector a::

    strain 1 = E + (1 - f) sym(a n)     strain 2 = E - f sym(a n)        (F: the same without sym)

and equilibrium asks that the traction be the same in both, ``(stress 1 - stress 2) n = 0``. Everything is written
with full 3 x 3 tensors, strains and stresses per material point, so that a mistake in Mandel components or in a
closed form of the package cannot be repeated here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.optimize import brentq, root

Floats = NDArray[np.float64]
ONE = np.eye(3)
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class Law(Protocol):
    """A material point: ``update(measure [3, 3], state, dt) -> (stress [3, 3], state)``."""

    def start(self) -> Any:
        """State of the virgin material."""

    def update(self, measure: Floats, state: Any, dt: float) -> tuple[Floats, Any]:
        """Stress and state at the end of a step."""


def deviator(a: Floats) -> Floats:
    return a - np.trace(a) / 3 * ONE


@dataclass(frozen=True)
class Hooke:
    """Isotropic elasticity."""

    E: float
    nu: float

    def start(self) -> None:
        return None

    def update(self, measure: Floats, state: None, dt: float) -> tuple[Floats, None]:
        lam = self.E * self.nu / (1 + self.nu) / (1 - 2 * self.nu)
        return lam * np.trace(measure) * ONE + self.E / (1 + self.nu) * measure, None


@dataclass(frozen=True)
class VonMises:
    """J2 plasticity, backward Euler, in terms of the von Mises stress and the plastic strain increment dp.

    The flow stress is ``y + h p + s (1 - exp(-r p))``; the back stress follows Prager with modulus k. The increment
    is found by bracketing, whatever the hardening.
    """

    E: float
    nu: float
    y: float
    h: float = 0.0
    s: float = 0.0
    r: float = 0.0
    k: float = 0.0

    def start(self) -> tuple[Floats, float]:
        return np.zeros((3, 3)), 0.0

    def update(self, measure: Floats, state: Any, dt: float) -> tuple[Floats, Any]:
        plastic, p = state
        shear = self.E / 2 / (1 + self.nu)
        trial = deviator(Hooke(self.E, self.nu).update(measure - plastic, None, dt)[0])
        centred = trial - 2 / 3 * self.k * plastic
        mises = math.sqrt(1.5 * float((centred * centred).sum()))

        def over(dp: float) -> float:
            return mises - (3 * shear + self.k) * dp - self._flow(p + dp)

        if over(0.0) > 0:
            dp = float(brentq(over, 0.0, mises / (3 * shear), xtol=1e-18, rtol=1e-15, maxiter=500))
            plastic = plastic + 1.5 * dp * centred / mises
            p = p + dp
        return Hooke(self.E, self.nu).update(measure - plastic, None, dt)[0], (plastic, p)

    def _flow(self, p: float) -> float:
        return self.y + self.h * p - self.s * math.expm1(-self.r * p)


@dataclass(frozen=True)
class Prony:
    """Generalised Maxwell: a spring (bulk, shear) and branches (shear, tau, bulk).

    Each branch is the differential equation ``de/dt = rate - e / tau`` of the strain of its spring, solved by the
    matrix exponential for a constant rate.
    """

    bulk: float
    shear: float
    branches: tuple[tuple[float, float, float], ...]

    def start(self) -> tuple[Floats, list[Floats]]:
        return np.zeros((3, 3)), [np.zeros((3, 3)) for _ in self.branches]

    def update(self, measure: Floats, state: Any, dt: float) -> tuple[Floats, Any]:
        last, springs = state
        stress = _isotropic(measure, self.bulk, self.shear)
        new = []
        for (shear, tau, bulk), spring in zip(self.branches, springs, strict=True):
            if dt > 0:
                flow = expm(np.array([[-dt / tau, dt], [0.0, 0.0]]))
                spring = flow[0, 0] * spring + flow[0, 1] * (measure - last) / dt
            else:
                spring = spring + measure - last
            new.append(spring)
            stress = stress + _isotropic(spring, bulk, shear)
        return stress, (measure, new)


@dataclass(frozen=True)
class Rubber:
    """Compressible neo-Hooke in F with Lamé's constants: ``P = mu (F - F^-T) + lam ln J F^-T``."""

    mu: float
    lam: float

    def start(self) -> None:
        return None

    def update(self, measure: Floats, state: None, dt: float) -> tuple[Floats, None]:
        inverse = np.linalg.inv(measure).T
        volume = np.linalg.det(measure)
        if volume <= 0:
            return np.full((3, 3), 1e6 * self.mu), None
        return self.mu * (measure - inverse) + self.lam * math.log(volume) * inverse, None


def _isotropic(strain: Floats, bulk: float, shear: float) -> Floats:
    return bulk * np.trace(strain) * ONE + 2 * shear * deviator(strain)


@dataclass(frozen=True)
class Path:
    """A laminate along a load path.

    Args:
        stress: mean stress (first Piola-Kirchhoff at finite strain) ``[t, 3, 3]``.
        layers: strain (F) of the two layers ``[t, 2, 3, 3]``.
        stresses: stress of the two layers ``[t, 2, 3, 3]``.
        states: state of the two layers at the end.
    """

    stress: Floats
    layers: Floats
    stresses: Floats
    states: tuple[Any, Any] = field(repr=False)


def laminate(
    laws: tuple[Law, Law],
    fraction: float,
    normal: Sequence[float],
    measures: Floats,
    times: Sequence[float] | None = None,
    finite: bool = False,
) -> Path:
    """Return the response of a laminate of two laws along a path of macroscopic strains (or F).

    Args:
        laws: of the first and the second layer.
        fraction: of the first.
        normal: of the layers; made a unit vector.
        measures: strains, or deformation gradients, ``[t, 3, 3]``, from the virgin state.
        times: end of each step; one second each where left out.
        finite: ``measures`` are deformation gradients.

    Raises:
        AssertionError: no jump makes the traction continuous to 1e-11 of the stress.
    """
    n = np.asarray(normal, float) / np.linalg.norm(normal)
    states: list[Any] = [law.start() for law in laws]
    ends = np.arange(1.0, len(measures) + 1) if times is None else np.asarray(times, float)
    jump, rows = np.zeros(3), []
    for mean, dt in zip(measures, np.diff(ends, prepend=0.0), strict=True):

        def layers(a: Floats, mean: Floats = mean) -> tuple[Floats, Floats]:
            step = np.outer(a, n)
            step = step if finite else 0.5 * (step + step.T)
            return mean + (1 - fraction) * step, mean - fraction * step

        def step(a: Floats, dt: float = dt) -> list[tuple[Floats, Any]]:
            return [law.update(x, s, dt) for law, x, s in zip(laws, layers(a), states, strict=True)]  # noqa: B023

        def unbalanced(a: Floats) -> Floats:
            one, two = step(a)
            return (one[0] - two[0]) @ n

        jump = _balanced(unbalanced, jump)
        found = step(jump)
        scale = max(float(np.abs(s).max()) for s, _ in found)
        assert np.abs(unbalanced(jump)).max() <= 1e-11 * scale + 1e-300, "the traction jumps between the layers"
        states = [s for _, s in found]
        rows.append((layers(jump), [s for s, _ in found]))
    strains, stresses = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    mean_stress = fraction * stresses[:, 0] + (1 - fraction) * stresses[:, 1]
    return Path(mean_stress, strains, stresses, (states[0], states[1]))


def _balanced(unbalanced: Any, start: Floats) -> Floats:
    """The jump of zero unbalanced traction: Powell's hybrid method, then Newton steps with a central difference."""
    x: Floats = root(unbalanced, start, method="hybr", options={"xtol": 1e-13}).x
    for _ in range(4):
        h = 1e-7 * max(1e-3, float(np.abs(x).max()))
        slope = np.array([(unbalanced(x + h * e) - unbalanced(x - h * e)) / (2 * h) for e in ONE]).T
        x = x - np.linalg.lstsq(slope, unbalanced(x), rcond=None)[0]
    return x


def stiffness(laws: tuple[Hooke, Hooke], fraction: float, normal: Sequence[float]) -> Floats:
    """Effective stiffness ``[6, 6]`` (Mandel 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12) of an elastic laminate."""
    columns = []
    for i, j in PAIRS:
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 1.0 if i == j else math.sqrt(0.5)
        columns.append(mandel(laminate(laws, fraction, normal, strain[None]).stress[0]))
    return np.array(columns).T


def mandel(a: Floats) -> Floats:
    """Mandel components ``[..., 6]`` of symmetric tensors ``[..., 3, 3]``."""
    return np.stack([a[..., i, j] * (1.0 if i == j else math.sqrt(2.0)) for i, j in PAIRS], -1)


def series_relaxation(
    fraction: float, one: tuple[float, Sequence[tuple[float, float]]], two: tuple[float, Sequence[tuple[float, float]]]
) -> tuple[float, Floats, Floats]:
    """Exact relaxation modulus of two viscoelastic layers in series, by the correspondence principle.

    A laminate sheared along its layers (12 with the normal along 1) carries the same stress in both, so that the
    compliances add: ``1 / M(s) = f / M1(s) + (1 - f) / M2(s)`` with the Carson transforms
    ``M(s) = g + sum g_i s tau_i / (1 + s tau_i)``. M is rational in s with real negative poles; its partial fractions
    are the exponentials of the laminate.

    Args:
        fraction: of the first layer.
        one: long-term modulus and branches ``(g_i, tau_i)`` of the first layer.
        two: of the second.

    Returns:
        ``(g, g_i, tau_i)``: ``G(t) = g + sum g_i exp(-t / tau_i)`` of the laminate.
    """
    top1, bottom1 = _carson(*one)
    top2, bottom2 = _carson(*two)
    poly = np.polynomial.polynomial
    top = poly.polymul(top1, top2)
    bottom = poly.polyadd(
        fraction * poly.polymul(bottom1, top2), (1 - fraction) * poly.polymul(bottom2, top1)
    )  # M = M1 M2 / (f M2 + (1 - f) M1), times both denominators
    poles = poly.polyroots(bottom)
    assert np.abs(poles.imag).max() <= 1e-9 * np.abs(poles).max() and poles.real.max() < 0
    poles = poles.real
    # G(s) = M(s) / s: the residue at a pole s_i is top / (s_i bottom'(s_i)).
    parts = poly.polyval(poles, top) / (poles * poly.polyval(poles, poly.polyder(bottom)))
    return float(top[0] / bottom[0]), parts, -1.0 / poles


def _carson(rest: float, branches: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Numerator and denominator in s, lowest power first, of ``rest + sum g s tau / (1 + s tau)``."""
    poly = np.polynomial.polynomial
    bottom = np.array([1.0])
    for _, tau in branches:
        bottom = poly.polymul(bottom, [1.0, tau])
    top = rest * bottom
    for k, (g, tau) in enumerate(branches):
        term = np.array([0.0, g * tau])
        for j, (_, other) in enumerate(branches):
            term = term if j == k else poly.polymul(term, [1.0, other])
        top = poly.polyadd(top, term)
    return top, bottom


def hereditary(modulus: tuple[float, Floats, Floats], times: Sequence[float], strains: Sequence[float]) -> Floats:
    """Exact stress ``[t]`` (twice the modulus times the shear strain) of a strain that is linear between ``times``.

    Args:
        modulus: as `series_relaxation` gives it.
        times: increasing; two equal times are a jump. The strain is zero before the first.
        strains: tensor components at those times.
    """
    rest, parts, taus = modulus
    held, now, last = np.zeros_like(parts), 0.0, times[0]
    stresses = []
    for t, strain in zip(times, strains, strict=True):
        dt = t - last
        rise = strain - now
        if dt > 0:
            held = np.exp(-dt / taus) * held + rise / dt * taus * -np.expm1(-dt / taus)
        else:
            held = held + rise
        now, last = strain, t
        stresses.append(2 * (rest * strain + float(parts @ held)))
    return np.array(stresses)
