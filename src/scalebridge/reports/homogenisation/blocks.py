"""The words and tables of the report of a homogenised image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import PurePath
from typing import Any

import numpy as np

from scalebridge.reports import numbers
from scalebridge.reports.homogenisation.record import (
    WORDS,
    Part,
    Record,
    pair_text,
    spread_text,
    symbol_html,
    value_text,
)
from scalebridge.reports.saved import finite


def title(record: Record) -> str:
    """Return what was found of which image."""
    kinds = " and ".join(part.kind for part in record.parts) or "properties"
    return f"Effective {kinds} of {PurePath(str(record.image.get('file', 'an image'))).name}"


def header(record: Record) -> str:
    """Return the line on top, the title and what was solved."""
    version = record.content.get("versions", {}).get("scalebridge", "")
    shape = " × ".join(str(n) for n in record.image.get("shape") or [])
    size = record.image.get("voxel_size_m")
    edge = f" of {escape(' × '.join(value_text(h, 'm', 3) for h in dict.fromkeys(size)))}" if size else ""
    what = "pixels" if len(record.image.get("shape") or []) == 2 else "voxels"
    plane = {"generalised": ", uniform along 3", "strain": ", plane strain", "stress": ", plane stress"}
    kept = plane.get(str((record.content.get("options") or {}).get("plane")), "")
    return (
        f'<header class="top"><span class="brand">ScaleBridge {escape(str(version))}</span>'
        f'<span class="stamp">{escape(str(record.content.get("created", "")))}</span></header>'
        f"<h1>{escape(title(record))}</h1>"
        f'<p class="lead">{shape} {what}{edge}{kept}; phases: {escape(_how(record))}. '
        f"Solved: {escape(str(record.content.get('taken', '')))}.</p>"
    )


def answer(record: Record) -> str:
    """Return the first constant of each tensor in large type, or why there is none."""
    return "".join(_answer(part, record) for part in record.parts)


def _answer(part: Part, record: Record) -> str:
    head = part.headline()
    if head is None:
        reason = escape(str(part.content.get("reason") or "the tensor is singular"))
        return (
            '<div class="refused"><span class="verdict no">no answer</span>'
            f'<p class="reason"><strong>The {part.kind} was not found.</strong> {reason}</p></div>'
        )
    name, value = head
    unit = part.unit_of(name)
    scatter = part.over_windows(name)
    factor, shown = numbers.prefixed(unit, abs(value))
    verdict = (
        '<span class="verdict">converged</span>' if record.converged else '<span class="verdict no">see notes</span>'
    )
    within = within_words(part)
    spread = ""
    if scatter is not None:
        mean = spread_text(*scatter, unit)
        windows = part.windows or {}
        spread = f"{windows.get('n')} windows of {windows.get('size')}: {mean} (mean ± one deviation)"
    return (
        f'<div class="answer"><div><div class="value">{symbol_html(name)} = {numbers.plain(factor * value, 4)}'
        f'<span class="unit"> {escape(shown)}</span></div>'
        f'<p class="within">{escape(WORDS.get(name, name))}{f"<br>{escape(spread)}" if spread else ""}</p></div>'
        f'<div>{verdict}<p class="reason">{escape(within)}</p></div></div>'
    )


def tiles(record: Record) -> str:
    """Return how the numbers were found, in one line."""
    shown = []
    for part in record.parts:
        iterations = [int(n) for n in part.content.get("iterations") or []]
        note = f"{part.kind}, {len(iterations)} load cases"
        shown.append(("iterations", str(sum(iterations)), note))
        gap = finite(part.content.get("hill_mandel"))
        if gap is not None:
            shown.append(("Hill-Mandel gap", numbers.plain(gap, 2), "of a localised field"))
    shown.append(("wall time", numbers.seconds(finite(record.content.get("wall_s"))), "all of it"))
    peak = finite(record.content.get("peak_memory_bytes"))
    if peak is not None:
        shown.append(("peak memory", f"{numbers.plain(peak / 2**20, 3)} MiB", "of the whole process"))
    cells = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{escape(v)}<small>{escape(note)}</small></dd></div>" for k, v, note in shown
    )
    return f'<dl class="tiles">{cells}</dl>'


def constants(part: Part) -> str:
    """Return the table of constants: value, bounds, windows, other grid, segmentation."""
    shown = columns(part)
    head = "".join(f'<th class="n">{escape(c)}</th>' for c in shown)
    rows = []
    for words, group in part.rows():
        rows.append(f'<tr><th colspan="{2 + len(shown)}">{escape(words)}{_distance(part, words)}</th></tr>')
        for name, value in group:
            row = "".join(f'<td class="n">{escape(text)}</td>' for text in cells(part, name, value, shown))
            rows.append(f"<tr><td>{symbol_html(name)}</td><td>{escape(WORDS.get(name, ''))}</td>{row}</tr>")
    if not rows:
        return ""
    return (
        f"<section><h2>The constants of the {part.kind}</h2><p>{escape(_table_words(part))}</p>"
        f'<div class="wide"><table><thead><tr><th></th><th></th>{head}</tr></thead><tbody>'
        f"{''.join(rows)}</tbody></table></div></section>"
    )


def matrix(part: Part) -> str:
    """Return the tensor as a table."""
    shown = part.shown
    if not np.isfinite(shown).all():
        return ""
    factor, unit = numbers.prefixed(part.unit, float(np.abs(shown).max()))
    names = [str(c) for c in part.content.get("components") or []]
    head = "".join(f'<th class="n">{n}</th>' for n in names)
    small = 1e-6 * float(np.abs(shown).max())
    rows = "".join(
        f"<tr><td>{name}</td>"
        + "".join(f'<td class="n">{numbers.plain(factor * v, 5) if abs(v) > small else "0"}</td>' for v in row)
        + "</tr>"
        for name, row in zip(names, shown, strict=True)
    )
    note = "Voigt's components, engineering shears; Mandel's are in the JSON. " if part.kind == "stiffness" else ""
    return (
        f"<section><h2>The {part.kind}, in {escape(unit)}</h2><p>{note}1 is along the rows of the image, 2 down its "
        "columns, 3 out of it. Entries below a millionth of the largest are shown as 0.</p>"
        f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def materials(record: Record) -> str:
    """Return the phases with their fractions and laws."""
    spread: Mapping[str, Any] = record.image.get("fractions_std") or {}
    rows = []
    for phase in record.phases:
        std = finite(spread.get(phase["name"]))
        share = f"{100 * float(phase['fraction']):.2f} %" + (f" ± {100 * std:.1f} %" if std else "")
        laws = "; ".join(str(phase[k]) for k in ("material", "conductivity") if phase.get(k))
        rows.append(f'<tr><td>{escape(str(phase["name"]))}</td><td class="n">{share}</td><td>{escape(laws)}</td></tr>')
    head = '<tr><th>phase</th><th class="n">fraction</th><th>material</th></tr>'
    return f'<div class="wide"><table class="parts"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def cautions(record: Record) -> str:
    """Return what the numbers do not say."""
    points = [str(n) for n in record.content.get("notes") or []]
    points.append("The constants of the phases are taken as given; their uncertainty is not carried.")
    for part in record.parts:
        if not part.content.get("discretisation"):
            points.append(f"The error of the discretisation of the {part.kind} was not asked for (--error finer).")
        if not part.windows:
            points.append(f"Whether the image is representative was not asked for the {part.kind} (--window-size).")
    items = "".join(f"<li>{escape(p)}</li>" for p in dict.fromkeys(points))
    return f'<section class="promise"><h2>What these numbers do not say</h2><ul>{items}</ul></section>'


def provenance(record: Record) -> str:
    """Return options, versions and the digest of the image."""
    left = {
        "image": record.image.get("file"),
        "sha256": record.image.get("sha256"),
        **(record.content.get("options") or {}),
    }
    right = dict(record.content.get("versions") or {})
    return (
        "<section><h2>Provenance</h2><p>The same image, materials, options and versions give the same numbers.</p>"
        f'<div class="columns">{_pairs(left)}{_pairs(right)}</div></section>'
    )


def card(content: Mapping[str, Any]) -> str:
    """Return a record as a card for notebooks, with inline style only."""
    record = Record(content)
    lines = []
    for part in record.parts:
        for words, group in list(part.rows())[:1]:
            cells = "".join(
                f"<tr><td>{symbol_html(n)}</td>"
                f"<td style='text-align:right'>{escape(value_text(v, part.unit_of(n)))}</td></tr>"
                for n, v in group
            )
            lines.append(f'<div style="opacity:.7">{part.kind}: {escape(words)}</div><table>{cells}</table>')
        if part.headline() is None:
            lines.append(f"<div>{part.kind}: {escape(str(part.content.get('reason', 'singular')))}</div>")
    share = ", ".join(f"{escape(str(p['name']))} {100 * float(p['fraction']):.1f} %" for p in record.phases)
    return (
        '<div style="font:14px/1.5 system-ui,sans-serif;border-left:3px solid #00664b;padding:.2em 1em">'
        f"<b>{escape(title(record))}</b><div>{share}</div>{''.join(lines)}</div>"
    )


def _how(record: Record) -> str:
    return str(record.image.get("how", "labels as they are"))


def within_words(part: Part) -> str:
    """Say whether the tensor lies between its bounds."""
    limits = part.content.get("bounds") or {}
    if limits.get("within") is None:
        return f"No bounds: {limits.get('reason') or 'none apply'}."
    words = "Between the bounds of Voigt and Reuss" if limits["within"] else "Outside of the bounds of Voigt and Reuss"
    strict = limits.get("hashin_shtrikman_within")
    if strict is not None:
        words += f", and {'between' if strict else 'outside of'} those of Hashin and Shtrikman"
    return words + "."


def columns(part: Part) -> list[str]:
    """Return the headings of the table of constants: only what was asked for."""
    found = ["value"]
    if any(part.bounds(n) for _, group in part.rows() for n, _ in group):
        found.append("bounds")
    if part.windows:
        found.append("windows")
    if part.content.get("discretisation"):
        found.append("other grid")
    if part.content.get("segmentation"):
        found.append("segmentation −/+ std")
    return found


def cells(part: Part, name: str, value: float, headings: list[str]) -> Iterator[str]:
    """Yield the texts of one constant under these headings."""
    unit = part.unit_of(name)
    for column in headings:
        if column == "value":
            yield value_text(value, unit)
        elif column == "bounds":
            found = part.bounds(name)
            yield "" if found is None else pair_text(*found, unit)
        elif column.startswith("windows"):
            spread = part.over_windows(name)
            yield "" if spread is None else spread_text(*spread, unit)
        elif column == "other grid":
            change = part.change(name)
            yield "" if change is None else _signed(change)
        else:
            moved = [finite((d.get("change") or {}).get(name)) for d in part.content.get("segmentation") or []]
            yield " / ".join(_signed(m) for m in moved if m is not None)


def _signed(share: float) -> str:
    return f"{100 * share:+.{2 if abs(share) < 0.01 else 1}f} %".replace("-", "−")


def _distance(part: Part, words: str) -> str:
    group = {"isotropic in the slice, nearest": "transverse", "isotropic, nearest": "isotropic"}.get(words)
    found = part.distance(group) if group else None
    return "" if found is None else f" ({numbers.percent(found)} of the tensor is left out)"


def _table_words(part: Part) -> str:
    words = "Bounds of moduli follow from those of Voigt and Reuss, which hold for any arrangement of the phases"
    strict = (part.content.get("bounds") or {}).get("hashin_shtrikman_within") is not None
    words += ", or where they are isotropic from those of Hashin and Shtrikman." if strict else "."
    other = part.content.get("discretisation")
    if other:
        words += f" The other grid: {other.get('of')}."
    moved = part.content.get("segmentation")
    if moved:
        words += f" Segmentation: {'; '.join(str(d.get('of')) for d in moved)}."
    return words


def _pairs(entries: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(k))}</td><td>{escape(str(v))}</td></tr>" for k, v in entries.items() if v is not None
    )
    return f"<div><table><tbody>{rows}</tbody></table></div>"
