"""Outliers: found by robust measures, flagged in a column of their own, never dropped unasked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.cleansing.gaps import called
from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Variable

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

METHODS = ("mad", "hampel")
# The median absolute deviation of a normal law is this part of its standard deviation.
NORMAL = 0.6744897501960817
FLAG = "_outlier"


@dataclass(frozen=True)
class Outlier:
    """A value far from the rest: how far, in robust standard deviations."""

    column: str
    row: int
    identifier: str
    value: float
    distance: float

    def __str__(self) -> str:
        return f"{self.column} = {self.value:.6g} in {self.identifier}, {self.distance:.1f} robust deviations off"


def outliers(
    dataset: Dataset,
    columns: Sequence[str] | None = None,
    method: str = "mad",
    threshold: float = 5.0,
    window: int = 7,
) -> tuple[Outlier, ...]:
    """Values more than ``threshold`` robust deviations from the median, the farthest first.

    Args:
        columns: of numbers, one per row; all such by default.
        method: ``"mad"``: from the column's median, in its median absolute deviations; ``"hampel"``: from the median
            of the ``window`` rows around, for series.
        threshold: 5 keeps all but one in two million values of a normal law.
        window: for ``"hampel"``: odd, at least 5.

    Source: F. R. Hampel, The influence curve and its role in robust estimation, J. Am. Stat. Assoc. 69 (1974) 383-393;
    B. Iglewicz, D. C. Hoaglin, How to detect and handle outliers (1993).
    """
    found = []
    for name in _numbers(dataset, columns):
        distance = distances(dataset[name], method, window)
        found += [
            Outlier(name, int(i), called(dataset, int(i)), float(dataset[name][i]), float(distance[i]))
            for i in np.flatnonzero(distance > threshold)
        ]
    return tuple(sorted(found, key=lambda o: -o.distance))


def flag_outliers(
    dataset: Dataset,
    columns: Sequence[str] | None = None,
    method: str = "mad",
    threshold: float = 5.0,
    window: int = 7,
) -> Dataset:
    """A column ``x_outlier`` of 0 and 1 beside every column x that has any; the values stay."""
    found = outliers(dataset, columns, method, threshold, window)
    after = dataset
    for name in dict.fromkeys(o.column for o in found):
        flags = np.zeros(len(dataset))
        flags[[o.row for o in found if o.column == name]] = 1.0
        after = after.with_column(Variable(f"{name}{FLAG}", "1", description=f"1 where {name} is an outlier"), flags)
    shown = "; ".join(str(o) for o in found[:5])
    sentence = f"Flagged {len(found)} outliers by {method} > {threshold:g}{': ' + shown if found else ''}."
    options = {"method": method, "threshold": threshold, "window": window}
    return dataset.stepped(after, "flag_outliers", options, sentence)


def blank_outliers(
    dataset: Dataset, columns: Sequence[str], method: str = "mad", threshold: float = 5.0, window: int = 7
) -> Dataset:
    """Outliers of the columns named made gaps, because somebody asked; the step keeps their values."""
    found = outliers(dataset, columns, method, threshold, window)
    after = dataset
    for name in dict.fromkeys(o.column for o in found):
        values = dataset[name].copy()
        values[[o.row for o in found if o.column == name]] = np.nan
        after = after.with_column(name, values, dataset.std.get(name), dataset.censored.get(name))
    shown = "; ".join(str(o) for o in found[:5])
    sentence = f"Made {len(found)} outliers by {method} > {threshold:g} gaps{': ' + shown if found else ''}."
    return dataset.stepped(after, "blank_outliers", {"columns": list(columns), "threshold": threshold}, sentence)


def distances(values: Floats, method: str = "mad", window: int = 7) -> Floats:
    """Distance of each value ``[n]`` from the median, in robust standard deviations; 0 for gaps.

    Where more than half of the values are equal, the median deviation is zero and the mean deviation takes its place.
    """
    if method not in METHODS:
        raise InputError(f"Outliers cannot be found by {method!r}; valid: {', '.join(METHODS)}.")
    known = ~np.isnan(values)
    if known.sum() < 5:
        return np.zeros(len(values))
    rest = np.zeros(len(values))
    rest[known] = values[known] - (np.median(values[known]) if method == "mad" else _running(values[known], window))
    size = np.abs(rest[known])
    scale = float(np.median(size)) / NORMAL or float(size.mean()) * np.sqrt(np.pi / 2)
    with np.errstate(over="ignore"):
        return np.abs(rest) / scale if scale > 0 else np.zeros(len(values))


def _running(values: Floats, window: int) -> Floats:
    if window < 5 or window % 2 == 0:
        raise InputError(f"The window of a Hampel filter is {window}; give an odd number of at least 5.")
    half = min(window // 2, (len(values) - 1) // 2)
    padded = np.pad(values, half, mode="reflect", reflect_type="odd")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1))


def _numbers(dataset: Dataset, columns: Sequence[str] | None) -> tuple[str, ...]:
    for name in columns or ():
        single(dataset, name)
    names = dataset.numeric_names if columns is None else tuple(columns)
    return tuple(n for n in names if dataset.space[n].shape == () and not n.endswith(FLAG))
