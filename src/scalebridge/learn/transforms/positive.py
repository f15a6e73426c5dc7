"""Logarithms that are defined everywhere, and products of powers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

# Below this part of the smallest run the logarithm goes on along its tangent: a point far outside is no error.
LEAST = 1e-3


@dataclass(frozen=True)
class SafeLog:
    """``log(x + offset)`` by columns, continued along its tangent below ``floor``.

    Args:
        offset: ``[k]``.
        floor: ``[k]``, positive, of ``x + offset``.
    """

    offset: Floats
    floor: Floats

    @staticmethod
    def of(x: Floats, offset: Floats) -> SafeLog:
        """For columns ``x [b, k]`` with ``x + offset`` positive."""
        return SafeLog(offset, LEAST * (x + offset).min(axis=0))

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """The logarithm ``[n, k]`` and its derivative ``[n, k]``."""
        moved = x + self.offset
        inside = np.maximum(moved, self.floor)
        value: Floats = np.log(inside) + np.minimum(moved - self.floor, 0.0) / self.floor
        return value, 1.0 / inside
