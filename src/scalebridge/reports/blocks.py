"""The blocks of the report that are words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from scalebridge.reports import numbers
from scalebridge.reports.saved import Saved, finite
from scalebridge.reports.theme import PHASE_WORDS

PART_WORDS = {
    "closure": ("closure", "the surrogate in place of the micro model, from the verification draws"),
    "remainder": ("remainder", "what the first-order step leaves, from re-solving with the new surrogate"),
    "micro_discretisation": ("micro discretisation", "the micro model's own grid, from its finer version"),
    "mesh": ("mesh", "the macro mesh, by the macro model's own estimate"),
}


def title(saved: Saved) -> str:
    """Return the study's title, or one made of what was asked."""
    given = saved.get("title")
    return str(given) if given else f"{_words(saved.get('qoi', 'q'))} of {saved.get('macro', {}).get('name', 'macro')}"


def header(saved: Saved) -> str:
    """Return the line on top, the title and what was asked."""
    version = saved.get("versions", {}).get("scalebridge", "")
    stamp = " · ".join(str(s) for s in (saved.get("created"), f"seed {saved.get('seed', 0)}") if s)
    macro, micro = (escape(str(saved.get(k, {}).get("name", k))) for k in ("macro", "micro"))
    asked = _asked(saved)
    return (
        f'<header class="top"><span class="brand">ScaleBridge {escape(str(version))}</span>'
        f'<span class="stamp">{escape(stamp)}</span></header>'
        f"<h1>{escape(title(saved))}</h1>"
        f'<p class="lead">The {escape(_words(saved.get("qoi", "q")))} of <code>{macro}</code>, whose material is known '
        f"only through <code>{micro}</code>{asked}.</p>"
    )


def answer(saved: Saved) -> str:
    """Return the answer in large type, or the refusal."""
    verdict = (
        '<span class="verdict">converged</span>' if saved.converged else '<span class="verdict no">not converged</span>'
    )
    reason = escape(_sentence(saved.get("reason", "")))
    if saved.interval is None:
        found = finite(saved.answer.get("value"))
        best = numbers.with_unit(numbers.plain(found, 5), saved.unit)
        known = "" if found is None else f" The surrogate's own value, {best}, is shown for orientation only."
        return (
            f'<div class="refused">{verdict}<p class="reason"><strong>No interval can be given.</strong> {reason}'
            f"{escape(known)}</p></div>"
        )
    value, half, power = numbers.uncertain(saved.value, saved.half_width)
    unit = numbers.unit_text(saved.unit)
    tail = " ".join(t for t in (f"× {power}" if power else "", unit) if t)
    level = numbers.percent(saved.get("confidence"))
    relative = f", ±{numbers.percent(saved.half_width / abs(saved.value))}" if saved.half_width and saved.value else ""
    inputs = saved.input_interval
    beside = (
        f"<br>Beside it, from uncertain inputs: {numbers.with_unit(numbers.pair(*inputs), saved.unit)}"
        if inputs
        else ""
    )
    return (
        f'<div class="answer"><div><div class="value">{value} <span class="pm">± {half}</span>'
        f'<span class="unit"> {escape(tail)}</span></div>'
        f'<p class="within">{level} interval {numbers.with_unit(numbers.pair(*saved.interval), saved.unit)}{relative}'
        f"{beside}</p></div><div>{verdict}"
        f'<p class="reason">{reason} {escape(failures(saved))}</p></div></div>'
    )


def tiles(saved: Saved) -> str:
    """Return the key figures in one line."""
    runs, direct = int(saved.get("micro_runs", 0)), saved.get("direct_runs")
    shown = [
        ("micro runs", f"{runs}", how_made(saved)),
        ("macro solves", f"{saved.get('macro_solves', 0)}", ""),
        ("wall time", numbers.seconds(finite(saved.answer.get("wall_s"))), _micro_seconds(saved)),
    ]
    if direct and runs:
        shown.insert(1, ("direct FE² would take", numbers.count(direct), f"{numbers.plain(direct / runs, 2)} × more"))
    states = saved.get("macro", {}).get("n_states")
    if states:
        shown.append(("macro states", numbers.count(states), "places that ask for the material"))
    cells = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{escape(v)}<small>{escape(note)}</small></dd></div>" for k, v, note in shown
    )
    return f'<dl class="tiles">{cells}</dl>'


def how_made(saved: Saved) -> str:
    """Return how many micro runs were executed, how many taken from the store, and how many failed."""
    runs, reused = int(saved.get("micro_runs", 0)), int(saved.get("reused_runs", 0))
    made = f"{saved.get('executed_runs', runs - reused)} executed, {reused} from the store"
    return made + (f", {len(saved.failed)} failed" if saved.failed else "")


