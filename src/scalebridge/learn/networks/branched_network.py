"""An ensemble of networks with one branch for each scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.networks.recipe import Recipe
from scalebridge.learn.networks.trained import TrainedNetworks, learned, rebuilt
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class BranchImportance:
    """What a branch is worth.

    Args:
        share: of the outputs' variance that is lost where the branch sees the inputs of other rows.
        std: of that share, over the shuffles.
    """

    share: float
    std: float


@dataclass(frozen=True)
class BranchedNetwork(Learner[TrainedNetworks]):
    """An ensemble of networks with one branch per scale, joined by a trunk; see `scalebridge.models.Surrogate`.

    ::

        BranchedNetwork(inputs, outputs, branches={"micro": ["fraction", "diameter"], "macro": ["thickness"]})

    Members, mean and posterior are those of `Network`.

    Args:
        inputs, outputs, margin: as in `Learner`.
        branches: name -> names of the inputs that the branch sees; every input in exactly one branch.
        widths: of the layers of each branch.
        trunk: of the layers that join the branches.
        recipe: how the members are trained.
        seed: of the folds, the first weights and the training.

    Raises:
        InputError: no branches; a branch of inputs that are not there; an input in no branch or in two.
    """

    branches: Mapping[str, Sequence[str]] = field(default_factory=dict)
    widths: tuple[int, ...] = (32, 16)
    trunk: tuple[int, ...] = (32,)
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0

    name = "branched_network"

    def _check_options(self) -> None:
        for option in ("widths", "trunk"):
            object.__setattr__(self, option, tuple(getattr(self, option)))
            for width in getattr(self, option):
                least(self.title, option, width, 1)
        least(self.title, "number of widths", len(self.widths), 1)
        self._check_branches()
        object.__setattr__(self, "branches", {name: tuple(self.branches[name]) for name in sorted(self.branches)})

    def _check_branches(self) -> None:
        known = list(self.inputs.names)
        if not isinstance(self.branches, Mapping) or not self.branches:
            raise InputError(
                f"{self.title} has no branches; give the inputs of each scale, as in "
                f"branches={{'micro': {known[:1]}, 'macro': {known[1:]}}}."
            )
        home: dict[str, str] = {}
        for branch, inputs in self.branches.items():
            if isinstance(inputs, str) or not list(inputs):
                raise InputError(f"{self.title} got the branch '{branch}' = {inputs!r}; give a list of input names.")
            for name in inputs:
                if name not in known:
                    raise InputError(
                        f"{self.title} got the branch '{branch}' with the input '{name}', which is not among its "
                        f"inputs{did_you_mean(str(name), known)}"
                    )
                if name in home:
                    raise InputError(
                        f"{self.title} got the input '{name}' in the branches '{home[name]}' and '{branch}'; leave it "
                        "in one."
                    )
                home[name] = branch
        left = [name for name in known if name not in home]
        if left:
            raise InputError(f"{self.title} has no branch for the input '{left[0]}'; name it in one of the branches.")

    def columns(self, branch: str) -> list[int]:
        """Columns of ``x [n, d]`` that a branch sees.

        Raises:
            InputError: no such branch.
        """
        if branch not in self.branches:
            raise InputError(f"{self.title} has no branch '{branch}'{did_you_mean(branch, self.branches)}")
        starts = np.cumsum([0, *(v.size for v in self.inputs)])
        spans = {v.name: range(starts[i], starts[i + 1]) for i, v in enumerate(self.inputs)}
        return [column for name in self.branches[branch] for column in spans[name]]

    def _build(self, members: int) -> nn.Module:
        from scalebridge.networks import Branched

        groups = [self.columns(branch) for branch in self.branches]
        return Branched(groups, self.outputs.size, self.widths, self.trunk, members, self.seed)

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

    def importance(self, shuffles: int = 10) -> dict[str, BranchImportance]:
        """What each branch is worth on the runs, by members that had not seen them.

        The inputs of a branch are shuffled between rows, together; the mean square error grows. The growth is told
        as a share of the variance of the outputs (mean over them) and halved: for a sum of independent branches the
        shares are the parts of the variance. Values near zero: the branch could be left out.

        Raises:
            InputError: not fitted, or fitted on too few runs to leave any out.
        """
        least(self.title, "shuffles", shuffles, 1)
        x, y, _ = self.data
        net = rebuilt(self._build, self.state)
        if net is None:
            raise InputError(f"{self.title} was fitted on {len(x)} runs, too few to tell what a branch is worth.")
        rng, found = np.random.default_rng(self.seed), {}
        before = self._error(net, x, y)
        for branch in self.branches:
            columns, lost = self.columns(branch), []
            for _ in range(shuffles):
                moved = x.copy()
                moved[:, columns] = x[rng.permutation(len(x))][:, columns]
                lost.append((self._error(net, moved, y) - before) / 2)
            found[branch] = BranchImportance(float(np.mean(lost)), float(np.std(lost)))
        return found

    def _error(self, net: nn.Module, x: Floats, y: Floats) -> float:
        """Mean square error of members at rows that they had not seen, relative to the outputs' variance."""
        rows, members = self.state.unseen_only
        error = (self.state.members(net, x)[members, rows] - self.state.y(y)[rows])[:, self.state.varies]
        return float(np.mean(error**2)) if error.size else 0.0
