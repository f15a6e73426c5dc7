"""Checks of rows: too few, duplicates, groups that they share, balance, drift over time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.alignment.grouping import groups_of
from scalebridge.data.alignment.identifiers import keys, near_misses
from scalebridge.data.checks.asked import Asked, listed
from scalebridge.data.checks.finding import Finding
from scalebridge.data.cleansing.duplicates import duplicates
from scalebridge.data.cleansing.gaps import called
from scalebridge.quantities import Floats

# Rows per feature below which a linear fit is more noise than answer.
ENOUGH, FEW_ROWS = 10, 20
ALPHA = 1e-3
MOST_TEXTS = 2000
# What people call a column whose rows belong together.
SHARED = {"tree", "batch", "specimen", "sample", "mix", "core", "plate", "panel", "coupon", "lot", "patient", "subject"}
SHARED |= {"site", "station", "material", "alloy", "heat", "cast", "image", "stack", "group", "cluster", "series"}
NUMBERED = {"id", "number", "no", "nr", "name", "code", "label", "key"}


def enough(asked: Asked) -> Iterator[Finding]:
    """Too few rows, or groups, for the features."""
    n, d = len(asked.dataset), len(asked.features)
    if not n:
        yield Finding("rows", "stop", "The dataset has no rows.", "Read it again; the file or a selection is empty.")
        return
    independent = n if asked.grouped is None else len(asked.grouped.names)
    what = "rows" if asked.grouped is None else f"groups of '{asked.groups}'"
    if independent < FEW_ROWS:
        yield Finding(
            "rows",
            "warn",
            f"There are {independent} {what}; fewer than {FEW_ROWS}.",
            "Expect wide intervals; prefer few features and a model with physics in it.",
        )
    if asked.target is not None and d and independent < ENOUGH * d:
        yield Finding(
            "rows",
            "warn",
            f"{independent} {what} stand against {d} features, fewer than {ENOUGH} each.",
            "Choose features by what is known of the matter, not by this data, or take a strongly regularised learner.",
        )


def repeated(asked: Asked) -> Iterator[Finding]:
    """Rows that are equal, and rows of one identifier that are not."""
    data = asked.dataset
    found = duplicates(data)
    if found.extra:
        shown = ["=".join(called(data, r) for r in rows[:3]) for rows in found.exact]
        yield Finding(
            "duplicates",
            "warn",
            f"{found.extra} rows are equal to an earlier one ({listed(shown, 4)}).",
            "Drop them (drop_duplicates), or keep equal rows in one fold: else the test set is in the training set.",
            (),
            tuple(r for rows in found.exact for r in rows[1:])[:10],
        )
    if data.index is not None and len(data) <= MOST_TEXTS:
        texts = tuple(keys(data, data.index).tolist())
        near = near_misses((), texts, texts, texts)
        pairs = [str(m) for m in near if m.left != m.right]
        if pairs:
            yield Finding(
                "identifiers",
                "warn",
                f"Identifiers that are nearly the same: {listed(pairs, 3)}.",
                "If they mean one specimen, correct them before joining.",
                (data.index,),
            )


def leaks(asked: Asked) -> Iterator[Finding]:
    """Groups that rows share: named, or found as sets of rows with the same inputs."""
    if asked.grouped is not None:
        g = asked.grouped
        if (g.count > 1).any():
            yield Finding(
                "groups",
                "note",
                f"{len(asked.dataset)} rows belong to {len(g.names)} groups of '{asked.groups}', up to {g.count.max()} "
                "each.",
                "Split by group; a split by rows would claim a smaller error than there is.",
                (asked.groups or "",),
            )
        return
    if asked.groups is not None:
        yield Finding(
            "groups",
            "stop",
            f"Some rows have no '{asked.groups}'.",
            "Give each row its group, or drop it.",
            (asked.groups,),
        )
        return
    called_so = tuple(_columns_called_groups(asked))
    yield from called_so
    yield from _columns_like_groups(asked, {c for f in called_so for c in f.columns})
    yield from _same_but_one(asked)


def _columns_called_groups(asked: Asked) -> Iterator[Finding]:
    """Columns whose name says that rows share them, and do."""
    data = asked.dataset
    for v in data.space:
        words = [w for w in _words(v.name) if w not in NUMBERED]
        if (
            not words
            or words[-1] not in SHARED
            or v.name in (data.index, asked.target)
            or v.kind == "field"
            or v.shape != ()
        ):
            continue
        if v.kind != "category" and not _whole(data[v.name]):
            continue
        count = groups_of(keys(data, v.name)).count
        if len(count) >= 5 and len(data) >= 1.2 * len(count):
            yield Finding(
                "groups",
                "warn",
                f"{len(data)} rows share {len(count)} values of '{v.name}'.",
                f"If they are not independent, pass groups='{v.name}' and split by it: a split by rows leaks.",
                (v.name,),
            )


def _words(name: str) -> list[str]:
    """``SpecimenID`` as specimen, id."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return re.findall(r"[a-z]+", apart.lower().replace("_", " "))


