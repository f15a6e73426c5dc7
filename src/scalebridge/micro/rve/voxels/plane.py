"""Three-dimensional laws in a plane: nothing strained out of it, or nothing stressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.micro.rve.phases.linear import applied, everywhere, product
from scalebridge.micro.rve.phases.phase import SIZES, Advance, HistoryPhase, Kinematics, Phase
from scalebridge.micro.rve.voxels.around import AroundHistory, AroundPhase
from scalebridge.micro.rve.voxels.condensation import OUT, PLANE, block, condensed, filled, freed, inverse, picked

# Components in the plane, and the one normal to it, of a measure in space.
IN_PLANE: dict[Kinematics, tuple[int, ...]] = {
    "small strain": (0, 1, 5),
    "finite strain": (0, 1, 3, 4),
    "conduction": (0, 1),
}
NORMAL: dict[Kinematics, int] = {"small strain": 2, "finite strain": 8, "conduction": 2}


@runtime_checkable
class TangentBlock(Protocol):
    """A law that can spare the entries of its tangent which a plane does not need."""

    def tangent_block(self, measure: Tensor, slots: Sequence[int]) -> Tensor:
        """Rows and columns ``slots`` of the tangent, ``[..., n, n]``."""


@dataclass(frozen=True, eq=False, slots=True)
class PlaneStrain(AroundPhase):
    """A law without memory, its out-of-plane strain zero: takes 11, 22, sqrt2 12.

    At finite strain it takes F11, F12, F21, F22 and F33 is 1.

    Args:
        law: in space; turned before, where it is.

    Raises:
        InputError: a law of conduction.
    """

    def __post_init__(self) -> None:
        _refuse(self.law, ("small strain", "finite strain"), "plane strain", "PlaneConduction")

    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3 at ``measure [..., 3]`` (finite strain: 4)."""
        return self.law.energy(embedded(measure, self.kinematics))

    def stress(self, measure: Tensor) -> Tensor:
        """In-plane stress ``[..., 3]`` in Pa (finite strain: 4)."""
        return in_plane(self.law.stress(embedded(measure, self.kinematics)), self.kinematics)

    def tangent(self, measure: Tensor) -> Tensor:
        """In-plane tangent ``[..., 3, 3]`` in Pa (finite strain: 4 by 4)."""
        return _plane_tangent(self.law, measure)

    def axial_stress(self, measure: Tensor) -> Tensor:
        """Stress normal to the plane ``[...]`` in Pa."""
        return self.law.stress(embedded(measure, self.kinematics))[..., NORMAL[self.kinematics]]


@dataclass(frozen=True, eq=False, slots=True)
class PlaneStrainHistory(AroundHistory):
    """A law with memory, its out-of-plane strain zero; see `PlaneStrain`."""

    def __post_init__(self) -> None:
        _refuse(self.law, ("small strain", "finite strain"), "plane strain", "PlaneConduction")

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material."""
        return self.law.state0()

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """In-plane stress and tangent, and the state, at the end of a step."""
        kinematics = self.kinematics
        end = self.law.advance(embedded(measure, kinematics), state, dt)
        return Advance(in_plane(end.stress, kinematics), block(end.tangent, IN_PLANE[kinematics]), end.state)

    def axial_stress(self, measure: Tensor, state: Tensor, dt: float) -> Tensor:
        """Stress normal to the plane ``[...]`` in Pa at the end of a step."""
        end = self.law.advance(embedded(measure, self.kinematics), state, dt)
        return end.stress[..., NORMAL[self.kinematics]]


@dataclass(frozen=True, eq=False, slots=True)
class PlaneConduction(AroundPhase):
    """A law of conduction, the gradient out of the plane zero: takes the first two components of the gradient.

    Raises:
        InputError: a law of another kind.
    """

    def __post_init__(self) -> None:
        _refuse(self.law, ("conduction",), "conduction in a plane", "PlaneStrain or PlaneStress")

    def energy(self, gradient: Tensor) -> Tensor:
        """Half of flux times gradient ``[...]`` at ``gradient [..., 2]``."""
        return self.law.energy(embedded(gradient, "conduction"))

    def stress(self, gradient: Tensor) -> Tensor:
        """In-plane flux ``[..., 2]``."""
        return in_plane(self.law.stress(embedded(gradient, "conduction")), "conduction")

    def tangent(self, gradient: Tensor) -> Tensor:
        """In-plane conductivity ``[..., 2, 2]``."""
        return _plane_tangent(self.law, gradient)

    def axial_stress(self, gradient: Tensor) -> Tensor:
        """Flux normal to the plane ``[...]``."""
        return self.law.stress(embedded(gradient, "conduction"))[..., 2]


@dataclass(frozen=True, eq=False, slots=True)
class PlaneStress(AroundPhase):
    """A law without memory at small strain, every stress out of the plane zero: takes 11, 22, sqrt2 12.

    The strains 33, sqrt2 23 and sqrt2 13 are condensed: in closed form for a linear law, by Newton's method at each
    point for another (rounding errors of the stress remain). Where Newton's method fails the stress is not a number,
    so that the solver shortens its step or reports the row. Derivatives by strain and constants are exact.

    Args:
        law: in space; turned before, where it is.

    Raises:
        InputError: a law of conduction or finite strain.
    """

    def __post_init__(self) -> None:
        _refuse(self.law, ("small strain",), "plane stress", "PlaneStrain or PlaneConduction")

    def energy(self, strain: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3 at ``strain [..., 3]``."""
        return self.law.energy(self.full_strain(strain))

    def stress(self, strain: Tensor) -> Tensor:
        """In-plane stress ``[..., 3]`` in Pa."""
        if self.linear:
            return applied(condensed(_rest_tangent(self.law, strain)), strain)
        return in_plane(self.law.stress(self.full_strain(strain)), "small strain")

    def tangent(self, strain: Tensor) -> Tensor:
        """In-plane tangent ``[..., 3, 3]`` in Pa."""
        if self.linear:
            return everywhere(condensed(_rest_tangent(self.law, strain)), strain)
        return condensed(self.law.tangent(self.full_strain(strain)))

    def axial_stress(self, strain: Tensor) -> Tensor:
        """Zero ``[...]``."""
        return strain.new_zeros(strain.shape[:-1])

    def full_strain(self, strain: Tensor) -> Tensor:
        """Strain in space ``[..., 6]`` that frees the out-of-plane stress, at ``strain [..., 3]``."""
        rest = _rest_tangent(self.law, strain)
        start = -applied(product(inverse(block(rest, OUT)), block(rest, OUT, PLANE)), strain)
        if self.linear:
            return filled(strain, start)
        return freed(lambda full: (self.law.stress(full), self.law.tangent(full)), strain, start)


