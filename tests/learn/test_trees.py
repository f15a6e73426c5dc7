"""Trees as arrays answer like the library that grew them, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, RandomForestRegressor

from scalebridge.learn.trees import of_boosting, of_forest
from tests.learn.cases import drawn

NEW = np.random.default_rng(7).uniform(-1.5, 1.5, (500, 3))


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_forest_answers_the_same(kind: Any, outputs: int) -> None:
    x, y = drawn(80)
    forest = kind(30, random_state=1).fit(x, y if outputs == 2 else y[:, 0])
    assert np.array_equal(of_forest(forest.estimators_)(NEW), forest.predict(NEW).reshape(500, -1))


def test_a_forest_answers_the_same_at_its_own_thresholds() -> None:
    # Where single and double precision part, a split decides by the one that the library uses.
    x, y = drawn(80)
    forest = RandomForestRegressor(10, random_state=1).fit(x, y[:, 0])
    trees = of_forest(forest.estimators_)
    cuts = np.unique(trees.threshold)[:60]
    for shift in (-1e-9, 0.0, 1e-9):
        at = np.stack([cuts + shift] * 3, axis=1)
        assert np.array_equal(trees(at)[:, 0], forest.predict(at))


def test_boosted_trees_answer_the_same_for_every_output() -> None:
    x, y = drawn(120)
    boosters = [HistGradientBoostingRegressor(max_iter=40, min_samples_leaf=3).fit(x, column) for column in y.T]
    wanted = np.stack([b.predict(NEW) for b in boosters], axis=1)
    assert np.array_equal(of_boosting(boosters)(NEW), wanted)


def test_a_tree_of_one_node_and_no_rows_are_answered() -> None:
    forest = RandomForestRegressor(3, random_state=0).fit(np.ones((4, 2)), np.full(4, 2.5))
    trees = of_forest(forest.estimators_)
    assert trees.depth == 0
    assert trees(np.zeros((2, 2))).tolist() == [[2.5], [2.5]]
    assert trees(np.zeros((0, 2))).shape == (0, 1)
