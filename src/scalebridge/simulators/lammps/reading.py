"""A result of a run: its value, its statistical deviation and its systematic parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """A result with what it may be wrong by.

    Args:
        value: the number.
        noise_std: its statistical standard deviation, 0 where none is known.
        parts: systematic deviations by name (a cut-off, the size of the system), empty where none is known.
        degrees: degrees of freedom that the statistical deviation is known from.
    """

    value: float
    noise_std: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    degrees: float = math.inf

    @property
    def error_std(self) -> float:
        """The systematic parts together, in squares."""
        return math.hypot(*self.parts.values())

    def scaled(self, factor: float, offset: float = 0.0) -> Reading:
        """Return the same result in another unit: ``factor * value + offset``."""
        size = abs(factor)
        parts = {name: size * part for name, part in self.parts.items()}
        return Reading(factor * self.value + offset, size * self.noise_std, parts, self.degrees)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return ``(low, high)``: Student's t of the statistical part, and the systematic parts summed."""
        from scipy.stats import t

        student = t.ppf(0.5 + confidence / 2, self.degrees) if self.noise_std else 0.0
        half = float(student) * self.noise_std + sum(self.parts.values())
        return self.value - half, self.value + half
