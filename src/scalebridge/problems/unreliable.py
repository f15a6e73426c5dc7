"""A model of which some runs fail or return NaN."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.models import Model, Runs
from scalebridge.problems.assumptions import smooth_micro, tapered_bar
from scalebridge.problems.case import Case
from scalebridge.problems.flawed import Flawed
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Unreliable(Flawed):
    """A model of which a share of the inputs fails, chosen by a digest of the input: the same in every process.

    Args:
        model: the model behind.
        rate: share of the inputs that fail.
        how: ``"failed"`` (a status with a reason) or ``"nan"`` (a value that is not finite under status ok).
        failing_attempts: how often such an input fails in this object before it succeeds; ``None``: always.
        seed: chooses other inputs.
    """

    model: Model
    rate: float = 0.05
    how: Literal["failed", "nan"] = "failed"
    failing_attempts: int | None = None
    seed: int = 0
    _attempts: Counter[bytes] = field(default_factory=Counter, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise InputError(f"The unreliable model got rate = {self.rate}; give a share in [0, 1].")

    @property
    def name(self) -> str:
        """Name of the model behind, and what is wrong with it."""
        return f"unreliable_{self.model.name}"

    def identity(self) -> Mapping[str, str]:
        """Identity of the model behind, with how it fails."""
        settings = repr((self.rate, self.how, self.failing_attempts, self.seed))
        return {**self.model.identity(), "unreliable": settings}

    def fails(self, x: Floats) -> NDArray[np.bool_]:
        """Which inputs ``x [b, d]`` are of the failing share, ``[b]``."""
        return np.array([self._draw(row) < self.rate for row in np.ascontiguousarray(x)], dtype=np.bool_)

    def run(self, x: Floats) -> Runs:
        """Run the model behind; the failing rows as configured."""
        runs = self.model.run(x)
        x = np.ascontiguousarray(x, dtype=np.float64)
        bad = self.fails(x)
        for i in np.flatnonzero(bad):
            key = x[i].tobytes()
            self._attempts[key] += 1
            bad[i] = self.failing_attempts is None or self._attempts[key] <= self.failing_attempts
        values = np.where(bad[:, None], np.nan, runs.values)
        if self.how == "nan":
            return replace(runs, values=values)
        status = np.where(bad, "failed", runs.status)
        reason = tuple("the solver did not converge" if b else r for b, r in zip(bad, runs.reason, strict=True))
        return replace(runs, values=values, status=status, reason=reason)

    def _draw(self, row: Floats) -> float:
        digest = hashlib.sha256(self.seed.to_bytes(8, "little") + row.tobytes()).digest()
        return int.from_bytes(digest[:8], "little") / 2**64


def unreliable_bar(
    rate: float = 0.05, how: Literal["failed", "nan"] = "failed", failing_attempts: int | None = None, seed: int = 0
) -> Case:
    """Return a tapered bar whose micro model is `Unreliable`; its answers are those of the sound model."""
    micro, macro = smooth_micro(), tapered_bar()
    sound = dict(Case(micro, macro, {}, {}).direct().qois)
    return Case(Unreliable(micro, rate, how, failing_attempts, seed), macro, {}, sound)
