"""What laws made from another law share: name, constants and kind are the inner law's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scalebridge.micro.rve.phases.phase import Advance, HistoryPhase, Kinematics, Parameter, Phase

if TYPE_CHECKING:
    from torch import Tensor


# Slots, so that constants cannot be set on the outer law, where nothing would read them.
@dataclass(frozen=True, eq=False, slots=True)
class AroundPhase(ABC):
    """A law without memory made from another."""

    law: Phase

    @property
    def name(self) -> str:
        """The law's name."""
        return self.law.name

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The law's constants. Give tensors in their place to the law itself, before anything is made from it."""
        return self.law.parameters

    @property
    def kinematics(self) -> Kinematics:
        """The law's."""
        return self.law.kinematics

    @property
    def linear(self) -> bool:
        """Whether the law is linear."""
        return self.law.linear

    @property
    def even(self) -> bool:
        """Whether the law's energy is even."""
        return self.law.even

    @abstractmethod
    def energy(self, measure: Tensor) -> Tensor:
        """Energy density ``[...]`` in J/m^3."""

    @abstractmethod
    def stress(self, measure: Tensor) -> Tensor:
        """Stress ``[..., g]``."""

    @abstractmethod
    def tangent(self, measure: Tensor) -> Tensor:
        """Tangent ``[..., g, g]``."""


@dataclass(frozen=True, eq=False, slots=True)
class AroundHistory(ABC):
    """A law with memory made from another."""

    law: HistoryPhase

    @property
    def name(self) -> str:
        """The law's name."""
        return self.law.name

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The law's constants. Give tensors in their place to the law itself, before anything is made from it."""
        return self.law.parameters

    @property
    def kinematics(self) -> Kinematics:
        """The law's."""
        return self.law.kinematics

    @property
    def state_size(self) -> int:
        """Internal variables per point: the law's, and what is added to them."""
        return len(self.state0())

    @abstractmethod
    def state0(self) -> tuple[float, ...]:
        """Internal variables of the virgin material."""

    @abstractmethod
    def advance(self, measure: Tensor, state: Tensor, dt: float) -> Advance:
        """Stress, tangent and state at the end of a step of ``dt`` seconds."""
