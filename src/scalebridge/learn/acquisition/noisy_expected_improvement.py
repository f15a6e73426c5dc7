"""Noisy expected improvement: over the best of the true values, which noise hides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.learn.acquisition.goal import Goal
from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class NoisyExpectedImprovement:
    """``E max(g - max g_i, 0)`` over joint samples of the candidate and of the true values g_i at the runs.

    Decided runs are among the g_i, so that a batch needs no belief in the mean. For one candidate after another it is
    the greedy maximum of the batch's own criterion.

    Args:
        output: which output, by name or number.
        way: ``"minimise"`` or ``"maximise"``.
        samples: how many joint samples.

    Raises:
        InputError: another way.

    Source: B. Letham, B. Karrer, G. Ottoni, E. Bakshy, Bayesian Analysis 14 (2019) 495; M. Balandat et al. (2020).
    """

    output: str | int = 0
    way: str = "minimise"
    samples: int = 256

    reference = "runs"

    def __post_init__(self) -> None:
        Goal(self.output, self.way)

    def score(self, outlook: Outlook) -> Floats:
        """Expected improvement ``[c]``, in the output's unit."""
        drawn = Goal(self.output, self.way).gain(outlook.samples(self.samples), outlook.outputs)
        c, r = outlook.candidates, len(outlook.weights)
        rivals = [*range(c, c + r), *outlook.decided]
        best = drawn[:, rivals].max(axis=1, keepdims=True)
        score: Floats = np.maximum(drawn[:, :c] - best, 0.0).mean(axis=0)
        return score

    def best(self, values: Floats, outputs: Space) -> int:
        """Row of the best of ``values [b, m]``."""
        return Goal(self.output, self.way).best(values, outputs)
