"""A quantile regression forest: the whole distribution of the outputs from who shares a leaf with whom."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.learn.random_forest import grow
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.trees import Indices, Trees, of_forest
from scalebridge.models import Functional
from scalebridge.quantities import Floats

# Entries of the matrix of weights that are held at once.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Leaves:
    """A forest per output whose leaves answer with the mean of all runs in them.

    Args:
        x: scaling of the inputs.
        trees: value of a leaf in the output's units.
        runs: the leaf of each run ``[b, m, T]``.
        std: of the runs in a leaf, one ``[N]`` per output.
    """

    x: Scaling
    trees: tuple[Trees, ...]
    runs: Indices
    std: tuple[Floats, ...]


@dataclass(frozen=True)
class ForestPosterior:
    """The law "take one tree for all points, and in every leaf of it one of its runs, the same for all points there".

    Its marginals are Meinshausen's weighted distributions of the runs; its covariance between points is what
    the leaves they share leave open. Outputs draw the same number of tree, each in its own forest, and runs
    independently. See `scalebridge.models.Posterior`.

    Args:
        joint: its mean and covariance.
        leaves: of the points ``[n, m, T]``.
        runs: of the runs ``[b, m, T]``.
        y: outputs of the runs ``[b, m]``.
        bounds: of the outputs, ``[m]`` each.
    """

    joint: LowRankPosterior
    leaves: Indices
    runs: Indices
    y: Floats
    bounds: tuple[Floats, Floats]

    @property
    def mean(self) -> Floats:
        """Mean ``[n, m]``."""
        return self.joint.mean

    @property
    def std(self) -> Floats:
        """Standard deviation ``[n, m]``."""
        return self.joint.std

    @property
    def blocks(self) -> Floats:
        """Covariance between the outputs at each point ``[n, m, m]``."""
        return self.joint.blocks

    def quantile(self, p: float) -> Floats:
        """Quantile ``[n, m]``: the least output of a run whose weight, with those below it, reaches ``p``."""
        n, m = self.mean.shape
        answer, step = np.zeros((n, m)), max(1, CHUNK // len(self.y))
        for k in range(m):
            order = np.argsort(self.y[:, k], kind="stable")
            for first in range(0, n, step):
                rows = slice(first, first + step)
                below = np.cumsum(_weights(self.leaves[rows, k], self.runs[order, k]), axis=1)
                place = np.minimum((below < p - 1e-12).sum(axis=1), len(order) - 1)
                answer[rows, k] = self.y[order[place], k]
        return np.clip(answer, *self.bounds)

    def sample(self, n: int, seed: int = 0) -> Floats:
        """Joint samples ``[n_samples, n, m]``."""
        rng = np.random.default_rng(seed)
        draws = np.zeros((n, *self.mean.shape))
        for i in range(n):
            tree = int(rng.integers(self.leaves.shape[2]))
            for k in range(draws.shape[2]):
                order = rng.permutation(len(self.y))
                chosen = dict(zip(self.runs[order, k, tree].tolist(), order.tolist(), strict=True))
                draws[i, :, k] = self.y[[chosen[leaf] for leaf in self.leaves[:, k, tree].tolist()], k]
        return np.clip(draws, *self.bounds)

    def functional(self, weights: Floats) -> Functional:
        """Distribution of ``sum(weights * f)``."""
        return self.joint.functional(weights)

    def reduction(
        self, weights: Floats, candidates: Indices, noise_std: Floats | None = None, given: Indices | None = None
    ) -> Floats:
        """How much a run at each candidate would reduce the variance of ``sum(weights * f)``, ``[c]``."""
        return self.joint.reduction(weights, candidates, noise_std, given)


@dataclass(frozen=True)
class QuantileForest(Learner[Leaves]):
    """Quantile regression forest on scikit-learn's trees; see `scalebridge.models.Surrogate`.

    It learns the distribution of the outputs given the inputs, noise included. The mean is a step function: its
    derivative is zero.

    Args:
        inputs, outputs, margin: as in `Learner`.
        trees: how many.
        least_leaf: rows that every leaf keeps; by default a twentieth of the runs, from 2 to 10.
        features: share of the inputs that each split looks at.
        seed: of the bootstrap and the splits.

    Source: N. Meinshausen, Quantile regression forests, JMLR 7 (2006) 983-999.
    """

    trees: int = 100
    least_leaf: int | None = None
    features: float = 1.0
    seed: int = 0

    name = "quantile_forest"
    smooth = False

    def _check_options(self) -> None:
        least(self.title, "trees", self.trees, 1)
        least(self.title, "features", self.features, 1e-9)
        if self.least_leaf is not None:
            least(self.title, "least_leaf", self.least_leaf, 1)

    def _learn(self, data: Data) -> Leaves:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, least_leaf = x(data.x), self.least_leaf or int(np.clip(len(data) // 20, 2, 10))
        forests = grow(at, y(data.y), self.trees, least_leaf, self.features, self.seed)
        grown = [of_forest(f.estimators_) for f in forests]
        runs = [trees.leaves(at) for trees in grown]
        filled = [_filled(*each) for each in zip(grown, runs, data.y.T, strict=True)]
        return Leaves(x, tuple(trees for trees, _ in filled), np.stack(runs, axis=1), tuple(std for _, std in filled))

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        mean = np.concatenate([trees(self.state.x(x)) for trees in self.state.trees], axis=1)
        return mean, np.zeros((len(x), self.outputs.size, x.shape[1]))

    def posterior(self, x: Floats) -> ForestPosterior:
        """Joint posterior at ``x [n, d]``."""
        g, bounds = self.state, (self.outputs.lower, self.outputs.upper)
        x = self.inputs.check(x, self.title)
        leaves = np.stack([trees.leaves(g.x(x)) for trees in g.trees], axis=1)
        members = np.stack([t.value[leaves[:, k], 0] for k, t in enumerate(g.trees)], axis=1)
        inside = np.stack([std[leaves[:, k]] for k, std in enumerate(g.std)], axis=1)
        factor = (members - members.mean(axis=2, keepdims=True)) / np.sqrt(leaves.shape[2])
        zero = np.zeros((len(x), self.outputs.size))
        joint = LowRankPosterior(self.predict(x)[0], factor, zero, grouped(leaves, inside), bounds)
        return ForestPosterior(joint, leaves, g.runs, self.known.y, bounds)


def _filled(trees: Trees, runs: Indices, y: Floats) -> tuple[Trees, Floats]:
    """Fill every leaf with the mean of all runs in it, and say their deviation ``[N]``."""
    each, nodes = np.repeat(y, runs.shape[1]), len(trees.feature)
    count = np.maximum(np.bincount(runs.ravel(), minlength=nodes), 1)
    mean = np.bincount(runs.ravel(), each, nodes) / count
    square = np.bincount(runs.ravel(), (each - mean[runs.ravel()]) ** 2, nodes) / count
    return replace(trees, value=mean[:, None]), np.sqrt(square)


def _weights(leaves: Indices, runs: Indices) -> Floats:
    """Meinshausen's weights ``[n, b]``: the share of trees in which a run stands in the point's leaf, per run there."""
    weights = np.zeros((len(leaves), len(runs)))
    for of_points, of_runs in zip(leaves.T, runs.T, strict=True):
        together = of_points[:, None] == of_runs
        weights += together / np.maximum(together.sum(axis=1, keepdims=True), 1)
    weights /= leaves.shape[1]
    return weights
