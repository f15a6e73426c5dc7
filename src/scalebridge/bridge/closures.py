"""The closures a macro problem is given: a surrogate's mean, and variations of it for checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from scalebridge.models import Closure, ClosureValue, Surrogate
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class SurrogateClosure:
    """Answers with a surrogate's mean and its exact tangent.

    Outside its domain the surrogate continues by its prior mean, whose tangent is bounded.
    """

    surrogate: Surrogate
    inputs: Space

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        values, tangent = self.surrogate.predict(x)
        return ClosureValue(values, tangent, self.surrogate.domain.contains(x) & self.inputs.inside(x))


Field = Callable[[Floats], "tuple[Floats, Floats]"]


@dataclass(frozen=True)
class PerturbedClosure:
    """A closure plus a small smooth field: ``values [n, m]`` and derivative ``[n, m, d]`` of ``field(x)``."""

    base: Closure
    field: Field

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        value = self.base(x)
        extra, slope = self.field(x)
        return ClosureValue(value.values + extra, value.tangent + slope, value.inside)


@dataclass(frozen=True)
class ScaledClosure:
    """A closure times one factor."""

    base: Closure
    factor: float

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        value = self.base(x)
        return ClosureValue(self.factor * value.values, self.factor * value.tangent, value.inside)


@dataclass(frozen=True)
class ShiftedClosure:
    """A closure whose value in one row and output is shifted, whatever the state: for finite differences."""

    base: Closure
    row: int
    output: int
    shift: float
    asked: list[Floats] = field(default_factory=list)

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        value = self.base(x)
        self.asked[:] = [np.array(x)]
        values = value.values.copy()
        if self.row < len(values):
            values[self.row, self.output] += self.shift
        return ClosureValue(values, value.tangent, value.inside)


class FirstStatesAsked(Exception):
    """Ends a macro solve once the states it begins with are known."""


@dataclass(frozen=True)
class RecordingClosure:
    """Records the first states asked for, ``[n, d]``, and ends the solve there."""

    asked: list[Floats] = field(default_factory=list)

    def __call__(self, x: Floats) -> ClosureValue:
        """Record ``x [n, d]``; always raises."""
        self.asked.append(np.array(x, dtype=np.float64))
        raise FirstStatesAsked


@dataclass(frozen=True)
class LawClosure:
    """A parametric law as a closure: ``law(x)`` gives values ``[n, m]`` and derivative ``[n, m, d]``."""

    law: Field

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        values, slope = self.law(np.asarray(x, dtype=np.float64))
        return ClosureValue(values, np.array(slope), np.ones(len(values), dtype=bool))
