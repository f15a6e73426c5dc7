"""How the answer moves along one input: accumulated local effects and partial dependence, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.explain.answering import Answering
from scalebridge.explain.scatter import error_of_mean, sums_by
from scalebridge.quantities import Floats

POINTS = 10
# Rows over which an effect is averaged at most: the joint law over more is dear.
ROWS = 150
KINDS = ("ale", "partial_dependence")


@dataclass(frozen=True)
class Effect:
    """The answer along one input, its mean over the rows taken off.

    Args:
        label: the input.
        unit: of the input.
        kind: ``"ale"``, accumulated local effects, or ``"partial_dependence"``.
        at: values of the input ``[p]``.
        value: effect ``[p]``, in the output's unit.
        model_std: ``[p]``, what the surrogate does not know of it.
        row_std: ``[p]``, standard error by the rows and groups it is averaged over.
        unlike: share of the rows it was asked at that are unlike any combination seen.
    """

    label: str
    unit: str
    kind: str
    at: tuple[float, ...]
    value: tuple[float, ...]
    model_std: tuple[float, ...]
    row_std: tuple[float, ...]
    unlike: float = 0.0

    @property
    def std(self) -> Floats:
        """Both uncertainties together ``[p]``."""
        both: Floats = np.hypot(np.array(self.model_std), np.array(self.row_std))
        return both

    @property
    def span(self) -> float:
        """Highest less lowest."""
        return max(self.value) - min(self.value)


def accumulated_local_effects(
    answering: Answering,
    x: Floats,
    column: int,
    units: NDArray[np.int64],
    *,
    label: str = "",
    unit: str = "1",
    points: int = POINTS,
) -> Effect:
    """Accumulate the local changes of the answer along a column of ``x [n, d]``; asks no unlikely combinations.

    Args:
        answering: the surrogate's output.
        x: rows as they come.
        column: number of the input.
        units: ``[n]`` labels of rows that are not independent.
        label, unit: of the input.
        points: edges of the bins at most, at the input's quantiles.

    Raises:
        InputError: an input that does not vary.

    Source: D. W. Apley and J. Zhu, Visualizing the effects of predictor variables in black box supervised learning
    models (2020).
    """
    edges = _places(x[:, column], points, label)
    # Rows at the lowest edge belong to the first bin.
    inside = np.maximum(np.searchsorted(edges, x[:, column], side="left"), 1)
    low, high = x.copy(), x.copy()
    low[:, column], high[:, column] = edges[inside - 1], edges[inside]
    step = answering(high) - answering(low)
    count = np.bincount(inside, minlength=len(edges)).astype(float)
    # The effect at edge k is the sum over rows of weight[k, row] times the row's step.
    weight = (np.arange(len(edges))[:, None] >= inside) / count[inside]
    # The mean over the rows, each in the middle of its bin.
    middle = 0.5 * (count[1:] / len(x)) @ (weight[1:] + weight[:-1])
    weight = weight - middle
    mean = np.bincount(inside, step, len(edges)) / np.maximum(count, 1)
    rows = np.sqrt(np.sum(sums_by((weight * (step - mean[inside])).T, units) ** 2, axis=0))
    model = answering.std_of_sums(np.concatenate([high, low]), np.concatenate([weight, -weight], axis=1))
    return Effect(label, unit, "ale", _told(edges), _told(weight @ step), _told(model), _told(rows))


def partial_dependence(
    answering: Answering,
    x: Floats,
    column: int,
    units: NDArray[np.int64],
    *,
    label: str = "",
    unit: str = "1",
    points: int = POINTS,
    law: Any = None,
) -> Effect:
    """Set a column of ``x [n, d]`` to one value after another and average the answers.

    Args:
        answering, x, column, units, label, unit, points: as in `accumulated_local_effects`.
        law: of the inputs (`Copula`), to tell how many of the rows asked are unlike any combination seen.

    Raises:
        InputError: an input that does not vary.

    Source: J. H. Friedman, Greedy function approximation (2001).
    """
    at = _places(x[:, column], points, label)
    asked = np.repeat(x[None], len(at), axis=0)
    asked[:, :, column] = at[:, None]
    each = answering(asked.reshape(-1, x.shape[1])).reshape(len(at), len(x))
    even = np.full((1, len(x)), 1 / len(x))
    model = [float(answering.std_of_sums(rows, even)[0]) for rows in asked]
    rows = error_of_mean((each - each.mean(axis=0)).T, units)
    # Less the mean of the rows' own answers, as accumulated effects are, so that both lie on one scale.
    mean = each.mean(axis=1) - answering(x).mean()
    unlike = 0.0
    if law is not None:
        far = float(np.quantile(law.strangeness(x), 0.99)) * (1 + 1e-9)
        unlike = float(np.mean([np.mean(law.strangeness(rows) > far) for rows in asked]))
    return Effect(label, unit, "partial_dependence", _told(at), _told(mean), _told(model), _told(rows), unlike)


def _places(values: Floats, points: int, label: str) -> Floats:
    """Values at which an effect is told: all that occur where they are few, else quantiles."""
    seen = np.unique(values)
    if len(seen) < 2:
        raise InputError(f"The input '{label}' is {seen[0]:g} in all rows; an effect needs values that vary.")
    if len(seen) <= points:
        return seen
    shares = np.linspace(0, 1, points)
    return np.unique(np.quantile(values, shares, method="inverted_cdf"))


def _told(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
