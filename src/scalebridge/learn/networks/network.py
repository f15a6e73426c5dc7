"""A small ensemble of fully connected networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.networks.recipe import Recipe
from scalebridge.learn.networks.trained import TrainedNetworks, learned, rebuilt
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Network(Learner[TrainedNetworks]):
    """An ensemble of small networks; see `scalebridge.models.Surrogate`.

    Five networks (or a multiple) of other first weights each leave out a fifth of the runs, on which training is
    stopped and the spread is fitted. The mean is that of the members, its derivative exact. The posterior's variance
    is that between the members plus a rest that points with the same nearest run share.

    Args:
        inputs, outputs, margin: as in `Learner`.
        widths: of the layers; a line stands beside them.
        recipe: how the members are trained.
        seed: of the folds, the first weights and the training.

    Source: B. Lakshminarayanan, A. Pritzel, C. Blundell, Deep ensembles, NeurIPS 2017.
    """

    widths: tuple[int, ...] = (64, 64)
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0

    name = "network"

    def _check_options(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        for width in self.widths:
            least(self.title, "widths", width, 1)

    def _build(self, members: int) -> nn.Module:
        from scalebridge.networks import MLP

        return MLP(self.inputs.size, self.outputs.size, self.widths, members, self.seed)

    def _learn(self, data: Data) -> TrainedNetworks:
        return learned(self._build, data, self.inputs, self.outputs, self.recipe, self.seed)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        net = rebuilt(self._build, self.state)
        return self.state.mean(net, x), self.state.slopes(net, x)

    @property
    def curve(self) -> Floats:
        """Loss in training, loss on rows left out, and learning rate of every epoch ``[e, 3]``."""
        return self.state.curve

    def posterior(self, x: Floats) -> LowRankPosterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        return self.state.posterior(rebuilt(self._build, self.state), x, (self.outputs.lower, self.outputs.upper))
