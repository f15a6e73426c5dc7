"""Linear isotropic elasticity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.phase import Parameter, bulk_modulus, poisson_ratio, positive, shear_modulus

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Elastic:
    """Linear isotropic elasticity: ``W = K/2 tr(e)^2 + G dev(e):dev(e)``.

    Args:
        E: Young's modulus in Pa, or a text such as ``"72 GPa"``.
        nu: Poisson's ratio.

    Raises:
        InputError: ``E`` not positive and finite, ``nu`` outside (-1, 0.5).
    """

    E: float
    nu: float

    def __init__(self, E: str | float, nu: float) -> None:
        object.__setattr__(self, "E", positive(E, "Pa", "Young's modulus E of an elastic phase"))
        object.__setattr__(self, "nu", poisson_ratio(nu, "Poisson's ratio nu of an elastic phase"))

    @property
    def name(self) -> str:
        """``elastic``."""
        return "elastic"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E and nu."""
        return (Parameter("E", self.E, "Pa"), Parameter("nu", self.nu, "1"))

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

    def energy(self, strain: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""
        lam, mu = self.lame
        trace = strain[..., 0] + strain[..., 1]
        return 0.5 * lam * trace * trace + mu * (strain * strain).sum(-1)

    def stress(self, strain: Tensor) -> Tensor:
        """In-plane stress ``[..., 3]`` in Pa (Mandel)."""
        lam, mu = self.lame
        stress = 2.0 * mu * strain
        stress[..., :2] += lam * (strain[..., :1] + strain[..., 1:2])
        return stress

    def tangent(self, strain: Tensor) -> Tensor:
        """Stiffness ``[..., 3, 3]`` in Pa (Mandel), the same everywhere (an expanded view)."""
        lam, mu = self.lame
        rows = [[lam + 2.0 * mu, lam, 0.0], [lam, lam + 2.0 * mu, 0.0], [0.0, 0.0, 2.0 * mu]]
        return strain.new_tensor(rows).expand(*strain.shape, 3)

    def axial_stress(self, strain: Tensor) -> Tensor:
        """Out-of-plane stress s33 ``[...]`` in Pa."""
        return self.lame[0] * (strain[..., 0] + strain[..., 1])
