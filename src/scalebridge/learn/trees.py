"""Regression trees as plain arrays, with a predictor of our own: what a forest is kept and archived as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats

Indices = NDArray[np.int64]
# Rows times trees that are followed at once.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Trees:
    """Binary trees, all nodes in one list; a leaf has itself for both children.

    Args:
        feature: ``[N]``, the column that a node asks for.
        threshold: ``[N]``; a row goes left where its value is at most this.
        left, right: ``[N]``, the children.
        value: ``[N, m]``, what a node answers.
        roots: ``[T]``.
        start: ``[m]``, added to the sum of trees.
        average: divide the sum by T.
        single: compare in single precision, as scikit-learn's forests do.
        depth: of the deepest tree.
    """

    feature: Indices
    threshold: Floats
    left: Indices
    right: Indices
    value: Floats
    roots: Indices
    start: Floats
    average: bool
    single: bool
    depth: int

    def leaves(self, x: Floats) -> Indices:
        """The leaf ``[n, T]`` in which every row of ``x [n, d]`` ends, in every tree."""
        at = x.astype(np.float32) if self.single else x
        step = max(1, CHUNK // len(self.roots))
        parts = [self._leaves(at[i : i + step]) for i in range(0, len(at), step)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.roots)), dtype=np.int64)

    def _leaves(self, at: Any) -> Indices:
        rows = np.arange(len(at))[:, None]
        node = np.broadcast_to(self.roots, (len(at), len(self.roots)))
        for _ in range(self.depth):
            goes_left = at[rows, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        return node

    def __call__(self, x: Floats) -> Floats:
        """Answer of all trees together ``[n, m]``."""
        return self.of_leaves(self.leaves(x))

    def of_leaves(self, leaves: Indices) -> Floats:
        """The same from leaves ``[n, T]``; summed tree by tree, as scikit-learn does, so that no bit differs."""
        total: Floats = np.zeros((len(leaves), self.value.shape[1])) + self.start
        for column in leaves.T:
            total += self.value[column]
        return total / len(self.roots) if self.average else total


def of_forest(estimators: Sequence[Any]) -> Trees:
    """The average of scikit-learn's fitted regression trees."""
    trees = [e.tree_ for e in estimators]
    values = [t.value[:, :, 0] for t in trees]
    nodes = [(t.feature, t.threshold, t.children_left, t.children_right, v) for t, v in zip(trees, values, strict=True)]
    return joined(nodes, np.zeros(values[0].shape[1]), average=True, single=True)


def of_boosting(boosters: Sequence[Any]) -> Trees:
    """scikit-learn's fitted histogram gradient boosting, one estimator per output."""
    nodes, m = [], len(boosters)
    for k, booster in enumerate(boosters):
        for (predictor,) in booster._predictors:
            n, column = predictor.nodes, np.zeros(m)
            column[k] = 1.0
            leaf = n["is_leaf"].astype(bool)
            left, right = (np.where(leaf, -1, n[side].astype(np.int64)) for side in ("left", "right"))
            value = np.where(leaf, n["value"], 0.0)[:, None] * column
            nodes.append((n["feature_idx"], n["num_threshold"], left, right, value))
    start = np.array([float(np.ravel(b._baseline_prediction)[0]) for b in boosters])
    return joined(nodes, start, average=False, single=False)


def joined(nodes: Sequence[tuple[Any, Any, Any, Any, Floats]], start: Floats, *, average: bool, single: bool) -> Trees:
    """Join trees of ``(feature, threshold, left, right, value)``, where a leaf has the children -1."""
    offsets = np.cumsum([0, *(len(n[0]) for n in nodes)])
    columns: list[list[Any]] = [[], [], [], [], []]
    for offset, (feature, threshold, left, right, value) in zip(offsets, nodes, strict=False):
        leaf, own = np.asarray(left) < 0, np.arange(len(left)) + offset
        columns[0].append(np.where(leaf, 0, feature).astype(np.int64))
        columns[1].append(np.where(leaf, 0.0, threshold).astype(np.float64))
        columns[2].append(np.where(leaf, own, np.asarray(left, dtype=np.int64) + offset))
        columns[3].append(np.where(leaf, own, np.asarray(right, dtype=np.int64) + offset))
        columns[4].append(np.asarray(value, dtype=np.float64))
    feature, threshold, left, right, value = (np.concatenate(c) for c in columns)
    roots = offsets[:-1].astype(np.int64)
    return Trees(feature, threshold, left, right, value, roots, start, average, single, _depth(left, right, roots))


def _depth(left: Indices, right: Indices, roots: Indices) -> int:
    depth, front = 0, roots
    while True:
        inner = front[left[front] != front]
        if not len(inner):
            return depth
        depth, front = depth + 1, np.concatenate([left[inner], right[inner]])
