"""Dimensionless groups instead of variables: fewer inputs, and runs at one scale that hold at another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.buckingham import Row, base_units, find_groups, written
from scalebridge.learn.transforms.positive import SafeLog
from scalebridge.learn.transforms.posteriors import LinearPosterior
from scalebridge.learn.transforms.transform import Inside, Step, Transform, columns_of, names_given
from scalebridge.quantities import Floats, Space, Variable


@dataclass(frozen=True)
class Dimensionless(Transform):
    """Learn dimensionless groups of the inputs, found from their units, and the outputs over a scale of them.

    Each group is one input times powers of the repeating inputs; by default those are repeated that give the smallest
    exponents. Where an input is of a dimension that no other has (the mass of a pendulum), it drops out. Offset units
    (degC) are read as absolute temperatures. Where the output over its scale spans decades (a drag coefficient), put
    ``ScalingLaw(inputs=())`` behind.

    Args:
        repeating: names of inputs to repeat, as many as there are independent dimensions.
        logarithms: learn the logarithm of each group whose inputs are all positive in the runs or by their bounds.

    Raises:
        InputError: on fitting, an output whose dimension the inputs cannot form; repeating inputs that do not span
            the dimensions or are not positive.

    Source: E. Buckingham, On physically similar systems, Physical Review 4 (1914) 345-376.
    """

    repeating: tuple[str, ...] = ()
    logarithms: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "repeating", names_given(self.repeating, "Dimensionless"))

    def groups(self, inputs: Space, outputs: Space) -> tuple[str, ...]:
        """The groups in words before any run, all inputs taken as positive."""
        inputs, outputs = Space(inputs), Space(outputs)
        return self._step(inputs, outputs, np.ones((1, inputs.size))).told

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Groups:
        """Choose the groups; an input that is not positive in all runs is not repeated."""
        factor, offset = (np.array(c) for c in zip(*((f, o) for f, o, _ in base_units(inputs)), strict=True))
        return self._step(inputs, outputs, factor * data.x + offset)

    def _step(self, inputs: Space, outputs: Space, x: Floats) -> Groups:
        units, goals = base_units(inputs), base_units(outputs)
        positive = np.asarray((x > 0).all(axis=0))
        repeated = [i for name in self.repeating for i in columns_of(inputs, name, "Dimensionless")]
        found = find_groups(inputs, outputs, [u[2] for u in units], [u[2] for u in goals], positive.tolist(), repeated)
        names = inputs.component_names
        exponents = np.array([[float(a) for a in row] for row in found.groups]).reshape(-1, len(names))
        scales = np.array([[float(a) for a in row] for row in found.scales]).reshape(-1, len(names))
        told = tuple(written(row, names) for row in found.groups)
        # An input that is not positive stands in its own group alone, to the power one.
        signed = [[i for i in range(len(names)) if row[i] and not positive[i]] for row in found.groups]
        apart = np.array([s[0] if s else -1 for s in signed], dtype=np.int64)
        ends = np.array([(f, o) for f, o, _ in goals]).T
        return Groups(
            *_spaces(told, outputs, found.scales, names, ends),
            np.array([(f, o) for f, o, _ in units]).T,
            ends,
            SafeLog.of(np.where(positive, x, 1.0), np.zeros(len(names))),
            exponents,
            scales,
            apart,
            (apart < 0) & self.logarithms,
        )


def _spaces(
    told: tuple[str, ...], outputs: Space, scales: tuple[Row, ...], names: tuple[str, ...], goals: Floats
) -> tuple[Space, Space]:
    inside = [Variable(f"group_{k + 1}", description=text) for k, text in enumerate(told)]
    ends = np.cumsum([v.size for v in outputs]) - 1
    over = [_over(v, scales[end], names, *goals[:, end]) for v, end in zip(outputs, ends, strict=True)]
    # Without any group the answer is one constant times the scale: an input that does not move.
    return Space(inside or [Variable("constant")]), Space(over)


def _over(v: Variable, scale: Row, names: tuple[str, ...], factor: float, offset: float) -> Variable:
    """An output over its scale; a bound is one still where it is zero, or the scale is."""
    described = f"{v.name} / ({written(scale, names)})" if any(scale) else ""
    moved = [None if b is None else factor * b + offset for b in v.bounds or (None, None)]
    low, high = (b if b is None or b == 0 or not any(scale) else None for b in moved)
    return replace(v, unit="1", bounds=None if low is high is None else (low, high), description=described)


@dataclass(frozen=True)
class Groups(Step):
    """Groups found.

    Args:
        inputs, outputs: of the inside.
        units, goals: ``[2, d]`` and ``[2, m]``: factor and offset to base units.
        logarithm: of the inputs that are positive.
        exponents: ``[g, d]``.
        scales: ``[m, d]``.
        apart: ``[g]``, the input of the group that may be negative, or -1.
        logged: ``[g]``, groups whose logarithm is learned.
    """

    inputs: Space
    outputs: Space
    units: Floats
    goals: Floats
    logarithm: SafeLog
    exponents: Floats
    scales: Floats
    apart: NDArray[np.int64]
    logged: NDArray[np.bool_]

    @property
    def told(self) -> tuple[str, ...]:
        """Each group, and what each output is divided by."""
        return tuple(v.description for v in (*self.inputs, *self.outputs) if v.description)

    def inward(self, data: Data) -> Data:
        """Groups and dimensionless outputs."""
        scale = self._scale(data.x)[0]
        y = (self.goals[0] * data.y + self.goals[1]) / scale
        return Data(self._groups(data.x)[0], y, self.goals[0] * data.noise_std / scale)

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative in the user's units."""
        z, dz = self._groups(x)
        value, slope = inside.predict(z)
        scale, d_scale = self._scale(x)
        slope = (slope @ dz) * scale[:, :, None] + value[:, :, None] * d_scale
        return (value * scale - self.goals[1]) / self.goals[0], slope / self.goals[0][:, None]

    def posterior(self, inside: Inside, x: Floats) -> LinearPosterior:
        """Posterior in the user's units."""
        m = len(self.scales)
        frame = (self._scale(x)[0] / self.goals[0])[:, :, None] * np.eye(m)
        return LinearPosterior(inside.posterior(self._groups(x)[0]), frame, -self.goals[1] / self.goals[0], np.zeros(m))

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """Where the groups are in the domain inside, whatever the scale."""
        return inside.contains(self._groups(x)[0])

    def _logs(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        base = self.units[0] * x + self.units[1]
        logs, slope = self.logarithm(base)
        return base, logs, slope * self.units[0]

    def _scale(self, x: Floats) -> tuple[Floats, Floats]:
        """Scale of each output ``[n, m]`` in base units and its derivative ``[n, m, d]``."""
        _, logs, slope = self._logs(x)
        scale = np.exp(logs @ self.scales.T)
        return scale, scale[:, :, None] * self.scales * slope[:, None, :]

    def _groups(self, x: Floats) -> tuple[Floats, Floats]:
        """Groups ``[n, g]``, some as logarithms, and their derivatives ``[n, g, d]``."""
        if not len(self.exponents):
            return np.zeros((len(x), 1)), np.zeros((len(x), 1, x.shape[1]))
        base, logs, slope = self._logs(x)
        own = self.apart >= 0
        at = np.where(own, self.apart, 0)
        powers = self.exponents.copy()
        powers[np.flatnonzero(own), at[own]] = 0.0
        values = logs @ powers.T
        slopes = powers * slope[:, None, :]
        product = np.exp(np.where(self.logged, 0.0, values))
        front = np.where(own, base[:, at], 1.0)
        groups = np.where(self.logged, values, product * front)
        d_groups = np.where(self.logged[:, None], slopes, (product * front)[:, :, None] * slopes)
        rows = np.flatnonzero(own)
        d_groups[:, rows, at[own]] += product[:, rows] * self.units[0][at[own]]
        return groups, d_groups
