"""Fibre-reinforced hyperelasticity at finite strain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.algebra import filled, stacked
from scalebridge.micro.rve.phases.deformation import (
    along_fibre,
    deformation,
    neo_hooke_energy,
    neo_hooke_entry,
    neo_hooke_stress,
)
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter, positive

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class FibreReinforced:
    """One family of stiffening fibres along axis 1 in a neo-Hookean matrix::

        W = mu/2 (I1 - 3 - 2 ln J) + lam/2 (ln J)^2 + k1/(2 k2) (exp(k2 <I4 - 1>^2) - 1)

    with I4 the square of the stretch of the fibres and <x> = max(x, 0): fibres carry tension only, and the tangent
    jumps by ``4 k1`` along the fibre where they come under tension. The fibres run along axis 1 of the law; an
    orientation per voxel turns them. Infinite or NaN where det F is not positive.
    Source: Holzapfel, Gasser and Ogden 2000, without splitting off the volume in I4 (Helfenstein et al. 2010).

    Args:
        mu: Lamé's constant (shear modulus) of the matrix in Pa, or a text such as ``"30 kPa"``.
        lam: Lamé's other constant in Pa, or a text.
        k1: stiffness of the fibres in Pa, or a text.
        k2: their stiffening, without unit.

    Raises:
        InputError: a constant that is not positive and finite.
    """

    mu: float
    lam: float
    k1: float
    k2: float

    def __init__(self, mu: str | float, lam: str | float, k1: str | float, k2: float) -> None:
        given = {"mu": (mu, "Pa"), "lam": (lam, "Pa"), "k1": (k1, "Pa"), "k2": (k2, "1")}
        for name, (value, unit) in given.items():
            object.__setattr__(self, name, positive(value, unit, f"The constant {name} of a fibre-reinforced phase"))

    @property
    def name(self) -> str:
        """``fibre-reinforced``."""
        return "fibre-reinforced"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """mu, lam, k1 and k2."""
        return (*(Parameter(n, getattr(self, n), "Pa") for n in ("mu", "lam", "k1")), Parameter("k2", self.k2, "1"))

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

    def energy(self, measure: Tensor) -> Tensor:
        """Energy ``[...]`` in J per m^3 of the undeformed material at F ``[..., 9]``."""
        d = deformation(measure)
        stretch = along_fibre(d).clamp(min=0.0)
        fibres = 0.5 * self.k1 / self.k2 * (self.k2 * stretch * stretch).expm1()
        return neo_hooke_energy(d, self.mu, self.lam) + fibres

    def stress(self, measure: Tensor) -> Tensor:
        """First Piola-Kirchhoff stress ``[..., 9]`` in Pa, rows first."""
        d = deformation(measure)
        stretch = along_fibre(d).clamp(min=0.0)
        pull = 2.0 * self.k1 * stretch * (self.k2 * stretch * stretch).exp()
        stress = neo_hooke_stress(d, self.mu, self.lam)
        return stacked([p + pull * measure[..., k] if k % 3 == 0 else p for k, p in enumerate(stress)])

    def tangent(self, measure: Tensor) -> Tensor:
        """Derivative ``[..., 9, 9]`` of the stress by F, in Pa; symmetric."""
        d = deformation(measure)
        excess = along_fibre(d)
        stretch = excess.clamp(min=0.0)
        square = self.k2 * stretch * stretch
        rise = square.exp() * (excess > 0)
        bend, pull = 4.0 * self.k1 * (1.0 + 2.0 * square) * rise, 2.0 * self.k1 * stretch * rise
        matrix = neo_hooke_entry(d, self.mu, self.lam)

        def entry(row: int, column: int) -> Tensor:
            value = matrix(row, column)
            if row % 3 or column % 3:
                return value
            value = value + bend * measure[..., row] * measure[..., column]
            return value + pull if row == column else value

        return filled(9, entry)
