"""A random forest whose spread is calibrated on the rows that its trees had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.learner import Data, Learner, least
from scalebridge.learn.low_rank import LowRankPosterior, grouped
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import Spread, fit_spread, same_rows, unknown
from scalebridge.learn.trees import Trees, of_forest
from scalebridge.quantities import Floats

# As many trees tell which points are neighbours.
NEIGHBOUR_TREES = 50


@dataclass(frozen=True)
class Grown:
    """A forest per output in scaled coordinates, and how far their spread can be trusted."""

    x: Scaling
    y: Scaling
    trees: tuple[Trees, ...]
    spread: Spread


@dataclass(frozen=True)
class RandomForest(Learner[Grown]):
    """Random forests (scikit-learn), one per output; see `scalebridge.models.Surrogate`.

    The posterior's variance is that between the trees plus a rest that points in the same leaves share; how much
    of each is fitted on out-of-bag errors, in which equal rows leave the bag together. The mean is a step
    function: its derivative is zero.

    Args:
        inputs, outputs, margin: as in `Learner`.
        trees: how many.
        least_leaf: rows that every leaf keeps.
        features: share of the inputs that each split looks at.
        seed: of the bootstrap and the splits.

    Source: L. Breiman, Random forests, Machine Learning 45 (2001) 5-32.
    """

    trees: int = 200
    least_leaf: int = 1
    features: float = 1.0
    seed: int = 0

    name = "random_forest"
    smooth = False

    def _check_options(self) -> None:
        for name in ("trees", "least_leaf"):
            least(self.title, name, getattr(self, name), 1)
        least(self.title, "features", self.features, 1e-9)

    def _learn(self, data: Data) -> Grown:
        x, y = Scaling.of(data.x), Scaling.of(data.y)
        at, value = x(data.x), y(data.y)
        forests = grow(at, value, self.trees, self.least_leaf, self.features, self.seed)
        trees = tuple(of_forest(f.estimators_) for f in forests)
        out = _out_of_bag(forests[0].estimators_samples_, same_rows(data.x))
        return Grown(x, y, trees, _spread(trees, at, value, data.noise_std / y.width, out))

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        g = self.state
        mean = np.concatenate([trees(g.x(x)) for trees in g.trees], axis=1)
        return g.y.back(mean), np.zeros((len(x), self.outputs.size, x.shape[1]))

    def posterior(self, x: Floats) -> LowRankPosterior:
        """Joint posterior at ``x [n, d]``."""
        g = self.state
        x = self.inputs.check(x, self.title)
        leaves = [trees.leaves(g.x(x)) for trees in g.trees]
        members = np.stack([t.value[at, 0] for t, at in zip(g.trees, leaves, strict=True)], axis=1)
        deviation = (members - members.mean(axis=2, keepdims=True)) / np.sqrt(self.trees)
        near = np.stack([at[:, :NEIGHBOUR_TREES] for at in leaves], axis=1)
        rest = np.broadcast_to(g.spread.rest * g.y.width, (len(x), self.outputs.size))
        return LowRankPosterior(
            self.predict(x)[0],
            deviation * (g.spread.follows * g.y.width)[:, None],
            np.zeros(rest.shape),
            grouped(near, rest) if rest.any() else None,
            (self.outputs.lower, self.outputs.upper),
        )


def grow(x: Floats, y: Floats, trees: int, least_leaf: int, features: float, seed: int) -> list[Any]:
    """One forest of scikit-learn for each column of ``y [b, m]``, all with the same bootstrap samples.

    Trees that split for all outputs at once do worse at each (by half and more on smooth functions).
    """
    from sklearn.ensemble import RandomForestRegressor

    options = {"min_samples_leaf": least_leaf, "max_features": min(float(features), 1.0), "random_state": seed}
    return [RandomForestRegressor(trees, **options).fit(x, column) for column in y.T]


def _out_of_bag(samples: list[NDArray[np.int64]], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows ``[b, T]`` had no part in a tree, neither they nor a row equal to them."""
    out = np.ones((len(labels), len(samples)), dtype=bool)
    for t, rows in enumerate(samples):
        seen = np.zeros(labels.max() + 1, dtype=bool)
        seen[labels[rows]] = True
        out[:, t] = ~seen[labels]
    return out


def _spread(trees: tuple[Trees, ...], at: Floats, value: Floats, noise: Floats, out: NDArray[np.bool_]) -> Spread:
    kept = out.sum(axis=1) >= 2
    members, mask = np.stack([t.value[t.leaves(at[kept]), 0] for t in trees], axis=1), out[kept][:, None]
    count = mask.sum(axis=2)
    mean = (members * mask).sum(axis=2) / count
    deviation = np.sqrt((((members - mean[:, :, None]) ** 2) * mask).sum(axis=2) / count)
    return fit_spread(value[kept] - mean, deviation, noise[kept], np.full(value.shape[1], unknown(len(at))))
