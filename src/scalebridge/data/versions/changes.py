"""What changed between two versions of a dataset: rows by identifier, columns, units, and cells."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.alignment.identifiers import keys, listed
from scalebridge.data.columns import flat
from scalebridge.data.digests import column_digest
from scalebridge.errors import UnitError
from scalebridge.quantities import Floats
from scalebridge.quantities.units import conversion

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

SHOWN = 10
# A conversion of units and back rounds; that is no change.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Cell:
    """One value that differs: the row's identifier (or number), the column, and both values in words."""

    row: str
    column: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.row}, {self.column}: {self.old} -> {self.new}"


@dataclass(frozen=True)
class Changes:
    """The difference between two datasets.

    Attributes:
        old, new: their digests.
        by: the column that identified rows; ``None`` where they were taken by number.
        rows_added, rows_removed: identifiers (or row numbers, from 1).
        moved: whether rows that both have stand in another order.
        columns_added, columns_removed: names.
        units: from column to old and new unit.
        kinds: from column to old and new kind and shape, where these differ; its cells are then not compared.
        cells: values that differ in rows and columns which both have, in the new unit; those of deviations and of
            limits (-1, 0, 1) stand under ``"std of x"`` and ``"censoring of x"``.
    """

    old: str
    new: str
    by: str | None
    rows_added: tuple[str, ...]
    rows_removed: tuple[str, ...]
    moved: bool
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    units: dict[str, tuple[str, str]]
    kinds: dict[str, tuple[str, str]]
    cells: tuple[Cell, ...]

    def __bool__(self) -> bool:
        return self.old != self.new

    def lines(self) -> tuple[str, ...]:
        """Every change in words."""
        if not self:
            return (f"Nothing changed ({self.old[:12]}).",)
        rows = f"identified by '{self.by}'" if self.by else "taken by their numbers, for want of an index"
        told = [f"From {self.old[:12]} to {self.new[:12]}, rows {rows}:"]
        told += [f"  {len(self.rows_added)} rows added: {listed(self.rows_added)}"] if self.rows_added else []
        told += [f"  {len(self.rows_removed)} rows removed: {listed(self.rows_removed)}"] if self.rows_removed else []
        told += ["  rows in another order"] if self.moved else []
        told += [f"  columns added: {', '.join(self.columns_added)}"] if self.columns_added else []
        told += [f"  columns removed: {', '.join(self.columns_removed)}"] if self.columns_removed else []
        told += [f"  unit of {name}: '{a}' -> '{b}'" for name, (a, b) in self.units.items()]
        told += [f"  kind of {name}: {a} -> {b}" for name, (a, b) in self.kinds.items()]
        told += [f"  {len(self.cells)} cells changed:"] if self.cells else []
        told += [f"    {cell}" for cell in self.cells[:SHOWN]]
        told += [f"    and {len(self.cells) - SHOWN} more"] if len(self.cells) > SHOWN else []
        # Frames, bounds, descriptions: what no line above names.
        return tuple(told if len(told) > 1 else [*told, "  only frames, bounds or descriptions differ"])

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "cells": [vars(cell) for cell in self.cells]}

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def changes(old: Dataset, new: Dataset) -> Changes:
    """What is different in ``new``.

    Rows are matched by the index where both have the same one, else by their number.

    Values whose units do not convert are compared as numbers, and the change of the unit is told.
    """
    by = old.index if old.index is not None and old.index == new.index else None
    a, b = _rows(old, by), _rows(new, by)
    place = {text: i for i, text in enumerate(b)}
    shared = [text for text in a if text in place]
    at_old = np.array([i for i, text in enumerate(a) if text in place], dtype=np.int64)
    at_new = np.array([place[text] for text in shared], dtype=np.int64)
    known = set(a)
    common = [n for n in old.space.names if n in new.space.names]
    units, kinds, cells = {}, {}, []
    for name in common:
        before, after = old.space[name], new.space[name]
        if (before.kind, before.shape) != (after.kind, after.shape):
            kinds[name] = (f"{before.kind} {before.shape}", f"{after.kind} {after.shape}")
            continue
        if before.unit != after.unit:
            units[name] = (before.unit, after.unit)
        found = _cells(old, new, name, at_old, at_new)
        cells += [Cell(shared[i], name, _said(x), _said(y)) for i, x, y in found]
        for what, at, to in _known(old, new, name, at_old, at_new):
            apart = np.flatnonzero(~flat((at == to) | (np.isnan(at) & np.isnan(to))).all(axis=1)).tolist()
            cells += [Cell(shared[i], f"{what} of {name}", _said(at[i]), _said(to[i])) for i in apart]
    return Changes(
        old.digest,
        new.digest,
        by,
        tuple(text for text in b if text not in known),
        tuple(text for text in a if text not in place),
        bool(len(at_new) > 1 and (np.diff(at_new) < 0).any()),
        tuple(n for n in new.space.names if n not in old.space.names),
        tuple(n for n in old.space.names if n not in new.space.names),
        units,
        kinds,
        tuple(cells),
    )


