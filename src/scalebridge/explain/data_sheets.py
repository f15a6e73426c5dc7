"""The data sheet of a dataset: where it came from, what it holds, what was done to it, and what it cannot tell.

Source: T. Gebru et al., Datasheets for datasets (2021), as far as a dataset knows it of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.explain.sheet import Section, Sheet

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Different groups below which what holds for new ones is hardly known.
FEW_GROUPS = 10
# Share of gaps from which a column is named among the limits.
GAPPY = 0.05


def data_sheet(
    dataset: Any,
    quality: Any = None,
    *,
    groups: ArrayLike | str | None = None,
    licence: str = "",
    purpose: str = "",
    limits: Sequence[str] = (),
) -> Sheet:
    """The data sheet of a dataset.

    Args:
        dataset: a `scalebridge.data.Dataset`.
        quality: its quality report (`scalebridge.data.quality`), or sentences.
        groups: which rows are not independent: a column's name, or one label per row.
        licence: under which it may be used; where it is not given the sheet says so.
        purpose: what it was collected for, in a sentence.
        limits: what else is known to be wrong or missing, in sentences.

    Raises:
        InputError: no dataset, or groups that do not fit it.
    """
    if not (hasattr(dataset, "space") and hasattr(dataset, "source")):
        raise InputError(
            f"A data sheet was asked of {type(dataset).__name__}; give a dataset, as sb.data.read or "
            "sb.data.from_columns make it."
        )
    found = _quality(quality)
    return Sheet.of(
        f"Data sheet: {dataset.name}",
        [
            Section("Purpose", (purpose,) if purpose else ()),
            _origin(dataset, licence),
            _content(dataset),
            _grouping(dataset, groups),
            Section("Steps", items=tuple(_step(k, step) for k, step in enumerate(dataset.steps, start=1))),
            found,
            Section("Known limits", items=(*_limits(dataset, groups, licence, quality), *limits)),
        ],
    )


def _origin(dataset: Any, licence: str) -> Section:
    source = dataset.source
    options = ", ".join(f"{k} = {v}" for k, v in source.options.items())
    return Section(
        "Where it is from",
        (
            _read(source) + (f" Reader's options: {options}." if options else ""),
            f"Licence: {licence or 'not stated'}.",
            f"SHA-256 of the content: `{dataset.digest}`",
        ),
        items=tuple(source.notes),
        head=("file", "bytes", "SHA-256") if source.files else (),
        rows=tuple((PurePath(f.name).name, str(f.size), f.sha256) for f in source.files),
    )


def _read(source: Any) -> str:
    """Where it came from; a paper that is passed on names files, not the folders of a machine."""
    if not source.files:
        return f"The dataset was given in memory ({source.reader})."
    count = "one file" if len(source.files) == 1 else f"{len(source.files)} files"
    return f"The dataset was read from {count} as {source.reader}."


def _content(dataset: Any) -> Section:
    rows = tuple(_column(dataset, variable) for variable in dataset.space)
    told = [f"{len(dataset)} rows of {len(dataset.space)} columns."]
    if dataset.index:
        told.append(f"Rows are identified by '{dataset.index}'.")
    if dataset.coordinates is not None:
        frame = dataset.coordinates
        told.append(f"Places stand in {', '.join(frame.columns)}, in the frame '{frame.name}' in {frame.unit}.")
    if dataset.time is not None:
        told.append(f"Time stands in '{dataset.time.column}'.")
    if dataset.edges is not None:
        told.append(f"Rows are joined by {len(dataset.edges)} edges.")
    return Section("What it holds", (" ".join(told),), head=("column", "unit", "values", "gaps", "what"), rows=rows)


def _column(dataset: Any, variable: Any) -> tuple[str, ...]:
    column, missing = dataset[variable.name], dataset.gaps(variable.name)
    known = column[~missing]
    unstated = variable.name in dataset.source.unstated
    unit = "–" if variable.kind in ("category", "field") else "not stated" if unstated else variable.unit
    if not len(known):
        values = "none"
    elif variable.kind == "category":
        values = f"{len(np.unique(known))} different texts"
    elif variable.kind == "field":
        values = f"{len(known)} fields"
    else:
        values = f"{known.min():.5g} to {known.max():.5g}, median {np.median(known):.5g}"
    extras = []
    if variable.name in dataset.censored and (dataset.censored[variable.name] != 0).any():
        extras.append(f"{int((dataset.censored[variable.name] != 0).sum())} censored")
    if variable.name in dataset.std:
        extras.append(f"deviation {np.nanmedian(dataset.std[variable.name]):.3g} in the middle")
    return variable.name, unit, values, str(int(missing.sum())), "; ".join([variable.description, *extras]).strip("; ")


def _labels(dataset: Any, groups: Any) -> Any:
    labels = dataset[groups] if isinstance(groups, str) else np.asarray(groups)
    if len(labels) != len(dataset):
        raise InputError(f"There are {len(dataset)} rows and {len(labels)} groups; give one label per row.")
    return labels


def _grouping(dataset: Any, groups: Any) -> Section:
    if groups is None:
        return Section("Groups", ("No groups were named: every row counts as independent of the others.",))
    labels = _labels(dataset, groups)
    counts = np.unique(labels, return_counts=True)[1]
    by = f" by '{groups}'" if isinstance(groups, str) else ""
    return Section(
        "Groups",
        (
            f"Rows come in {len(counts)} groups{by} of {counts.min()} to {counts.max()} rows (median "
            f"{np.median(counts):g}). Rows of one group are not independent: split by group, and count groups, not "
            "rows, where you judge how much is known.",
        ),
    )


def _step(number: int, step: Any) -> str:
    changed = sum(len(change.rows) for change in step.changed.values())
    cells = f" ({changed} cells changed; their former values are kept)" if changed else ""
    return f"step {number}: {step.sentence or step.name}{cells}"


def _limits(dataset: Any, groups: Any, licence: str, quality: Any) -> list[str]:
    told = []
    unstated = [name for name in dataset.source.unstated if name in dataset.space.names]
    if unstated:
        told.append(f"No unit was stated for {', '.join(unstated)}.")
    for name in dataset.space.names:
        share = float(dataset.gaps(name).mean()) if len(dataset) else 0.0
        if share >= GAPPY:
            told.append(f"'{name}' is missing in {100 * share:.0f} % of the rows; whether by chance is not known.")
    numeric = dataset.numeric()
    if len(numeric) and numeric.shape[1]:
        repeated = len(numeric) - len(np.unique(numeric, axis=0))
        if repeated:
            told.append(f"{repeated} rows repeat all the numbers of another row.")
    if groups is not None and len(np.unique(_labels(dataset, groups))) < FEW_GROUPS:
        told.append("There are fewer than ten groups: what holds for new ones is hardly known.")
    if not licence:
        told.append("Its licence is not stated: ask before passing it on.")
    if quality is None:
        told.append("No quality report was made of it.")
    return told


def _quality(quality: Any) -> Section:
    if quality is None:
        return Section("Quality")
    if not hasattr(quality, "findings"):
        return Section("Quality", items=(quality,) if isinstance(quality, str) else tuple(str(s) for s in quality))
    found = tuple((f.severity, f.check, f.sentence, f.advice) for f in quality.findings)
    told = {f.check for f in quality.findings}
    silent = ", ".join(check for check in quality.checked if check not in told)
    return Section(
        "Quality",
        (quality.sentence(), f"Nothing was found by: {silent or 'no check'}."),
        head=("severity", "check", "what", "what to do") if found else (),
        rows=found,
    )
