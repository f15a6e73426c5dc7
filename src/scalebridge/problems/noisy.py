"""A model whose noise is larger than it declares."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scalebridge.models import Model, Runs
from scalebridge.problems.assumptions import smooth_micro, tapered_bar
from scalebridge.problems.case import Case
from scalebridge.problems.flawed import Flawed
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Noisy(Flawed):
    """A model with Gaussian noise of standard deviation ``actual``, of which it declares ``declared``.

    A run with the same seed gives the same values. Without seeds each further call with an input counts as its
    next replicate.

    Args:
        model: the model behind, without noise.
        actual: standard deviation of every output, in its unit.
        declared: what `Runs.noise_std` says; ``None``: nothing is said.
        seed: chooses another noise.
    """

    model: Model
    actual: float = 0.05
    declared: float | None = 0.005
    seed: int = 0
    stochastic: bool = True
    _calls: Counter[bytes] = field(default_factory=Counter, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the model behind, and what is wrong with it."""
        return f"noisy_{self.model.name}"

    def identity(self) -> Mapping[str, str]:
        """Identity of the model behind, with the noise."""
        return {**self.model.identity(), "noise": repr((self.actual, self.declared, self.seed))}

    def run(self, x: Floats, seeds: Sequence[int] | None = None) -> Runs:
        """Run the model behind and add noise, one seed per row."""
        runs = self.model.run(x)
        rows = np.ascontiguousarray(x, dtype=np.float64)
        noise = np.zeros_like(runs.values)
        for i, row in enumerate(rows):
            replicate = seeds[i] if seeds is not None else self._next_call(row)
            noise[i] = self.actual * self._generator(row, replicate).standard_normal(noise.shape[1])
        declared = None if self.declared is None else np.full_like(runs.values, self.declared)
        return replace(runs, values=runs.values + noise, jacobian=None, noise_std=declared)

    def _next_call(self, row: Floats) -> int:
        self._calls[row.tobytes()] += 1
        return self._calls[row.tobytes()]

    def _generator(self, row: Floats, replicate: int) -> np.random.Generator:
        digest = hashlib.sha256(f"{self.seed}/{replicate}/".encode() + row.tobytes()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def noisy_bar(actual: float = 0.05, declared: float | None = 0.005) -> Case:
    """Return a tapered bar whose micro model is `Noisy`; its answers are those without noise."""
    micro, macro = smooth_micro(), tapered_bar()
    sound = dict(Case(micro, macro, {}, {}).direct().qois)
    return Case(Noisy(micro, actual, declared), macro, {}, sound)
