"""Gradient boosted trees, by scikit-learn or LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.learn.cross_validated import CrossValidated, cross_validated
from scalebridge.learn.learner import Data, Learner, least, one_of
from scalebridge.learn.low_rank import LowRankPosterior
from scalebridge.learn.trees import Trees, joined, of_boosting
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class GradientBoosting(Learner[CrossValidated]):
    """Gradient boosted trees, one sequence per output; see `scalebridge.models.Surrogate`.

    The spread is that between fits of repeated five-fold cross-validation, scaled to their errors at the rows
    they had not seen. The mean is a step function: its derivative is zero.

    Args:
        inputs, outputs, margin: as in `Learner`.
        engine: ``"sklearn"`` (histogram gradient boosting) or ``"lightgbm"`` (the extra ``boost``).
        iterations: trees per output.
        learning_rate: how much of each tree is added.
        leaves: at most so many in a tree.
        least_leaf: rows that every leaf keeps; by default a twentieth of the runs, from 1 to 20.
        repeats: of the cross-validation; five fits each.
        seed: of the folds.

    Raises:
        InputError: an option out of its range; the engine is not installed.

    Source: J. H. Friedman, Greedy function approximation, Annals of Statistics 29 (2001) 1189-1232; G. Ke et al.,
    LightGBM, NeurIPS 2017.
    """

    engine: str = "sklearn"
    iterations: int = 200
    learning_rate: float = 0.1
    leaves: int = 31
    least_leaf: int | None = None
    repeats: int = 2
    seed: int = 0

    name = "gradient_boosting"
    smooth = False

    def _check_options(self) -> None:
        one_of(self.title, "engine", self.engine, ("sklearn", "lightgbm"))
        for name, lowest in (("iterations", 1), ("learning_rate", 1e-6), ("leaves", 2), ("repeats", 1)):
            least(self.title, name, getattr(self, name), lowest)
        if self.least_leaf is not None:
            least(self.title, "least_leaf", self.least_leaf, 1)

    def _learn(self, data: Data) -> CrossValidated:
        return cross_validated(self._train, data, self.repeats, self.seed)

    def _train(self, x: Floats, y: Floats, seed: int) -> Trees:
        fit = _scikit_learn if self.engine == "sklearn" else _lightgbm
        return fit(self, x, y, self.least_leaf or int(np.clip(len(x) // 20, 1, 20)))

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        return self.state.mean(x), np.zeros((len(x), self.outputs.size, x.shape[1]))

    def posterior(self, x: Floats) -> LowRankPosterior:
        """Joint posterior at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        return self.state.posterior(x, self.predict(x)[0], (self.outputs.lower, self.outputs.upper))


def _scikit_learn(made: GradientBoosting, x: Floats, y: Floats, least_leaf: int) -> Trees:
    from sklearn.ensemble import HistGradientBoostingRegressor

    boosters = [
        HistGradientBoostingRegressor(
            max_iter=made.iterations,
            learning_rate=made.learning_rate,
            max_leaf_nodes=made.leaves,
            min_samples_leaf=least_leaf,
            early_stopping=False,
            random_state=made.seed,
        ).fit(x, column)
        for column in y.T
    ]
    return _same(of_boosting(boosters), x, np.stack([b.predict(x) for b in boosters], axis=1), "scikit-learn")


def _lightgbm(made: GradientBoosting, x: Floats, y: Floats, least_leaf: int) -> Trees:
    try:
        lightgbm = import_module("lightgbm")
    except ImportError as error:
        raise InputError(
            f'{made.title} needs LightGBM for engine = "lightgbm"; install it with pip install "scalebridge[boost]" '
            'or take engine = "sklearn".'
        ) from error
    options = {
        "objective": "regression",
        "learning_rate": made.learning_rate,
        "num_leaves": made.leaves,
        "min_data_in_leaf": least_leaf,
        "min_data_in_bin": 1,
        "min_sum_hessian_in_leaf": 0.0,
        "deterministic": True,
        "force_row_wise": True,
        "seed": made.seed,
        "num_threads": 1,
        "verbose": -1,
    }
    boosters = [lightgbm.train(options, lightgbm.Dataset(x, column), made.iterations) for column in y.T]
    nodes = []
    for k, booster in enumerate(boosters):
        for tree in booster.dump_model()["tree_info"]:
            nodes.append(_flat(tree["tree_structure"], np.eye(len(boosters))[k]))
    trees = joined(nodes, np.zeros(len(boosters)), average=False, single=False)
    return _same(trees, x, np.stack([np.asarray(b.predict(x)) for b in boosters], axis=1), "LightGBM")


def _flat(root: dict[str, Any], column: Floats) -> tuple[Any, ...]:
    """A tree of LightGBM's own description as lists of nodes."""
    rows: list[list[Any]] = []

    def add(node: dict[str, Any]) -> int:
        place = len(rows)
        rows.append([0, 0.0, -1, -1, node.get("leaf_value", 0.0)])
        if "split_feature" in node:
            rows[place][:2] = node["split_feature"], node["threshold"]
            rows[place][2:4] = add(node["left_child"]), add(node["right_child"])
        return place

    add(root)
    feature, threshold, left, right, value = (np.array(c) for c in zip(*rows, strict=True))
    return feature, threshold, left, right, value[:, None] * column


def _same(trees: Trees, x: Floats, wanted: Floats, library: str) -> Trees:
    """The trees as read, checked against the library: how it keeps them is no promise of its own."""
    if not np.array_equal(trees(x), wanted):
        gap = float(np.abs(trees(x) - wanted).max())
        raise InfrastructureError(
            f"The trees read from this version of {library} answer differently from it (by {gap:.3g} of the outputs' "
            "deviation); install a version that constraints.txt names."
        )
    return trees