def _rows(dataset: Dataset, by: str | None) -> list[str]:
    return [f"row {i + 1}" for i in range(len(dataset))] if by is None else keys(dataset, by).tolist()


def _cells(
    old: Dataset, new: Dataset, name: str, at_old: NDArray[np.int64], at_new: NDArray[np.int64]
) -> list[tuple[int, Any, Any]]:
    """Places among the shared rows where a column differs, with both values, in the new unit."""
    a, b = old[name][at_old], new[name][at_new]
    if a.dtype == object:
        differ = [i for i in range(len(a)) if column_digest(a[i : i + 1]) != column_digest(b[i : i + 1])]
        return [(i, a[i], b[i]) for i in differ]
    if a.dtype.kind == "U":
        return [(int(i), a[i], b[i]) for i in np.flatnonzero(a != b)]
    try:
        factor, offset = conversion(old.space[name].unit, new.space[name].unit, name)
    except UnitError:
        factor, offset = 1.0, 0.0
    a = factor * a + offset
    close = np.abs(a - b) <= (ROUNDING * (np.abs(a) + abs(offset)) if (factor, offset) != (1.0, 0.0) else 0.0)
    same = close | (np.isnan(a) & np.isnan(b))
    differ = np.flatnonzero(~flat(same).all(axis=1)).tolist()
    return [(i, a[i], b[i]) for i in differ]


def _known(
    old: Dataset, new: Dataset, name: str, at_old: NDArray[np.int64], at_new: NDArray[np.int64]
) -> list[tuple[str, Floats, Floats]]:
    """Deviations and limits of the shared rows before and after, where either has them; the former in the new unit."""
    pairs = []
    if name in old.std or name in new.std:
        before, after = (d.std.get(name, np.full(np.shape(d[name]), np.nan)) for d in (old, new))
        try:
            factor = abs(conversion(old.space[name].unit, new.space[name].unit, name)[0])
        except UnitError:
            factor = 1.0
        a, b = factor * before[at_old], after[at_new]
        # A conversion rounds; what it moved by is no change.
        a = np.where((factor != 1.0) & (np.abs(a - b) <= ROUNDING * np.abs(a)), b, a)
        pairs.append(("std", a, b))
    if name in old.censored or name in new.censored:
        flags = (d.censored.get(name, np.zeros(len(d))).astype(np.float64) for d in (old, new))
        a, b = (f[at] for f, at in zip(flags, (at_old, at_new), strict=True))
        pairs.append(("censoring", a, b))
    return pairs


def _said(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value):
        return "a gap"
    if isinstance(value, str):
        return f"'{value}'"
    if np.ndim(value) == 0 and isinstance(value, float | np.floating):
        return "a gap" if np.isnan(value) else f"{value:.10g}"
    if isinstance(value, np.ndarray) and value.size <= 6:
        return np.array2string(value, precision=6)
    return f"a field {np.shape(value) or type(value).__name__}"