@dataclass(frozen=True, eq=False, slots=True)
class PlaneStressHistory(AroundHistory):
    """A law with memory at small strain, every stress out of the plane zero; see `PlaneStress`.

    The state ``[..., s + 3]`` ends with the strains 33, sqrt2 23, sqrt2 13 of the last step: where Newton starts.
    """

    def __post_init__(self) -> None:
        _refuse(self.law, ("small strain",), "plane stress", "PlaneStrain or PlaneConduction")

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material, and zero strain."""
        return (*self.law.state0(), 0.0, 0.0, 0.0)

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """In-plane stress and tangent, and the state, at the end of a step."""
        memory, start = state[..., :-3], state[..., -3:]

        def respond(full: Tensor) -> tuple[Tensor, Tensor]:
            end = self.law.advance(full, memory, dt)
            return end.stress, end.tangent

        full = freed(respond, measure, start.expand(*measure.shape[:-1], 3))
        end = self.law.advance(full, memory, dt)
        found = torch.cat([end.state, picked(full, OUT)], -1)
        return Advance(in_plane(end.stress, "small strain"), condensed(end.tangent), found)

    def axial_stress(self, measure: Tensor, state: Tensor, dt: float) -> Tensor:
        """Zero ``[...]``."""
        return measure.new_zeros(measure.shape[:-1])


def plane_strain(law: Phase | HistoryPhase) -> PlaneStrain | PlaneStrainHistory:
    """Return the law in plane strain, with or without memory."""
    return PlaneStrainHistory(law) if isinstance(law, HistoryPhase) else PlaneStrain(law)


def plane_stress(law: Phase | HistoryPhase) -> PlaneStress | PlaneStressHistory:
    """Return the law in plane stress, with or without memory."""
    return PlaneStressHistory(law) if isinstance(law, HistoryPhase) else PlaneStress(law)


def embedded(measure: Tensor, kinematics: Kinematics) -> Tensor:
    """Return the measure in space of an in-plane ``measure [..., 3]`` (4 at finite strain, 2 of a gradient)."""
    parts = dict(zip(IN_PLANE[kinematics], measure.unbind(-1), strict=True))
    zero = torch.zeros_like(measure[..., 0])
    if kinematics == "finite strain":
        parts[NORMAL[kinematics]] = zero + 1.0
    return torch.stack([parts.get(c, zero) for c in range(SIZES[kinematics])]).movedim(0, -1)


def in_plane(full: Tensor, kinematics: Kinematics) -> Tensor:
    """Return the in-plane components of a measure or stress in space ``[..., g]``."""
    return picked(full, IN_PLANE[kinematics])


def _refuse(law: Phase | HistoryPhase, valid: tuple[Kinematics, ...], what: str, instead: str) -> None:
    if law.kinematics not in valid:
        raise InputError(
            f"The phase '{law.name}' is a law of {law.kinematics}, which cannot be taken in {what}; use {instead}."
        )


def _rest_tangent(law: Phase, measure: Tensor) -> Tensor:
    """Tangent at rest ``[g, g]`` or ``[m, g, g]``, not repeated for each row of a batch."""
    return law.tangent(embedded(measure.new_zeros(measure.shape[-1]), law.kinematics))


def _plane_tangent(law: Phase, measure: Tensor) -> Tensor:
    slots = IN_PLANE[law.kinematics]
    if law.linear:
        return everywhere(block(_rest_tangent(law, measure), slots), measure)
    full = embedded(measure, law.kinematics)
    return law.tangent_block(full, slots) if isinstance(law, TangentBlock) else block(law.tangent(full), slots)
