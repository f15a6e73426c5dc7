"""What linear laws share: a stiffness made from constants that may be numbers or tensors."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scalebridge.errors import InputError
from scalebridge.quantities.units import magnitude

if TYPE_CHECKING:
    from torch import Tensor


class LinearLaw(ABC):
    """A law whose stress is a constant stiffness times its measure (Mandel components, or a gradient)."""

    @property
    def linear(self) -> bool:
        """True."""
        return True

    @property
    def even(self) -> bool:
        """True."""
        return True

    @abstractmethod
    def stiffness(self, like: Tensor) -> Tensor:
        """Stiffness ``[g, g]`` (``[m, g, g]`` with constants per point), of the type and device of ``like``."""

    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""
        return 0.5 * (measure * self.stress(measure)).sum(-1)

    def stress(self, measure: Tensor) -> Tensor:
        """Stress ``[..., g]``."""
        return applied(self.stiffness(measure), measure)

    def tangent(self, measure: Tensor) -> Tensor:
        """Stiffness ``[..., g, g]``, an expanded view."""
        return everywhere(self.stiffness(measure), measure)


def everywhere(stiffness: Tensor, measure: Tensor) -> Tensor:
    """Return ``stiffness [g, g]`` or ``[m, g, g]`` for each of ``measure [..., g]``, an expanded view."""
    import torch

    shape = torch.broadcast_shapes(measure.shape[:-1], stiffness.shape[:-2])
    return stiffness.expand(*shape, *stiffness.shape[-2:])


def applied(matrix: Tensor, vector: Tensor) -> Tensor:
    """Return ``matrix [..., g, g]`` times ``vector [..., g]``; components first in memory where they came so."""
    if matrix.ndim == 2 and vector.ndim >= 2:
        return (matrix @ vector.mT).mT
    # Column by column over all points: four times as fast as one small product per point.
    found = matrix[..., 0] * vector[..., 0, None]
    for j in range(1, vector.shape[-1]):
        found = found.addcmul_(matrix[..., j], vector[..., j, None])
    return found


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return the matrices ``a [..., g, g]`` times ``b [..., g, g]``, by the same loop as `applied`."""
    found = a[..., :, 0, None] * b[..., None, 0, :]
    for k in range(1, b.shape[-2]):
        found = found.addcmul_(a[..., :, k, None], b[..., None, k, :])
    return found


def stacked(rows: Sequence[Sequence[Any]], like: Tensor) -> Tensor:
    """Return the matrix ``[..., n, g]`` of entries that are numbers or tensors ``[...]``; gradients flow."""
    flat = stacked_row([entry for row in rows for entry in row], like)
    matrix: Tensor = flat.unflatten(-1, (len(rows), len(rows[0])))
    return matrix


def stacked_row(entries: Sequence[Any], like: Tensor) -> Tensor:
    """Return the vector ``[..., n]`` of entries that are numbers or tensors ``[...]``; gradients flow."""
    import torch

    if not any(isinstance(entry, torch.Tensor) for entry in entries):
        return like.new_tensor([float(entry) for entry in entries])
    made = [e.to(like) if isinstance(e, torch.Tensor) else like.new_full((), float(e)) for e in entries]
    return torch.stack(torch.broadcast_tensors(*made)).movedim(0, -1)


def vector_of(entries: Sequence[Any]) -> tuple[float, ...] | Tensor:
    """Return the entries as they are where all are numbers, else their tensor ``[..., n]``."""
    first = next((e for e in entries if hasattr(e, "new_full")), None)
    return tuple(entries) if first is None else stacked_row(entries, first)


def finite(value: str | float, unit: str, owner: str) -> float:
    """Return a finite number in ``unit`` from a number or a text with a unit.

    Raises:
        InputError: not finite.
        UnitError: a text whose unit does not convert to ``unit``.
    """
    number = magnitude(value, unit, owner)
    if not math.isfinite(number):
        raise InputError(f"{owner} is {value}; it must be a finite number in {unit}.")
    return number
