"""Conduction whose closure k(T) the Kirchhoff transform makes linear: exact answers on a bar and a rectangle.

With ``Phi(T)``, the integral of k, ``div(k grad T) = -s`` becomes ``div grad Phi = -s``.
Source: H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids (1959), section 2.16.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Model, Runs, Scale, Structure
from scalebridge.problems.bar import Bar
from scalebridge.problems.case import Case, analytic_runs
from scalebridge.problems.root import increasing_root
from scalebridge.quantities import Floats, Space, Variable


class Conductivity(Model, Protocol):
    """A closure temperature -> conductivity with a known integral."""

    def integral(self, temperature: Floats) -> Floats:
        """Integral ``[b]`` of k from zero to ``temperature [b]``, W/m."""


@dataclass(frozen=True)
class QuadraticConductivity:
    """The closure ``k(T) = k0 (1 + a T + b T^2)``.

    Raises:
        InputError: constants with which k is not positive everywhere.
    """

    k0: float = 1.0
    a: float = 0.5
    b: float = 0.2
    name: str = "quadratic_conductivity"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure())

    def __post_init__(self) -> None:
        if not (self.k0 > 0 and (self.a**2 < 4 * self.b or self.a == self.b == 0)):
            raise InputError(
                f"The conductivity {self.k0} (1 + {self.a} T + {self.b} T^2) is not positive everywhere; "
                "give k0 > 0 and a^2 < 4 b."
            )

    @property
    def inputs(self) -> Space:
        """The temperature, K (a difference from a reference)."""
        return conductivity_spaces()[0]

    @property
    def outputs(self) -> Space:
        """The conductivity, W/(m K)."""
        return conductivity_spaces()[1]

    def identity(self) -> Mapping[str, str]:
        """Name, version and every constant."""
        constants = repr((self.k0, self.a, self.b))
        return {"name": "scalebridge.problems.QuadraticConductivity", "version": self.version, "constants": constants}

    def run(self, x: Floats) -> Runs:
        """Conductivity ``[b, 1]`` and its derivative ``[b, 1, 1]``."""
        return analytic_runs(
            self.inputs.check(x, f"The model '{self.name}'"),
            lambda t: (self.k0 * (1 + self.a * t + self.b * t**2), self.k0 * (self.a + 2 * self.b * t)[:, :, None]),
        )

    def integral(self, temperature: Floats) -> Floats:
        """Integral ``[b]`` of k from zero."""
        t = temperature
        return self.k0 * (t + self.a * t**2 / 2 + self.b * t**3 / 3)


@dataclass(frozen=True)
class ExponentialConductivity:
    """The closure ``k(T) = k0 exp(a T)``, a not zero."""

    k0: float = 1.0
    a: float = 1.0
    name: str = "exponential_conductivity"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure())

    def __post_init__(self) -> None:
        if not (self.k0 > 0 and self.a != 0):
            raise InputError(f"The conductivity {self.k0} exp({self.a} T) needs k0 > 0 and a that is not zero.")

    @property
    def inputs(self) -> Space:
        """The temperature, K (a difference from a reference)."""
        return conductivity_spaces()[0]

    @property
    def outputs(self) -> Space:
        """The conductivity, W/(m K)."""
        return conductivity_spaces()[1]

    def identity(self) -> Mapping[str, str]:
        """Name, version and every constant."""
        constants = repr((self.k0, self.a))
        return {"name": "scalebridge.problems.ExponentialConductivity", "version": self.version, "constants": constants}

    def run(self, x: Floats) -> Runs:
        """Conductivity ``[b, 1]`` and its derivative ``[b, 1, 1]``."""
        return analytic_runs(
            self.inputs.check(x, f"The model '{self.name}'"),
            lambda t: (self.k0 * np.exp(self.a * t), self.a * self.k0 * np.exp(self.a * t)[:, :, None]),
        )

    def integral(self, temperature: Floats) -> Floats:
        """Integral ``[b]`` of k from zero."""
        return self.k0 * np.expm1(self.a * temperature) / self.a


@dataclass(frozen=True)
class Rectangle:
    """Conduction in ``[0, width] x [0, height]``, for a macro model of two dimensions.

    The temperature is held at ``base`` on the sides x = 0, x = width and y = 0, at ``top(x)`` on y = height.
    """

    width: float
    height: float
    base: float
    top: Callable[[Floats], Floats]


def kirchhoff_bar(
    micro: Conductivity | None = None,
    *,
    cold: float = 0.0,
    hot: float = 2.0,
    area: float = 1.0,
    source: float = 0.0,
    length: float = 1.0,
    n_elements: int = 32,
) -> Case:
    """Return a bar between two temperatures, with its exact heat flow and mean temperature.

    ``Phi`` is a parabola in x. P1 elements are exact at the nodes, so that the answers on the mesh are known too
    (to the quadrature of k: exact for the quadratic closure, beyond 1e-10 for the exponential).
    """
    micro = micro or QuadraticConductivity()
    macro = Bar(n_elements, length, area, source, ("value", cold), ("value", hot), closure="conductivity")
    ends = micro.integral(np.array([cold, hot]))
    flow = area * float(ends[1] - ends[0]) / length + source * length / 2

    def temperature(x: Floats) -> Floats:
        potential = ends[0] + (ends[1] - ends[0]) * x / length + source * x * (length - x) / (2 * area)
        return inverse_integral(micro, potential)

    points, weights = np.polynomial.legendre.leggauss(200)
    mean = float(weights @ temperature(length * (points + 1) / 2)) / 2
    nodal = temperature(macro.nodes)
    on_mesh = float(np.mean((nodal[1:] + nodal[:-1]) / 2))
    known = {"flow": flow, "end_value": hot}
    return Case(micro, macro, {**known, "mean_temperature": mean}, {**known, "mean_temperature": on_mesh})


def kirchhoff_rectangle(
    micro: Conductivity | None = None,
    *,
    width: float = 1.0,
    height: float = 1.0,
    base: float = 0.0,
    rise: float = 1.0,
) -> tuple[Conductivity, Rectangle, Mapping[str, float]]:
    """Return ``(micro, rectangle, exact)``: a hot top whose ``Phi`` is a sine of x.

    ``Phi = Phi(base) + rise sin(pi x/width) sinh(pi y/width) / sinh(pi height/width)``.

    Args:
        micro: closure temperature -> conductivity.
        width: m.
        height: m.
        base: temperature of the three cold sides, K.
        rise: of Phi at the middle of the top, W/m.

    Returns:
        exact answers ``flow`` (through y = 0, per thickness, W/m) and ``mean_temperature`` (K).
    """
    micro = micro or QuadraticConductivity()
    floor = float(micro.integral(np.array([base]))[0])
    tall = math.sinh(math.pi * height / width)

    def temperature(x: Floats, y: Floats) -> Floats:
        return inverse_integral(micro, floor + rise * np.sin(np.pi * x / width) * np.sinh(np.pi * y / width) / tall)

    points, weights = np.polynomial.legendre.leggauss(60)
    x, y = np.meshgrid(width * (points + 1) / 2, height * (points + 1) / 2, indexing="ij")
    mean = float(np.outer(weights, weights).ravel() @ temperature(x.ravel(), y.ravel())) / 4
    exact = {"flow": 2 * rise / tall, "mean_temperature": mean}
    return micro, Rectangle(width, height, base, lambda s: temperature(s, np.full_like(s, height))), exact


def inverse_integral(micro: Conductivity, potential: Floats) -> Floats:
    """Temperatures ``[b]`` at which the integral of k is ``potential [b]``; NaN where none is found."""
    reach = np.ones(len(potential))
    for _ in range(60):
        with np.errstate(over="ignore"):
            far = (micro.integral(-reach) > potential) | (micro.integral(reach) < potential)
        if not far.any():
            break
        reach = np.where(far, 2 * reach, reach)

    def excess(t: Floats) -> tuple[Floats, Floats]:
        return micro.integral(t) - potential, micro.run(t[:, None]).values[:, 0]

    reach = np.where(far, 0.0, reach)
    return np.where(far, np.nan, increasing_root(excess, -reach, reach))


@cache
def conductivity_spaces() -> tuple[Space, Space]:
    """Spaces of a closure temperature -> conductivity."""
    return Space([Variable("temperature", "K")]), Space([Variable("conductivity", "W/(m*K)")])
