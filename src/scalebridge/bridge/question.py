"""What is asked: quantities, tolerance, confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scalebridge.errors import InputError, did_you_mean

MESH_MODES = ("report", "include")
# Past this many runs without the tolerance the bridge stops and says so.
DEFAULT_BUDGET = 200


@dataclass(frozen=True)
class Question:
    """The quantities of interest and what is wanted of them.

    Args:
        qois: names of the quantities, at least one.
        rtol: half-width wanted, relative to the end of the interval nearest to zero.
        atol: half-width wanted, in the unit of the quantity.
        confidence: of the interval.
        mesh: ``"report"`` speaks of q on the given mesh; ``"include"`` counts the mesh error in.
        budget: most micro runs.
        seed: of every random stream.
    """

    qois: tuple[str, ...]
    rtol: float | None
    atol: float | None
    confidence: float
    mesh: str
    budget: int
    seed: int

    def __post_init__(self) -> None:
        for name in ("rtol", "atol"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} = {value}; a tolerance must be a positive number, such as rtol=0.01.")
        if self.rtol is None and self.atol is None:
            raise InputError("No tolerance was given; ask for one, such as rtol=0.01 for one per cent.")
        if not 0.5 <= self.confidence < 1:
            raise InputError(f"confidence = {self.confidence}; it must lie in [0.5, 1), such as 0.95.")
        if self.mesh not in MESH_MODES:
            raise InputError(f"mesh = '{self.mesh}'{did_you_mean(self.mesh, MESH_MODES)}")
        if self.budget < 1:
            raise InputError(f"budget = {self.budget}; it must be at least 1 micro run.")

    @property
    def alpha(self) -> float:
        """Probability of error left to each quantity."""
        return (1 - self.confidence) / len(self.qois)

    def tolerance(self, low: float, high: float) -> float:
        """Half-width wanted of an interval, in the unit of q; zero where it cannot be defined."""
        nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        return max(self.atol or 0.0, (self.rtol or 0.0) * nearest)

    def scale(self, value: float) -> float:
        """Tolerance at a point value, never zero: what learning aims at before there is an interval."""
        # Far below any quantity, and its square still a number.
        return max(self.atol or 0.0, (self.rtol or 0.0) * abs(value), 1e-100)
