"""The words and tables of an explanation and of errors by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from scalebridge.reports import numbers
from scalebridge.reports.document import section
from scalebridge.reports.explanation import figures

Record = Mapping[str, Any]
IMPORTANCE = (
    "By how much the error rises when an input is shuffled among the rows, and when it is drawn given the others, "
    "which leaves what they know of it. Beside it the Shapley value of single rows: blue low, orange high values of "
    "the input."
)
EFFECTS = (
    "Accumulated local effects (solid) ask only for combinations near those seen; partial dependence (dashed) averages "
    "over all. The wide band is two deviations of everything, the dark one what the rows alone would scatter. Where "
    "both curves part, inputs go together or interact."
)
ERRORS = (
    "Each part beside all rows (dashed); bars are two standard errors of the error, and 95 % intervals of bias and "
    "coverage. Diamonds differ from the rest by more than chance, all tests counted."
)


def explanation_blocks(record: Record) -> str:
    """What a surrogate goes by, as sections of a page.

    Args:
        record: `Explanation.record`, or its JSON.
    """
    words = _list(record["sentences"])
    drawn = section("What it goes by", IMPORTANCE, figures.importance_figure(record), words + _importance(record))
    along = section("Along each input", EFFECTS, figures.effects_figure(record))
    return drawn + along + _indices(record)


def error_blocks(record: Record) -> str:
    """Errors by group or regime, as a section of a page.

    Args:
        record: `ErrorsBy.record`, or its JSON.
    """
    words = _list(record["sentences"])
    title = escape(f"Where it errs: by {record['by']}")
    return section(title, ERRORS, figures.errors_figure(record), words + _parts(record))


def _importance(record: Record) -> str:
    unit = numbers.unit_text(record["unit"])
    head = (
        "input",
        "shuffled",
        "drawn given the others",
        f"mean |Shapley|{f' ({unit})' if unit else ''}",
        "told by others",
    )
    rows = [
        (
            i["label"],
            _rise(i["rise"], i["rise_error"]),
            _rise(i["own"], i["own_error"]),
            f"{numbers.plain(i['shapley'], 3)} ± {numbers.plain(i['shapley_error'], 2)}",
            numbers.percent(i["told_by_others"]),
        )
        for i in record["importance"]
    ]
    return _table(head, rows)


def _indices(record: Record) -> str:
    found = record.get("indices")
    if not found:
        return ""
    rows = [
        (label, *(f"{value:.3f} ± {error:.3f}" for value, error in triple))
        for label, *triple in zip(
            found["labels"],
            *(zip(found[n], found[f"{n}_error"], strict=True) for n in ("first", "total", "shapley") if found[n]),
            strict=True,
        )
    ]
    head = ("input", "first-order", "total", *(["Shapley effect"] if found["shapley"] else []))
    words = (
        "<p>Shares of the variance over the rows' law. The first-order share holds what an input has in common with "
        "others, the total one only what it alone knows; Shapley effects share what is common, and sum to one.</p>"
    )
    return f"<section><h2>Shares of the variance</h2>{words}{_table(head, rows)}</section>"


def _parts(record: Record) -> str:
    head = ("part", "rows", "groups", "error (rms)", "bias", "covered", "differs in")
    return _table(head, [_part(part) for part in (record["whole"], *record["parts"])])


def _part(part: Record) -> tuple[str, ...]:
    tests = (("error", "p_error"), ("bias", "p_bias"), ("coverage", "p_coverage"))
    differs = ", ".join(word for word, p in tests if part[p] is not None and part[p] < 0.05)
    return (
        part["label"],
        str(part["rows"]),
        str(part["groups"]),
        numbers.plain(part["rmse"], 3),
        numbers.plain(part["bias"], 2),
        numbers.percent(part["coverage"]),
        differs,
    )


def _rise(value: float | None, error: float | None) -> str:
    if value is None or error is None:
        return "–"
    digits = 0 if abs(error) >= 0.01 or abs(value) >= 1 else 1
    return f"{numbers.fixed(100 * value, digits)} ± {numbers.fixed(100 * error, digits)}\u00a0%"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th{'' if k == 0 else ' class=n'}>{escape(cell)}</th>" for k, cell in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(f"<td{'' if k == 0 else ' class=n'}>{escape(cell)}</td>" for k, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(s)}</li>" for s in sentences) + "</ul>"
