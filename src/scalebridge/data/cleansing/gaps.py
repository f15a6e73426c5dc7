"""Gaps: listed, filled by a stated method with what that leaves uncertain, or their rows dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.cleansing.single import single
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

METHODS = ("median", "mean", "interpolate", "neighbours")
NEIGHBOURS = 5


@dataclass(frozen=True)
class Gap:
    """One value that is not there: its column, row number from 0, and the row's identifier."""

    column: str
    row: int
    identifier: str


def gaps(dataset: Dataset, columns: Sequence[str] | None = None) -> tuple[Gap, ...]:
    """All gaps, column by column."""
    found = []
    for name in _asked(dataset, columns):
        found += [Gap(name, int(i), called(dataset, int(i))) for i in np.flatnonzero(dataset.gaps(name))]
    return tuple(found)


def drop_gaps(dataset: Dataset, columns: Sequence[str] | None = None) -> Dataset:
    """The rows without a gap in the columns named (by default any); the step says which went."""
    if not len(dataset):
        return dataset
    bad = np.zeros(len(dataset), dtype=np.bool_)
    for name in _asked(dataset, columns):
        bad |= dataset.gaps(name)
    names = [called(dataset, int(i)) for i in np.flatnonzero(bad)]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    sentence = f"Dropped {len(names)} of {len(dataset)} rows with gaps{': ' + shown if names else ''}."
    options = {"columns": None if columns is None else list(columns)}
    return dataset.stepped(dataset.rows(~bad), "drop_gaps", options, sentence)


def fill_gaps(
    dataset: Dataset,
    columns: str | Sequence[str],
    method: str = "neighbours",
    *,
    along: str | None = None,
    using: Sequence[str] | None = None,
) -> Dataset:
    """Gaps filled, each with a standard deviation in ``std``; values that were there keep theirs (NaN: unknown).

    Args:
        columns: of numbers, one per row.
        method: ``"median"`` or ``"mean"`` of the column, uncertain by its spread; ``"interpolate"`` between the
            neighbours in order of ``along`` (time by default), uncertain as a Brownian bridge is, never beyond the
            ends; ``"neighbours"``: the mean of the 5 rows nearest in ``using``, uncertain by their spread.
        along: for ``"interpolate"``: the column that orders the rows.
        using: for ``"neighbours"``: columns of numbers without gaps. What is to be predicted from the filled column
            must not be among them: its values would leak into the inputs.

    Raises:
        InputError: an unknown method, fewer than three values, nothing to go by.
    """
    chosen = (columns,) if isinstance(columns, str) else tuple(columns)
    after, told = dataset, []
    for name in chosen:
        with np.errstate(over="ignore", invalid="ignore"):  # a spread beyond floats is refused by the dataset
            values, std, count = _filled(dataset, name, method, along, using)
        after = after.with_column(name, values, std, dataset.censored.get(name))
        told.append(f"{count} of '{name}'")
    sentence = f"Filled gaps by {method}: {', '.join(told)}."
    options = {"columns": list(chosen), "method": method, "along": along, "using": list(using) if using else None}
    return dataset.stepped(after, "fill_gaps", options, sentence)


def _asked(dataset: Dataset, columns: Sequence[str] | None) -> tuple[str, ...]:
    names = dataset.space.names if columns is None else tuple(columns)
    for name in names:
        dataset[name]
    return names if len(dataset) else ()


def _filled(
    dataset: Dataset, name: str, method: str, along: str | None, using: Sequence[str] | None
) -> tuple[Floats, Floats, int]:
    if method not in METHODS:
        raise InputError(f"Gaps of '{name}' cannot be filled by {method!r}; valid: {', '.join(METHODS)}.")
    values = single(dataset, name).copy()
    missing = np.isnan(values)
    if (~missing).sum() < 3:
        raise InputError(
            f"The column '{name}' of '{dataset.name}' has {int((~missing).sum())} values; filling needs three single "
            "numbers at least: leave the column out."
        )
    known = values[~missing]
    if method in ("median", "mean"):
        filled = np.full(missing.sum(), np.median(known) if method == "median" else known.mean())
        spread = np.full(missing.sum(), known.std(ddof=1))
    elif method == "interpolate":
        filled, spread = _bridged(dataset, name, missing, along)
    else:
        filled, spread = _near(dataset, name, missing, using)
    std = np.full(len(values), np.nan) if name not in dataset.std else dataset.std[name].copy()
    values[missing], std[missing] = filled, spread
    return values, std, int(np.isfinite(filled).sum())


def _bridged(dataset: Dataset, name: str, missing: NDArray[np.bool_], along: str | None) -> tuple[Floats, Floats]:
    from scalebridge.data.alignment.bridging import bridge

    time = along or (dataset.time.column if dataset.time else None)
    if time is None:
        raise InputError(
            f"Gaps of '{name}' of '{dataset.name}' are to be interpolated along nothing; name the column, as in "
            "along='time'."
        )
    t = single(dataset, time)
    if np.isnan(t).any():
        raise InputError(f"The column '{time}' of '{dataset.name}' has gaps itself; drop these rows first.")
    known = ~missing
    noise = dataset.std[name][known] if name in dataset.std else None
    return bridge(t[known], dataset[name][known], t[missing], noise)


def _near(
    dataset: Dataset, name: str, missing: NDArray[np.bool_], using: Sequence[str] | None
) -> tuple[Floats, Floats]:
    from scipy.spatial import cKDTree

    if not using or name in using:
        raise InputError(
            f"Gaps of '{name}' of '{dataset.name}' are to be filled by neighbours; name the columns that say which "
            "rows are near in using=, without it and without the target, whose values would leak into the inputs."
        )
    x = dataset.numeric(list(using))
    spread = x.std(axis=0)
    x = x[:, spread > 0] / spread[spread > 0]
    if not x.shape[1] or np.isnan(x).any():
        raise InputError(
            f"Gaps of '{name}' of '{dataset.name}' have no neighbours: {', '.join(using)} have gaps or do not "
            'vary; fill by "median", or name other columns in using.'
        )
    known = np.flatnonzero(~missing)
    k = min(NEIGHBOURS, len(known))
    _, near = cKDTree(x[known]).query(x[missing], k=k)
    values = dataset[name][known][near.reshape(-1, k)]
    # A further value scatters about the mean of k by a k-th more.
    return values.mean(axis=1), values.std(axis=1, ddof=1) * np.sqrt(1 + 1 / k) if k > 1 else values.std(axis=1)


def called(dataset: Dataset, row: int) -> str:
    """The row's identifier, or its number from 1."""
    return f"row {row + 1}" if dataset.index is None else str(dataset[dataset.index][row])
