"""An answer on the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scalebridge.reports import numbers
from scalebridge.reports.blocks import PART_WORDS, failures
from scalebridge.reports.saved import Saved

COMPACT = (
    "qoi", "value", "unit", "interval", "half_width", "parts", "confidence", "tolerance", "converged", "reason",
    "micro_runs", "executed_runs", "reused_runs", "macro_solves", "wall_s", "input_interval", "direct_runs",
)  # fmt: skip


def compact(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fits on a screen of an ``answer.json``."""
    return {name: record.get(name) for name in COMPACT}


def answer_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the answer in lines: value, interval, parts, runs, why."""
    saved = Saved(record)
    state = "converged" if saved.converged else "not converged"
    name = str(saved.get("qoi", "q"))
    if saved.interval is None:
        yield f"{name}: {state}, no interval"
    else:
        yield f"{name} = {_value(saved)}    {state}"
        level = numbers.percent(saved.get("confidence"))
        yield f"  {level} interval {numbers.with_unit(numbers.pair(*saved.interval), saved.unit)}{_relative(saved)}"
        parts = (f"{PART_WORDS.get(k, (k,))[0]} ± {numbers.plain(v, 2)}" for k, v in saved.parts.items() if v)
        yield f"  parts: {', '.join(parts)}"
    if saved.input_interval is not None:
        beside = numbers.with_unit(numbers.pair(*saved.input_interval), saved.unit)
        yield f"  beside it, from uncertain inputs: {beside}"
    yield f"  why: {saved.get('reason', '')}"
    yield f"  {runs_line(record)}"
    if saved.failed:
        yield f"  {failures(saved)}"


def runs_line(record: Mapping[str, Any]) -> str:
    """Return how many micro runs were executed and how many were taken from the store."""
    saved = Saved(record)
    executed, reused = int(saved.get("executed_runs", 0)), int(saved.get("reused_runs", 0))
    plural = "" if executed == 1 else "s"
    line = f"{executed} micro run{plural} executed, {reused} taken from the store"
    line += f"; {saved.get('macro_solves', 0)} macro solves; {numbers.seconds(saved.get('wall_s'))}"
    direct = saved.get("direct_runs")
    return line + (f"; direct FE² would take {numbers.count(direct)} micro runs" if direct else "")


def _value(saved: Saved) -> str:
    value, half, power = numbers.uncertain(saved.value, saved.half_width)
    text = f"({value} ± {half}) × {power}" if power else f"{value} ± {half}"
    return numbers.with_unit(text, saved.unit)


def _relative(saved: Saved) -> str:
    if saved.half_width is None or not saved.value:
        return ""
    asked = f", asked ± {numbers.plain(saved.tolerance, 2)}" if saved.tolerance else ""
    return f", ± {numbers.percent(saved.half_width / abs(saved.value))}{asked}"
