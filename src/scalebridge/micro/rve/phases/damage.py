"""Isotropic damage with a regularised length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.algebra import (
    column,
    deviator,
    filled,
    hooke,
    isotropic_entry,
    joined,
    not_negative,
    root,
    trace,
)
from scalebridge.micro.rve.phases.phase import (
    Advance,
    Kinematics,
    Material,
    Parameter,
    bulk_modulus,
    poisson_ratio,
    positive,
    shear_modulus,
)

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class NonlocalPhase(Material, Protocol):
    """A law with memory that is driven by a scalar averaged over a length, beside the measure at its point."""

    @property
    def length(self) -> float:
        """Length of the average in m."""

    @property
    def state_size(self) -> int:
        """Internal variables per point, s."""

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material, s numbers."""

    def equivalent(self, measure: Tensor) -> Tensor:
        """Local scalar ``[...]`` whose average drives the law."""

    def advance_nonlocal(self, measure: Tensor, nonlocal_strain: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, tangent at fixed ``nonlocal_strain [...]``, and state at the end of a step."""


@dataclass(frozen=True)
class IsotropicDamage:
    """Isotropic damage: ``stress = (1 - D) C : strain``, with exponential softening in a nonlocal strain.

    D follows the largest nonlocal equivalent strain k that the point has seen::

        1 - D = residual + (1 - residual) (k0 / k) exp(-(k - k0) / (kf - k0))     for k > k0 = strain_threshold

    with kf = ``strain_failure``: in uniaxial tension the stress falls as ``E k0 exp(-(strain - k0)/(kf - k0))``
    (residual aside), and the energy of fracture per volume is ``E k0 (kf - k0/2)``. The equivalent strain is the
    modified von Mises strain of de Vree, Brekelmans and van Gils 1995, smooth and without eigenvalues, equal to
    the axial strain in uniaxial tension and to its 1/``strength_ratio`` in uniaxial compression::

        e = ((r - 1) I1 / (1 - 2 nu) + sqrt(((r - 1) I1 / (1 - 2 nu))^2 + 12 r J2 / (1 + nu)^2)) / (2 r)

    **How it is used.** A softening law at a point alone would give results of the mesh, so this law has no
    `advance`: per iteration of a step, (1) ``e = law.equivalent(strain)`` in every voxel; (2) its average over
    ``length`` on the cell, `scalebridge.micro.rve.averaging.HelmholtzAverage` (Peerlings 1996), over the voxels that
    soften (the average of their strain over that of their indicator); (3)
    ``law.advance_nonlocal(strain, average, state, dt)`` at fixed average; (4) equilibrium with the tangent (1 - D) C,
    which is linear, symmetric and positive; again from (1) until the average rests, then keep the state. Every
    iteration starts from the state of the last *step*. In a homogeneous cell the average is the local strain.

    State, 2 numbers: k, starting at k0, and D.

    Args:
        E: Young's modulus in Pa of the undamaged material, or a text.
        nu: Poisson's ratio.
        strain_threshold: equivalent strain k0 where damage starts.
        strain_failure: kf above k0: how slowly the stress then falls.
        length: internal length in m, or a text such as ``"5 um"``; 0 is the local law.
        strength_ratio: compressive over tensile strength r, at least 1.
        residual: part of the stiffness that stays, in [0, 1), so that the cell never falls apart.

    Raises:
        InputError: a constant out of its range.
    """

    E: float
    nu: float
    strain_threshold: float
    strain_failure: float
    length: float
    strength_ratio: float
    residual: float

    def __init__(
        self,
        E: str | float,
        nu: float,
        strain_threshold: float,
        strain_failure: float,
        length: str | float,
        strength_ratio: float = 10.0,
        residual: float = 1e-6,
    ) -> None:
        values = {
            "E": positive(E, "Pa", "Young's modulus E of a damage phase"),
            "nu": poisson_ratio(nu, "Poisson's ratio nu of a damage phase"),
            "strain_threshold": positive(strain_threshold, "1", "The strain strain_threshold of a damage phase"),
            "strain_failure": positive(strain_failure, "1", "The strain strain_failure of a damage phase"),
            "length": not_negative(length, "m", "The internal length of a damage phase"),
            "strength_ratio": positive(strength_ratio, "1", "The ratio strength_ratio of a damage phase"),
            "residual": not_negative(residual, "1", "The residual stiffness of a damage phase"),
        }
        if values["strain_failure"] <= values["strain_threshold"]:
            raise InputError(
                f"strain_failure of a damage phase is {strain_failure} and strain_threshold {strain_threshold}; "
                "failure must lie above the threshold, or the stress would fall at once."
            )
        if values["strength_ratio"] < 1.0:
            raise InputError(
                f"strength_ratio of a damage phase is {strength_ratio}; it is the compressive over the tensile "
                "strength and must be at least 1."
            )
        if values["residual"] >= 1.0:
            raise InputError(
                f"The residual stiffness of a damage phase is {residual}; it is a part and must lie in [0, 1)."
            )
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """``isotropic damage``."""
        return "isotropic damage"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """E, nu, strain_threshold, strain_failure, length, strength_ratio and residual."""
        units = {"E": "Pa", "length": "m"}
        return tuple(Parameter(n, getattr(self, n), units.get(n, "1")) for n in self.__dataclass_fields__)

    @property
    def kinematics(self) -> Kinematics:
        """``small strain``."""
        return "small strain"

    @property
    def state_size(self) -> int:
        """2."""
        return 2

    def state0(self) -> tuple[float, ...]:
        """The threshold and no damage."""
        return (float(self.strain_threshold), 0.0)

    def equivalent(self, measure: Tensor) -> Tensor:
        """Modified von Mises strain ``[...]`` of strain ``[..., 6]``; zero or positive."""
        ratio, shape = self.strength_ratio, deviator(measure)
        volume = (ratio - 1.0) / (1.0 - 2.0 * self.nu) * trace(measure)
        distortion = 6.0 * ratio / (1.0 + self.nu) ** 2 * (shape * shape).sum(-1)
        return (volume + root(volume * volume + distortion)) / (2.0 * ratio)

    def damage(self, largest: Tensor) -> Tensor:
        """Damage ``[...]`` in [0, 1) at the largest nonlocal strain seen ``[...]``."""
        start = self.strain_threshold
        beyond = (largest - start).clamp(min=0.0)
        kept = start / (start + beyond) * (-beyond / (self.strain_failure - start)).exp()
        return (1.0 - self.residual) * (1.0 - kept)

    def advance_nonlocal(self, measure: Tensor, nonlocal_strain: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress in Pa, secant tangent ``(1 - D) C`` and state at strain ``measure [..., 6]``.

        Args:
            measure: strain ``[..., 6]``.
            nonlocal_strain: averaged equivalent strain ``[...]``, held fixed by the tangent.
            state: ``[..., 2]``, at the end of the last step.
            dt: without effect.
        """
        import torch

        largest = torch.maximum(state[..., 0], nonlocal_strain)
        damage = self.damage(largest)
        bulk, shear = bulk_modulus(self.E, self.nu), shear_modulus(self.E, self.nu)
        stress = column(1.0 - damage) * hooke(measure, bulk, shear)
        lam, twice = (1.0 - damage) * (bulk - 2.0 * shear / 3.0), (1.0 - damage) * (2.0 * shear)
        tangent = filled(6, lambda i, j: isotropic_entry(i, j, lam, twice))
        return Advance(stress, tangent, joined([largest[..., None], damage[..., None]]))