def _columns_like_groups(asked: Asked, told: set[str]) -> Iterator[Finding]:
    """Categories or whole numbers within which the target varies far less than between."""
    data, goal = asked.dataset, asked.goal
    found = []
    for v in data.space:
        if goal is None or v.name in (asked.target, data.index) or v.kind == "field" or v.shape != ():
            continue
        column = data[v.name]
        if (v.kind != "category" and not _whole(column)) or v.name in told:
            continue
        groups = groups_of(keys(data, v.name))
        sizes = groups.count[groups.names != ""]
        if not (len(sizes) >= 5 and np.mean(sizes) >= 1.5 and len(sizes) >= 0.05 * len(data)):
            continue
        share, p = icc(goal, groups.of)
        if p < ALPHA and share > 0.1:
            found.append((v.name, len(sizes), share))
    for name, count, share in found[:4]:
        yield Finding(
            "groups",
            "warn",
            f"Rows share {count} values of '{name}', within which '{asked.target}' varies {1 - share:.0%} as much as "
            "overall (variance).",
            f"If '{name}' names a tree, batch, specimen or mix, pass groups='{name}': a split by rows leaks.",
            (name,),
        )


def _same_but_one(asked: Asked) -> Iterator[Finding]:
    """Rows whose features all agree but one or none: one specimen measured again, one mix at several ages."""
    data = asked.dataset
    names = [n for n in asked.features if not data.gaps(n).any() and len(np.unique(data[n])) > 1]
    if len(names) < 3 or len(data) < 10:
        return
    codes = np.column_stack([np.unique(data[n], return_inverse=True)[1].reshape(-1) for n in names])
    shared = {}
    for apart in [None, *range(len(names))]:
        kept = codes if apart is None else np.delete(codes, apart, axis=1)
        _, of, count = np.unique(kept, axis=0, return_inverse=True, return_counts=True)
        shared[apart] = (float((count[of.reshape(-1)] > 1).mean()), len(count))
    alone = shared.pop(None)
    best = max(shared, key=lambda k: shared[k][0])
    share, groups = shared[best]
    if share > 0.2 and share > 2 * alone[0]:
        yield Finding(
            "groups",
            "warn",
            f"{share:.0%} of the rows agree with another in every feature but '{names[best or 0]}' ({groups} different "
            "sets): one specimen or mix, tested several times.",
            "Give these sets an identifier and pass it as groups: a split by rows leaks.",
            tuple(n for i, n in enumerate(names) if i != best),
        )
    elif alone[0] > 0.1:
        yield Finding(
            "groups",
            "warn",
            f"{alone[0]:.0%} of the rows agree with another in every feature ({alone[1]} different sets).",
            "Give these sets an identifier and pass it as groups: a split by rows leaks.",
            tuple(names),
        )


