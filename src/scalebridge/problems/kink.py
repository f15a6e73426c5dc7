"""A closure with a sharp kink where the answer is sensitive to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import Runs, Scale, Structure
from scalebridge.problems.case import Case, analytic_runs
from scalebridge.problems.kirchhoff import conductivity_spaces, kirchhoff_bar
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class KinkedConductivity:
    """The closure ``k(T) = k0 + slope max(0, T - corner)``: continuous, its derivative not.

    Raises:
        InputError: constants with which k is not positive everywhere.
    """

    k0: float = 1.0
    slope: float = 40.0
    corner: float = 1.5
    name: str = "kinked_conductivity"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure())

    def __post_init__(self) -> None:
        if not (self.k0 > 0 and self.slope >= 0):
            raise InputError(
                f"The kinked conductivity got k0 = {self.k0}, slope = {self.slope}; give k0 > 0, slope >= 0."
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
        constants = repr((self.k0, self.slope, self.corner))
        return {"name": "scalebridge.problems.KinkedConductivity", "version": self.version, "constants": constants}

    def run(self, x: Floats) -> Runs:
        """Conductivity ``[b, 1]`` and its one-sided derivative ``[b, 1, 1]``."""
        return analytic_runs(
            self.inputs.check(x, f"The model '{self.name}'"),
            lambda t: (
                self.k0 + self.slope * np.maximum(t - self.corner, 0.0),
                np.where(t > self.corner, self.slope, 0.0)[:, :, None],
            ),
        )

    def integral(self, temperature: Floats) -> Floats:
        """Integral ``[b]`` of k from zero."""
        over = np.maximum(temperature - self.corner, 0.0) ** 2 - max(-self.corner, 0.0) ** 2
        return self.k0 * temperature + 0.5 * self.slope * over


def kinked_bar(micro: KinkedConductivity | None = None, *, n_elements: int = 96) -> Case:
    """Return a bar heated from 0 to 2 K across the corner; most of the flow comes from above it.

    The exact answers are those of the continuous problem; on the mesh the quadrature of the element that
    holds the corner adds ``O(h^2)``, so that ``on_mesh`` is left to `Case.direct`.
    """
    case = kirchhoff_bar(micro or KinkedConductivity(), cold=0.0, hot=2.0, n_elements=n_elements)
    return Case(case.micro, case.macro, case.exact, {})
