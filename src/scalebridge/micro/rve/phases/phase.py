"""What a material law must offer to fill the voxels of an RVE."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor

Kinematics = Literal["small strain", "finite strain", "conduction"]

# Components of the measure a law takes, in three dimensions.
SIZES: dict[Kinematics, int] = {"small strain": 6, "finite strain": 9, "conduction": 3}
# Mandel components of a symmetric tensor: 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12.
MANDEL = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))

Law = TypeVar("Law")


@dataclass(frozen=True)
class Parameter:
    """A constant of a material law: name, value, and the unit of that value."""

    name: str
    value: float
    unit: str


@runtime_checkable
class Material(Protocol):
    """What every law has: a name, its constants, and what it takes.

    A law is written once, for three dimensions; plane strain, plane stress, orientation and composite voxels
    are made from it. It takes a *measure* ``[..., g]`` (torch, float64 or float32, any device) and gives the
    stress conjugate to it:

    ===============  ==  =====================================================  ==============================
    kinematics       g   measure                                                stress
    ===============  ==  =====================================================  ==============================
    small strain     6   strain, Mandel 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12  Cauchy stress in Pa, Mandel
    finite strain    9   deformation gradient F, rows first: F11, F12, F13, ...   first Piola-Kirchhoff in Pa
    conduction       3   gradient of the potential (temperature), K/m             k times the gradient, W/m^2
    ===============  ==  =====================================================  ==============================

    The axes 1, 2, 3 are x, y, z of the grid. Each parameter is kept in the attribute of its name, and the methods
    must take tensors in place of the numbers (one value, or one per point ``[m]`` that broadcasts against
    ``measure[..., m, g]``): this is what makes an RVE differentiable by its constants.
    """

    @property
    def name(self) -> str:
        """Short name of the law, for people and for the identity of a model."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constants, with their units."""

    @property
    def kinematics(self) -> Kinematics:
        """What the law takes."""


@runtime_checkable
class Phase(Material, Protocol):
    """A law without memory that derives from a potential.

    Energy and stress are zero at rest (no strain, F = 1, no gradient); the tangent is symmetric.
    """

    @property
    def linear(self) -> bool:
        """Whether the tangent is the same everywhere."""

    @property
    def even(self) -> bool:
        """Whether the energy is even, so that the stress is odd (the same in tension and compression)."""

    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3 at ``measure [..., g]``."""

    def stress(self, measure: Tensor) -> Tensor:
        """Stress ``[..., g]``: the derivative of `energy`."""

    def tangent(self, measure: Tensor) -> Tensor:
        """Consistent tangent ``[..., g, g]``: the derivative of `stress`."""


@dataclass(frozen=True)
class Advance:
    """One step of a law with memory.

    Args:
        stress: ``[..., g]``.
        tangent: ``[..., g, g]``, consistent with the step: the derivative of ``stress`` by the measure at the end.
        state: ``[..., s]``, at the end of the step.
    """

    stress: Tensor
    tangent: Tensor
    state: Tensor


@runtime_checkable
class HistoryPhase(Material, Protocol):
    """A law with memory: internal variables per point, advanced by steps. Pure: a state is never changed in place."""

    @property
    def state_size(self) -> int:
        """Internal variables per point, s."""

    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material, s numbers."""

    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, tangent and state at ``measure [..., g]``, a step of ``dt`` seconds after ``state [..., s]``."""


def with_parameters(law: Law, values: Mapping[str, Any]) -> Law:
    """Return a copy of ``law`` whose constants are the given tensors, unchecked.

    Raises:
        InputError: a name that is no parameter of the law, or one of the law inside a wrapper.
    """
    material: Any = law
    known = [p.name for p in material.parameters]
    for name in values:
        if name not in known:
            raise InputError(f"The law '{material.name}' has no parameter '{name}'; it has {', '.join(known)}.")
        if not hasattr(material, name):
            raise InputError(
                f"The law '{material.name}' is made from another, which keeps the parameter '{name}'; give its value "
                "to the law inside, before anything is made from it."
            )
    made = copy.copy(law)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def positive(value: str | float, unit: str, owner: str) -> float:
    """Return a positive finite number in ``unit`` from a number or a text with a unit.

    Raises:
        InputError: zero, negative or not finite.
        UnitError: a text whose unit does not convert to ``unit``.
    """
    number = magnitude(value, unit, owner)
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{owner} is {value}; it must be a positive finite number in {unit}.")
    return number


def poisson_ratio(value: float, owner: str) -> float:
    """Return a Poisson's ratio in (-1, 0.5).

    Raises:
        InputError: any other number; at 0.5 the stiffness is infinite.
    """
    number = float(value)
    if not -1.0 < number < 0.5:
        raise InputError(
            f"{owner} is {value}; Poisson's ratio must lie in (-1, 0.5): at 0.5 the material is incompressible "
            "and has no finite stiffness, so give for example 0.49."
        )
    return number


def bulk_modulus(E: Any, nu: Any) -> Any:
    """Bulk modulus in the unit of Young's modulus ``E``; numbers or tensors."""
    return E / (3.0 * (1.0 - 2.0 * nu))


def shear_modulus(E: Any, nu: Any) -> Any:
    """Shear modulus in the unit of Young's modulus ``E``; numbers or tensors."""
    return E / (2.0 * (1.0 + nu))