def icc(goal: Floats, of: NDArray[np.int64]) -> tuple[float, float]:
    """Share of the variance between groups, and the p-value of none (one-way analysis of variance)."""
    from scipy.stats import f as fisher

    known = ~np.isnan(goal)
    labels, of = np.unique(of[known], return_inverse=True)
    y, k, n = goal[known], len(labels), int(known.sum())
    if k < 2 or n - k < 2:
        return 0.0, 1.0
    count = np.bincount(of)
    mean = np.bincount(of, y) / count
    within = float(((y - mean[of]) ** 2).sum()) / (n - k)
    between = float((count * (mean - y.mean()) ** 2).sum()) / (k - 1)
    typical = (n - (count**2).sum() / n) / (k - 1)
    if within == 0:
        return (1.0, 0.0) if between > 0 else (0.0, 1.0)
    share = (between - within) / (between + (typical - 1) * within)
    return float(max(share, 0.0)), float(fisher.sf(between / within, k - 1, n - k))


def balance(asked: Asked) -> Iterator[Finding]:
    """A target of few classes of which one is rare, or a group that holds most rows."""
    data = asked.dataset
    if asked.target is not None and data.space[asked.target].kind == "category":
        names, count = np.unique(asked.known(asked.target), return_counts=True)
        if len(names) > 1 and count.min() < 0.1 * count.sum():
            rare = names[int(np.argmin(count))]
            yield Finding(
                "imbalance",
                "warn",
                f"Of the target '{asked.target}', '{rare}' has {count.min()} of {count.sum()} rows.",
                "Report precision and recall, never accuracy; weigh or stratify the classes.",
                (asked.target,),
            )
    if asked.grouped is not None and len(asked.grouped.names) > 1:
        g = asked.grouped
        if g.count.max() > 0.5 * len(data):
            yield Finding(
                "imbalance",
                "warn",
                f"The group '{g.names[int(np.argmax(g.count))]}' holds {g.count.max()} of {len(data)} rows.",
                "Report errors by group; the mean is mostly that group's.",
                (asked.groups or "",),
            )


def drift(asked: Asked) -> Iterator[Finding]:
    """Columns that change from the first to the last rows, in time or in the order of the file."""
    data = asked.dataset
    n = len(data)
    if n < 60:
        return
    order = np.argsort(data[data.time.column], kind="stable") if data.time is not None else np.arange(n)
    parts = order[: n // 3], order[-(n // 3) :]
    moved = []
    for name in asked.numbers:
        if data.time is not None and name == data.time.column:
            continue
        if (np.diff(data[name]) >= 0).all():  # sorted by it: a number of the row, not a drift
            continue
        size = _apart(data[name][parts[0]], data[name][parts[1]])
        if size > 0.5:
            moved.append((size, name))
    if moved:
        moved.sort(reverse=True)
        what = "time" if data.time is not None else "the order of the rows"
        shown = [f"{name} (distance {size:.2f})" for size, name in moved]
        yield Finding(
            "drift",
            "warn" if data.time is not None else "note",
            f"From the first to the last third along {what}, the distributions of {len(moved)} columns move apart: "
            f"{listed(shown, 4)}.",
            "Test on the latest rows (or whole sources), not on a random sample: the future is not in the past.",
            tuple(name for _, name in moved),
        )


def _apart(a: Floats, b: Floats) -> float:
    """Kolmogorov and Smirnov's distance, zero where it is not beyond chance."""
    from scipy.stats import ks_2samp

    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if min(len(a), len(b)) < 10:
        return 0.0
    told = ks_2samp(a, b, method="asymp")
    return float(told.statistic) if told.pvalue < ALPHA else 0.0


def _whole(column: Floats) -> bool:
    known = column[~np.isnan(column)]
    return bool(len(known) and (known == np.floor(known)).all())
