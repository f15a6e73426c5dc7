"""Checks of columns by themselves: gaps, constants, outliers, range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scalebridge.data.checks.asked import Asked, listed
from scalebridge.data.checks.finding import Finding
from scalebridge.data.cleansing.outliers import outliers

# Shares of gaps that are worth a note, a warning; half a column is more hole than cloth.
SOME, MANY, MOST = 0.0, 0.05, 0.5
DECADES = 3.0


def gaps(asked: Asked) -> Iterator[Finding]:
    """Columns and targets with gaps, and rows that would go if all gaps were dropped."""
    data, n = asked.dataset, max(len(asked.dataset), 1)
    share = {name: float(data.gaps(name).mean()) if len(data) else 0.0 for name in data.space.names}
    holed = sorted((name for name in share if share[name] > SOME), key=lambda name: -share[name])
    if asked.target in holed:
        rows = np.flatnonzero(data.gaps(asked.target))
        yield Finding(
            "gaps",
            "warn",
            f"The target '{asked.target}' is missing in {len(rows)} of {n} rows.",
            "Drop these rows; never fill a target.",
            (asked.target,),
            tuple(rows[:10].tolist()),
        )
    empty = [name for name in holed if share[name] == 1.0]
    if empty:
        yield Finding(
            "gaps", "warn", f"{len(empty)} columns hold nothing: {listed(empty)}.", "Leave them out.", tuple(empty)
        )
    others = [name for name in holed if name != asked.target and name not in empty]
    grave = [name for name in others if share[name] > MOST]
    if grave:
        yield Finding(
            "gaps",
            "warn",
            f"{len(grave)} columns are more than half gaps: {listed([f'{g} ({share[g]:.0%})' for g in grave])}.",
            "Leave them out, or ask whether a gap means something (not measured, not added, zero).",
            tuple(grave),
        )
    if set(others) - set(grave):
        whole = ~np.any([data.gaps(name) for name in data.space.names if name not in empty], axis=0)
        severity = "warn" if any(share[name] > MANY for name in others) else "note"
        yield Finding(
            "gaps",
            severity,
            f"{len(others)} columns have gaps: {listed([f'{o} ({share[o]:.1%})' for o in others])}; "
            f"{int(whole.sum())} of {n} rows have none.",
            "Fill them by a stated method (fill_gaps keeps its uncertainty), drop rows or columns, and ask why they "
            "are missing.",
            tuple(others),
        )


def constants(asked: Asked) -> Iterator[Finding]:
    """Columns with one value, and text that differs in every row."""
    data = asked.dataset
    flat, unique = [], []
    for v in data.space:
        if v.kind == "field" or v.shape != ():
            continue
        values = np.unique(asked.known(v.name))
        flat += [v.name] if len(values) == 1 and len(data) > 1 else []
        every = v.kind == "category" and v.name not in (data.index, asked.groups) and len(values) == len(data) > 20
        unique += [v.name] if every else []
    if asked.target in flat:
        yield Finding(
            "constants",
            "stop",
            f"The target '{asked.target}' has the same value in every row.",
            "Nothing can be learned; check the column.",
            (asked.target or "",),
        )
    flat = [name for name in flat if name != asked.target]
    if flat:
        yield Finding(
            "constants",
            "note",
            f"{len(flat)} columns have one value only: {listed(flat)}.",
            "Leave them out: they say nothing about the difference between rows.",
            tuple(flat),
        )
    if unique:
        yield Finding(
            "constants",
            "note",
            f"The text of {listed(unique)} differs in every row.",
            "Name it as the index, or leave it out: as a feature it would only memorise.",
            tuple(unique),
        )


def far_values(asked: Asked) -> Iterator[Finding]:
    """Single values far from the rest by robust measures."""
    found = [o for o in outliers(asked.dataset, list(asked.numbers), threshold=6.0) if o.column != asked.groups]
    by_column: dict[str, list[int]] = {}
    for o in found:
        by_column.setdefault(o.column, []).append(o.row)
    # More than a twentieth is a tail, not a mistake.
    rare = {c: r for c, r in by_column.items() if len(r) <= max(0.05 * len(asked.dataset), 1)}
    shown = [str(o) for o in found if o.column in rare][:4]
    if shown:
        yield Finding(
            "outliers",
            "warn" if asked.target in rare else "note",
            f"{sum(map(len, rare.values()))} values lie far from the rest: {'; '.join(shown)}.",
            "Look at each: correct what is wrong, keep what is rare but true; flag_outliers marks them, nothing is "
            "dropped.",
            tuple(rare),
            tuple(o.row for o in found if o.column in rare)[:10],
        )


def ranges(asked: Asked) -> Iterator[Finding]:
    """Positive columns that span decades: learned better as logarithms."""
    wide = []
    for name in asked.features + ((asked.target,) if asked.goal is not None and asked.target else ()):
        values = asked.known(name)
        if len(values) > 4 and values.min() > 0 and np.log10(values.max() / values.min()) > DECADES:
            wide.append(name)
    if wide:
        yield Finding(
            "range",
            "note",
            f"{listed(wide)} span more than {DECADES:.0f} decades.",
            "Take logarithms: relative errors are what matters there.",
            tuple(wide),
        )
