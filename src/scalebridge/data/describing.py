"""A dataset in words and as a table for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset

MOST_NOTES = 12


def describe(dataset: Dataset) -> str:
    """Lines of text: size, source, one line per column, notes, steps."""
    lines = [f"{dataset.name}: {len(dataset)} rows, {len(dataset.space)} columns, {dataset.source.describe()}"]
    lines += [f"  {name} [{unit}]: {what}" for name, unit, what, _ in _rows(dataset)]
    if dataset.edges is not None:
        lines.append(f"  {len(dataset.edges)} edges with {', '.join(dataset.edges.space.names)}")
    lines += [f"  note: {note}" for note in dataset.source.notes[:MOST_NOTES]]
    more = len(dataset.source.notes) - MOST_NOTES
    lines += [f"  and {more} more notes in source.notes"] if more > 0 else []
    lines += [f"  step {i}: {step.sentence or step.name}" for i, step in enumerate(dataset.steps, 1)]
    return "\n".join(lines)


def page(dataset: Dataset) -> str:
    """The same as HTML, for notebooks."""
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(unit)}</td><td>{html.escape(what)}</td>"
        f"<td>{html.escape(description)}</td></tr>"
        for name, unit, what, description in _rows(dataset)
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in dataset.source.notes[:MOST_NOTES])
    steps = "".join(f"<li>{html.escape(step.sentence or step.name)}</li>" for step in dataset.steps)
    return (
        f"<div><p><b>{html.escape(dataset.name)}</b>: {len(dataset)} rows, {html.escape(dataset.source.describe())}</p>"
        "<table><thead><tr><th>column</th><th>unit</th><th>values</th><th>description</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        + (f"<details><summary>Notes of the reader</summary><ul>{notes}</ul></details>" if notes else "")
        + (f"<details><summary>Steps</summary><ol>{steps}</ol></details>" if steps else "")
        + "</div>"
    )


def _rows(dataset: Dataset) -> list[tuple[str, str, str, str]]:
    return [(v.name, _unit(dataset, v.name), _values(dataset, v.name), v.description) for v in dataset.space]


def _unit(dataset: Dataset, name: str) -> str:
    v = dataset.space[name]
    if v.kind == "category":
        return "text"
    return "unit not stated" if name in dataset.source.unstated and v.unit == "1" else v.unit


def _values(dataset: Dataset, name: str) -> str:
    column, missing = dataset.columns[name], dataset.gaps(name)
    known = column[~missing]
    gaps = f", {int(missing.sum())} gaps" if missing.any() else ""
    if not len(known):
        return f"no values{gaps}"
    if column.dtype == object:
        if hasattr(known[0], "mesh"):
            from scalebridge.data.fields.columns import described

            return f"{described(known.tolist())}{gaps}"
        return f"{len(known)} fields{gaps}"
    if column.dtype.kind == "U":
        role = "identifiers" if name == dataset.index else "different texts"
        return f"{len(np.unique(known))} {role}{gaps}"
    censored = int(np.count_nonzero(dataset.censored[name])) if name in dataset.censored else 0
    told = f", {censored} censored" if censored else ""
    # Dividing first: the sum of large values may be infinite.
    mean = (known / known.size).sum()
    return f"{known.min():.6g} to {known.max():.6g}, mean {mean:.6g}{gaps}{told}"
