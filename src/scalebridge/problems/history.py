"""A model whose answer depends on what it was asked before, and does not say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from scalebridge.models import Model, Runs
from scalebridge.problems.assumptions import smooth_micro, tapered_bar
from scalebridge.problems.case import Case
from scalebridge.problems.flawed import Flawed
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class HiddenHistory(Flawed):
    """A model that hardens with every row it was asked: values times ``1 + strength (1 - exp(-path/reach))``.

    ``path`` is the accumulated distance between successive inputs since this object was made.

    Args:
        model: the model behind, without history.
        strength: largest relative change.
        reach: path over which most of it happens, in the inputs' units.
    """

    model: Model
    strength: float = 0.2
    reach: float = 20.0
    # One mutable cell, on purpose: this is the history that the model hides.
    _path: list[float] = field(default_factory=lambda: [0.0], repr=False, compare=False)
    _last: list[Floats] = field(default_factory=list, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the model behind, and what is wrong with it."""
        return f"history_{self.model.name}"

    def identity(self) -> Mapping[str, str]:
        """Identity of the model behind, with the strength of the history."""
        return {**self.model.identity(), "history": repr((self.strength, self.reach))}

    def run(self, x: Floats) -> Runs:
        """Run the rows in order, each after all that were run before."""
        runs = self.model.run(x)
        factor = 1 + self.strength * (1 - np.exp(-self._walk(x) / self.reach))
        jacobian = None if runs.jacobian is None else runs.jacobian * factor[:, None, None]
        return replace(runs, values=runs.values * factor[:, None], jacobian=jacobian)

    def _walk(self, x: Floats) -> Floats:
        paths = np.zeros(len(x))
        for i, row in enumerate(x):
            if self._last and np.isfinite(row).all():
                self._path[0] += float(np.linalg.norm(row - self._last[0]))
            if np.isfinite(row).all():
                self._last[:] = [row.copy()]
            paths[i] = self._path[0]
        return paths


def history_bar(strength: float = 0.2) -> Case:
    """Return a tapered bar whose micro model hides a history; there is no one answer."""
    return Case(HiddenHistory(smooth_micro(), strength), tapered_bar(), {}, {})
