"""What a material law must offer to fill the pixels of an RVE."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Parameter:
    """A constant of a material law: name, value, and the unit of that value."""

    name: str
    value: float
    unit: str


@runtime_checkable
class Phase(Protocol):
    """A material law that derives from a strain energy density, in plane strain.

    Strains are Mandel components ``[..., 3]`` (e11, e22, sqrt2 e12) of a torch float64 tensor on any
    device; e33 = 0. A new law is a frozen dataclass of these members in a file of its own.
    The energy must be zero, and the stress zero, at zero strain; the tangent must be symmetric.
    """

    @property
    def name(self) -> str:
        """Short name of the law, for people and for the identity of a model."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The constants, with their units."""

    @property
    def linear(self) -> bool:
        """Whether the tangent is the same at every strain."""

    @property
    def even(self) -> bool:
        """Whether the energy is even, so that the stress is odd (the same in tension and compression)."""

    def energy(self, strain: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3 at ``strain [..., 3]``."""

    def stress(self, strain: Tensor) -> Tensor:
        """In-plane stress ``[..., 3]`` in Pa (Mandel): the derivative of `energy`."""

    def tangent(self, strain: Tensor) -> Tensor:
        """Consistent tangent ``[..., 3, 3]`` in Pa (Mandel): the derivative of `stress`."""

    def axial_stress(self, strain: Tensor) -> Tensor:
        """Out-of-plane stress s33 ``[...]`` in Pa that keeps e33 = 0."""


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
        InputError: any other number; at 0.5 the plane-strain stiffness is infinite.
    """
    number = float(value)
    if not -1.0 < number < 0.5:
        raise InputError(
            f"{owner} is {value}; Poisson's ratio must lie in (-1, 0.5): at 0.5 the material is incompressible "
            "and plane strain has no finite stiffness, so give for example 0.49."
        )
    return number


def bulk_modulus(E: float, nu: float) -> float:
    """Bulk modulus in the unit of Young's modulus ``E``."""
    return E / (3.0 * (1.0 - 2.0 * nu))


def shear_modulus(E: float, nu: float) -> float:
    """Shear modulus in the unit of Young's modulus ``E``."""
    return E / (2.0 * (1.0 + nu))
