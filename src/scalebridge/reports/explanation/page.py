"""The one-file HTML report of an explanation, errors by part and papers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from scalebridge.explain.plain import read
from scalebridge.reports.document import document, written
from scalebridge.reports.explanation import blocks

Record = Mapping[str, Any]


def write_report(
    explanation: Record, file: str | Path, *, errors: Sequence[Record] = (), papers: Sequence[Any] = ()
) -> Path:
    """Write the report; return its file.

    Args:
        explanation: `Explanation.record`.
        file: the HTML file to write.
        errors: `ErrorsBy.record` by group and by regime.
        papers: data sheets and model cards (`Sheet`).

    Raises:
        InfrastructureError: the file cannot be written.
    """
    return written(html(explanation, errors=errors, papers=papers), Path(file))


def report_saved(path: str | Path, file: str | Path | None = None) -> Path:
    """Write the report of an explanation saved by ``to_json``; return the file, by default beside it.

    Raises:
        InputError: no such file, or none of an explanation.
        InfrastructureError: the file cannot be written.
    """
    target = Path(file) if file is not None else Path(path).with_suffix(".html")
    return write_report(read(path, "explanation"), target)


def html(explanation: Record, *, errors: Sequence[Record] = (), papers: Sequence[Any] = ()) -> str:
    """Return the whole report as one HTML document."""
    title = f"What {explanation['surrogate']} goes by for {explanation['target']}"
    return document(title, lambda: _body(title, explanation, errors, papers))


def _body(title: str, explanation: Record, errors: Sequence[Record], papers: Sequence[Any]) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="lead">{escape(explanation["sentences"][0])}</p>'
    yield blocks.explanation_blocks(explanation)
    for record in errors:
        yield blocks.error_blocks(record)
    for paper in papers:
        yield f"<h1>{escape(paper.title)}</h1>"
        yield paper.html()
    yield "<footer>Drawn from plain records alone. This page needs no network.</footer>"
