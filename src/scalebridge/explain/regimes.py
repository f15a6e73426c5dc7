"""Where in the space of the inputs errors may differ: bins at their quantiles, and regions that a tree finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.explain.predictions import Predictions

Parts = dict[str, NDArray[np.bool_]]


def binned(p: Predictions, bins: int) -> Parts:
    """Rows of every input's bins, by a label such as ``"12 < T <= 20"``; values that occur often make their own."""
    parts: Parts = {}
    for column, name in enumerate(p.inputs):
        values = p.x[:, column]
        seen = np.unique(values)
        if len(seen) < 2:
            continue
        if len(seen) <= bins:
            parts |= {f"{name} = {v:g}": values == v for v in seen.tolist()}
            continue
        edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
        place = np.clip(np.searchsorted(edges, values, side="left"), 1, len(edges) - 1)
        for k in range(1, len(edges)):
            low = f"{edges[k - 1]:.4g} {'<=' if k == 1 else '<'} "
            if (place == k).any() and (place != k).any():
                parts[f"{low}{name} <= {edges[k]:.4g}"] = place == k
    return parts


def found_by_tree(p: Predictions, rows: NDArray[np.bool_], seed: int, leaves: int = 4) -> Parts:
    """Regions of a tree grown on squared errors of some ``rows``; to be judged on the others.

    Source: S. Athey and G. Imbens, Recursive partitioning for heterogeneous causal effects (2016), for the honest
    halves.
    """
    from sklearn.tree import DecisionTreeRegressor

    least = max(10, int(rows.sum()) // 10)
    if rows.sum() < 2 * least or not p.inputs:
        return {}
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=least, random_state=seed)
    # Ranks of the errors: one large error alone makes no region.
    square = p.error[rows] ** 2
    tree.fit(p.x[rows], np.argsort(np.argsort(square, kind="stable"), kind="stable") / len(square))
    grown = tree.tree_
    parts: Parts = {}
    _walk(grown, 0, [], np.ones(len(p), dtype=bool), p, parts)
    return {} if len(parts) < 2 else parts


def _walk(tree: object, node: int, path: list[str], inside: NDArray[np.bool_], p: Predictions, parts: Parts) -> None:
    feature, threshold = int(tree.feature[node]), float(tree.threshold[node])  # type: ignore[attr-defined]
    if feature < 0:
        parts[" and ".join(path)] = inside
        return
    below: NDArray[np.bool_] = p.x[:, feature] <= threshold
    name = p.inputs[feature]
    for child, word, side in (
        (tree.children_left[node], "<=", below),  # type: ignore[attr-defined]
        (tree.children_right[node], ">", ~below),  # type: ignore[attr-defined]
    ):
        _walk(tree, int(child), [*path, f"{name} {word} {threshold:.4g}"], inside & side, p, parts)
