"""Error, bias and coverage by group and by regime, with what chance alone would do."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.explain import plain
from scalebridge.explain.differences import part_against_rest
from scalebridge.explain.predictions import Predictions, predictions_of
from scalebridge.explain.regimes import binned, found_by_tree
from scalebridge.explain.scatter import error_of_mean, reach

KIND = "errors_by"
ALPHA = 0.05
# Confidence of the intervals of bias and coverage.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class PartError:
    """Errors in one part of the rows.

    Args:
        label: of the group or regime.
        rows, groups: how many.
        rmse, rmse_error: root mean square error and its standard error, in the output's unit.
        bias: mean of seen less predicted.
        bias_interval: of that at 95 %, infinite for one group alone.
        coverage: share of the values inside their intervals; NaN without intervals.
        coverage_interval: of that at 95 %.
        p_error, p_bias, p_coverage: that it differs from the rest so much by chance, corrected for all tests made;
            NaN where it cannot be tested.
        found: whether a tree found it, on other rows than those it is judged on.
    """

    label: str
    rows: int
    groups: int
    rmse: float
    rmse_error: float
    bias: float
    bias_interval: tuple[float, float]
    coverage: float
    coverage_interval: tuple[float, float]
    p_error: float
    p_bias: float
    p_coverage: float
    found: bool = False

    @property
    def differs(self) -> tuple[str, ...]:
        """In what it differs from the rest beyond chance: ``"error"``, ``"bias"``, ``"coverage"``."""
        told = (("error", self.p_error), ("bias", self.p_bias), ("coverage", self.p_coverage))
        return tuple(name for name, p in told if p < ALPHA)


@dataclass(frozen=True, repr=False)
class ErrorsBy:
    """Errors by parts of the rows; see `by_group` and `by_regime`.

    Args:
        by: what parts them, in a word.
        target, unit: the output and its unit.
        level: of the intervals.
        whole: all rows.
        parts: the largest error first.
    """

    by: str
    target: str
    unit: str
    level: float
    whole: PartError
    parts: tuple[PartError, ...]

    @property
    def worst(self) -> PartError:
        """The part with the largest error."""
        return self.parts[0]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reviewer reads: where errors differ, where there is a bias, where intervals hold too few values."""
        from scalebridge.explain.errors_views import sentences

        return sentences(self)

    def table(self) -> str:
        """Plain text: a row for each part, then the sentences."""
        from scalebridge.explain.errors_views import as_text

        return as_text(self)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        from scalebridge.explain.errors_views import as_html

        return as_html(self)

    def record(self) -> dict[str, Any]:
        """Everything as plain lists, numbers and texts."""
        told: dict[str, Any] = plain.plain(self)
        return {"kind": KIND, "schema_version": 1, **told, "sentences": list(self.sentences)}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The record as JSON text; written where told."""
        return plain.write(self.record(), path)


def by_group(predictions: Any, groups: ArrayLike, *, name: str = "group", seed: int = 0) -> ErrorsBy:
    """Errors, bias and coverage of each group, and whether it differs from the rest beyond chance.

    Whether errors differ is tested on absolute ones; told is their root mean square.

    Args:
        predictions: a `Comparison` (its best candidate, on the rows its folds held back), or `Predictions`.
        groups: label of every row of the data, such as site, batch, operator, laboratory.
        name: what the labels are, in a word.
        seed: of the shuffles.

    Raises:
        InputError: not one label per row, or one group alone.
    """
    p = predictions_of(predictions)
    labels = np.asarray(groups)
    if labels.ndim != 1 or len(labels) <= int(p.rows.max()):
        raise InputError(
            f"There are {int(p.rows.max()) + 1} rows and groups of shape {labels.shape}; give one label each."
        )
    labels = labels[p.rows]
    names = np.unique(labels)
    if len(names) < 2:
        raise InputError(f"All rows are of the one group '{names[0]}'; give labels of at least two.")
    parts = {f"{name} {_named(label)}": labels == label for label in names}
    return _judged(p, parts, name, seed)


def by_regime(predictions: Any, *, bins: int = 3, trees: bool = True, seed: int = 0) -> ErrorsBy:
    """Errors, bias and coverage in regimes of the inputs: bins at their quantiles, and regions that a tree finds.

    The tree is grown on half of the groups, and what it finds is judged on the other half.

    Args:
        predictions: as in `by_group`; with inputs.
        bins: of each input.
        trees: whether a tree looks for regions.
        seed: of halves and shuffles.

    Raises:
        InputError: no inputs, or none that varies; fewer than two bins.
    """
    p = predictions_of(predictions)
    if not p.inputs or bins < 2:
        raise InputError(
            f"Regimes got {len(p.inputs)} inputs and {bins} bins; give predictions with x=..., and at least two bins."
        )
    parts = binned(p, bins)
    if not parts:
        raise InputError("No input varies over the rows, so there is no regime to tell.")
    told = _judged(p, parts, "regime", seed)
    if not trees:
        return told
    units = np.unique(p.units)
    half = np.isin(p.units, np.random.default_rng(seed).permutation(units)[: len(units) // 2])
    found = found_by_tree(p, half, seed)
    found = {label: inside for label, inside in found.items() if (inside & ~half).sum() >= 2}
    if not found:
        return told
    honest = _judged(_only(p, ~half), {label: inside[~half] for label, inside in found.items()}, "regime", seed, True)
    # Two families of tests: each spends half of the chance.
    both = sorted((_halved(part) for part in (*told.parts, *honest.parts)), key=lambda part: -part.rmse)
    return ErrorsBy(told.by, told.target, told.unit, told.level, told.whole, tuple(both))


def _halved(part: PartError) -> PartError:
    def twice(p: float) -> float:
        return p if math.isnan(p) else min(2 * p, 1.0)

    return replace(
        part, p_error=twice(part.p_error), p_bias=twice(part.p_bias), p_coverage=twice(part.p_coverage)
    )  # fmt: skip


def _judged(p: Predictions, parts: dict[str, NDArray[np.bool_]], by: str, seed: int, found: bool = False) -> ErrorsBy:
    # Absolute errors tell parts apart where squares are ruled by their few largest.
    columns = [np.abs(p.error), p.error, *([p.covered] if p.has_intervals else [])]
    chance = part_against_rest(np.stack(columns, axis=1), np.stack(list(parts.values()), axis=1), p.units, seed)
    if not p.has_intervals:
        chance = np.concatenate([chance, np.full((len(chance), 1), np.nan)], axis=1)
    told = [_part(p, label, inside, row, found) for (label, inside), row in zip(parts.items(), chance, strict=True)]
    told = sorted((t for t in told if t is not None), key=lambda part: -part.rmse)
    whole = _part(p, "all rows", np.ones(len(p), dtype=bool), np.full(3, np.nan), False)
    return ErrorsBy(by, p.target, p.unit, p.level, whole, tuple(told))


def _part(p: Predictions, label: str, inside: NDArray[np.bool_], chance: Any, found: bool) -> PartError:
    units = np.unique(p.units[inside], return_inverse=True)[1].reshape(-1)
    count, error = int(units.max()) + 1, p.error[inside]
    mean_square = float(np.mean(error**2))
    rmse = math.sqrt(mean_square)
    rmse_error = 0.5 * float(error_of_mean(error**2, units)) / max(rmse, 1e-300)
    bias = float(error.mean())
    half = reach(CONFIDENCE, count) * float(error_of_mean(error, units)) if count > 1 else math.inf
    covered = p.covered[inside]
    return PartError(
        label=label,
        rows=int(inside.sum()),
        groups=count,
        rmse=rmse,
        rmse_error=rmse_error if count > 1 else math.inf,
        bias=bias,
        bias_interval=(bias - half, bias + half),
        coverage=float(covered.mean()),
        coverage_interval=share_interval(covered, units),
        p_error=float(chance[0]),
        p_bias=float(chance[1]),
        p_coverage=float(chance[2]),
        found=found,
    )


def share_interval(covered: Any, units: NDArray[np.int64]) -> tuple[float, float]:
    """Wilson's interval at 95 % of a share, for as many independent rows as its scatter over the units allows.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    share, count, n = float(covered.mean()), len(np.unique(units)), len(covered)
    if not math.isfinite(share):
        return math.nan, math.nan
    error = float(error_of_mean(covered, units)) if count > 1 else 0.0
    rows = float(np.clip(share * (1 - share) / error**2, 1.0, n)) if error > 0 else float(count)
    z2 = reach(CONFIDENCE, 10**9) ** 2
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = math.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows**2))) / (1 + z2 / rows)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _only(p: Predictions, rows: NDArray[np.bool_]) -> Predictions:
    units = np.unique(p.units[rows], return_inverse=True)[1].reshape(-1)
    return Predictions(
        p.y[rows], p.mean[rows], p.lower[rows], p.upper[rows], p.level, p.x[rows], p.inputs, units, p.rows[rows],
        p.target, p.unit,
    )  # fmt: skip


def _named(label: Any) -> str:
    value = label.item() if hasattr(label, "item") else label
    return f"{value:g}" if isinstance(value, float) else str(value)
