"""Trees, linear models and what cross-validation makes of them, as graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.cross_validated import Constant, CrossValidated, Predictor
from scalebridge.learn.onnx.forests import Grove, groves_of, summed
from scalebridge.learn.onnx.graph import Answer, Graph
from scalebridge.learn.portable import Average, Columns, Linear
from scalebridge.learn.quantile_forest import Leaves
from scalebridge.learn.random_forest import Grown
from scalebridge.learn.scaling import Scaling
from scalebridge.learn.spread import Spread
from scalebridge.learn.trees import Trees
from scalebridge.quantities import Floats


def scaled(g: Graph, scaling: Scaling, x: str) -> str:
    """Scaled inputs ``[n, d]``."""
    return g.divide(g.subtract(x, scaling.centre), scaling.width)


def unscaled(g: Graph, scaling: Scaling, y: str) -> str:
    """Outputs ``[n, m]`` in their own units."""
    return g.add(g.multiply(y, scaling.width), scaling.centre)


def of_trees(g: Graph, parts: Sequence[Trees], x: str) -> str:
    """Answers ``[n, k, m]`` of ``k`` predictors that are trees, all by one operator."""
    m = parts[0].value.shape[1]
    groves = [grove for k, trees in enumerate(parts) for grove in groves_of(trees, k * m)]
    total = g.shaped(summed(g, groves, x, m * len(parts)), (len(parts), m))
    total = g.add(total, np.stack([trees.start for trees in parts]))
    counts = np.array([len(trees.roots) if trees.average else 1 for trees in parts], dtype=np.float64)
    return g.divide(total, counts[:, None]) if (counts > 1).any() else total


def predicted(g: Graph, predictor: Predictor, x: str) -> str:
    """Answer ``[n, m]`` of a predictor in scaled coordinates.

    Raises:
        InputError: a fitted estimator that is no arrays.
    """
    if isinstance(predictor, Trees):
        return g.shaped(of_trees(g, [predictor], x), predictor.value.shape[1:])
    if isinstance(predictor, Linear):
        return g.add(g.dot(x, predictor.slope), predictor.offset)
    if isinstance(predictor, Constant):
        return g.rows(predictor.level, x)
    if isinstance(predictor, Columns):
        return g.joined([predicted(g, part, x) for part in predictor.parts], 1)
    if isinstance(predictor, Average):
        parts = [predicted(g, part, x) for part in predictor.parts]
        return g.divide(g.total(g.stacked(parts, 2), 2), float(len(parts)))
    estimator = type(getattr(predictor, "estimator", predictor)).__name__
    raise InputError(
        f"a fitted {estimator} of scikit-learn is not kept as arrays; linear models, trees, forests and histogram "
        "gradient boosting are."
    )


def variance_between(g: Graph, members: str, count: int, ddof: int) -> str:
    """Variance ``[n, m]`` of ``members [n, m, k]`` about their mean."""
    mean = g.divide(g.total(members, 2, keep=True), float(count))
    return g.divide(g.squares(g.subtract(members, mean), 2), float(count - ddof))


def spread_of(g: Graph, spread: Spread, width: Floats, variance: str | None, like: str) -> str:
    """Standard deviation ``[n, m]``: the members' variance as far as it is followed, and the rest."""
    rest = g.rows(spread.rest * width, like)
    if variance is None:
        return rest
    return g.root(g.add(g.multiply(variance, np.square(spread.follows * width)), g.multiply(rest, rest)))


def cross_validated(g: Graph, known: CrossValidated, x: str) -> Answer:
    """Mean and deviation of a predictor whose spread is that between fits of cross-validation."""
    at, whole, members = scaled(g, known.x, x), known.whole, known.members
    if not known.spread.follows.any():
        members = ()
    variance, trees = None, [p for p in (whole, *members) if isinstance(p, Trees)]
    if len(trees) > len(members) and len({t.single for t in trees}) == 1:
        told = of_trees(g, trees, at)
        mean, others = g.take(told, 0, 1), g.node("Transpose", told, perm=[0, 2, 1])
        others = g.take(others, np.arange(1, len(trees)), 2)
    else:
        mean = predicted(g, whole, at)
        others = g.stacked([predicted(g, member, at) for member in members], 2) if members else ""
    if members:
        variance = variance_between(g, others, len(members), 1)
    return Answer(unscaled(g, known.y, mean), spread_of(g, known.spread, known.y.width, variance, at))


def random_forest(g: Graph, known: Grown, x: str) -> Answer:
    """Mean and deviation of forests, one per output."""
    at, count = scaled(g, known.x, x), len(known.trees[0].roots)
    members = _members(g, known.trees, at)
    mean = unscaled(g, known.y, g.divide(g.total(members, 2), float(count)))
    variance = variance_between(g, members, count, 0)
    return Answer(mean, spread_of(g, known.spread, known.y.width, variance, at))


def quantile_forest(g: Graph, known: Leaves, x: str) -> Answer:
    """Mean and deviation of the law "take one tree and one of the runs in its leaf"."""
    at, count = scaled(g, known.x, x), len(known.trees[0].roots)
    members = _members(g, known.trees, at)
    groves = [
        Grove(trees, np.square(std), np.full(count, k))
        for k, (trees, std) in enumerate(zip(known.trees, known.std, strict=True))
    ]
    inside = g.divide(summed(g, groves, at, len(groves)), float(count))
    mean = g.divide(g.total(members, 2), float(count))
    return Answer(mean, g.root(g.add(variance_between(g, members, count, 0), inside)))


def _members(g: Graph, trees: Sequence[Trees], x: str) -> str:
    """What every tree answers ``[n, m, T]``."""
    count = len(trees[0].roots)
    groves = [Grove(each, each.value[:, 0], k * count + np.arange(count)) for k, each in enumerate(trees)]
    return g.shaped(summed(g, groves, x, len(trees) * count), (len(trees), count))
