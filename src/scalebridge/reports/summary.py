"""An answer in a notebook: a small card without a page around it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from scalebridge.reports import numbers
from scalebridge.reports.blocks import PART_WORDS, failures, how_made
from scalebridge.reports.saved import Saved

_COLOURS = {"closure": "#0072b2", "remainder": "#56b4e9", "micro_discretisation": "#009e73", "mesh": "#e69f00"}


def summary_html(answer: Mapping[str, Any]) -> str:
    """Return an answer (the content of ``answer.json``) as a card for notebooks, with inline style only."""
    saved = Saved(answer)
    colour, word = ("#00664b", "converged") if saved.converged else ("#b04a00", "not converged")
    name = escape(str(saved.get("qoi", "q")).replace("_", " "))
    reason = escape(str(saved.get("reason", "")))
    rows = [
        f'<div style="opacity:.7">{name}</div>',
        f'<div style="font:600 1.7em/1.2 Georgia,serif">{_value(saved)}</div>',
        f'<div style="margin:.25em 0"><b style="color:{colour}">{word}</b>: {reason}</div>',
        f"<div>{escape(failures(saved))}</div>" if saved.failed else "",
        _bar(saved),
        f'<div style="opacity:.7">{saved.get("micro_runs", 0)} micro runs '
        f"({how_made(saved)}), {saved.get('macro_solves', 0)} macro solves, "
        f"{numbers.seconds(saved.get('wall_s'))}</div>",
    ]
    inner = "".join(rows)
    return (
        f'<div style="font:14px/1.5 system-ui,sans-serif;border-left:3px solid {colour};padding:.2em 1em">{inner}</div>'
    )


def _value(saved: Saved) -> str:
    value, half, power = numbers.uncertain(saved.value, saved.half_width)
    unit = " ".join(t for t in (f"× {power}" if power else "", numbers.unit_text(saved.unit)) if t)
    spread = f' <span style="opacity:.6;font-weight:400">± {half}</span>' if half else ""
    return f'{value}{spread} <span style="font-size:.6em;opacity:.7">{escape(unit)}</span>'


def _bar(saved: Saved) -> str:
    measured = {k: v for k, v in saved.parts.items() if v}
    total = sum(measured.values())
    if saved.interval is None or not total:
        return ""
    cells = "".join(
        f'<span title="{PART_WORDS.get(k, (k,))[0]}" style="display:inline-block;height:8px;'
        f'width:{100 * v / total:.1f}%;background:{_COLOURS.get(k, "#888")}"></span>'
        for k, v in measured.items()
    )
    words = ", ".join(f"{PART_WORDS.get(k, (k,))[0]} {numbers.plain(v, 2)}" for k, v in measured.items())
    return f'<div style="max-width:22em;line-height:0">{cells}</div><div style="opacity:.7">{words}</div>'
