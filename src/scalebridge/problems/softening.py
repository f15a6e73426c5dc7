"""A stress that softens, so that a load passes a limit point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scalebridge.errors import InputError
from scalebridge.models import Runs, Scale, Structure
from scalebridge.problems.assumptions import gradient_spaces, tapered_bar
from scalebridge.problems.case import Case, analytic_runs
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class SofteningFlux:
    """The closure ``p(g) = k g / (1 + (g/g0)^2)``: it peaks at ``g0`` with ``k g0 / 2``; potential and even."""

    k: float = 1.0
    g0: float = 1.0
    name: str = "softening_flux"
    version: str = "1"
    scale: Scale | None = None
    structure: Structure = field(default=Structure(potential=True, even=True))

    def __post_init__(self) -> None:
        if not (self.k > 0 and self.g0 > 0):
            raise InputError(f"The softening flux got k = {self.k}, g0 = {self.g0}; both must be positive.")

    @property
    def peak(self) -> float:
        """The largest flux there is."""
        return 0.5 * self.k * self.g0

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
        constants = repr((self.k, self.g0))
        return {"name": "scalebridge.problems.SofteningFlux", "version": self.version, "constants": constants}

    def run(self, x: Floats) -> Runs:
        """Flux ``[b, 1]`` and its derivative ``[b, 1, 1]``."""

        def respond(g: Floats) -> tuple[Floats, Floats]:
            square = 1 + (g / self.g0) ** 2
            return self.k * g / square, (self.k * (2 - square) / square**2)[:, :, None]

        return analytic_runs(self.inputs.check(x, f"The model '{self.name}'"), respond)


def softening_bar(load: float = 1.2) -> Case:
    """Return a tapered bar pulled by ``load`` times its limit load; above 1 there is no solution.

    Below 1 the exact flow is the load itself.
    """
    micro = SofteningFlux()
    bar = tapered_bar()
    # The element of the smallest mean area carries the limit load.
    flow = load * micro.peak * bar.smallest_area
    known = {"flow": flow} if load < 1 else {}
    return Case(micro, tapered_bar(right=("flow", flow)), known, known)
