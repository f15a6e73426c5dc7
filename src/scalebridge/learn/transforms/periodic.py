"""Inputs that come round: angles, phases, times of day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.transform import Inside, Step, Transform, columns_of
from scalebridge.models import Posterior
from scalebridge.quantities import Floats, Space, Variable


@dataclass(frozen=True)
class Periodic(Transform):
    """Learn the cosine and the sine of inputs with a period: the answer is exactly periodic, and smooth across it.

    Args:
        periods: from names of inputs to their period in their unit, as in ``{"phi": 360.0}``.

    Raises:
        InputError: a period that is not positive; on fitting, an input that is not known.
    """

    periods: tuple[tuple[str, float], ...] | Mapping[str, float]

    def __post_init__(self) -> None:
        given = dict(self.periods)
        if not given or not all(np.isfinite(v) and v > 0 for v in given.values()):
            raise InputError(
                f'Periodic got {given!r}; give positive periods by name, as in Periodic({{"phi": 360.0}}).'
            )
        object.__setattr__(self, "periods", tuple((name, float(value)) for name, value in given.items()))

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Turned:
        """Two columns for each input with a period."""
        period = np.zeros(inputs.size)
        for name, value in dict(self.periods).items():
            period[columns_of(inputs, name, "Periodic")] = value
        inside: list[Variable] = []
        start = 0
        for v in inputs:
            own = period[start : start + v.size]
            start += v.size
            if not own.any():
                inside.append(v)
                continue
            for k, length in enumerate(own.tolist()):
                name = v.name if v.shape == () else f"{v.name}_{k}"
                if length:
                    inside += [Variable(f"cos_{name}"), Variable(f"sin_{name}")]
                else:
                    inside.append(Variable(name, v.unit, bounds=v.bounds))
        return Turned(Space(inside), outputs, period)


@dataclass(frozen=True)
class Turned(Step):
    """Cosine and sine of inputs with a ``period [d]`` that is not zero."""

    inputs: Space
    outputs: Space
    period: Floats

    @property
    def told(self) -> tuple[str, ...]:
        """Names of the inputs inside."""
        return tuple(name for name in self.inputs.names if name.startswith(("cos_", "sin_")))

    def inward(self, data: Data) -> Data:
        """Inputs turned, outputs as they are."""
        return Data(self._points(data.x)[0], data.y, data.noise_std)

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Mean and derivative."""
        z, dz = self._points(x)
        mean, slope = inside.predict(z)
        return mean, slope @ dz

    def posterior(self, inside: Inside, x: Floats) -> Posterior:
        """That of the inside at the points turned."""
        return inside.posterior(self._points(x)[0])

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """The domain inside."""
        return inside.contains(self._points(x)[0])

    def _points(self, x: Floats) -> tuple[Floats, Floats]:
        columns, slopes = [], []
        for j, period in enumerate(self.period.tolist()):
            unit = np.zeros_like(x)
            unit[:, j] = 1.0
            if not period:
                columns.append(x[:, j])
                slopes.append(unit)
                continue
            # The remainder first: a point many periods away gives the same bits where the remainder does.
            turn = 2 * np.pi * np.remainder(x[:, j], period) / period
            rate = 2 * np.pi / period
            columns += [np.cos(turn), np.sin(turn)]
            slopes += [-rate * np.sin(turn)[:, None] * unit, rate * np.cos(turn)[:, None] * unit]
        return np.stack(columns, axis=1), np.stack(slopes, axis=1)
