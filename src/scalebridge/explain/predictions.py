"""Predictions beside what was seen there, row by row: what errors by group and regime are told from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.explain.scatter import units_of
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers at rows that were held back, of one output.

    Args:
        y: values seen ``[n]``.
        mean: predicted ``[n]``.
        lower, upper: ends of the intervals ``[n]``, NaN where there are none.
        level: of the intervals.
        x: inputs ``[n, d]``, NaN where they are not known; no columns where there are none.
        inputs: names of the inputs ``[d]``.
        units: ``[n]`` labels of rows that are not independent.
        rows: ``[n]``, which of the data.
        target, unit: the output and its unit.
    """

    y: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    level: float
    x: Floats
    inputs: tuple[str, ...]
    units: NDArray[np.int64]
    rows: NDArray[np.int64]
    target: str = "the output"
    unit: str = "1"

    def __len__(self) -> int:
        return len(self.y)

    @staticmethod
    def of(
        y: ArrayLike,
        mean: ArrayLike,
        std: ArrayLike | None = None,
        *,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        level: float = 0.9,
        x: ArrayLike | None = None,
        inputs: Sequence[str] = (),
        groups: ArrayLike | None = None,
        target: str = "the output",
        unit: str = "1",
    ) -> Predictions:
        """From arrays ``[n]``; intervals are those given, else normal ones by ``std``, else none.

        Args:
            y, mean, std, lower, upper: ``[n]`` (or ``[n, 1]``).
            level: of the intervals.
            x: inputs ``[n, d]``, for regimes.
            inputs: their names.
            groups: ``[n]`` labels of rows that are not independent.
            target, unit: of the output.

        Raises:
            InputError: columns of different lengths, values that are not finite, fewer than two rows.
        """
        from statistics import NormalDist

        seen, told = _column(y, "y"), _column(mean, "mean")
        n = len(seen)
        columns = {k: _column(v, k) for k, v in (("std", std), ("lower", lower), ("upper", upper)) if v is not None}
        for name, column in ({"mean": told} | columns).items():
            if len(column) != n:
                raise InputError(f"The predictions have {n} values seen and {len(column)} of {name}; give as many.")
        if n < 2 or not np.isfinite(seen).all() or not np.isfinite(told).all():
            raise InputError(
                "Predictions need at least two rows, with finite values seen and predicted; leave others out."
            )
        reach = NormalDist().inv_cdf(0.5 * (1 + level)) * columns.get("std", np.full(n, np.nan))
        at = np.zeros((n, 0)) if x is None else np.asarray(x, dtype=np.float64)
        if at.ndim != 2 or len(at) != n:
            raise InputError(f"The predictions have {n} rows and inputs of shape {at.shape}; give x as [n, d].")
        names = tuple(inputs) or tuple(f"x{i + 1}" for i in range(at.shape[1]))
        if len(names) != at.shape[1]:
            raise InputError(f"The predictions have {at.shape[1]} inputs and {len(names)} names; give one name each.")
        return Predictions(
            seen, told, columns.get("lower", told - reach), columns.get("upper", told + reach), level, at, names,
            units_of(n, groups), np.arange(n), target, unit,
        )  # fmt: skip

    @staticmethod
    def held_out(comparison: Any, candidate: str | None = None, target: str | None = None) -> Predictions:
        """Those of a `Comparison` at the rows its folds held back.

        Args:
            comparison: of `sb.compare`.
            candidate: its name, by default the best.
            target: output, by default the first.

        Raises:
            InputError: a candidate or an output that it does not have.
        """
        from scalebridge.explain.answering import Answering

        entry = comparison.best if candidate is None else comparison[candidate]
        answering, held = Answering.of(entry.surrogate, target), entry.known
        k = answering.output
        return Predictions(
            held.y[:, k], held.mean[:, k], held.lower[:, k], held.upper[:, k], comparison.level,
            comparison.data.x[held.rows], tuple(entry.surrogate.inputs.component_names),
            units_of(len(held.rows), entry.units[held.rows]), held.rows, answering.target, answering.unit,
        )  # fmt: skip

    @property
    def error(self) -> Floats:
        """Seen less predicted ``[n]``."""
        return self.y - self.mean

    @property
    def has_intervals(self) -> bool:
        """Whether every row has an interval."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    @property
    def covered(self) -> Floats:
        """1 where the value lies inside its interval, 0 where not ``[n]``; NaN without intervals."""
        inside = ((self.y >= self.lower) & (self.y <= self.upper)).astype(np.float64)
        return np.where(np.isfinite(self.lower) & np.isfinite(self.upper), inside, np.nan)


def predictions_of(given: Any) -> Predictions:
    """Predictions as they are, or those of a comparison.

    Raises:
        InputError: neither.
    """
    if isinstance(given, Predictions):
        return given
    if hasattr(given, "entries") and hasattr(given, "splits"):
        return Predictions.held_out(given)
    raise InputError(
        f"Errors were asked of {type(given).__name__}; give a comparison, or Predictions.of(y, mean, std, groups=...)."
    )


def _column(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(f"'{name}' has the shape {array.shape}; give one number per row [n], one output at a time.")
    return array
