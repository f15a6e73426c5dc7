"""Predicted against true response, each run predicted by the surrogate that had not seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scalebridge.reports import theme
from scalebridge.reports.figures.axes import equivalent, quantity_axis
from scalebridge.reports.saved import Saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def response_figure(saved: Saved) -> str | None:
    """Draw predicted against true outputs and what was missed, run by run; ``None`` without predictions."""
    rows = [r for r in saved.runs if r.get("y") and r.get("predicted")]
    if not rows:
        return None
    true = np.array([r["y"] for r in rows], dtype=float)
    predicted = np.array([r["predicted"] for r in rows], dtype=float)
    kept = np.isfinite(true).all(axis=1) & np.isfinite(predicted).all(axis=1)
    if not kept.any():
        return None
    phases = np.array([str(r.get("phase")) for r in rows])[kept]
    order = np.array([i for i, r in enumerate(saved.runs, 1) if r.get("y") and r.get("predicted")])[kept]
    figure = theme.canvas(1040, 360)
    left, right = figure.subplots(1, 2)
    _parity(left, saved, true[kept], predicted[kept], phases)
    _missed(right, true[kept], predicted[kept], phases, order)
    return theme.svg(figure, "Predicted against true response of the micro model", "response")


def _parity(ax: Axes, saved: Saved, true: np.ndarray, predicted: np.ndarray, phases: np.ndarray) -> None:
    both = np.concatenate([true.ravel(), predicted.ravel()])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * (high - low) or 1.0
    limits = (low - margin, high + margin)
    ax.plot(limits, limits, color=theme.MUTED, lw=1, zorder=1)
    for phase in dict.fromkeys(phases):
        rows = phases == phase
        ax.plot(
            true[rows].ravel(), predicted[rows].ravel(), ls="", marker=theme.MARKER.get(phase, "o"), ms=6.5,
            color=theme.PHASE.get(phase, theme.MUTED), mec=theme.PAPER, mew=0.9, zorder=3,
            label=theme.PHASE_WORDS.get(phase, phase),
        )  # fmt: skip
    ax.set_xlim(*limits)
    ax.set_ylim(*limits)
    name = next((str(v.get("name", "output")) for v in saved.variables("outputs")), "output")
    quantity_axis(ax, "x", f"true {name}", saved.side_unit("outputs"))
    quantity_axis(ax, "y", "predicted", saved.side_unit("outputs"))
    ax.grid()
    ax.legend(loc="upper left", handletextpad=0.2, borderpad=0)


def _missed(ax: Axes, true: np.ndarray, predicted: np.ndarray, phases: np.ndarray, order: np.ndarray) -> None:
    scale = float(np.sqrt(np.mean(equivalent(true) ** 2))) or 1.0
    missed = np.maximum(100 * equivalent(predicted - true) / scale, 1e-6)
    for phase in dict.fromkeys(phases):
        rows = phases == phase
        colour = theme.PHASE.get(phase, theme.MUTED)
        ax.vlines(order[rows], 1e-6, missed[rows], color=colour, lw=1.4, alpha=0.5)
        ax.plot(
            order[rows], missed[rows], ls="", marker=theme.MARKER.get(phase, "o"), ms=6.5, color=colour,
            mec=theme.PAPER, mew=0.9,
        )  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(max(float(missed.min()) / 2, 1e-6), float(missed.max()) * 2)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:g} %")
    ax.yaxis.set_minor_formatter(lambda v, _: "")
    ax.grid(axis="y")
    ax.set_ylabel("missed, of the typical response", loc="top")
    ax.set_xlabel("run", loc="right")
