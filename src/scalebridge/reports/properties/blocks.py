"""The words and tables of the report of properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from scalebridge.reports import numbers
from scalebridge.reports.properties.record import Record, Target

MOST_LISTED = 60
"""Features of a family up to which they are listed."""


def title(record: Record) -> str:
    """Return what was learned from what."""
    names = " and ".join(t.name for t in record.targets)
    return f"{names} from micrographs"


def header(record: Record) -> str:
    """Return the line on top, the title and what was asked."""
    content = record.content
    version = escape(str(content.get("versions", {}).get("scalebridge", "")))
    stamp = f"{content.get('created', '')} · seed {content.get('seed', 0)}"
    images, table = (escape(PurePath(str(content[k]["path"])).name) for k in ("images", "table"))
    joined = content["joined"]
    return (
        f'<header class="top"><span class="brand">ScaleBridge {version}</span>'
        f'<span class="stamp">{escape(stamp)}</span></header><h1>{escape(title(record))}</h1>'
        f'<p class="lead">{joined["images"]} images of <code>{images}</code> and the rows of <code>{table}</code>, '
        f"joined by <code>{escape(str(content['by']))}</code>: {joined['specimens']} specimens. "
        f"{escape(groups_words(record))}</p>"
    )


def groups_words(record: Record) -> str:
    """Say what was held back together."""
    groups = record.content["groups"]
    if groups["column"] is None:
        return "Specimens were held back one and all for validation; no column says which of them belong together."
    return f"Whole groups of '{groups['column']}' ({groups['count']}) were held back for validation."


def answer(record: Record, target: Target) -> str:
    """Return what a new specimen may expect, in large type."""
    f, mean_only = target.figures, target.content["mean_only"]
    helps = bool(target.content["better_than_mean"])
    verdict = (
        '<span class="verdict">better than the mean</span>'
        if helps
        else '<span class="verdict no">no better than the mean</span>'
    )
    level = numbers.percent(record.content["level"])
    value, unit = _quantity(f["rmse"], target)
    return (
        f'<div class="answer"><div><div class="value"><span class="pm">±</span> {value}'
        f'<span class="unit"> {escape(unit)}</span></div>'
        f'<p class="within">error (root mean square) of {escape(target.name)} for a specimen not seen; by the mean '
        f"of the others ± {_words(mean_only['rmse'], target)}. The {level} intervals held "
        f"{numbers.percent(f['coverage'])} ± {numbers.percent(f['coverage_std'])} of the specimens held back.</p></div>"
        f'<div>{verdict}<p class="reason">{escape(str(target.content["verdict"]))}</p></div></div>'
    )


def tiles(record: Record, target: Target) -> str:
    """Return the key figures in one line."""
    f = target.figures
    shown = [
        ("specimens", str(target.content["count"]), f"{record.content['joined']['images']} images"),
        ("explained", numbers.percent(f["r2"]), "of the variance, at specimens held back"),
        ("mean error", _words(f["mae"], target), "absolute"),
        ("interval", _words(f["width"], target), f"mean width at {numbers.percent(record.content['level'])}"),
        ("wall time", numbers.seconds(record.content.get("wall_s")), "all of it"),
    ]
    leaky = target.content.get("leaky")
    if leaky:
        shown.insert(
            3, ("a leaky split would claim", _words(leaky["rmse"], target), "rows of a group on both sides: not so")
        )
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{v}<small>{escape(note)}</small></dd></div>" for k, v, note in shown)
    return f'<dl class="tiles">{cells}</dl>'


def candidates(record: Record, target: Target) -> str:
    """Return the table of what was tried."""
    level = numbers.percent(record.content["level"])
    rows = []
    mean = {"label": "mean of the others", **target.content["mean_only"]}
    procedure = {"label": "the procedure: choice and intervals without the fold", **target.content["procedure"]}
    for entry in (*target.content["trials"], mean, procedure):
        if entry.get("failure"):
            rows.append(
                [escape(entry["label"]), f'<span class="bad">{escape(entry["failure"])}</span>', "", "", "", ""]
            )
            continue
        mark = " (chosen)" if entry["label"] == target.content["chosen"] else ""
        figures = [_words(entry[k], target) for k in ("rmse", "mae")]
        shares = [numbers.percent(entry[k]) for k in ("r2", "coverage")]
        rows.append([escape(entry["label"] + mark), *figures, *shares, _words(entry["width"], target)])
    head = ["learner and features", "error (rms)", "mean error", "explained", f"{level} interval holds", "its width"]
    words = (
        "Each on the same specimens held back. The figures of the first ones flatter the best of them, for it was "
        "chosen by them; those of the last row do not."
    )
    return f"<section><h2>What was tried</h2><p>{words}</p>{table(head, rows, numeric=range(1, 6))}</section>"


def explained(target: Target) -> str:
    """Say which learner is explained, where it is not the chosen one."""
    if target.content["explained"] == target.content["chosen"]:
        return ""
    return (
        f"<section><h2>Why another learner is explained</h2><p>{escape(str(target.content['chosen']))} was chosen, but "
        "features of a network have no meaning of their own. What follows is about the best learner that goes by "
        f"descriptors: {escape(str(target.content['explained']))}.</p></section>"
    )


def families(target: Target) -> str:
    """Return which features were taken together, folded."""
    several = {k: v for k, v in target.content["families"].items() if len(v) > 1 and len(v) < MOST_LISTED}
    if not several:
        return ""
    rows = [[escape(label), ", ".join(f"<code>{escape(n)}</code>" for n in names)] for label, names in several.items()]
    listed = table(["family", "features that go together"], rows)
    return f"<section><details><summary>Which features were taken together</summary>{listed}</details></section>"


def listed(sentences: Sequence[str]) -> str:
    """Return sentences as a list; nothing without any."""
    return f"<ul>{''.join(f'<li>{escape(s)}</li>' for s in sentences)}</ul>" if sentences else ""


def joined(record: Record) -> str:
    """Return what was joined and what was left out."""
    content = record.content["joined"]
    rows = [[escape(k), escape(v)] for k, v in content["told"]]
    return (
        "<section><h2>What was joined, and what was left out</h2><p>By identifier, never by the order of rows.</p>"
        f'<div class="columns">{table(None, rows)}</div></section>'
    )


def quality(record: Record) -> str:
    """Return what is wrong with the data."""
    found = record.content.get("quality", ())
    if not found:
        return ""
    rows = [[escape(str(f["severity"])), escape(str(f["sentence"])), escape(str(f.get("advice", "")))] for f in found]
    words = "Found before anything was learned."
    return f"<section><h2>Quality of the data</h2><p>{words}</p>{table(['', 'finding', 'what to do'], rows)}</section>"


def features(record: Record) -> str:
    """Return the features, how they scatter, and what they mean."""
    entries = [e for e in record.content["features"]["columns"] if e["kind"] != "cnn"]
    deep = len(record.content["features"]["columns"]) - len(entries)
    rows = []
    for e in entries:
        spread = [numbers.plain(e[k], 3) for k in ("mean", "std", "within")]
        rows.append(
            [f"<code>{escape(e['name'])}</code>", escape(e["meaning"]), *spread, escape(numbers.unit_text(e["unit"]))]
        )
    head = ["feature", "meaning", "mean", "deviation", "within a specimen", "unit"]
    notes = "".join(f"<li>{escape(n)}</li>" for n in record.content["features"]["notes"])
    words = (
        f"{len(entries)} descriptors"
        + (f" and {deep} features of a network" if deep else "")
        + " of each image, averaged over the images of a specimen."
    )
    listed = f'<div class="scroll">{table(head, rows, numeric=range(2, 5))}</div>' if rows else ""
    return f"<section><h2>The features</h2><p>{words}</p>{listed}<ul>{notes}</ul></section>"


def promise(record: Record, target_notes: Sequence[str]) -> str:
    """Return what the figures do not say."""
    items = "".join(f"<li>{escape(text)}</li>" for text in (*record.content.get("cautions", ()), *target_notes))
    return f'<section class="promise"><h2>What these figures do not say</h2><ul>{items}</ul></section>'


def documents(record: Record) -> str:
    """Return data sheet and model card, folded."""
    parts = record.content.get("documents", {})
    folded = "".join(f"<details><summary>{escape(name)}</summary>{html}</details>" for name, html in parts.items())
    return f"<section><h2>Data sheet and model card</h2>{folded}</section>" if folded else ""


def provenance(record: Record) -> str:
    """Return files, digests, options and versions."""
    content = record.content
    rows = [
        *[[key, _file(content[key])] for key in ("images", "table")],
        *[[escape(k), escape(str(v))] for k, v in content["options"].items() if v is not None],
    ]
    versions = [[escape(k), escape(str(v))] for k, v in content.get("versions", {}).items()]
    return (
        '<section><h2>Where this comes from</h2><div class="columns">'
        f"{table(None, rows)}{table(None, versions)}</div></section>"
    )


def table(head: Sequence[str] | None, rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> str:
    """Return a table of cells that are HTML already; columns ``numeric`` stand to the right."""
    right = set(numeric)
    mark = [' class="n"' if k in right else "" for k in range(64)]
    top = "" if head is None else "".join(f"<th{mark[k]}>{escape(h)}</th>" for k, h in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{mark[k]}>{cell}</td>" for k, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _file(entry: Mapping[str, Any]) -> str:
    return f"<code>{escape(str(entry['path']))}</code>, SHA-256 {escape(entry['sha256'][:16])}…"


def _quantity(value: float, target: Target) -> tuple[str, str]:
    factor, unit = numbers.prefixed(target.unit or "1", abs(value))
    return numbers.plain(factor * value, 3), unit


def _words(value: float | None, target: Target) -> str:
    if value is None:
        return "–"
    text, unit = _quantity(float(value), target)
    return f"{text} {unit}".strip()
