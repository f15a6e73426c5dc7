"""Fields as outputs: learned by their coefficients, with the truncation error in the posterior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scalebridge.learn.field_posterior import FieldPosterior
from scalebridge.learn.inner import counted, prototype, with_spaces
from scalebridge.learn.learner import Data, Learner
from scalebridge.learn.pod import POD, Decomposition
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import nearest, same_rows
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class Compressed:
    """What fitting finds.

    Args:
        decomposition: of the outputs, each variable in units of its own deviation.
        width: ``[m]``, these units.
        parts: fitted surrogates of the coefficients, in order.
        lead, rest: what the modes miss, in the outputs' units, ``[q, m]`` and variance ``[m]``; declared noise of the
            runs is no part of it.
        x: scaling of the inputs, for the nearest run.
    """

    decomposition: Decomposition
    width: Floats
    parts: tuple[Surrogate, ...]
    lead: Floats
    rest: Floats
    x: Scaling


@dataclass(frozen=True)
class ReducedOutputs(Learner[Compressed]):
    """A surrogate of outputs with thousands of components; see `scalebridge.models.Surrogate`.

    The outputs are compressed by proper orthogonal decomposition, each variable in units of its own deviation, and
    any surrogate learns the coefficients. The posterior is that of the coefficients, carried over by the modes, and
    what the modes miss of fields that were not among the snapshots: its leading directions, shared by points with the
    same nearest run, and the rest. Time and memory are linear in the components.

    Args:
        inputs, outputs, margin: as in `Learner`.
        learner: of the coefficients: a surrogate, whose options are kept and whose spaces are replaced, or a class or
            function of ``(inputs, outputs)`` that makes one, or the name of one.
        pod: the decomposition.
        apart: one surrogate for each coefficient, which may vary each on its own length; else one for all.

    Source: P. Z. Guo and J. S. Hesthaven, Reduced order modeling for nonlinear structural analysis using Gaussian
    process regression, Comput. Methods Appl. Mech. Eng. 341 (2018) 807-826; D. Higdon et al., Computer model
    calibration using high-dimensional output, J. Am. Stat. Assoc. 103 (2008) 570-583 (the truncation in the law).
    """

    learner: Any = "gaussian_process"
    pod: POD = field(default_factory=POD)
    apart: bool = True

    name = "reduced_outputs"

    def _check_options(self) -> None:
        object.__setattr__(self, "learner", prototype(self.title, self.learner, self.inputs, counted("mode", 1)))

    @property
    def smooth(self) -> bool:
        """Whether the surrogate of the coefficients is."""
        return bool(getattr(self.learner, "smooth", True))

    @property
    def decomposition(self) -> Decomposition:
        """Of the outputs, each variable in units of its own deviation."""
        return self.state.decomposition

    def _learn(self, data: Data) -> Compressed:
        width = variable_widths(self.outputs, data.y)
        found = self.pod.fit(data.y / width, groups=same_rows(data.x))
        noise = data.noise_std / width
        coefficient_noise = np.sqrt(noise**2 @ (found.modes * found.weights).T ** 2)
        slopes = None if data.jacobian is None else np.einsum("bmd,rm->brd", data.jacobian, found.modes / width)
        y, parts = found.compress(data.y / width), []
        r = y.shape[1]
        for columns in [slice(i, i + 1) for i in range(r)] if self.apart else [slice(0, r)] * min(r, 1):
            made = with_spaces(self.learner, self.inputs, counted("mode", y[:, columns].shape[1]))
            std = coefficient_noise[:, columns] if noise.any() else None
            parts.append(made.fit(data.x, y[:, columns], std, None if slopes is None else slopes[:, columns]))
        lead, rest = _less_noise(found, np.mean(noise**2, axis=0))
        return Compressed(found, width, tuple(parts), lead * width, rest * width**2, Scaling.of(data.x))

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        s = self.state
        told = [part.predict(x) for part in s.parts]
        empty = np.zeros((len(x), 0)), np.zeros((len(x), 0, x.shape[1]))
        coefficients = np.concatenate([empty[0], *(mean for mean, _ in told)], axis=1)
        slopes = np.concatenate([empty[1], *(slope for _, slope in told)], axis=1)
        modes = s.decomposition.modes * s.width
        mean = s.decomposition.mean * s.width + coefficients @ modes
        return mean, np.swapaxes(np.swapaxes(slopes, 1, 2) @ modes, 1, 2)

    def posterior(self, x: Floats) -> FieldPosterior:
        """Joint posterior at ``x [n, d]``."""
        s = self.state
        x = self.inputs.check(x, self.title)
        parts = tuple(part.posterior(x) for part in s.parts)
        labels = nearest(s.x(x), s.x(self.known.x))
        bounds = (self.outputs.lower, self.outputs.upper)
        modes = s.decomposition.modes * s.width
        return FieldPosterior(self.predict(x)[0], parts, modes, s.lead, s.rest, labels, bounds)


def variable_widths(space: Space, values: Floats) -> Floats:
    """A width per component ``[m]``, the same for all of one variable: the root mean square of their deviations.

    A variable that does not vary keeps its own size, or one if it is zero.
    """
    widths, start = [], 0
    for variable in space:
        columns = values[:, start : start + variable.size]
        size = float(np.sqrt(np.mean(columns**2)))
        spread = float(np.sqrt(np.mean((columns - columns.mean(axis=0)) ** 2)))
        widths.append(np.full(variable.size, spread if spread > 1e-12 * size else size or 1.0))
        start += variable.size
    return np.concatenate(widths)


def _less_noise(found: Decomposition, noise: Floats) -> tuple[Floats, Floats]:
    """What the modes miss without the noise of the runs ``[n]`` (variance), which explains nine tenths at most."""
    square = (found.lead**2).sum(axis=0)
    total = square + found.rest
    kept = np.maximum(total - noise, 0.1 * total)
    share = np.divide(kept, total, out=np.ones_like(total), where=total > 0)
    return found.lead * np.sqrt(share), found.rest * share