def failures(saved: Saved) -> str:
    """Return how many micro runs failed, what that does to the interval, and why the first did; nothing where none."""
    if not saved.failed:
        return ""
    drawn = sum(run.get("phase") == "verify" for run in saved.failed)
    of_them = f", {drawn} of them drawn to verify: what these hide widens the interval" if drawn else ""
    first = saved.failed[0].get("reason") or saved.failed[0].get("status")
    return f"{len(saved.failed)} of {len(saved.runs)} micro runs failed{of_them}. The first: {_sentence(first)}"


def parts_table(saved: Saved) -> str:
    """Return the parts with their size, share and meaning."""
    total = sum(p or 0.0 for p in saved.parts.values()) or 1.0
    rows = []
    for name, size in saved.parts.items():
        word, meaning = PART_WORDS.get(name, (name, ""))
        shown = "not measured" if size is None else f"± {numbers.with_unit(numbers.plain(size, 2), saved.unit)}"
        share = "" if size is None else numbers.percent(size / total)
        swatch = f'<span class="swatch" style="background:var(--part-{escape(name.replace("_", "-"))})"></span>'
        rows.append(
            f'<tr><td>{swatch}{escape(word)}</td><td class="n">{shown}</td><td class="n">{share}</td>'
            f"<td>{escape(meaning)}</td></tr>"
        )
    asked = (
        f"asked for: ± {numbers.with_unit(numbers.plain(saved.tolerance, 2), saved.unit)}" if saved.tolerance else ""
    )
    half = numbers.with_unit(numbers.plain(saved.half_width, 2), saved.unit)
    rows.append(f'<tr class="sum"><td>half-width</td><td class="n">± {half}</td><td></td><td>{asked}</td></tr>')
    for name, ends in saved.input_sources.items():
        swatch = '<span class="swatch" style="background:var(--part-input)"></span>'
        rows.append(
            f'<tr><td>{swatch}{escape(_words(name))}</td><td class="n" colspan="2">'
            f"{numbers.with_unit(numbers.pair(*ends), saved.unit)}</td>"
            "<td>uncertain input, beside the interval</td></tr>"
        )
    head = '<tr><th>part</th><th class="n">size</th><th class="n">share</th><th>where it comes from</th></tr>'
    return f'<div class="wide"><table class="parts"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def cost(saved: Saved) -> str:
    """Return what the answer cost beside direct FE²."""
    runs, direct = int(saved.get("micro_runs", 0)), saved.get("direct_runs")
    if not direct or not runs:
        return ""
    each = (finite(saved.answer.get("micro_seconds")) or 0.0) / max(runs, 1)
    top = float(np.log10(max(direct, runs, 10)))

    def bar(kind: str, name: str, n: float) -> str:
        width = 66.0 * float(np.log10(max(n, 1.3))) / top
        time = f", about {numbers.seconds(n * each)} of micro runs" if each > 0 else ""
        return (
            f'<div class="bar {kind}"><span>{name}</span><div><i style="width:{width:.1f}%"></i>'
            f"<span>{numbers.count(n)} micro runs{time}</span></div></div>"
        )

    return (
        "<section><h2>What it cost</h2><p>Direct FE² runs the micro model at every state in every Newton iteration of "
        "the final solve. Bars on a logarithmic scale.</p>"
        f'<div class="cost">{bar("us", "this answer", runs)}{bar("", "direct FE²", float(direct))}</div></section>'
    )


def runs(saved: Saved) -> str:
    """Return the table of micro runs: where, why, and by how much the surrogate had missed."""
    if not saved.runs:
        return ""
    scale = _typical(saved)
    rows = "".join(_run_row(i, run, scale) for i, run in enumerate(saved.runs, 1))
    inputs = ", ".join(escape(c) for c in saved.components("inputs")) or "inputs"
    unit = numbers.unit_text(saved.side_unit("inputs"))
    head = (
        f"<tr><th class='n'>run</th><th>phase</th><th>why it was made</th>"
        f"<th>{inputs}{f' ({unit})' if unit else ''}</th>"
        "<th class='n'>missed by</th><th class='n'>cost</th></tr>"
    )
    return (
        '<section class="runs"><h2>Every micro run, and why</h2><p>“Missed by” is the residual against the surrogate '
        f"that had not seen the run, in per cent of the typical response. {escape(failures(saved))}</p>"
        f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div></section>'
    )


def _run_row(i: int, run: Mapping[str, Any], scale: float) -> str:
    phase = str(run.get("phase", ""))
    x = ", ".join(numbers.plain(finite(v), 3) for v in run.get("x") or [])
    why = escape(str(run.get("why", "")))
    if run.get("status") not in (None, "ok"):
        why += f' <span class="bad">{escape(str(run.get("status")))}: {escape(str(run.get("reason", "")))}</span>'
    missed = ""
    if run.get("y") and run.get("predicted") and scale > 0:
        residual = np.asarray(run["y"], dtype=float) - np.asarray(run["predicted"], dtype=float)
        missed = numbers.percent(float(np.linalg.norm(residual)) / scale)
    time = "stored" if run.get("reused") else numbers.seconds(finite(run.get("cost_s")))
    name = escape(PHASE_WORDS.get(phase, phase))
    return (
        f'<tr><td class="n">{i}</td><td><span class="chip" style="--c:var(--phase-{escape(phase)})">{name}</span></td>'
        f'<td>{why}</td><td class="vector">{x}</td><td class="n">{missed}</td><td class="n">{time}</td></tr>'
    )


