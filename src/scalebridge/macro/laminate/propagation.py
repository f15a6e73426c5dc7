"""What the uncertainty of ply constants makes of a component, source by source.

A source is a set of independent deviations of one standard deviation each, in natural logarithms of the constants, so
that moduli stay positive: one row for a segmentation moved by one deviation, as many rows as windows for their scatter.
Sources are independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.models import Model
from scalebridge.quantities import Floats

METHODS = ("monte carlo", "linear")
STEP = 1e-4
"""Half of the central difference, in logarithms."""


@dataclass(frozen=True, eq=False)
class Source:
    """One source of uncertainty.

    Args:
        name: in words.
        deviations: ``[k, d]``, one independent standard deviation a row, in logarithms of the inputs.
        confidence: the only one that they are right for, as of few rows; ``None`` where they are for any.
    """

    name: str
    deviations: Floats
    confidence: float | None = None

    def __post_init__(self) -> None:
        found = np.atleast_2d(np.asarray(self.deviations, dtype=np.float64))
        if found.ndim != 2 or not np.isfinite(found).all():
            raise ShapeError(f"The deviations of '{self.name}' are no finite array [k, d].")
        object.__setattr__(self, "deviations", found)

    @classmethod
    def between(cls, name: str, low: ArrayLike, high: ArrayLike) -> Source:
        """A source whose two ends, one deviation to either side, give the constants ``[d]`` below and above."""
        return cls(name, 0.5 * np.log(np.asarray(high, dtype=np.float64) / np.asarray(low, dtype=np.float64)))

    @classmethod
    def of_scatter(cls, name: str, rows: ArrayLike, *, mean: bool = True, confidence: float = 0.95) -> Source:
        """The scatter of ``rows [n, d]``: of their mean, or of a single one.

        The rows count as independent, and with few of them their deviation is widened as Student's t asks
        at the ``confidence`` that `propagate` is asked for later.

        Raises:
            ShapeError: fewer than three rows.
            InputError: a confidence outside of 0 and 1.
        """
        table = np.log(np.asarray(rows, dtype=np.float64))
        if table.ndim != 2 or len(table) < 3:
            raise ShapeError(f"The scatter '{name}' has rows of shape {table.shape}; at least three rows [n, d].")
        if not 0.0 < confidence < 1.0:
            raise InputError(f"The confidence of the scatter '{name}' is {confidence}; it must lie between 0 and 1.")
        n = len(table)
        share = _student(n - 1, confidence) / math.sqrt(n - 1) / (math.sqrt(n) if mean else 1.0)
        return cls(name, (table - table.mean(axis=0)) * share, confidence)


@dataclass(frozen=True, eq=False)
class Propagated:
    """A component's quantity with its interval, by parts.

    Args:
        name: of the output.
        unit: of value, interval and parts.
        value: at the best constants.
        interval: of all sources together.
        parts: half-width of each source alone.
        confidence: of interval and parts.
        method: how it was found.
    """

    name: str
    unit: str
    value: float
    interval: tuple[float, float]
    parts: Mapping[str, float]
    confidence: float
    method: str

    @property
    def half_width(self) -> float:
        """Half of the interval."""
        return 0.5 * (self.interval[1] - self.interval[0])


def propagate(
    model: Model,
    best: ArrayLike,
    sources: Sequence[Source],
    *,
    method: str = "monte carlo",
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Propagated]:
    """Return each output of a model with its interval and the part of every source.

    By draws every source is drawn alone and all are drawn together (``(sources + 1) draws`` runs); linearly, parts are
    added in quadrature (``2 d`` runs), which is right where the model is nearly linear within the interval.

    Args:
        model: from the constants to the component, as `ply_model` makes it.
        best: the constants ``[d]``, positive.
        sources: what is uncertain.
        method: one of `METHODS`.
        draws: of each source.
        confidence: two-sided.
        seed: of the draws.

    Raises:
        InputError: another method, no source, a source widened for another confidence, a model that fails at the
            constants.
        ShapeError: constants or deviations of another number than the inputs.
    """
    if method not in METHODS:
        raise InputError(f"The method of propagation is '{method}'{did_you_mean(method, METHODS)}")
    centre = _checked(model, best, sources, draws, confidence)
    values = _run(model, centre[None])[0]
    found = (_drawn if method == "monte carlo" else _linear)(model, centre, values, sources, draws, confidence, seed)
    low, high, parts = found
    return {
        v: Propagated(
            v, model.outputs[v].unit, float(values[k]), (float(low[k]), float(high[k])),
            {s.name: float(p[k]) for s, p in zip(sources, parts, strict=True)}, confidence, method,
        )
        for k, v in enumerate(model.outputs.names)
    }  # fmt: skip


Spread = tuple[Floats, Floats, list[Floats]]


def _drawn(
    model: Model, centre: Floats, _: Floats, sources: Sequence[Source], draws: int, confidence: float, seed: int
) -> Spread:
    rng = np.random.default_rng(seed)
    deviations = [rng.standard_normal((draws, len(s.deviations))) @ s.deviations for s in sources]
    tail = 50.0 * (1.0 - confidence)

    def ends(moved: Floats) -> tuple[Floats, Floats]:
        outputs = _run(model, centre * np.exp(moved))
        low, high = np.percentile(outputs, [tail, 100.0 - tail], axis=0)
        return low, high

    parts = [0.5 * (high - low) for low, high in map(ends, deviations)]
    low, high = ends(np.sum(deviations, axis=0))
    return low, high, parts


def _linear(
    model: Model, centre: Floats, values: Floats, sources: Sequence[Source], _: int, confidence: float, __: int
) -> Spread:
    from scipy.stats import norm

    quantile = float(norm.ppf(0.5 + 0.5 * confidence))
    moves = STEP * np.eye(len(centre))
    outputs = _run(model, centre * np.exp(np.concatenate([moves, -moves])))
    slope = (outputs[: len(centre)] - outputs[len(centre) :]) / (2.0 * STEP)
    parts = [quantile * np.linalg.norm(s.deviations @ slope, axis=0) for s in sources]
    half = np.linalg.norm(parts, axis=0)
    return values - half, values + half, parts


def _checked(model: Model, best: ArrayLike, sources: Sequence[Source], draws: int, confidence: float) -> Floats:
    centre = np.asarray(best, dtype=np.float64)
    d = model.inputs.size
    if centre.shape != (d,) or not (np.isfinite(centre).all() and (centre > 0).all()):
        raise ShapeError(f"The constants of a component are {best!r}; give {d} positive ones.")
    if not sources:
        raise InputError("Nothing was said to be uncertain; give at least one Source.")
    for source in sources:
        if source.deviations.shape[1] != d:
            raise ShapeError(
                f"The source '{source.name}' has deviations of {source.deviations.shape[1]} inputs; the model has {d}: "
                f"{', '.join(model.inputs.names)}."
            )
        if source.confidence is not None and not math.isclose(source.confidence, confidence):
            raise InputError(
                f"The source '{source.name}' was widened for a confidence of {source.confidence:g}, and {confidence:g} "
                f"is asked for; make it by Source.of_scatter(..., confidence={confidence:g})."
            )
    if draws < 2 or not 0.0 < confidence < 1.0:
        raise InputError(f"{draws} draws at a confidence of {confidence}: give at least 2, and one between 0 and 1.")
    return centre


def _run(model: Model, x: Floats) -> Floats:
    runs = model.run(x)
    if not runs.ok.all():
        first = int(np.flatnonzero(~runs.ok)[0])
        raise InputError(f"The model '{model.name}' failed at the constants {x[first]}: {runs.reason[first]}.")
    return runs.values


def _student(degrees: int, confidence: float) -> float:
    """By how much an interval of Student's t is wider than of the normal distribution."""
    from scipy.stats import norm, t

    at = 0.5 + 0.5 * confidence
    return float(t.ppf(at, degrees) / norm.ppf(at))
