"""Linear elasticity with three planes of symmetry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.linear import LinearLaw, finite, stacked, vector_of
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter, positive

if TYPE_CHECKING:
    from torch import Tensor

UNITS = {
    **dict.fromkeys(("E1", "E2", "E3"), "Pa"),
    **dict.fromkeys(("nu12", "nu13", "nu23"), "1"),
    **dict.fromkeys(("G12", "G13", "G23"), "Pa"),
    **dict.fromkeys(("alpha1", "alpha2", "alpha3"), "1/K"),
}


@dataclass(frozen=True)
class Orthotropic(LinearLaw):
    """Linear elasticity with three planes of symmetry, normal to the local axes 1, 2 and 3.

    Args:
        E1: Young's modulus along axis 1 in Pa, or a text with a unit; so ``E2`` and ``E3``.
        E2: along axis 2.
        E3: along axis 3.
        nu12: contraction along 2 under a pull along 1; ``nu21 = nu12 E2 / E1``; so ``nu13`` and ``nu23``.
        nu13: contraction along 3 under a pull along 1.
        nu23: contraction along 3 under a pull along 2.
        G12: shear modulus in the plane 12 in Pa, or a text; so ``G13`` and ``G23``.
        G13: in the plane 13.
        G23: in the plane 23.
        alpha1: coefficient of thermal expansion along axis 1 in 1/K; so ``alpha2`` and ``alpha3``.
        alpha2: along axis 2.
        alpha3: along axis 3.

    Raises:
        InputError: a modulus not positive and finite, or Poisson's ratios for which some strain would store
            negative energy (Lempriere 1968, AIAA Journal 6).
        UnitError: a text in a unit of another kind.
    """

    E1: float
    E2: float
    E3: float
    nu12: float
    nu13: float
    nu23: float
    G12: float
    G13: float
    G23: float
    alpha1: float = 0.0
    alpha2: float = 0.0
    alpha3: float = 0.0

    def __init__(
        self,
        E1: str | float,
        E2: str | float,
        E3: str | float,
        nu12: float,
        nu13: float,
        nu23: float,
        G12: str | float,
        G13: str | float,
        G23: str | float,
        alpha1: str | float = 0.0,
        alpha2: str | float = 0.0,
        alpha3: str | float = 0.0,
    ) -> None:
        values = (E1, E2, E3, nu12, nu13, nu23, G12, G13, G23, alpha1, alpha2, alpha3)
        for (name, unit), value in zip(UNITS.items(), values, strict=True):
            read = positive if unit == "Pa" else finite
            object.__setattr__(self, name, read(value, unit, f"The constant {name} of an orthotropic phase"))
        self._check()

    @property
    def name(self) -> str:
        """``orthotropic``."""
        return "orthotropic"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The twelve constants."""
        return tuple(Parameter(name, getattr(self, name), unit) for name, unit in UNITS.items())

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    @property
    def expansion_strain(self) -> tuple[float, ...] | Tensor:
        """Free thermal strain per kelvin, Mandel ``[6]`` in 1/K."""
        return vector_of([self.alpha1, self.alpha2, self.alpha3, 0.0, 0.0, 0.0])

    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness ``[6, 6]`` in Pa (Mandel), ``[m, 6, 6]`` with constants per point."""
        moduli, ratios = (self.E1, self.E2, self.E3), (self.nu12, self.nu13, self.nu23)
        return orthotropic_stiffness(moduli, ratios, (self.G23, self.G13, self.G12), like)

    def _check(self) -> None:
        moduli = {"1": self.E1, "2": self.E2, "3": self.E3}
        for pair in ("12", "13", "23"):
            nu, limit = getattr(self, f"nu{pair}"), math.sqrt(moduli[pair[0]] / moduli[pair[1]])
            if not abs(nu) < limit:
                raise InputError(
                    f"Poisson's ratio nu{pair} of an orthotropic phase is {nu}; with these moduli it must lie within "
                    f"-{limit:.6g} and {limit:.6g} (the root of E{pair[0]}/E{pair[1]}), or a strain would store "
                    f"negative energy; nu{pair} is the contraction along {pair[1]} under a pull along {pair[0]}, "
                    "so you may have given its reverse."
                )
        volume = _volume_factor((self.E1, self.E2, self.E3), (self.nu12, self.nu13, self.nu23))
        if not volume > 0.0:
            raise InputError(
                f"Poisson's ratios nu12={self.nu12}, nu13={self.nu13}, nu23={self.nu23} of an orthotropic phase do not "
                f"go together: 1 - nu12 nu21 - nu13 nu31 - nu23 nu32 - 2 nu21 nu32 nu13 is {volume:.3g} and must be "
                "positive, or a strain would store negative energy; make one of them smaller."
            )


def orthotropic_stiffness(
    moduli: tuple[Any, Any, Any], ratios: tuple[Any, Any, Any], shears: tuple[Any, Any, Any], like: Tensor
) -> Tensor:
    """Return the stiffness ``[..., 6, 6]`` in Pa (Mandel) of E1, E2, E3; nu12, nu13, nu23; G23, G13, G12."""
    (e1, e2, e3), (nu12, nu13, nu23) = moduli, ratios
    nu21, nu31, nu32 = nu12 * e2 / e1, nu13 * e3 / e1, nu23 * e3 / e2
    volume = _volume_factor(moduli, ratios)
    c11, c22, c33 = (
        e1 * (1.0 - nu23 * nu32) / volume,
        e2 * (1.0 - nu13 * nu31) / volume,
        e3 * (1.0 - nu12 * nu21) / volume,
    )
    c12 = e1 * (nu21 + nu31 * nu23) / volume
    c13 = e1 * (nu31 + nu21 * nu32) / volume
    c23 = e2 * (nu32 + nu12 * nu31) / volume
    g23, g13, g12 = shears
    return stacked(
        [
            [c11, c12, c13, 0.0, 0.0, 0.0],
            [c12, c22, c23, 0.0, 0.0, 0.0],
            [c13, c23, c33, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 2.0 * g23, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 2.0 * g13, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 2.0 * g12],
        ],
        like,
    )


def _volume_factor(moduli: tuple[Any, Any, Any], ratios: tuple[Any, Any, Any]) -> Any:
    (e1, e2, e3), (nu12, nu13, nu23) = moduli, ratios
    nu21, nu31, nu32 = nu12 * e2 / e1, nu13 * e3 / e1, nu23 * e3 / e2
    return 1.0 - nu12 * nu21 - nu13 * nu31 - nu23 * nu32 - 2.0 * nu21 * nu32 * nu13
