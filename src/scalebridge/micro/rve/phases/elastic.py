"""Linear isotropic elasticity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.algebra import column
from scalebridge.micro.rve.phases.linear import everywhere, finite, stacked, vector_of
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
class Elastic:
    """Linear isotropic elasticity: ``W = K/2 tr(e)^2 + G dev(e):dev(e)``.

    Args:
        E: Young's modulus in Pa, or a text such as ``"72 GPa"``.
        nu: Poisson's ratio.
        expansion: coefficient of thermal expansion in 1/K, or a text such as ``"3e-6 1/K"``.

    Raises:
        InputError: ``E`` not positive and finite, ``nu`` outside (-1, 0.5), ``expansion`` not finite.
        UnitError: a text in a unit of another kind.
    """

    E: float
    nu: float
    expansion: float = 0.0

    def __init__(self, E: str | float, nu: float, expansion: str | float = 0.0) -> None:
        object.__setattr__(self, "E", positive(E, "Pa", "Young's modulus E of an elastic phase"))
        object.__setattr__(self, "nu", poisson_ratio(nu, "Poisson's ratio nu of an elastic phase"))
        owner = "The thermal expansion coefficient of an elastic phase"
        object.__setattr__(self, "expansion", finite(expansion, "1/K", owner))

    @property
    def name(self) -> str:
        """``elastic``."""
        return "elastic"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E, nu and the expansion coefficient."""
        return (
            Parameter("E", self.E, "Pa"),
            Parameter("nu", self.nu, "1"),
            Parameter("expansion", self.expansion, "1/K"),
        )

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    @property
    def linear(self) -> bool:
        """True."""
        return True

    @property
    def even(self) -> bool:
        """True."""
        return True

    @property
    def lame(self) -> tuple[float, float]:
        """Lamé's constants lambda and mu in Pa."""
        mu = shear_modulus(self.E, self.nu)
        return bulk_modulus(self.E, self.nu) - 2.0 * mu / 3.0, mu

    @property
    def expansion_strain(self) -> tuple[float, ...] | Tensor:
        """Free thermal strain per kelvin, Mandel ``[6]`` in 1/K."""
        return vector_of([self.expansion] * 3 + [0.0] * 3)

    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness ``[6, 6]`` in Pa (Mandel), ``[m, 6, 6]`` with constants per point."""
        lam, mu = self.lame
        on, twice = lam + 2.0 * mu, 2.0 * mu
        return stacked(
            [
                [on, lam, lam, 0.0, 0.0, 0.0],
                [lam, on, lam, 0.0, 0.0, 0.0],
                [lam, lam, on, 0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, twice, 0.0, 0.0],
                [0.0, 0.0, 0.0, 0.0, twice, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0, twice],
            ],
            like,
        )

    def energy(self, strain: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""
        lam, mu = self.lame
        trace = strain[..., 0] + strain[..., 1] + strain[..., 2]
        return 0.5 * lam * trace * trace + mu * (strain * strain).sum(-1)

    def stress(self, strain: Tensor) -> Tensor:
        """Stress ``[..., 6]`` in Pa (Mandel)."""
        lam, mu = self.lame
        trace = strain[..., 0] + strain[..., 1] + strain[..., 2]
        stress: Tensor = column(2.0 * mu) * strain
        stress[..., :3] += (lam * trace)[..., None]
        return stress

    def tangent(self, strain: Tensor) -> Tensor:
        """Stiffness ``[..., 6, 6]`` in Pa (Mandel), an expanded view."""
        return everywhere(self.stiffness(strain), strain)
