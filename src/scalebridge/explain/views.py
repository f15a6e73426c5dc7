"""An explanation as people see it: plain text and HTML."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from scalebridge.explain.wording import share, with_error

if TYPE_CHECKING:
    from scalebridge.explain.explanation import Explanation, Importance

HEAD = ("input", "shuffled", "given the others", "Shapley", "told by others", "along it")


def cells(e: Explanation) -> list[tuple[str, ...]]:
    """Rows of the table under `HEAD`."""
    return [_row(i) for i in e.importance]


def as_text(e: Explanation) -> str:
    """The table and the sentences."""
    rows = [HEAD, *cells(e)]
    widths = [max(len(row[c]) for row in rows) for c in range(len(HEAD))]
    lines = [
        "  ".join([f"{row[0]:<{widths[0]}}", *(f"{v:>{w}}" for v, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join([*lines, "", *e.sentences])


def as_html(e: Explanation) -> str:
    """The same for notebooks."""
    head = "".join(f"<th>{escape(v)}</th>" for v in HEAD)
    body = "".join(
        f'<tr><th style="text-align:left">{escape(row[0])}</th>'
        + "".join(f'<td style="text-align:right">{escape(v)}</td>' for v in row[1:])
        + "</tr>"
        for row in cells(e)
    )
    return f"<table><tr>{head}</tr>{body}</table>" + "".join(f"<p>{escape(s)}</p>" for s in e.sentences)


def _row(i: Importance) -> tuple[str, ...]:
    mark = "" if i.significant or not math.isfinite(i.rise) else " (chance)"
    return (
        i.label,
        f"{with_error(i.rise, i.rise_error)}{mark}",
        with_error(i.own, i.own_error),
        f"{i.shapley:.3g} ± {i.shapley_error:.2g}",
        share(i.told_by_others),
        i.relation or "–",
    )
