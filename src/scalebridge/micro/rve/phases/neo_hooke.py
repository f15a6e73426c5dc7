"""Compressible neo-Hookean elasticity at finite strain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.algebra import filled, stacked
from scalebridge.micro.rve.phases.deformation import (
    deformation,
    neo_hooke_energy,
    neo_hooke_entry,
    neo_hooke_stress,
)
from scalebridge.micro.rve.phases.phase import (
    Kinematics,
    Parameter,
    bulk_modulus,
    poisson_ratio,
    positive,
    shear_modulus,
)

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NeoHooke:
    """``W = mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2`` in the deformation gradient F; Hooke's law at small strain.

    Where J = det F is not positive the energy, the stress and the tangent are infinite or NaN: to a solver that
    is a step too long, never an answer. Source: Simo and Pister 1984; Bonet and Wood 2008, equation 6.28.

    Args:
        E: Young's modulus at small strain in Pa, or a text such as ``"3 MPa"``.
        nu: Poisson's ratio at small strain.

    Raises:
        InputError: ``E`` not positive and finite, ``nu`` outside (-1, 0.5).
    """

    E: float
    nu: float

    def __init__(self, E: str | float, nu: float) -> None:
        object.__setattr__(self, "E", positive(E, "Pa", "Young's modulus E of a neo-Hookean phase"))
        object.__setattr__(self, "nu", poisson_ratio(nu, "Poisson's ratio nu of a neo-Hookean phase"))

    @classmethod
    def from_lame(cls, mu: str | float, lam: str | float) -> NeoHooke:
        """Make the law from Lamé's constants in Pa (numbers or texts), both positive."""
        shear = positive(mu, "Pa", "Lamé's constant mu of a neo-Hookean phase")
        first = positive(lam, "Pa", "Lamé's constant lam of a neo-Hookean phase")
        return cls(shear * (3.0 * first + 2.0 * shear) / (first + shear), first / (2.0 * (first + shear)))

    @property
    def name(self) -> str:
        """``neo-Hooke``."""
        return "neo-Hooke"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E and nu."""
        return (Parameter("E", self.E, "Pa"), Parameter("nu", self.nu, "1"))

    @property
    def kinematics(self) -> Kinematics:
        """``finite strain``."""
        return "finite strain"

    @property
    def linear(self) -> bool:
        """False."""
        return False

    @property
    def even(self) -> bool:
        """False."""
        return False

    @property
    def lame(self) -> tuple[float, float]:
        """Lamé's constants lambda and mu in Pa."""
        mu = shear_modulus(self.E, self.nu)
        return bulk_modulus(self.E, self.nu) - 2.0 * mu / 3.0, mu

    def energy(self, measure: Tensor) -> Tensor:
        """Energy ``[...]`` in J per m^3 of the undeformed material at F ``[..., 9]``."""
        lam, mu = self.lame
        return neo_hooke_energy(deformation(measure), mu, lam)

    def stress(self, measure: Tensor) -> Tensor:
        """First Piola-Kirchhoff stress ``[..., 9]`` in Pa, rows first."""
        lam, mu = self.lame
        return stacked(neo_hooke_stress(deformation(measure), mu, lam))

    def tangent(self, measure: Tensor) -> Tensor:
        """Derivative ``[..., 9, 9]`` of the stress by F, in Pa; symmetric."""
        lam, mu = self.lame
        return filled(9, neo_hooke_entry(deformation(measure), mu, lam))
