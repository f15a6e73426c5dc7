"""Rank-one laminate of two power-law solids in plane strain, its closure exact to the last digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Runs, Scale, Structure
from scalebridge.problems.case import analytic_runs
from scalebridge.problems.rank_one import balanced_jump, mix
from scalebridge.quantities import Floats, Space, Variable

_TRACE = np.array([1.0, 1.0, 0.0])
_DEVIATOR = np.eye(3) - np.outer(_TRACE, _TRACE) / 3


@dataclass(frozen=True)
class PowerLawSolid:
    """An isotropic solid of deformation theory: linear in volume, power-law hardening in shear.

    ``stress = K tr(e) 1 + 2 G dev(e)``, ``G = G0 (1 + (e_eq/e0)^2)^((n-1)/2)``, with the equivalent strain
    ``e_eq^2 = 2/3 dev(e):dev(e)`` of the three-dimensional deviator (e33 = 0). Smooth at zero, convex.

    Args:
        bulk: K, Pa.
        shear: G0 at zero strain, Pa.
        exponent: hardening exponent n in (0, 1]; 1 is linear elastic.
        yield_strain: e0 > 0, where hardening sets in.

    Raises:
        InputError: a value out of these ranges.
    """

    bulk: float
    shear: float
    exponent: float = 1.0
    yield_strain: float = 1e-2

    def __post_init__(self) -> None:
        numbers = (self.bulk, self.shear, self.exponent, self.yield_strain)
        if not all(0 < v < math.inf for v in numbers) or self.exponent > 1:
            raise InputError(
                f"A power-law solid got bulk = {self.bulk}, shear = {self.shear}, exponent = {self.exponent}, "
                f"yield_strain = {self.yield_strain}; all must be positive and finite, the exponent at most 1."
            )

    def respond(self, x: Floats) -> tuple[Floats, Floats]:
        """Stress ``[b, 3]`` (Pa) and tangent ``[b, 3, 3]`` at the strains ``x [b, 3]`` (Mandel)."""
        deviator = x @ _DEVIATOR
        square = self._square(x)
        power = (self.exponent - 1) / 2
        shear = self.shear * (1 + square) ** power
        drop = shear * power / (1 + square) * 8 / 3 / self.yield_strain**2
        tangent = self.bulk * np.outer(_TRACE, _TRACE) + 2 * shear[:, None, None] * _DEVIATOR
        tangent = tangent + drop[:, None, None] * (deviator[:, :, None] * deviator[:, None, :])
        stress = self.bulk * (x @ _TRACE)[:, None] * _TRACE + 2 * shear[:, None] * deviator
        return stress, tangent

    def energy(self, x: Floats) -> Floats:
        """Strain energy density ``[b]`` (J/m^3) at the strains ``x [b, 3]``."""
        n = self.exponent
        hardening = np.expm1(0.5 * (n + 1) * np.log1p(self._square(x))) / (n + 1)
        energy: Floats = 0.5 * self.bulk * (x @ _TRACE) ** 2 + 3 * self.shear * self.yield_strain**2 * hardening
        return energy

    def _square(self, x: Floats) -> Floats:
        square: Floats = 2 / 3 * np.einsum("bi,ij,bj->b", x, _DEVIATOR, x) / self.yield_strain**2
        return square


@dataclass(frozen=True)
class PowerLawLaminate:
    """Rank-one laminate of two power-law solids; closure strain -> stress, exact to 1e-12.

    Args:
        first: phase 1.
        second: phase 2.
        fraction: volume fraction of phase 1, in (0, 1).
        angle: of the layers' normal against the x axis, radians.
    """

    first: PowerLawSolid
    second: PowerLawSolid
    fraction: float = 0.5
    angle: float = 0.0
    name: str = "power_law_laminate"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure(potential=True, even=True))

    def __post_init__(self) -> None:
        if not 0 < self.fraction < 1:
            raise InputError(f"A laminate got the fraction {self.fraction}; give the share of phase 1, in (0, 1).")

    @property
    def inputs(self) -> Space:
        """The strain in plane-strain Mandel components (e11, e22, sqrt2 e12)."""
        return _spaces()[0]

    @property
    def outputs(self) -> Space:
        """The stress (s11, s22, sqrt2 s12), Pa."""
        return _spaces()[1]

    @property
    def jump(self) -> Floats:
        """Operator ``[3, 2]`` from a jump vector a to the strain sym(a ⊗ n)."""
        c, s, r = math.cos(self.angle), math.sin(self.angle), math.sqrt(0.5)
        return np.array([[c, 0.0], [0.0, s], [r * s, r * c]])

    def identity(self) -> Mapping[str, str]:
        """Name, version and every constant."""
        return {
            "name": "scalebridge.problems.PowerLawLaminate",
            "version": self.version,
            "first": repr(self.first),
            "second": repr(self.second),
            "geometry": repr((self.fraction, self.angle)),
        }

    def run(self, x: Floats) -> Runs:
        """Stress ``[b, 3]`` and consistent tangent ``[b, 3, 3]`` at the strains ``x [b, 3]``."""
        return analytic_runs(self.inputs.check(x, f"The model '{self.name}'"), self._respond)

    def energy(self, x: Floats) -> Floats:
        """Mean strain energy density ``[b]`` (J/m^3) at the strains ``x [b, 3]``: the potential of the stress."""
        f = self.fraction
        a = balanced_jump(self.first, self.second, f, self.jump, x) @ self.jump.T
        return f * self.first.energy(x + (1 - f) * a) + (1 - f) * self.second.energy(x - f * a)

    def _respond(self, x: Floats) -> tuple[Floats, Floats]:
        phases = (self.first, self.second, self.fraction, self.jump)
        return mix(*phases, x, balanced_jump(*phases, x))


def random_laminate(rng: np.random.Generator) -> PowerLawLaminate:
    """Draw a laminate of a soft and a stiff phase of contrast 2 to 50.

    Shear moduli 1 to 3 GPa and contrast times that, Poisson's ratios .2 to .4 (for K), exponents .1 to .6 in
    the soft and .3 to 1 in the stiff phase, yield strains .2 to 2 %, fraction .2 to .8, any angle.
    """
    soft = float(rng.uniform(1e9, 3e9))
    stiff = soft * float(np.exp(rng.uniform(np.log(2.0), np.log(50.0))))
    first = _random_solid(rng, soft, (0.1, 0.6))
    second = _random_solid(rng, stiff, (0.3, 1.0))
    return PowerLawLaminate(first, second, float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.0, math.pi)))


def _random_solid(rng: np.random.Generator, shear: float, exponents: tuple[float, float]) -> PowerLawSolid:
    poisson = float(rng.uniform(0.2, 0.4))
    bulk = 2 * shear * (1 + poisson) / (3 * (1 - 2 * poisson))
    yield_strain = float(np.exp(rng.uniform(np.log(2e-3), np.log(2e-2))))
    return PowerLawSolid(bulk, shear, float(rng.uniform(*exponents)), yield_strain)


@cache
def _spaces() -> tuple[Space, Space]:
    strain = Variable("strain", "1", (3,), kind="symmetric")
    return Space([strain]), Space([Variable("stress", "Pa", (3,), kind="symmetric")])
