"""Von Mises plasticity with isotropic and kinematic hardening."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.algebra import (
    column,
    deviator,
    filled,
    isotropic_entry,
    joined,
    not_negative,
    plus_pressure,
    root,
    trace,
)
from scalebridge.micro.rve.phases.phase import (
    Advance,
    Kinematics,
    Parameter,
    bulk_modulus,
    poisson_ratio,
    positive,
    shear_modulus,
)

if TYPE_CHECKING:
    from torch import Tensor

ROOT = math.sqrt(2.0 / 3.0)
# Newton's iterations rise monotonically to the root; 8 are the most seen, and 50 are refused as a failure.
ITERATIONS = 50


@dataclass(frozen=True)
class J2:
    """Small-strain von Mises plasticity: radial return, backward Euler, consistent tangent.

    Yield where the von Mises norm of ``dev(stress) - back stress`` exceeds the flow stress of the accumulated
    plastic strain a::

        flow stress = yield_stress + hardening a + saturation (1 - exp(-saturation_rate a))
        back stress = 2/3 kinematic (plastic strain)                      (Prager)

    The return is in closed form without saturation; with it (Voce) the scalar equation is convex, and Newton's
    method from the elastic side converges from every trial state. A point that does not converge (only NaN or
    overflow does not) is NaN. The rate of loading does not matter.

    State, 13 numbers: plastic strain (6, Mandel), back stress (6, Mandel, Pa), accumulated plastic strain.

    Source: Simo and Hughes, Computational Inelasticity, 1998, boxes 3.1 and 3.2; Voce 1955.

    Args:
        E: Young's modulus in Pa, or a text such as ``"72 GPa"``.
        nu: Poisson's ratio.
        yield_stress: first yield in uniaxial tension, in Pa or a text.
        hardening: linear isotropic modulus in Pa or a text; 0 and no other hardening is perfect plasticity.
        saturation: what the flow stress gains at most beyond the linear part (Voce), in Pa or a text.
        saturation_rate: how fast, per unit of accumulated plastic strain.
        kinematic: Prager's modulus in Pa or a text.

    Raises:
        InputError: ``E`` or ``yield_stress`` not positive and finite, ``nu`` outside (-1, 0.5), a negative
            modulus of hardening, a saturation without a rate.
    """

    E: float
    nu: float
    yield_stress: float
    hardening: float
    saturation: float
    saturation_rate: float
    kinematic: float

    def __init__(
        self,
        E: str | float,
        nu: float,
        yield_stress: str | float,
        hardening: str | float = 0.0,
        saturation: str | float = 0.0,
        saturation_rate: float = 0.0,
        kinematic: str | float = 0.0,
    ) -> None:
        values = {
            "E": positive(E, "Pa", "Young's modulus E of a J2 phase"),
            "nu": poisson_ratio(nu, "Poisson's ratio nu of a J2 phase"),
            "yield_stress": positive(yield_stress, "Pa", "The yield stress yield_stress of a J2 phase"),
            "hardening": not_negative(hardening, "Pa", "The isotropic modulus hardening of a J2 phase"),
            "saturation": not_negative(saturation, "Pa", "The saturation stress saturation of a J2 phase"),
            "saturation_rate": not_negative(saturation_rate, "1", "The rate saturation_rate of a J2 phase"),
            "kinematic": not_negative(kinematic, "Pa", "The kinematic modulus kinematic of a J2 phase"),
        }
        if (values["saturation"] > 0) != (values["saturation_rate"] > 0):
            raise InputError(
                f"A J2 phase has saturation {saturation} and saturation_rate {saturation_rate}; Voce hardening needs "
                "both to be positive, and neither is wanted without it."
            )
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """``J2 plasticity``."""
        return "J2 plasticity"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E, nu, yield_stress, hardening, saturation, saturation_rate and kinematic."""
        units = {"nu": "1", "saturation_rate": "1"}
        return tuple(Parameter(n, getattr(self, n), units.get(n, "Pa")) for n in self.__dataclass_fields__)

    @property
    def kinematics(self) -> Kinematics:
        """``small strain``."""
        return "small strain"

    @property
    def state_size(self) -> int:
        """13."""
        return 13

    def state0(self) -> tuple[float, ...]:
        """Thirteen zeros."""
        return (0.0,) * 13

    def flow_stress(self, accumulated: Tensor) -> Tensor:
        """Uniaxial flow stress ``[...]`` in Pa at the accumulated plastic strain ``[...]``, back stress aside."""
        rise = -(-self.saturation_rate * accumulated).expm1()
        return self.yield_stress + self.hardening * accumulated + self.saturation * rise

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress in Pa, consistent tangent and state at strain ``measure [..., 6]`` after ``state [..., 13]``."""
        bulk, shear = bulk_modulus(self.E, self.nu), shear_modulus(self.E, self.nu)
        plastic, back, accumulated = state[..., :6], state[..., 6:12], state[..., 12]
        elastic = deviator(measure - plastic)
        trial = column(2.0 * shear) * elastic - back
        norm = root((trial * trial).sum(-1))
        safe = norm.where(norm > 0, norm.new_ones(()))
        direction = trial / safe[..., None]
        excess = (norm - ROOT * self.flow_stress(accumulated)).clamp(min=0.0)
        gamma = self._multiplier(excess, norm, accumulated, shear)
        flow = gamma[..., None] * direction
        stress = plus_pressure(column(2.0 * shear) * (elastic - flow), bulk * trace(measure))
        reached = accumulated + ROOT * gamma
        new = [plastic + flow, back + column(2.0 / 3.0 * self.kinematic) * flow, reached[..., None]]
        tangent = self._tangent(direction, 2.0 * shear * gamma / safe, excess > 0, reached, (bulk, shear))
        return Advance(stress, tangent, joined(new))

    def _slope(self, accumulated: Tensor) -> Tensor:
        """Derivative ``[...]`` of the flow stress by the accumulated plastic strain, Prager's modulus added."""
        rise = self.saturation * self.saturation_rate * (-self.saturation_rate * accumulated).exp()
        return self.hardening + self.kinematic + rise

    def _multiplier(self, excess: Tensor, norm: Tensor, accumulated: Tensor, shear: Any) -> Tensor:
        """Plastic multiplier ``[...]`` that puts the stress back onto the yield surface; zero where elastic."""
        import torch

        if isinstance(self.saturation, float) and self.saturation == 0.0:
            closed: Tensor = excess / (2.0 * shear + 2.0 / 3.0 * (self.hardening + self.kinematic))
            return closed
        active = excess > 0
        linear = 2.0 * shear + 2.0 / 3.0 * self.kinematic

        def step(gamma: Tensor) -> tuple[Tensor, Tensor]:
            reached = accumulated + ROOT * gamma
            gap = torch.where(active, norm - ROOT * self.flow_stress(reached) - linear * gamma, 0.0)
            return gap, gap / (2.0 * shear + 2.0 / 3.0 * self._slope(reached))

        gamma, small = torch.zeros_like(excess), 8.0 * torch.finfo(excess.dtype).eps * norm.detach()
        with torch.no_grad():
            for _ in range(ITERATIONS):
                gap, rise = step(gamma)
                open_ = gap.abs() > small
                if not bool(open_.any()):
                    break
                gamma = torch.where(open_, gamma + rise, gamma)
            gamma = torch.where(gap.abs() <= small, gamma, torch.nan)
        # One more step, on record: its derivative is that of the root (implicit function theorem).
        return gamma.detach() + step(gamma.detach())[1]

    def _tangent(self, direction: Tensor, back: Tensor, active: Tensor, reached: Tensor, moduli: Any) -> Tensor:
        """Consistent tangent (box 3.2); ``back [...]``: the share of the trial norm that was returned."""
        bulk, shear = moduli
        bend = (1.0 / (1.0 + self._slope(reached) / (3.0 * shear)) - back) * active
        twice, lost = 2.0 * shear * (1.0 - back), 2.0 * shear * bend
        lam = bulk - twice / 3.0
        n = direction.unbind(-1)
        return filled(6, lambda i, j: isotropic_entry(i, j, lam, twice) - lost * n[i] * n[j])
