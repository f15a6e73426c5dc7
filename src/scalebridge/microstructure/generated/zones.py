"""Zones without fibres: where a smooth random field exceeds a level."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WAVES = 200
"""Most waves of a field: enough for it to be about Gaussian."""


@dataclass(frozen=True, eq=False)
class Zones:
    """The part of the cell in which no centre may lie: a sum of waves above a level.

    Args:
        waves: whole wave numbers along x, y(, z), ``[k, d]``.
        amplitudes: of cosine and sine, ``[k, 2]``.
        level: of the field, whose variance is about one.
        size: typical extent of a zone, in sides of the cell.
    """

    waves: Floats
    amplitudes: Floats
    level: float
    size: float

    def excess(self, places: Floats) -> tuple[Floats, Floats]:
        """How far the field exceeds the level ``[n]``, zero outside of the zones, and its gradient ``[n, d]``."""
        phase = 2.0 * np.pi * places @ self.waves.T
        cosine, sine = np.cos(phase), np.sin(phase)
        over = np.maximum(cosine @ self.amplitudes[:, 0] + sine @ self.amplitudes[:, 1] - self.level, 0.0)
        slope = 2.0 * np.pi * (cosine * self.amplitudes[:, 1] - sine * self.amplitudes[:, 0]) @ self.waves
        return over, np.where(over[:, None] > 0.0, slope, 0.0)

    def force(self, places: Floats) -> tuple[float, Floats]:
        """Energy of centres in the zones, in the units of `relaxation`, and its gradient."""
        over, slope = self.excess(places)
        return 0.5 * float(over @ over), over[:, None] * slope

    def allowed(self, old: Floats, new: Floats) -> NDArray[np.bool_]:
        """Whether moves ``[n]`` go no deeper into a zone."""
        return np.asarray(self.excess(new)[0] <= self.excess(old)[0])


def drawn_zones(share: float, size: float, dim: int, rng: np.random.Generator) -> Zones:
    """Return zones that take ``share`` of the cell, of a field with the covariance exp(-(pi / 2) (r / size)^2).

    Args:
        share: of the cell, in (0, 1).
        size: typical extent of a zone, in sides of the cell.
        dim: 2 or 3.
        rng: of the amplitudes.
    """
    highest = int(np.ceil(1.5 / size))
    whole = itertools.product(range(-highest, highest + 1), repeat=dim)
    # One of each pair k, -k: the first number that is not zero is positive.
    waves = np.array([k for k in whole if k > (0,) * dim], dtype=np.float64)
    power = np.exp(-np.pi * size**2 * (waves**2).sum(axis=1) * 2.0)
    if len(waves) > WAVES:
        # So many at random, each as likely as it is strong, make nearly the same field.
        waves, power = waves[rng.choice(len(waves), WAVES, replace=False, p=power / power.sum())], np.ones(WAVES)
    amplitudes = rng.standard_normal((len(waves), 2)) * np.sqrt(power / power.sum())[:, None]
    field = Zones(waves, amplitudes, -np.inf, size)
    points = rng.random((20_000, dim))
    values = np.concatenate([_values(field, part) for part in np.array_split(points, 20)])
    return Zones(waves, amplitudes, float(np.quantile(values, 1.0 - share)), size)


def _values(field: Zones, points: Floats) -> Floats:
    phase = 2.0 * np.pi * points @ field.waves.T
    return np.asarray(np.cos(phase) @ field.amplitudes[:, 0] + np.sin(phase) @ field.amplitudes[:, 1])
