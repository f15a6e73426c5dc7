"""Straddle: run where it is least clear on which side of a threshold the value lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.acquisition.goal import Goal
from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Straddle:
    """``beta`` deviations minus the distance of the mean from a threshold: finds a level set.

    Args:
        threshold: in the output's unit.
        output: which output, by name or number.
        beta: deviations; 1.96 by its source.

    Source: B. Bryan, J. Schneider, R. Nichol, C. Miller, C. Genovese, L. Wasserman, NIPS 18 (2005) 163.
    """

    threshold: float
    output: str | int = 0
    beta: float = 1.96

    def score(self, outlook: Outlook) -> Floats:
        """How ambiguous each candidate is ``[c]``, in the output's unit."""
        k = Goal(self.output).component(outlook.outputs)
        score: Floats = self.beta * outlook.std[:, k] - np.abs(outlook.mean[:, k] - self.threshold)
        return score
