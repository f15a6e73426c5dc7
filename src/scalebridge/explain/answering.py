"""One output of a surrogate as a plain function of rows, asked through its posterior alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats

# Rows that are asked at once: a posterior keeps several numbers for each.
CHUNK = 4096


@dataclass(frozen=True)
class Answering:
    """One output of a fitted surrogate, or of any model.

    Args:
        surrogate: with ``posterior``, or with ``run`` alone.
        output: number of the component.
    """

    surrogate: Any
    output: int = 0

    @staticmethod
    def of(surrogate: Any, target: str | None = None) -> Answering:
        """The output named, by default the first.

        Raises:
            InputError: no surrogate, or an output that it does not have.
        """
        if not hasattr(surrogate, "inputs") or not (hasattr(surrogate, "posterior") or hasattr(surrogate, "run")):
            raise InputError(
                f"{surrogate!r} cannot be explained, because it is no model; give a fitted surrogate, such as "
                "compare(...).fitted."
            )
        names = surrogate.outputs.component_names
        if target is None:
            return Answering(surrogate, 0)
        if target not in names:
            raise InputError(
                f"The surrogate '{surrogate.name}' has no output '{target}'{did_you_mean(target, list(names))}"
            )
        return Answering(surrogate, names.index(target))

    @property
    def target(self) -> str:
        """Name of the output."""
        return str(self.surrogate.outputs.component_names[self.output])

    @property
    def unit(self) -> str:
        """Unit of the output."""
        units = [v.unit for v in self.surrogate.outputs for _ in range(v.size)]
        return str(units[self.output])

    def __call__(self, x: Floats) -> Floats:
        """Mean ``[n]`` at ``x [n, d]``.

        Raises:
            InputError: an answer that is not finite, with the row.
        """
        parts = [self._asked(x[first : first + CHUNK]) for first in range(0, len(x), CHUNK)]
        mean = np.concatenate(parts) if parts else np.zeros(0)
        bad = np.flatnonzero(~np.isfinite(mean))
        if len(bad):
            told = ", ".join(f"{v:g}" for v in x[bad[0]])
            raise InputError(
                f"The model '{self.surrogate.name}' has no answer at ({told}); explain it on rows where it has one."
            )
        return mean

    def _asked(self, x: Floats) -> Floats:
        # Trees tell their mean alone much faster, for its derivative is nothing to compute.
        if not getattr(self.surrogate, "smooth", True) and hasattr(self.surrogate, "predict"):
            stepped: Floats = self.surrogate.predict(x)[0][:, self.output]
            return stepped
        if hasattr(self.surrogate, "posterior"):
            mean: Floats = self.surrogate.posterior(x).mean[:, self.output]
            return mean
        values: Floats = self.surrogate.run(x).values[:, self.output]
        return values

    def std(self, x: Floats) -> Floats:
        """Standard deviation ``[n]`` of the answers; zero for a model that tells none."""
        if not hasattr(self.surrogate, "posterior"):
            return np.zeros(len(x))
        parts = [
            self.surrogate.posterior(x[first : first + CHUNK]).std[:, self.output] for first in range(0, len(x), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def std_of_sums(self, x: Floats, weights: Floats) -> Floats:
        """Standard deviation ``[s]`` of ``weights [s, n]`` times the answers at ``x [n, d]``, jointly."""
        if not hasattr(self.surrogate, "posterior"):
            return np.zeros(len(weights))
        posterior, m = self.surrogate.posterior(x), self.surrogate.outputs.size
        told = []
        for row in weights:
            each = np.zeros((len(x), m))
            each[:, self.output] = row
            told.append(posterior.functional(each).std)
        return np.array(told)
