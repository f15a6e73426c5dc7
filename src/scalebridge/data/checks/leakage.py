"""Checks of columns against the target: one that determines it, and pairs that say the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scalebridge.data.checks.asked import Asked, listed
from scalebridge.data.checks.finding import Finding
from scalebridge.quantities import Floats

SURE, TWIN = 0.999, 0.9999


def determined(asked: Asked) -> Iterator[Finding]:
    """A single column from which the target follows: by a curve, or because every value of it has one of the target."""
    goal = asked.goal
    if goal is None:
        return
    found = []
    for name in asked.features:
        share = explained(asked.dataset[name], goal)
        if share > SURE:
            found.append(f"{name} (explains {share:.2%})")
    if found:
        yield Finding(
            "leakage",
            "stop",
            f"The target '{asked.target}' follows from one column: {listed(found)}.",
            "Ask whether it is known before the target is; if it was computed from it, leave it out.",
            tuple(f.split(" ")[0] for f in found),
        )


def explained(x: Floats, y: Floats) -> float:
    """Share of the variance of ``y`` that a running curve of ``x`` explains at rows it did not see.

    Every value is predicted from its neighbours in the order of x by a straight line: any smooth dependence, rising or
    not, is found, and memorised values are not.
    """
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    if len(x) < 12 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    levels, of = np.unique(x, return_inverse=True)
    mean = np.bincount(of.reshape(-1), y) / np.bincount(of.reshape(-1))
    within = float(((y - mean[of.reshape(-1)]) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    if len(levels) < 12:
        # Few levels: how much they leave open; levels alone never determine a target of many values.
        return 1 - within if len(np.unique(y)) > 2 else 0.0
    if within > 1 - SURE:
        return 1 - within
    a, b = levels, mean
    w = (a[1:-1] - a[:-2]) / (a[2:] - a[:-2])
    told = (1 - w) * b[:-2] + w * b[2:]
    rest = float(((b[1:-1] - told) ** 2).mean() / max(float(np.var(b)), 1e-300))
    return 1 - rest


def twins(asked: Asked) -> Iterator[Finding]:
    """Features that are each other, scaled: they share their importance and make fits unstable."""
    names = [n for n in asked.features if len(asked.known(n)) == len(asked.dataset)]
    if len(names) < 2 or len(asked.dataset) < 10:
        return
    x = asked.dataset.numeric(names)
    names = [n for n, s in zip(names, np.ptp(x, axis=0), strict=True) if s > 0]
    if len(names) < 2:
        return
    r = np.abs(np.corrcoef(asked.dataset.numeric(names), rowvar=False))
    pairs = [
        f"{names[i]} and {names[j]}" for i, j in zip(*np.triu_indices(len(names), 1), strict=True) if r[i, j] > TWIN
    ]
    if pairs:
        yield Finding(
            "twins",
            "note",
            f"Columns that say the same: {listed(pairs, 4)}.",
            "Keep one of each; their importances cannot be told apart.",
        )
