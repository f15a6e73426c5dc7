"""A phase that does not deform."""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.micro.rve.phases.elastic import Elastic
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter, positive

RIGIDITY = 1e7


@dataclass(frozen=True)
class Rigid:
    """A phase that moves and turns but does not deform. A marker: the solver puts its `backing` in its place."""

    @property
    def name(self) -> str:
        """``rigid``."""
        return "rigid"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None."""
        return ()

    @property
    def kinematics(self) -> Kinematics:
        """Small strain."""
        return "small strain"

    def backing(self, bulk: float, shear: float) -> Elastic:
        """Return the elastic law that stands for rigidity: 1e7 times the stiffest of the other phases.

        Strains of the rigid phase are then 1e-7 of its neighbours', below the default tolerance of a solve.

        Args:
            bulk: largest bulk modulus of the other phases in Pa.
            shear: largest shear modulus of the other phases in Pa.

        Raises:
            InputError: a modulus not positive and finite (all other phases are void).
        """
        k = RIGIDITY * positive(bulk, "Pa", "The bulk modulus beside a rigid phase")
        g = RIGIDITY * positive(shear, "Pa", "The shear modulus beside a rigid phase")
        return Elastic(9.0 * k * g / (3.0 * k + g), (3.0 * k - 2.0 * g) / (2.0 * (3.0 * k + g)))
