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
    figure = theme.canvas(1040, 190 if inputs else 112)
    axes = figure.subplots(2 if inputs else 1, 1, squeeze=False, height_ratios=[1.35, 1.0] if inputs else [1.0]).ravel()
    low, high = saved.interval
    around = [saved.value - saved.tolerance, saved.value + saved.tolerance] if saved.tolerance else []
    _frame(axes[0], [low, high, *around], "the answer")
    _tolerance(axes[0], saved)
    _stack(axes[0], saved)
    if inputs:
        # Uncertain inputs often reach so much further that the answer needs an axis of its own.
        _frame(axes[1], [low, high, *inputs], "uncertain inputs")
        _inputs(axes[1], inputs, saved.interval)
    name = str(saved.get("qoi", "q"))
    for ax in axes:
        quantity_axis(ax, "x", name if ax is axes[-1] else "", saved.unit if ax is axes[-1] else "1")
    return theme.svg(figure, "The interval of the answer by parts, with the tolerance asked for", "interval")


def _frame(ax: Axes, ends: list[float], name: str) -> None:
    margin = 0.06 * (max(ends) - min(ends) or abs(ends[0]) or 1.0)
    ax.set_xlim(min(ends) - margin, max(ends) + margin)
    ax.set_ylim(-0.5, 0.5)
    ax.set_yticks([0], [name.rjust(16)])
    ax.tick_params(axis="y", length=0, labelcolor=theme.INK)
    ax.spines["left"].set_visible(False)


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


def _stack(ax: Axes, saved: Saved) -> None:
    reach = 0.0
    for name, size in saved.parts.items():
        if not size:
            continue
        colour = theme.PART.get(name, theme.MUTED)
        for left in (saved.value + reach, saved.value - reach - size):
            ax.barh(0, size, left=left, height=0.5, color=colour, edgecolor=theme.PAPER, linewidth=1, zorder=3)
        reach += size
    low, high = saved.interval or (saved.value, saved.value)
    ax.plot([low, high], [0, 0], color=theme.INK, lw=1.2, zorder=4)
    ax.plot([low, high], [0, 0], "|", color=theme.INK, ms=26, mew=1.6, zorder=4)
    ax.plot(saved.value, 0, "o", ms=9, color=theme.INK, mec=theme.PAPER, mew=2, zorder=5)


def _inputs(ax: Axes, span: tuple[float, float], answer: tuple[float, float]) -> None:
    low, high = span
    ax.barh(0, high - low, left=low, height=0.24, color=theme.PART["input"], alpha=0.55, zorder=3)
    ax.plot([low, high], [0, 0], "|", color=theme.PART["input"], ms=18, mew=2, zorder=4)
    ax.barh(0, answer[1] - answer[0], left=answer[0], height=0.5, color=theme.INK, zorder=5)
