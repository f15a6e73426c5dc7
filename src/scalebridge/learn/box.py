"""Where a surrogate may be trusted: the widened box of its runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Box:
    """Points between ``lower [d]`` and ``upper [d]``."""

    lower: Floats
    upper: Floats

    def contains(self, x: Floats) -> NDArray[np.bool_]:
        """Which of ``x [n, d]`` lie inside, ``[n]``."""
        kept: NDArray[np.bool_] = np.all((x >= self.lower) & (x <= self.upper), axis=1)
        return kept

    @staticmethod
    def around(x: Floats, margin: float, mirrored: bool) -> Box:
        """The box of ``x [b, d]`` widened by ``margin`` of its extent; mirrored at zero for an odd response."""
        points = np.concatenate([x, -x]) if mirrored else x
        low, high = points.min(0), points.max(0)
        extent = high - low
        # A direction that no run has left still has the width of rounding.
        slack = margin * extent + 1e-9 * (np.abs(points).max() + 1e-300)
        return Box(low - slack, high + slack)
