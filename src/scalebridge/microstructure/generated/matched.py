"""What `match` returns: the structure, and how far its statistics are from those measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.generated.grains import Grains
from scalebridge.microstructure.generated.level_cut import LevelCut
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls


@dataclass(frozen=True, eq=False)
class Matched:
    """A generated structure and its distance from the one measured.

    Attributes:
        structure: in a periodic cell of side 1, at any resolution.
        size: side of the cell in pixels of the measured image.
        parameters: what the generator was given, by name.
        distances: between measured and generated, by statistic; what each is relative to is told by the function
            that made this.
        chance: the same distances between two structures that differ in their seed alone, for the statistics that
            scatter: of the generator, or, for fibres, of packings that are not fitted to anything. A scale to hold the
            distances against; a structure that is fitted may come nearer.
        measured: the measured statistics by name, arrays or numbers.
        generated: the same of the structure.
        notes: what is not matched, one sentence each.
        compared: what ``chance`` is, in words.
    """

    structure: UnequalBalls | LevelCut | Grains
    size: float
    parameters: Mapping[str, float]
    distances: Mapping[str, float]
    chance: Mapping[str, float]
    measured: Mapping[str, NDArray[np.float64] | float]
    generated: Mapping[str, NDArray[np.float64] | float]
    notes: tuple[str, ...]
    compared: str = "two samples differ by"

    def labels(self) -> NDArray[np.integer[Any]]:
        """Return the phases, or the numbers of the grains from 1, at the resolution of the measured image."""
        if isinstance(self.structure, Grains):
            return 1 + self.structure.grain(round(self.size))
        return self.structure.labels(round(self.size))

    def describe(self) -> str:
        """Return the distances in one line, and the notes."""
        told = ", ".join(f"{name.replace('_', ' ')} {self._told(name)}" for name in self.distances)
        return " ".join([f"Generated in {self.size:.0f} pixels; off by: {told}.", *self.notes])

    def _told(self, name: str) -> str:
        value = f"{self.distances[name]:.2g}"
        return f"{value} ({self.compared} {self.chance[name]:.2g})" if name in self.chance else value
