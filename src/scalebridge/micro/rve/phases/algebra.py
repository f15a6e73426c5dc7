"""Mandel algebra of laws whose constants are numbers, or tensors with one value per point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor


def column(value: Any) -> Any:
    """Return a constant, or one per point ``[..., m]``, so that it multiplies components ``[..., m, g]``."""
    return value[..., None] if getattr(value, "ndim", 0) else value


def trace(strain: Tensor) -> Tensor:
    """Trace ``[...]`` of Mandel components ``[..., 6]``."""
    return strain[..., :3].sum(-1)


def plus_pressure(tensor: Tensor, pressure: Tensor) -> Tensor:
    """Return Mandel components ``[..., 6]`` with ``pressure [...]`` added to the first three; same order in memory."""
    sum_ = tensor.clone()
    sum_[..., :3] += pressure[..., None]
    return sum_


def deviator(strain: Tensor) -> Tensor:
    """Deviatoric part ``[..., 6]`` of Mandel components ``[..., 6]``."""
    return plus_pressure(strain, trace(strain) / -3.0)


def hooke(strain: Tensor, bulk: Any, shear: Any) -> Tensor:
    """Stress ``[..., 6]`` of isotropic elasticity; bulk and shear modulus in Pa, one or one per point."""
    return plus_pressure(column(2.0 * shear) * strain, (bulk - 2.0 / 3.0 * shear) * trace(strain))


def stiffness(strain: Tensor, bulk: Any, shear: Any) -> Tensor:
    """Tangent ``[..., 6, 6]`` of isotropic elasticity at ``strain [..., 6]``, a view where the moduli are the same."""
    one = strain.new_ones(())
    lam, twice = (bulk - 2.0 / 3.0 * shear) * one, 2.0 * shear * one
    return filled(6, lambda i, j: isotropic_entry(i, j, lam, twice)).expand(*strain.shape, 6)


def filled(g: int, entry: Callable[[int, int], Tensor]) -> Tensor:
    """Symmetric tangent ``[..., g, g]`` of its upper entries ``entry(i, j) [...]``, ``i <= j``.

    Made entry by entry and kept component first in memory: each piece fits a cache, where products of whole
    ``[..., g, g]`` tensors are many times slower.
    """
    import torch

    upper = {(i, j): entry(i, j) for i in range(g) for j in range(i, g)}
    every = torch.broadcast_tensors(*(upper[min(i, j), max(i, j)] for i in range(g) for j in range(g)))
    tangent: Tensor = torch.stack(every).unflatten(0, (g, g)).movedim((0, 1), (-2, -1))
    return tangent


def isotropic_entry(i: int, j: int, lam: Tensor, twice_mu: Tensor) -> Tensor:
    """Entry of the isotropic tangent (Mandel) with Lamé's constants ``lam`` and ``twice_mu / 2``, ``[...]``."""
    if i == j:
        return lam + twice_mu if i < 3 else twice_mu
    return lam if j < 3 else lam.new_zeros(())


def stacked(components: Sequence[Tensor]) -> Tensor:
    """Return ``[..., g]`` of g components ``[...]``, component first in memory."""
    import torch

    whole: Tensor = torch.stack(torch.broadcast_tensors(*components)).movedim(0, -1)
    return whole


def joined(pieces: Sequence[Tensor]) -> Tensor:
    """Concatenate ``[..., a]``, ``[..., b]``, ... along the components, component first in memory."""
    import torch

    return torch.cat([piece.movedim(-1, 0) for piece in pieces]).movedim(0, -1)


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
