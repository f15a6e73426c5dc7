"""All checks, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.data.checks import codes, columns, leakage, limits, plausibility, rows
from scalebridge.data.checks.asked import Asked
from scalebridge.data.checks.finding import SEVERITIES, Finding, QualityReport
from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

CHECKS: dict[str, Callable[[Asked], Iterator[Finding]]] = {
    "rows": rows.enough,
    "duplicates": rows.repeated,
    "groups": rows.leaks,
    "gaps": columns.gaps,
    "constants": columns.constants,
    "units": plausibility.units,
    "mixed units": plausibility.mixed_magnitudes,
    "plausibility": plausibility.plausibility,
    "codes": codes.averaged,
    "outliers": columns.far_values,
    "range": columns.ranges,
    "censoring": limits.censoring,
    "leakage": leakage.determined,
    "twins": leakage.twins,
    "imbalance": rows.balance,
    "drift": rows.drift,
}


def quality(dataset: Dataset, target: str | None = None, groups: str | None = None) -> QualityReport:
    """What is wrong with a dataset, before anybody trains on it.

    Args:
        dataset: any.
        target: the column to be predicted, where there is one.
        groups: a column that tells which rows belong together: tree, batch, specimen.

    Returns:
        Findings, the gravest first; ``print`` it, show it in a notebook, or take `QualityReport.as_dict`.

    Raises:
        InputError: no such column, or a field as target.
    """
    for name in (target, groups):
        if name is not None:
            dataset[name]
    if target is not None and dataset.space[target].kind == "field":
        raise InputError(f"The target '{target}' of '{dataset.name}' is a field; name a column of numbers or text.")
    if target is not None and target == groups:
        raise InputError(f"'{target}' cannot be both target and groups.")
    asked = Asked(dataset, target, groups)
    found: list[Finding] = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # columns beyond the squares of floats
        for check in CHECKS.values() if len(dataset) else (rows.enough,):
            found += check(asked)
    found.sort(key=lambda f: SEVERITIES.index(f.severity))
    return QualityReport(
        dataset.name, dataset.digest, len(dataset), len(dataset.space), target, groups, tuple(found), tuple(CHECKS)
    )
