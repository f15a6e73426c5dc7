"""Nothing: a phase that carries no stress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.linear import everywhere
from scalebridge.micro.rve.phases.phase import Kinematics, Parameter

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Void:
    """A phase that carries no stress (no flux, where it is said to conduct): zero stiffness.

    Args:
        kinematics: of the laws beside it.
    """

    kinematics: Kinematics = "small strain"

    @property
    def name(self) -> str:
        """``void``."""
        return "void"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """None."""
        return ()

    @property
    def linear(self) -> bool:
        """True."""
        return True

    @property
    def even(self) -> bool:
        """True."""
        return True

    @property
    def expansion_strain(self) -> tuple[float, ...]:
        """Zero, Mandel ``[6]``: what has no stiffness pushes nothing."""
        return (0.0,) * 6

    def stiffness(self, like: Tensor) -> Tensor:
        """Zero ``[g, g]``, with as many components as ``like [..., g]``."""
        return like.new_zeros((like.shape[-1], like.shape[-1]))

    def energy(self, measure: Tensor) -> Tensor:
        """Zero ``[...]``."""
        return measure.new_zeros(measure.shape[:-1])

    def stress(self, measure: Tensor) -> Tensor:
        """Zero ``[..., g]``."""
        return measure.new_zeros(()).expand(measure.shape)

    def tangent(self, measure: Tensor) -> Tensor:
        """Zero ``[..., g, g]``, an expanded view."""
        return everywhere(self.stiffness(measure), measure)