def promise(saved: Saved) -> str:
    """Return what the interval does not promise, in words, and the notes of the run."""
    notes = [str(n) for n in saved.get("notes", [])]
    points = [n for n in notes if n.startswith("No interval from a few draws")]
    unseen = finite(saved.answer.get("unseen_mass"))
    draws = sum(int(r.get("draws", 0)) for r in saved.get("rounds", []))
    if unseen is not None and not points:
        seen = f"The {draws} verification draws have" if draws else "The verification draws have"
        points.append(
            f"No interval from a few draws is free of assumptions. {seen} seen, with 95 %, any set of states "
            f"that holds at least {numbers.percent(unseen)} of the draw probability. A fault of the surrogate confined "
            "to less than that can hide."
        )
    elif unseen is None:
        points.append("No verification round was completed, so no statement of confidence is made.")
    if saved.get("mesh_mode", "report") == "report":
        points.append("It speaks of the quantity on the given macro mesh; the error of that mesh is not part of it.")
    else:
        points.append(
            "The mesh part is an estimate, not a bound: it is as good as the macro model's means to make one."
        )
    if saved.parts.get("micro_discretisation") is None:
        points.append(
            "The discretisation error of the micro model was not measured: no finer version of it was offered."
        )
    points.append("An error common to all micro runs, such as a wrong material constant, is not seen by it.")
    if saved.input_interval is not None:
        points.append(
            "Uncertain inputs (segmentation, the choice of the window) stand beside the interval, never inside."
        )
    points += [n for n in notes if n != "The interval speaks of the quantity on the given mesh."]
    items = "".join(f"<li>{escape(p)}</li>" for p in dict.fromkeys(points))
    return f'<section class="promise"><h2>What this interval does not promise</h2><ul>{items}</ul></section>'


def provenance(saved: Saved) -> str:
    """Return versions, identities and how to reproduce the answer."""
    micro, macro = saved.get("micro", {}), saved.get("macro", {})
    identity = micro.get("identity") or {}
    left = {"macro model": _named(macro), "micro model": _named(micro), "known as": identity.get("name")}
    left |= {"version": micro.get("version")}
    left |= {str(k): v for k, v in identity.items() if k not in left and k != "name"}
    right = {"seed": saved.get("seed", 0), **saved.get("versions", {}), **saved.get("provenance", {})}
    return (
        "<section><h2>Provenance</h2><p>The same study, seed and versions give the same answer; "
        "a second run takes every micro run from the store.</p>"
        f'<div class="columns">{_pairs(left)}{_pairs(right)}</div></section>'
    )


def footer(saved: Saved) -> str:
    """Return the last line."""
    return "<footer>Drawn from answer.json and arrays.npz alone. This page needs no network.</footer>"


def _named(model: Mapping[str, Any]) -> str | None:
    kind = f" ({model['kind']})" if model.get("kind") else ""
    return f"{model['name']}{kind}" if model.get("name") else None


def _pairs(entries: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(k))}</td><td>{escape(_short(v))}</td></tr>" for k, v in entries.items() if v is not None
    )
    return f"<div><table><tbody>{rows}</tbody></table></div>"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 160 else text[:157] + "…"


def _asked(saved: Saved) -> str:
    rtol, atol = finite(saved.answer.get("rtol")), finite(saved.answer.get("atol"))
    wanted = []
    if rtol is not None:
        wanted.append(f"{numbers.percent(rtol)} of the value")
    if atol is not None:
        wanted.append(numbers.with_unit(numbers.plain(atol, 3), saved.unit))
    if not wanted:
        return ""
    return f", asked for within {' or '.join(wanted)} at {numbers.percent(saved.get('confidence'))} confidence"


def _micro_seconds(saved: Saved) -> str:
    spent = finite(saved.answer.get("micro_seconds"))
    return "" if spent is None else f"{numbers.seconds(spent)} in the micro model"


def _typical(saved: Saved) -> float:
    rows = [np.asarray(r["y"], dtype=float) for r in saved.runs if r.get("y")]
    if not rows:
        return 0.0
    return float(np.sqrt(np.nanmean(np.sum(np.stack(rows) ** 2, axis=1))))


def _sentence(text: object) -> str:
    words = str(text).strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) or not words else ".")


def _words(name: str) -> str:
    return str(name).replace("_", " ")
