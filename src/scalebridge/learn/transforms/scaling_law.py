"""Power laws: logarithms of inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.bounds import kept_between
from scalebridge.learn.transforms.curved import Curved, curved
from scalebridge.learn.transforms.transform import Transform, columns_of, names_given
from scalebridge.learn.transforms.warps import Same
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class ScalingLaw(Transform):
    """Learn logarithms: a power law becomes a plane.

    The mean of an output is that of the log-normal law, not the exponential of a mean of logarithms; quantiles are
    exact. Below a thousandth of its smallest run the logarithm of an input goes on along its tangent.

    Args:
        inputs: names of inputs to take the logarithm of; by default all that are positive in the runs.
        outputs: the same for the outputs; ``()`` for none.
        offsets: from a name to what is added before the logarithm, in its unit: for variables that reach zero.
        span: a variable that was not named is left as it is where its runs lie further apart, largest to smallest.
        required: False leaves all as it is where no variable qualifies, in place of refusing.

    Raises:
        InputError: on fitting, a named variable that is not positive with its offset; nothing that is positive.
    """

    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    offsets: tuple[tuple[str, float], ...] | Mapping[str, float] = ()
    span: float = np.inf
    required: bool = True

    def __post_init__(self) -> None:
        for side in ("inputs", "outputs"):
            if getattr(self, side) is not None:
                object.__setattr__(self, side, names_given(getattr(self, side), "ScalingLaw"))
        offsets = tuple((name, float(value)) for name, value in dict(self.offsets).items())
        object.__setattr__(self, "offsets", offsets)

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Curved:
        """Take the logarithms of what is named, or of all that is positive."""
        for name in dict(self.offsets):
            columns_of(Space([*inputs, *outputs]), name, "ScalingLaw's offsets")
        x_offset, y_offset = self._offset(inputs), self._offset(outputs)
        logged = _chosen(self.inputs, data.x + x_offset, inputs, "input", self.span)
        learned = _chosen(self.outputs, data.y + y_offset, outputs, "output", self.span)
        if self.required and not (logged.any() or learned.any()):
            raise InputError(
                "ScalingLaw found no variable that is positive in all runs; name some and give offsets, as in "
                'ScalingLaw(offsets={"load": 1.0}).'
            )
        warps = tuple(
            kept_between(-float(y_offset[a]), np.inf, y, name) if learned[a] else Same()
            for a, (y, name) in enumerate(zip(data.y.T, outputs.component_names, strict=True))
        )
        words = _words(inputs, logged, x_offset) + _words(outputs, learned, y_offset)
        return curved(data, inputs, outputs, warps, words, logged, x_offset)

    def _offset(self, space: Space) -> Floats:
        offset = np.zeros(space.size)
        for name, value in dict(self.offsets).items():
            if name.split("[")[0] in space.names:
                offset[columns_of(space, name, "ScalingLaw")] = value
        return offset


def _chosen(names: tuple[str, ...] | None, moved: Floats, space: Space, side: str, span: float) -> NDArray[np.bool_]:
    positive = np.asarray((moved > 0).all(axis=0))
    if names is None:
        return np.asarray(positive & (moved.max(axis=0) <= span * moved.min(axis=0)))
    chosen = np.zeros(space.size, dtype=bool)
    for name in names:
        chosen[columns_of(space, name, "ScalingLaw")] = True
    bad = np.flatnonzero(chosen & ~positive)
    if len(bad):
        name, row = space.component_names[bad[0]], int(np.argmin(moved[:, bad[0]]))
        raise InputError(
            f"ScalingLaw is to take the logarithm of the {side} '{name}', which with its offset is "
            f"{moved[row, bad[0]]:g} in row {row}; give an offset that makes all runs positive, as in "
            f'offsets={{"{name}": 1.0}}.'
        )
    return chosen


def _words(space: Space, logged: NDArray[np.bool_], offset: Floats) -> tuple[str, ...]:
    rows = zip(space.component_names, logged, offset, strict=True)
    return tuple(f"log({n}{f' + {o:g}' if o else ''})" for n, k, o in rows if k)
