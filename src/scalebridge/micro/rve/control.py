"""When a solve stops, and which macroscopic components are prescribed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Control:
    """When to stop.

    Args:
        tolerance: stress out of balance, relative to the stress (root mean squares in the reference's norm).
        newton_limit: Newton iterations at most, per load step.
        cg_limit: conjugate-gradient iterations at most, per linear system.
    """

    tolerance: float = 1e-6
    newton_limit: int = 30
    cg_limit: int = 2000

    @property
    def tangent_tolerance(self) -> float:
        """Residual of the tangent's systems; the error of the tangent goes with its square."""
        return min(3e-4, 0.3 * math.sqrt(self.tolerance))


@dataclass(frozen=True)
class Load:
    """Macroscopic load of ``b`` rows, component by component.

    Args:
        measure: ``[b, g]``, float64: the prescribed mean measure (strain, F, gradient); a start value where the
            stress is prescribed instead.
        stress: ``[b, g]``, the prescribed mean stress; read in the free components only.
        free: ``[g]``, 1.0 where the stress is prescribed and the measure is found, else 0.0.
    """

    measure: Tensor
    stress: Tensor
    free: Tensor

    @staticmethod
    def of_measure(measure: Tensor) -> Load:
        """Return the load that prescribes every component of the measure."""
        return Load(measure, torch.zeros_like(measure), torch.zeros_like(measure[0]))

    @property
    def mixed(self) -> bool:
        """Whether any component of the stress is prescribed."""
        return bool(self.free.any())

    def scaled(self, share: float, rest: Tensor) -> Load:
        """Return the load at ``share`` of the way from rest ``[g]``."""
        return Load(rest + share * (self.measure - rest), share * self.stress, self.free)

    def split(self, size: int) -> list[Load]:
        """Return loads of at most ``size`` rows."""
        pairs = zip(self.measure.split(size), self.stress.split(size), strict=True)
        return [Load(m, s, self.free) for m, s in pairs]

    def row(self, k: int) -> Load:
        """Return the load of row ``k`` alone."""
        return Load(self.measure[k : k + 1], self.stress[k : k + 1], self.free)
