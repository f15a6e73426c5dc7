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
# Rows or groups that most bins hold, so that they tell how much a step scatters.
FEW = 5
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
        units: rows or groups that stand behind a point: the median over the bins, all for partial dependence.
    """

    label: str
    unit: str
    kind: str
    at: tuple[float, ...]
    value: tuple[float, ...]
    model_std: tuple[float, ...]
    row_std: tuple[float, ...]
    unlike: float = 0.0
    units: float = 0.0

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
        points: edges of the bins at most, at the input's quantiles; fewer where bins would hold few units.

    Raises:
        InputError: an input that does not vary.

    Source: D. W. Apley and J. Zhu, Visualizing the effects of predictor variables in black box supervised learning
    models (2020).
    """
    edges, inside = _binned(x[:, column], units, points, label)
    low, high = x.copy(), x.copy()
    low[:, column], high[:, column] = edges[inside - 1], edges[inside]
    step = answering(high) - answering(low)
    count = np.bincount(inside, minlength=len(edges)).astype(float)
    # The effect at edge k is the sum over rows of weight[k, row] times the row's step.
    weight = (np.arange(len(edges))[:, None] >= inside) / count[inside]
    # The mean over the rows, each in the middle of its bin.
    middle = 0.5 * (count[1:] / len(x)) @ (weight[1:] + weight[:-1])
    weight = weight - middle
    rows = _by_rows(weight, step, np.diff(edges, prepend=edges[0]), inside, units)
    model = answering.std_of_sums(np.concatenate([high, low]), np.concatenate([weight, -weight], axis=1))
    return Effect(
        label, unit, "ale", _told(edges), _told(weight @ step), _told(model), _told(rows), 0.0, _behind(inside, units)
    )


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
    unlike, told = 0.0, float(len(np.unique(units)))
    if law is not None:
        far = float(np.quantile(law.strangeness(x), 0.99)) * (1 + 1e-9)
        unlike = float(np.mean([np.mean(law.strangeness(rows) > far) for rows in asked]))
    return Effect(label, unit, "partial_dependence", _told(at), _told(mean), _told(model), _told(rows), unlike, told)


def _binned(values: Floats, units: NDArray[np.int64], points: int, label: str) -> tuple[Floats, NDArray[np.int64]]:
    """Edges ``[p]`` of as many bins as most of them hold units enough, and the upper edge of each row's bin ``[n]``."""
    for most in range(points, 1, -1):
        edges = _places(values, most, label)
        # Rows at the lowest edge belong to the first bin.
        inside = np.maximum(np.searchsorted(edges, values, side="left"), 1)
        if _behind(inside, units) >= FEW:
            break
    return edges, inside


def _behind(inside: NDArray[np.int64], units: NDArray[np.int64]) -> float:
    """Median number of units over the bins that hold rows."""
    pairs = np.unique(np.stack([inside, units]), axis=1)
    return float(np.median(np.unique(pairs[0], return_counts=True)[1]))


def _by_rows(
    weight: Floats, step: Floats, width: Floats, inside: NDArray[np.int64], units: NDArray[np.int64]
) -> Floats:
    """Standard error ``[p]`` of ``weight [p, n] @ step [n]``, the rows of a unit not independent.

    Deviations from a bin's mean are widened by ``c / (c - 1)`` for its ``c`` units; a bin of one unit, which tells no
    scatter, takes that of the slopes in the other bins, or between bins where all hold one.

    Args:
        weight, step: of each row.
        width: ``[p]``, of the bin below each edge.
        inside: ``[n]``, upper edge of each row's bin.
        units: ``[n]``.
    """
    p = len(width)
    mean = np.bincount(inside, step, p) / np.maximum(np.bincount(inside, minlength=p), 1)
    (bins, _), cell = np.unique(np.stack([inside, units]), axis=1, return_inverse=True)
    c = np.bincount(bins, minlength=p)
    wider = np.sqrt(c / np.maximum(c - 1, 1))
    variance = np.sum(sums_by((weight * (step - mean[inside]) * wider[inside]).T, units) ** 2, axis=0)
    slope = np.bincount(cell.reshape(-1), step / width[inside]) / np.bincount(cell.reshape(-1))
    # A bin of one unit alone is worth a step of its width and of usual slope.
    lonely = np.where((c == 1)[inside], width[inside], 0.0)
    alone = np.stack([np.bincount(inside, row * lonely, p) for row in weight])
    told: Floats = np.sqrt(variance + _usual_variance(slope, bins) * np.sum(alone**2, axis=1))
    return told


def _usual_variance(slope: Floats, bins: NDArray[np.int64]) -> float:
    """Variance of slopes ``[k]`` within ``bins [k]``; between them where none holds two; 0 of one alone."""
    c = np.bincount(bins)
    if c.max() < 2:
        return float(slope.var(ddof=1)) if len(slope) > 1 else 0.0
    apart = slope - (np.bincount(bins, slope) / np.maximum(c, 1))[bins]
    return float(np.sum(apart**2) / np.sum(np.maximum(c - 1, 0)))


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
