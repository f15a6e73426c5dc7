"""Errors by group and regime as people see them: sentences, plain text, HTML."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from scalebridge.explain.wording import amount, share

if TYPE_CHECKING:
    from scalebridge.explain.errors_by import ErrorsBy, PartError

HEAD = ("part", "rows", "groups", "RMSE", "bias [95 %]", "covered [95 %]", "differs in")
# Parts in the table at most; the sentences speak of all.
LISTED = 24


def sentences(e: ErrorsBy) -> tuple[str, ...]:
    """Where errors differ from the rest beyond chance, all tests counted, and what could not be tested."""
    tests = sum(math.isfinite(p) for part in e.parts for p in (part.p_error, part.p_bias, part.p_coverage))
    told = [_whole(e)]
    differing = [part for part in e.parts if part.differs]
    told += [_differing(e, part) for part in differing]
    if not differing:
        told.append(
            f"No part by {e.by} differs from the rest in error, bias or coverage by more than chance "
            f"({tests} tests, corrected)."
        )
    else:
        told.append(f"Of {len(e.parts)} parts, {tests} tests were made, and chance is corrected for all of them.")
    worst = e.worst
    if not worst.differs:
        told.append(
            f"The worst is {worst.label} ({amount(worst.rmse, e.unit)} on {worst.rows} rows), within what chance does."
        )
    alone = [part for part in e.parts if part.groups < 2]
    if alone:
        told.append(
            f"{len(alone)} {'part holds' if len(alone) == 1 else 'parts hold'} one group alone: their errors have no "
            "interval of their own."
        )
    return tuple(told)


def _whole(e: ErrorsBy) -> str:
    w = e.whole
    low, high = w.bias_interval
    tilt = "" if low <= 0 <= high else ", which is more than chance"
    covers = "" if not math.isfinite(w.coverage) else (
        f"; intervals of {share(e.level)} hold {share(w.coverage)} of the values {_pair(w.coverage_interval)}"
    )  # fmt: skip
    return (
        f"On all {w.rows} rows of {w.groups} groups the root mean square error is {amount(w.rmse, e.unit)} and the "
        f"bias (seen less predicted) {amount(w.bias, e.unit)}{tilt}{covers}."
    )


def _differing(e: ErrorsBy, part: PartError) -> str:
    said = []
    if "error" in part.differs:
        ratio = part.rmse / e.whole.rmse
        word = "larger" if ratio > 1 else "smaller"
        said.append(f"its error is {word}, {amount(part.rmse, e.unit)} against {amount(e.whole.rmse, e.unit)} overall")
    if "bias" in part.differs:
        word = "above" if part.bias > 0 else "below"
        said.append(f"values lie {amount(abs(part.bias), e.unit)} {word} what is predicted on average")
    if "coverage" in part.differs:
        said.append(f"intervals of {share(e.level)} hold {share(part.coverage)} there {_pair(part.coverage_interval)}")
    how = ", found by a tree on other rows" if part.found else ""
    return f"{part.label} differs ({part.rows} rows of {part.groups} groups{how}): {'; '.join(said)}."


def _pair(ends: tuple[float, float]) -> str:
    return f"[{share(ends[0])}, {share(ends[1])}]"


def cells(e: ErrorsBy) -> list[tuple[str, ...]]:
    """Rows of the table under `HEAD`, all rows first."""
    return [_row(e, part) for part in (e.whole, *e.parts[:LISTED])]


def _row(e: ErrorsBy, part: PartError) -> tuple[str, ...]:
    low, high = part.bias_interval
    bias = f"{part.bias:.3g}" + (f" [{low:.3g}, {high:.3g}]" if math.isfinite(low) else "")
    covered = f"{share(part.coverage)} {_pair(part.coverage_interval)}" if math.isfinite(part.coverage) else "–"
    error = f"{part.rmse:.3g}" + (f" ± {part.rmse_error:.2g}" if math.isfinite(part.rmse_error) else "")
    return (
        part.label, str(part.rows), str(part.groups), error, bias.replace("-", "−"), covered, ", ".join(part.differs),
    )  # fmt: skip


def as_text(e: ErrorsBy) -> str:
    """The table and the sentences."""
    rows = [HEAD, *cells(e)]
    widths = [max(len(row[c]) for row in rows) for c in range(len(HEAD))]
    lines = [
        "  ".join([f"{row[0]:<{widths[0]}}", *(f"{v:>{w}}" for v, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", *sentences(e)])


def as_html(e: ErrorsBy) -> str:
    """The same for notebooks."""
    head = "".join(f"<th>{escape(v)}</th>" for v in HEAD)
    body = "".join(
        f'<tr><th style="text-align:left">{escape(row[0])}</th>'
        + "".join(f'<td style="text-align:right">{escape(v)}</td>' for v in row[1:])
        + "</tr>"
        for row in cells(e)
    )
    return f"<table><tr>{head}</tr>{body}</table>" + "".join(f"<p>{escape(s)}</p>" for s in sentences(e))
