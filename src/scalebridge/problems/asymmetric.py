"""A response that differs between tension and compression, and says that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Runs, Scale, Structure
from scalebridge.problems.assumptions import gradient_spaces, heated_bar
from scalebridge.problems.case import Case, analytic_runs
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class AsymmetricFlux:
    """The closure ``p(g) = k (g + asymmetry (sqrt(g^2 + g0^2) - g0))``: convex potential, not even.

    Far from zero the stiffness is ``k (1 + asymmetry)`` in tension and ``k (1 - asymmetry)`` in compression.
    It claims ``Structure(potential=True, even=True)``, which is wrong on purpose.

    Raises:
        InputError: ``|asymmetry| >= 1``, which is not monotone.
    """

    k: float = 1.0
    asymmetry: float = 0.4
    g0: float = 0.5
    name: str = "asymmetric_flux"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure(potential=True, even=True))

    def __post_init__(self) -> None:
        if not (self.k > 0 and abs(self.asymmetry) < 1 and self.g0 > 0):
            raise InputError(
                f"The asymmetric flux got k = {self.k}, asymmetry = {self.asymmetry}, g0 = {self.g0}; "
                "give k > 0, asymmetry in (-1, 1), g0 > 0."
            )

    @property
    def inputs(self) -> Space:
        """The gradient, K/m."""
        return gradient_spaces()[0]

    @property
    def outputs(self) -> Space:
        """The flux along it, W/m^2."""
        return gradient_spaces()[1]

    def identity(self) -> Mapping[str, str]:
        """Name, version and every constant."""
        constants = repr((self.k, self.asymmetry, self.g0))
        return {"name": "scalebridge.problems.AsymmetricFlux", "version": self.version, "constants": constants}

    def run(self, x: Floats) -> Runs:
        """Flux ``[b, 1]`` and its derivative ``[b, 1, 1]``."""

        def respond(g: Floats) -> tuple[Floats, Floats]:
            root = np.sqrt(g**2 + self.g0**2)
            flux = self.k * (g + self.asymmetry * (root - self.g0))
            return flux, self.k * (1 + self.asymmetry * g / root)[:, :, None]

        return analytic_runs(self.inputs.check(x, f"The model '{self.name}'"), respond)


def asymmetric_bar(asymmetry: float = 0.4) -> Case:
    """Return a heated bar, which asks for both signs; its answers come from `Case.direct`."""
    return Case(AsymmetricFlux(asymmetry=asymmetry), heated_bar(), {}, {})
