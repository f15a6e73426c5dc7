"""Linear elasticity with an axis of symmetry: fibres, unidirectional plies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.linear import LinearLaw, finite, vector_of
from scalebridge.micro.rve.phases.orthotropic import orthotropic_stiffness
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter, positive

if TYPE_CHECKING:
    from torch import Tensor

UNITS = {"E_L": "Pa", "E_T": "Pa", "nu_L": "1", "nu_T": "1", "G_L": "Pa", "alpha_L": "1/K", "alpha_T": "1/K"}


@dataclass(frozen=True)
class TransverselyIsotropic(LinearLaw):
    """Linear elasticity, isotropic in the plane across the local axis 1.

    Args:
        E_L: Young's modulus along the axis in Pa, or a text such as ``"230 GPa"``.
        E_T: Young's modulus across.
        nu_L: contraction across under a pull along the axis (nu_LT; nu_TL is ``nu_L E_T / E_L``).
        nu_T: contraction in the plane of isotropy under a pull in it.
        G_L: shear modulus in a plane that holds the axis. The one across is ``E_T / (2 (1 + nu_T))``.
        alpha_L: coefficient of thermal expansion along the axis in 1/K.
        alpha_T: coefficient of thermal expansion across.

    Raises:
        InputError: a modulus not positive and finite, ``nu_T`` outside (-1, 1), or
            ``nu_L^2 >= (1 - nu_T) / 2 * E_L / E_T``: some strain would store negative energy.
        UnitError: a text in a unit of another kind.
    """

    E_L: float
    E_T: float
    nu_L: float
    nu_T: float
    G_L: float
    alpha_L: float = 0.0
    alpha_T: float = 0.0

    def __init__(
        self,
        E_L: str | float,
        E_T: str | float,
        nu_L: float,
        nu_T: float,
        G_L: str | float,
        alpha_L: str | float = 0.0,
        alpha_T: str | float = 0.0,
    ) -> None:
        for (name, unit), value in zip(UNITS.items(), (E_L, E_T, nu_L, nu_T, G_L, alpha_L, alpha_T), strict=True):
            read = positive if unit == "Pa" else finite
            object.__setattr__(self, name, read(value, unit, f"The constant {name} of a transversely isotropic phase"))
        self._check()

    @property
    def name(self) -> str:
        """``transversely isotropic``."""
        return "transversely isotropic"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The seven constants."""
        return tuple(Parameter(name, getattr(self, name), unit) for name, unit in UNITS.items())

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    @property
    def expansion_strain(self) -> tuple[float, ...] | Tensor:
        """Free thermal strain per kelvin, Mandel ``[6]`` in 1/K."""
        return vector_of([self.alpha_L, self.alpha_T, self.alpha_T, 0.0, 0.0, 0.0])

    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness ``[6, 6]`` in Pa (Mandel), ``[m, 6, 6]`` with constants per point."""
        across = self.E_T / (2.0 * (1.0 + self.nu_T))
        return orthotropic_stiffness(
            (self.E_L, self.E_T, self.E_T), (self.nu_L, self.nu_L, self.nu_T), (across, self.G_L, self.G_L), like
        )

    def _check(self) -> None:
        if not -1.0 < self.nu_T < 1.0:
            raise InputError(
                f"Poisson's ratio nu_T of a transversely isotropic phase is {self.nu_T}; it must lie in (-1, 1), "
                "or a strain in the plane of isotropy would store negative energy."
            )
        limit = math.sqrt(0.5 * (1.0 - self.nu_T) * self.E_L / self.E_T)
        if not abs(self.nu_L) < limit:
            raise InputError(
                f"Poisson's ratio nu_L of a transversely isotropic phase is {self.nu_L}; with this nu_T, E_L and E_T "
                f"it must lie within -{limit:.6g} and {limit:.6g}, the root of (1 - nu_T)/2 E_L/E_T, or a strain would "
                "store negative energy; nu_L is the contraction across under a pull along the axis."
            )
