"""Mandel algebra of laws whose constants are numbers, or tensors with one value per point."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor


def column(value: Any) -> Any:
    """Return a constant, or one per point ``[..., m]``, so that it multiplies components ``[..., m, g]``."""
    return value[..., None] if getattr(value, "ndim", 0) else value


def block(value: Any) -> Any:
    """Return a constant, or one per point ``[..., m]``, so that it multiplies tangents ``[..., m, g, g]``."""
    return value[..., None, None] if getattr(value, "ndim", 0) else value


def trace(strain: Tensor) -> Tensor:
    """Trace ``[...]`` of Mandel components ``[..., 6]``."""
    return strain[..., :3].sum(-1)


def unit(like: Tensor) -> Tensor:
    """Mandel components ``[6]`` of the second-order identity, in the dtype and on the device of ``like``."""
    one = like.new_zeros(6)
    one[:3] = 1.0
    return one


def deviator(strain: Tensor) -> Tensor:
    """Deviatoric part ``[..., 6]`` of Mandel components ``[..., 6]``."""
    return strain - (trace(strain) / 3.0)[..., None] * unit(strain)


def volumetric_projector(like: Tensor) -> Tensor:
    """Projector ``[6, 6]`` onto the multiples of the identity."""
    one = unit(like)
    return one[:, None] * one / 3.0


def deviatoric_projector(like: Tensor) -> Tensor:
    """Projector ``[6, 6]`` onto deviators."""
    return like.new_ones(6).diag() - volumetric_projector(like)


def hooke(strain: Tensor, bulk: Any, shear: Any) -> Tensor:
    """Stress ``[..., 6]`` of isotropic elasticity; bulk and shear modulus in Pa, one or one per point."""
    stress: Tensor = column(bulk * trace(strain)) * unit(strain) + column(2.0 * shear) * deviator(strain)
    return stress


def stiffness(strain: Tensor, bulk: Any, shear: Any) -> Tensor:
    """Tangent ``[..., 6, 6]`` of isotropic elasticity at ``strain [..., 6]``, a view where the moduli are the same."""
    moduli: Tensor = block(3.0 * bulk) * volumetric_projector(strain) + block(2.0 * shear) * deviatoric_projector(
        strain
    )
    return moduli.expand(*strain.shape, 6)


def root(square: Tensor) -> Tensor:
    """Square root whose derivative at zero is zero instead of NaN."""
    above = square > 0
    return square.where(above, square.new_ones(())).sqrt().where(above, square.new_zeros(()))


def not_negative(value: str | float, unit: str, owner: str) -> float:
    """Return a finite number of at least zero in ``unit`` from a number or a text with a unit.

    Raises:
        InputError: negative or not finite.
        UnitError: a text whose unit does not convert to ``unit``.
    """
    number = magnitude(value, unit, owner)
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"{owner} is {value}; it must be zero or a positive finite number in {unit}.")
    return number
