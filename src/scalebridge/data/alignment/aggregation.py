"""Many micro samples per specimen made one row per specimen, with the standard error of what was averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.data.alignment.grouping import Groups, grouped
from scalebridge.data.cleansing.single import measured
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def aggregate(dataset: Dataset, by: str, columns: Sequence[str] | None = None, cluster: str | None = None) -> Dataset:
    """One row per identifier: ``x_mean`` (its standard error in ``std``), ``x_std`` and ``x_count`` of every column x.

    Rows of one cluster - windows of one slice, layers of one core - are not independent; with ``cluster`` the
    standard error counts clusters, not rows. One row alone keeps its own ``std``; where that is not
    known, or there is one cluster, it is a gap.

    Args:
        dataset: of the finer scale.
        by: the column of identifiers.
        columns: of numbers, one per row; all such by default.
        cluster: a column that tells which rows belong together within an identifier.

    Raises:
        InputError: no such column, values that are only limits, a row without identifier.

    Source: K.-Y. Liang, S. L. Zeger, Longitudinal data analysis using generalized linear models, Biometrika 73 (1986)
    13-22 (the sandwich of a mean).
    """
    if not len(dataset):
        raise InputError(f"'{dataset.name}' has no rows to average; read it again.")
    groups = grouped(dataset, by)
    chosen = _chosen(dataset, columns, (by, cluster))
    clusters = None if cluster is None else grouped(dataset, cluster)
    variables, std = [Variable(by, kind="category")], {}
    values: dict[str, Any] = {by: groups.names}
    for name in chosen:
        mean, spread, error, count = clustered_mean(dataset[name], groups, clusters)
        error = _alone(dataset, name, groups, count, error)
        unit = dataset.space[name].unit
        for suffix, made, u in (("mean", mean, unit), ("std", spread, difference_unit(unit)), ("count", count, "1")):
            variables.append(Variable(f"{name}_{suffix}", u, description=dataset.space[name].description))
            values[f"{name}_{suffix}"] = made
        std[f"{name}_mean"] = error
    for name in _constant_categories(dataset, groups, by):
        variables.append(dataset.space[name])
        values[name] = dataset[name][groups.first]
    told = f" counting clusters of '{cluster}'" if cluster else ""
    sentence = (
        f"Averaged {len(dataset)} rows to {len(groups.names)} of '{by}' ({groups.count.min()} to "
        f"{groups.count.max()} rows each){told}."
    )
    after = replace(
        dataset,
        space=Space(variables),
        columns=values,
        index=by,
        std=std,
        censored={},
        coordinates=None,
        time=None,
        edges=None,
    )
    return dataset.stepped(after, "aggregate", {"by": by, "columns": list(chosen), "cluster": cluster}, sentence)


def clustered_mean(
    values: Floats, groups: Groups, clusters: Groups | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, standard deviation between rows, standard error of the mean, and count ``[g]`` each; gaps left out."""
    known = ~np.isnan(values)
    count = groups.sum(known.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = groups.sum(values) / count
        rest = np.where(known, values - mean[groups.of], 0.0)
        spread = np.where(count > 1, np.sqrt(groups.sum(rest**2) / (count - 1)), np.nan)
        if clusters is None:
            return mean, spread, spread / np.sqrt(count), count
        pair = groups.of * len(clusters.names) + clusters.of
        present, where = np.unique(pair[known], return_inverse=True)
        totals = np.bincount(where.reshape(-1), rest[known], len(present))
        owner = present // len(clusters.names)
        k = np.bincount(owner, minlength=len(groups.names)).astype(np.float64)
        square = np.bincount(owner, totals**2, len(groups.names))
        error = np.where(k > 1, np.sqrt(k / (k - 1) * square) / count, np.nan)
    return mean, spread, error, count


def _alone(dataset: Dataset, name: str, groups: Groups, count: Floats, error: Floats) -> Floats:
    """Standard errors ``[g]``, those of groups with one value replaced by its own deviation."""
    if name not in dataset.std:
        return error
    known, own = ~np.isnan(dataset[name]), np.full(len(count), np.nan)
    own[groups.of[known]] = dataset.std[name][known]
    return np.where(count == 1, own, error)


def difference_unit(unit: str) -> str:
    """Unit of a difference between two values of ``unit``: a kelvin is none of degC's zero."""
    from scalebridge.quantities.units import conversion, registry

    if unit == "1":
        return unit
    base = str(registry().Quantity(1.0, unit).to_base_units().units)
    offset = conversion(unit, base, "A standard deviation")[1]
    return unit if offset == 0 else f"delta_{unit}"


def _chosen(dataset: Dataset, columns: Sequence[str] | None, apart: tuple[str | None, ...]) -> tuple[str, ...]:
    if columns is None:
        columns = [n for n in dataset.numeric_names if n not in apart and dataset.space[n].shape == ()]
    for name in columns:
        measured(dataset, name)
    return tuple(columns)


def _constant_categories(dataset: Dataset, groups: Groups, by: str) -> list[str]:
    kept = []
    for v in dataset.space:
        if (
            v.kind == "category"
            and v.name != by
            and (dataset[v.name] == dataset[v.name][groups.first][groups.of]).all()
        ):
            kept.append(v.name)
    return kept
