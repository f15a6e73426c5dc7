"""Columns brought to zero mean and unit deviation, constant ones included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Scaling:
    """``(values - centre) / width``, column by column.

    Args:
        centre: ``[k]``.
        width: ``[k]``, positive.
    """

    centre: Floats
    width: Floats

    @staticmethod
    def of(values: Floats) -> Scaling:
        """The scaling of ``values [b, k]``; a constant column keeps its own size as width, or one if it is zero."""
        centre, spread = values.mean(axis=0), values.std(axis=0)
        size = np.abs(values).max(axis=0)
        constant = spread <= 1e-12 * size
        return Scaling(np.where(constant, values[0], centre), np.where(constant, np.where(size > 0, size, 1.0), spread))

    def __call__(self, values: Floats) -> Floats:
        """Scaled values."""
        scaled: Floats = (values - self.centre) / self.width
        return scaled

    def back(self, scaled: Floats) -> Floats:
        """Values in their own units."""
        return scaled * self.width + self.centre
