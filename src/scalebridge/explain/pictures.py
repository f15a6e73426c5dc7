"""An explanation drawn from its plain record; axes and colours are the caller's, so that a report draws in its own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Effects drawn side by side, and inputs in a list, at most.
EFFECTS, LISTED = 6, 12


@dataclass(frozen=True)
class Paint:
    """Colours of a picture, by role (after M. Okabe and K. Ito, Color universal design, 2008).

    Args:
        main, second: of curves and marks.
        muted, ink: of lines of reference and of words.
        ramp: from low to high values of an input; mixed, so that these must be colours as they are printed.
    """

    main: str = "#0072B2"
    second: str = "#D55E00"
    muted: str = "#7a7a7a"
    ink: str = "#222222"
    ramp: tuple[str, str, str] = ("#0072B2", "#8a8a8a", "#D55E00")


def drawn(record: Mapping[str, Any], paint: Paint | None = None) -> Figure:
    """Importance and single rows above, effects below."""
    from matplotlib.figure import Figure

    paint = paint or Paint()
    shown = effects_of(record)
    rows = 1 + math.ceil(len(shown) / 3)
    figure = Figure(figsize=(12, 1.2 + 3.1 * rows), layout="constrained")
    grid: Any = figure.add_gridspec(rows, 6)
    draw_importance(figure.add_subplot(grid[0, :3]), record, paint)
    draw_rows(figure.add_subplot(grid[0, 3:]), record, paint)
    for k, effect in enumerate(shown):
        column = 2 * (k % 3)
        ax = figure.add_subplot(grid[1 + k // 3, column : column + 2])
        draw_effect(ax, record, effect, paint)
        if k == 0:
            # Below all panels: inside it would cover a curve.
            figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def effects_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Accumulated local effects of the most important inputs."""
    by_label = {e["label"]: e for e in record["effects"] if e["kind"] == "ale"}
    return [by_label[i["label"]] for i in record["importance"] if i["label"] in by_label][:EFFECTS]


def draw_importance(ax: Axes, record: Mapping[str, Any], paint: Paint) -> None:
    """Rise of the error with two standard errors: shuffled, and drawn given the others; Shapley without errors."""
    listed = record["importance"][:LISTED]
    known = any(i["rise"] is not None for i in listed)
    place = np.arange(len(listed), dtype=float)
    if known:
        _bars(ax, place - 0.12, listed, "rise", "rise_error", paint.main, "o", "shuffled", 100.0)
        _bars(ax, place + 0.12, listed, "own", "own_error", paint.second, "s", "drawn given the others", 100.0)
        ax.axvline(0, color=paint.muted, linewidth=1)
        ax.set(xlabel="% by which the error rises (± 2 standard errors)", title="Importance")
        ax.legend(loc="best", frameon=False, fontsize="small")
    else:
        _bars(ax, place, listed, "shapley", "shapley_error", paint.main, "o", "", 1.0)
        ax.set(xlabel=f"mean |Shapley value|{_in(record['unit'])} (± 2 standard errors)", title="Importance")
    ax.set_yticks(place, [i["label"] for i in listed])
    ax.invert_yaxis()
    ax.grid(alpha=0.25, axis="x")


def _bars(
    ax: Axes, place: Any, listed: Sequence[Mapping[str, Any]], value: str, error: str, colour: str, marker: str,
    label: str, factor: float,
) -> None:  # fmt: skip
    x = [factor * i[value] for i in listed]
    reach = [2 * factor * i[error] for i in listed]
    ax.errorbar(x, place, xerr=reach, fmt=marker, color=colour, capsize=3, markersize=6, label=label or None)


def draw_rows(ax: Axes, record: Mapping[str, Any], paint: Paint) -> None:
    """Shapley value of every row explained, coloured from low to high values of the input."""
    from matplotlib.colors import LinearSegmentedColormap

    listed = [i["label"] for i in record["importance"][:LISTED]]
    order = _columns(record)
    values = np.array(record["shapley"]["values"], dtype=float)
    inputs = np.array(record["shapley"]["inputs"], dtype=float)
    ramp = LinearSegmentedColormap.from_list("low to high", list(paint.ramp))
    rng = np.random.default_rng(0)
    for k, label in enumerate(listed):
        column = order.index(label)
        at = k + 0.28 * (rng.random(len(values)) - 0.5)
        rank = _ranked(inputs[:, column])
        ax.scatter(values[:, column], at, c=rank, cmap=ramp, vmin=0, vmax=1, s=9, linewidths=0)
    ax.axvline(0, color=paint.muted, linewidth=1)
    ax.set_yticks(range(len(listed)), listed)
    ax.invert_yaxis()
    ax.grid(alpha=0.25, axis="x")
    ax.set(xlabel=f"Shapley value{_in(record['unit'])}", title="Row by row: blue low, orange high values of the input")


def _columns(record: Mapping[str, Any]) -> list[str]:
    """Labels in the order of the inputs, as Shapley values stand."""
    return list(record["players"])


def _ranked(values: Any) -> Any:
    if not np.isfinite(values).all() or values.max() == values.min():
        return np.full(len(values), 0.5)
    return np.searchsorted(np.unique(values), values) / max(len(np.unique(values)) - 1, 1)


def draw_effect(ax: Axes, record: Mapping[str, Any], effect: Mapping[str, Any], paint: Paint) -> None:
    """Accumulated local effect with two standard deviations, its two parts, and where the rows are."""
    at, value = np.array(effect["at"]), np.array(effect["value"])
    model, rows = np.array(effect["model_std"]), np.array(effect["row_std"])
    both = 2 * np.hypot(model, rows)
    ax.fill_between(at, value - both, value + both, color=paint.main, alpha=0.16, linewidth=0, label="± 2 deviations")
    ax.fill_between(at, value - 2 * rows, value + 2 * rows, color=paint.main, alpha=0.22, linewidth=0, label="by rows")
    ax.plot(at, value, color=paint.main, marker="o", markersize=3.5, label="accumulated local effect")
    other = [e for e in record["effects"] if e["kind"] != "ale" and e["label"] == effect["label"]]
    for e in other:
        ax.plot(e["at"], e["value"], color=paint.second, linestyle="--", linewidth=1.3, label="partial dependence")
    ax.axhline(0, color=paint.muted, linewidth=0.8)
    ax.set(xlabel=f"{effect['label']}{_in(effect['unit'])}", ylabel=f"{record['target']}{_in(record['unit'])}")
    _rug(ax, record, effect["label"], paint)
    ax.grid(alpha=0.2)


def _rug(ax: Axes, record: Mapping[str, Any], label: str, paint: Paint) -> None:
    column = _columns(record).index(label)
    seen = [row[column] for row in record["shapley"]["inputs"]]
    ax.plot(
        seen, np.full(len(seen), 0.02), "|", transform=ax.get_xaxis_transform(), color=paint.muted, markersize=6,
        alpha=0.6,
    )  # fmt: skip


def _in(unit: str) -> str:
    return "" if unit in ("1", "") else f" in {unit_words(unit)}"


def unit_words(unit: str) -> str:
    """A unit as it is printed: ``g/cm³``."""
    powers = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
    return re.sub(r"\s*(?:\*\*|\^)\s*(-?\d+)", lambda m: m.group(1).translate(powers), unit).replace("*", "·")
