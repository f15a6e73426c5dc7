"""Maximum deviation: run where the surrogate is least sure."""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class MaximumDeviation:
    """Standard deviation of the candidate, outputs in units of their spread (uncertainty sampling, ALM).

    It needs no reference points and likes the border of the space.

    Source: D. J. C. MacKay, Neural Computation 4 (1992) 590.
    """

    def score(self, outlook: Outlook) -> Floats:
        """Deviation ``[c]``."""
        score: Floats = ((outlook.std / outlook.units) ** 2).sum(axis=1) ** 0.5
        return score
