"""``status``, ``why`` and ``report``: what a run left, or is leaving."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scalebridge.cli.answers import answer_lines, compact
from scalebridge.cli.surface import DONE
from scalebridge.cli.tables import console, print_json, print_pairs
from scalebridge.errors import InputError
from scalebridge.reports import numbers
from scalebridge.reports.saved import load


def show_status(directory: Path, as_json: bool) -> int:
    """Print the state of the store and the answer, if there is one."""
    answered = (directory / "answer.json").is_file()
    answer = dict(load(directory).answer) if answered else None
    store = _store(directory, answer)
    if not answered and not (store / "ledger.sqlite").is_file():
        raise InputError(
            f"'{directory}' holds neither an answer nor a store; give the directory of 'scalebridge run --out DIR'."
        )
    runs = _runs_of(store) if (store / "ledger.sqlite").is_file() else {}
    if as_json:
        print_json({"runs": runs, "answer": None if answer is None else compact(answer)})
        return DONE
    print_pairs({"store": str(store), **{k.replace("_", " "): str(v) for k, v in runs.items() if v not in (None, "")}})
    lines = ["no answer yet"] if answer is None else list(answer_lines(answer))
    for line in lines:
        console().print(line, markup=False, soft_wrap=True)
    return DONE


def _store(directory: Path, answer: Mapping[str, Any] | None) -> Path:
    """The store in the directory, or the one that the study named."""
    named = None if answer is None else answer.get("store")
    beside = directory / "store"
    return Path(named) if named and not beside.is_dir() else beside


def _runs_of(store: Path) -> dict[str, Any]:
    from scalebridge.campaign import Store

    with Store.open(store, read_only=True) as opened:
        attempts, finished, notes = opened.attempts(), len(opened), opened.notes
    states = Counter(a.status for a in attempts)
    last = max((a.started + a.cost_s for a in attempts), default=None)
    return {
        "finished": finished,
        "running": states.get("running", 0),
        "failed": states.get("failed", 0) + states.get("timeout", 0),
        "interrupted": states.get("interrupted", 0) + states.get("fenced", 0),
        "phases": ", ".join(f"{n} {p}" for p, n in Counter(a.request.phase for a in attempts).items()),
        "micro_time": numbers.seconds(sum(a.cost_s for a in attempts)),
        "last_activity": None if last is None else f"{numbers.seconds(max(time.time() - last, 0.0))} ago",
        "notes": "; ".join(notes),
    }


def show_why(run: str, out: Path, as_json: bool) -> int:
    """Print why one micro run was made, its inputs, its result and by how much the surrogate had missed it."""
    saved = load(out)
    found = _found(run, saved.runs, out)
    if as_json:
        print_json(found)
        return DONE
    inputs = _named(saved.components("inputs"), saved.side_unit("inputs"), found.get("x"))
    outputs = _named(saved.components("outputs"), saved.side_unit("outputs"), found.get("y"))
    print_pairs(
        {
            "run": f"{found.get('id')}  ({str(found.get('key', ''))[:12]})",
            "phase": str(found.get("phase", "")),
            "why": str(found.get("why", "")),
            "inputs": inputs,
            "result": outputs or f"{found.get('status')}: {found.get('reason')}",
            "predicted": _named(saved.components("outputs"), saved.side_unit("outputs"), found.get("predicted")),
            "residual": _residual(found),
            "cost": ("from the store; " if found.get("reused") else "") + numbers.seconds(found.get("cost_s")),
        }
    )
    return DONE


def _found(run: str, runs: list[Mapping[str, Any]], out: Path) -> Mapping[str, Any]:
    by_number = [r for r in runs if str(r.get("id")) == run]
    by_key = [r for r in runs if len(run) >= 4 and str(r.get("key", "")).startswith(run)]
    matches = by_number or by_key
    if not matches:
        raise InputError(
            f"'{out}' holds no micro run '{run}'; give a number from 1 to {len(runs)}, "
            "or at least four characters of a key."
        )
    if len(matches) > 1:
        raise InputError(f"'{run}' is the start of {len(matches)} keys in '{out}'; give more of it.")
    return matches[0]


def _named(names: list[str], unit: str, values: Any) -> str:
    if not values:
        return ""
    factor, shown = numbers.prefixed(unit, max(abs(v) for v in values)) if unit != "1" else (1.0, "")
    pairs = zip(names or [str(k) for k in range(len(values))], values, strict=False)
    return ", ".join(f"{name} = {numbers.plain(factor * v, 4)}" for name, v in pairs) + (
        f"  ({shown})" if shown else ""
    )


def _residual(found: Mapping[str, Any]) -> str:
    y, predicted = found.get("y"), found.get("predicted")
    if not y or not predicted:
        return ""
    size = sum(v * v for v in y) ** 0.5
    missed = sum((a - b) ** 2 for a, b in zip(y, predicted, strict=True)) ** 0.5
    share = f", {numbers.percent(missed / size)} of the result" if size else ""
    return f"{numbers.plain(missed, 3)}{share}, against the surrogate that had not seen it"


def write_report_of(directory: Path, to: Path | None) -> int:
    """Write the report of a saved answer, or of a saved fit."""
    from scalebridge.reports import report_saved
    from scalebridge.reports.properties import report_saved as fit_report_saved

    print((fit_report_saved if (directory / "fit.json").is_file() else report_saved)(directory, to))
    return DONE
