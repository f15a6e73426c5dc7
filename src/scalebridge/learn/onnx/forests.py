"""Trees as one ONNX operator in double precision, ``TreeEnsemble`` of ``ai.onnx.ml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.onnx.graph import Graph
from scalebridge.learn.trees import Indices, Trees
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Grove:
    """Trees, what their leaves answer, and which target each tree adds that to.

    Args:
        trees: all nodes.
        value: ``[N]``, of a leaf.
        target: ``[T]``.
    """

    trees: Trees
    value: Floats
    target: Indices


def summed(g: Graph, groves: Sequence[Grove], x: str, targets: int) -> str:
    """For every target the sum ``[n, targets]`` of its trees' answers at ``x [n, d]``."""
    from onnx import TensorProto, numpy_helper

    if groves[0].trees.single:
        x = g.node("Cast", g.node("Cast", x, to=TensorProto.FLOAT), to=TensorProto.DOUBLE)
    parts, nodes, leaves = [], 0, 0
    for grove in groves:
        parts.append(_flat(grove, nodes, leaves))
        nodes, leaves = nodes + len(parts[-1]["nodes_featureids"]), leaves + len(parts[-1]["leaf_targetids"])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    doubles = {name: columns.pop(name) for name in ("nodes_splits", "leaf_weights")}
    # A row goes left where its value is at most the threshold.
    at_most = np.zeros(nodes, dtype=np.uint8)
    return g.node(
        "TreeEnsemble",
        x,
        domain="ai.onnx.ml",
        n_targets=targets,
        aggregate_function=1,
        post_transform=0,
        nodes_modes=numpy_helper.from_array(at_most),
        **{name: numpy_helper.from_array(values) for name, values in doubles.items()},
        **{name: values.tolist() for name, values in columns.items()},
    )


def _flat(grove: Grove, nodes: int, leaves: int) -> dict[str, NDArray[Any]]:
    """The operator's attributes, its nodes and leaves counted from ``nodes`` and ``leaves``."""
    t = grove.trees
    own = np.arange(len(t.feature))
    leaf = t.left == own
    number = np.where(leaf, leaves + np.cumsum(leaf) - 1, nodes + np.cumsum(~leaf) - 1)
    # A tree that is one leaf still needs a node: both ways lead to the leaf.
    bare = t.roots[leaf[t.roots]]
    asking = np.concatenate([np.flatnonzero(~leaf), bare])
    ways = [np.concatenate([side[~leaf], bare]) for side in (t.left, t.right)]
    roots = number[t.roots]
    roots[leaf[t.roots]] = nodes + np.count_nonzero(~leaf) + np.arange(len(bare))
    tree = np.searchsorted(t.roots, own[leaf], side="right") - 1
    return {
        "nodes_featureids": t.feature[asking],
        "nodes_splits": t.threshold[asking],
        "nodes_truenodeids": number[ways[0]],
        "nodes_falsenodeids": number[ways[1]],
        "nodes_trueleafs": leaf[ways[0]].astype(np.int64),
        "nodes_falseleafs": leaf[ways[1]].astype(np.int64),
        "leaf_targetids": grove.target[tree],
        "leaf_weights": grove.value[leaf],
        "tree_roots": roots,
    }


def groves_of(trees: Trees, first: int = 0) -> list[Grove]:
    """A grove per output of the trees' answer, with targets from ``first`` on; trees that add nothing left out."""
    found = []
    for k in range(trees.value.shape[1]):
        value = trees.value[:, k]
        leaf = trees.left == np.arange(len(trees.left))
        tree = np.searchsorted(trees.roots, np.arange(len(leaf)), side="right") - 1
        adds = np.bincount(tree, leaf & (value != 0), len(trees.roots)) > 0
        kept = adds if adds.any() else np.arange(len(adds)) == 0
        part = _only(trees, kept, tree)
        found.append(Grove(part[0], value[part[1]], np.full(len(part[0].roots), first + k)))
    return found


def _only(trees: Trees, kept: NDArray[np.bool_], tree: Indices) -> tuple[Trees, Indices]:
    """Some of the trees, and the indices of their nodes among all."""
    if kept.all():
        return trees, np.arange(len(tree))
    nodes = np.flatnonzero(kept[tree])
    number = np.cumsum(kept[tree]) - 1
    changed = {name: number[getattr(trees, name)[nodes]] for name in ("left", "right")}
    same = {name: getattr(trees, name)[nodes] for name in ("feature", "threshold", "value")}
    return replace(trees, **changed, **same, roots=number[trees.roots[kept]]), nodes
