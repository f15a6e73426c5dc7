"""Where the surrogate stands: visited states and micro runs in the space of the closure's inputs."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import theme
from scalebridge.reports.figures.axes import by_decades, quantity_axis
from scalebridge.reports.figures.influence import influence
from scalebridge.reports.saved import Saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
# Readable on light and on dark paper, since thousands of dots are drawn as an image.
DOT = "#7c97a6"


def domain_figure(saved: Saved) -> str | None:
    """Draw states and runs, pair by pair of components (response itself for one input); ``None`` without states."""
    states = saved.array("states")
    if states is None or states.ndim != 2 or len(states) == 0:
        return None
    d = states.shape[1]
    pairs = list(combinations(range(min(d, 3)), 2))
    figure = theme.canvas(1040, 350 if d > 1 else 330)
    axes = figure.subplots(1, max(len(pairs), 1), squeeze=False).ravel()
    if d == 1:
        _response(axes[0], saved, states)
    for ax, (i, j) in zip(axes, pairs, strict=False):
        _pair(ax, saved, states, i, j)
    if axes[0].get_legend_handles_labels()[0]:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=6, handletextpad=0.2)
    return theme.svg(figure, "Visited states and micro runs in the space of the inputs", "domain")


def _pair(ax: Axes, saved: Saved, states: Array, i: int, j: int) -> None:
    weight = influence(saved)
    share = np.ones(len(states)) if weight is None else weight / (float(weight.max()) or 1.0)
    ax.scatter(
        states[:, i],
        states[:, j],
        s=2 + 34 * share,
        color=DOT,
        alpha=0.55,
        lw=0,
        rasterized=len(states) > 400,
        zorder=1,
    )
    for phase, x in _runs(saved):
        ax.plot(
            x[:, i], x[:, j], ls="", marker=theme.MARKER[phase], ms=7.5, color=theme.PHASE[phase], mec=theme.PAPER,
            mew=1.1, zorder=3, label=theme.PHASE_WORDS[phase],
        )  # fmt: skip
    names = saved.components("inputs") or [f"input {k}" for k in range(states.shape[1])]
    ax.grid()
    quantity_axis(ax, "x", names[i], saved.side_unit("inputs"))
    quantity_axis(ax, "y", names[j], saved.side_unit("inputs"))


def _response(ax: Axes, saved: Saved, states: Array) -> None:
    predicted, spread = saved.array("predicted"), saved.array("predicted_std")
    order = np.argsort(states[:, 0])
    x = states[order, 0]
    if predicted is not None:
        mean = predicted[order, 0]
        ax.plot(x, mean, color=theme.INK, lw=1.6, zorder=2, label="surrogate")
        if spread is not None:
            std = spread[order, 0]
            ax.fill_between(x, mean - 2 * std, mean + 2 * std, color=theme.MUTED, alpha=0.25, lw=0, zorder=1)
    for phase, rows in _rows(saved):
        kept = [r for r in rows if r.get("y")]
        if kept:
            ax.plot(
                [r["x"][0] for r in kept], [r["y"][0] for r in kept], ls="", marker=theme.MARKER[phase], ms=7.5,
                color=theme.PHASE[phase], mec=theme.PAPER, mew=1.1, zorder=3, label=theme.PHASE_WORDS[phase],
            )  # fmt: skip
    shown = [(float(r["x"][0]), float(r["y"][0])) for _, rows in _rows(saved) for r in rows if r.get("y")]
    by_decades(ax, "x", np.array([*x, *(a for a, _ in shown)]))
    by_decades(ax, "y", np.array([*(() if predicted is None else predicted[:, 0]), *(b for _, b in shown), np.nan]))
    ax.grid()
    quantity_axis(ax, "x", (saved.components("inputs") or ["input"])[0], saved.side_unit("inputs"))
    quantity_axis(ax, "y", (saved.components("outputs") or ["output"])[0], saved.side_unit("outputs"))


def _rows(saved: Saved) -> list[tuple[str, list[Any]]]:
    grouped = [
        (p, [r for r in saved.runs if r.get("phase") == p and r.get("x")]) for p in theme.PHASE_WORDS if p != "check"
    ]
    return [(p, rows) for p, rows in grouped if rows]


def _runs(saved: Saved) -> list[tuple[str, Array]]:
    return [(p, saved.inputs_of(rows)) for p, rows in _rows(saved)]
