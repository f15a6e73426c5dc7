"""What is read from a solved model of COMSOL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean

_STATISTICS: dict[str, Callable[[Any], Any]] = {
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
}


@dataclass(frozen=True)
class Evaluation:
    """An expression, evaluated on a dataset: global, or at the points of a field.

    Args:
        expression: of COMSOL, such as ``"2*es.intWe/U^2"``.
        dataset: its name; the default dataset where left out.
        inner: solutions of a time or frequency study: ``"first"``, ``"last"`` or their numbers from 1; all where
            left out.
        outer: number of the solution of a parametric sweep, from 1.
        statistic: of the values that there are: ``"max"``, ``"min"``, ``"mean"`` (of the points, without weights),
            ``"first"``, ``"last"``; where left out all of them must fit the shape of the output.
        part: of complex values: ``"real"``, ``"imag"`` or ``"abs"``.
    """

    expression: str
    dataset: str | None = None
    inner: str | tuple[int, ...] | None = None
    outer: int | None = None
    statistic: str | None = None
    part: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.inner, Sequence) and not isinstance(self.inner, str):
            object.__setattr__(self, "inner", tuple(self.inner))
        if not isinstance(self.expression, str) or not self.expression.strip():
            raise InputError(f"An evaluation has the expression {self.expression!r}; give one of COMSOL.")
        _check_statistic(self.statistic)
        _check_part(self.part)
        if isinstance(self.inner, str) and self.inner not in ("first", "last"):
            raise InputError(f"An evaluation has inner = '{self.inner}'; valid: first, last, or numbers from 1.")
        # MPh takes the solution before number 1 for the last one.
        if isinstance(self.inner, tuple) and (not self.inner or min(self.inner) < 1):
            raise InputError(f"An evaluation has inner = {list(self.inner)}; the solutions are numbered from 1.")
        if self.outer is not None and self.outer < 1:
            raise InputError(f"An evaluation has outer = {self.outer}; the solutions of a sweep are numbered from 1.")


@dataclass(frozen=True)
class Exported:
    """A column of an export node of the model: plots, tables, data.

    Args:
        node: name of the export.
        column: name of the column, as `Export.columns` has it.
        step: as in ``"t=0.1"``; the last where left out.
        statistic, part: as of `Evaluation`.
    """

    node: str
    column: str
    step: str | None = None
    statistic: str | None = None
    part: str | None = None

    def __post_init__(self) -> None:
        _check_statistic(self.statistic)
        _check_part(self.part)


def reduced(values: NDArray[Any], statistic: str | None) -> NDArray[Any]:
    """The values ``[n]``, or one of them."""
    flat = np.asarray(values).ravel()
    if statistic is None:
        return flat
    return np.atleast_1d(_STATISTICS[statistic](flat))


def part_of(values: NDArray[Any], part: str | None) -> NDArray[Any]:
    """The real, imaginary or absolute part of values; without a part, values that are real.

    Raises:
        ValueError: values are complex, and no part is chosen.
    """
    if not np.iscomplexobj(values):
        return np.abs(values) if part == "abs" else np.zeros_like(values) if part == "imag" else values
    if part is None and (values.imag != 0).any():
        raise ValueError("the value is complex; choose its part 'real', 'imag' or 'abs'")
    return np.asarray(np.abs(values) if part == "abs" else values.imag if part == "imag" else values.real)


def _check_part(part: str | None) -> None:
    if part not in (None, "real", "imag", "abs"):
        raise InputError(f"An evaluation has the part '{part}'; valid: real, imag, abs.")


def _check_statistic(statistic: str | None) -> None:
    if statistic is not None and statistic not in _STATISTICS:
        raise InputError(f"An evaluation has the statistic '{statistic}'{did_you_mean(statistic, _STATISTICS)}")
