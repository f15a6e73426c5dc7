"""How the networks of a surrogate are trained."""

from __future__ import annotations

from dataclasses import dataclass

from scalebridge.learn.learner import least

FOLDS = 5


@dataclass(frozen=True)
class Recipe:
    """How the members are trained; see `scalebridge.networks.train`.

    Args:
        repeats: of the five folds; every repeat has five members, each of which leaves out a fifth of the runs.
        epochs: passes over the runs, at most.
        batch: rows in a step, at most.
        patience: passes without a better loss on the rows left out after which training ends.
        learning_rate: at the start.
        weight_decay: of the weights.

    Raises:
        InputError: an option out of its range.
    """

    repeats: int = 2
    epochs: int = 400
    batch: int = 64
    patience: int = 60
    learning_rate: float = 1e-2
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("repeats", "epochs", "batch", "patience"):
            least("The recipe of a network", name, getattr(self, name), 1)
        least("The recipe of a network", "learning_rate", self.learning_rate, 1e-12)
        least("The recipe of a network", "weight_decay", self.weight_decay, 0.0)

    @property
    def members(self) -> int:
        """How many networks."""
        return FOLDS * self.repeats
