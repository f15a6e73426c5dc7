"""The answer as a picture: the interval by parts against the tolerance asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.reports import theme
from scalebridge.reports.figures.axes import quantity_axis
from scalebridge.reports.saved import Saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def interval_figure(saved: Saved) -> str | None:
    """Draw the interval, its parts stacked outwards from the value; ``None`` where there is no interval."""
    if saved.interval is None:
        return None
    inputs = saved.input_interval
    rows = 2 if inputs else 1
    figure = theme.canvas(1040, 118 + 62 * (rows - 1))
    ax = figure.subplots()
    low, high = saved.interval
    ends = [low, high, *(inputs or ())]
    if saved.tolerance:
        ends += [saved.value - saved.tolerance, saved.value + saved.tolerance]
    margin = 0.06 * (max(ends) - min(ends) or abs(saved.value) or 1.0)
    ax.set_xlim(min(ends) - margin, max(ends) + margin)
    ax.set_ylim(-0.62, rows - 0.3)
    _tolerance(ax, saved)
    _stack(ax, saved, rows - 1)
    if inputs:
        _inputs(ax, inputs)
    ax.set_yticks(range(rows), (["uncertain inputs"] if inputs else []) + ["the answer"])
    ax.tick_params(axis="y", length=0, labelcolor=theme.INK)
    ax.spines["left"].set_visible(False)
    quantity_axis(ax, "x", str(saved.get("qoi", "q")), saved.unit)
    return theme.svg(figure, "The interval of the answer by parts, with the tolerance asked for", "interval")


def _tolerance(ax: Axes, saved: Saved) -> None:
    if not saved.tolerance:
        return
    low, high = saved.value - saved.tolerance, saved.value + saved.tolerance
    ax.axvspan(low, high, color=theme.SOFT, zorder=0)
    for x in (low, high):
        ax.axvline(x, color=theme.MUTED, lw=1, ls=(0, (3, 3)), zorder=1)
    ax.annotate(
        "asked for", (high, ax.get_ylim()[1]), (-5, -3), textcoords="offset points",
        ha="right", va="top", color=theme.MUTED, fontsize=10,
    )  # fmt: skip


def _stack(ax: Axes, saved: Saved, row: float) -> None:
    reach = 0.0
    for name, size in saved.parts.items():
        if not size:
            continue
        colour = theme.PART.get(name, theme.MUTED)
        for left in (saved.value + reach, saved.value - reach - size):
            ax.barh(row, size, left=left, height=0.42, color=colour, edgecolor=theme.PAPER, linewidth=1, zorder=3)
        reach += size
    low, high = saved.interval or (saved.value, saved.value)
    ax.plot([low, high], [row, row], color=theme.INK, lw=1.2, zorder=4)
    ax.plot([low, high], [row, row], "|", color=theme.INK, ms=26, mew=1.6, zorder=4)
    ax.plot(saved.value, row, "o", ms=9, color=theme.INK, mec=theme.PAPER, mew=2, zorder=5)


def _inputs(ax: Axes, span: tuple[float, float]) -> None:
    low, high = span
    ax.barh(0, high - low, left=low, height=0.16, color=theme.PART["input"], alpha=0.55, zorder=3)
    ax.plot([low, high], [0, 0], "|", color=theme.PART["input"], ms=16, mew=2, zorder=4)
