"""Confidence bound: run where the optimistic bound of the value is best."""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.learn.acquisition.goal import Goal
from scalebridge.learn.acquisition.outlook import Outlook
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class ConfidenceBound:
    """Mean plus ``beta`` deviations towards the goal: the lower bound to minimise, the upper one to maximise.

    Args:
        output: which output, by name or number.
        way: ``"minimise"`` or ``"maximise"``.
        beta: deviations; more explores more.

    Raises:
        InputError: another way.

    Source: N. Srinivas, A. Krause, S. Kakade, M. Seeger, ICML (2010) 1015; in batches with the downdated deviation:
    T. Desautels, A. Krause, J. Burdick, JMLR 15 (2014) 4053.
    """

    output: str | int = 0
    way: str = "minimise"
    beta: float = 2.0

    def __post_init__(self) -> None:
        Goal(self.output, self.way)

    def score(self, outlook: Outlook) -> Floats:
        """The bound ``[c]``, to be large, in the output's unit."""
        goal = Goal(self.output, self.way)
        std = outlook.std[:, goal.component(outlook.outputs)]
        score: Floats = goal.gain(outlook.mean, outlook.outputs) + self.beta * std
        return score

    def best(self, values: Floats, outputs: Space) -> int:
        """Row of the best of ``values [b, m]``."""
        return Goal(self.output, self.way).best(values, outputs)
