"""The path to the answer: value and interval against the micro runs spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import theme
from scalebridge.reports.figures.axes import quantity_axis
from scalebridge.reports.saved import Saved, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def path_figure(saved: Saved) -> str | None:
    """Draw value and interval against micro runs; ``None`` without a recorded path."""
    steps = [s for s in saved.path if np.isfinite(number(s.get("value")))]
    if not steps:
        return None
    figure = theme.canvas(1040, 330)
    ax = figure.subplots()
    runs = np.array([number(s.get("micro_runs")) for s in steps])
    value, low, high = (np.array([number(s.get(k)) for s in steps]) for k in ("value", "low", "high"))
    spread = np.array([number(s.get("expected_half_width")) for s in steps])
    limits = _limits(saved, value, low, high)
    ax.set_ylim(*limits)
    ax.set_xlim(-0.5, max(float(runs.max()) * 1.03, 1))
    _tolerance(ax, saved)
    ax.fill_between(runs, value - spread, value + spread, color=theme.MUTED, alpha=0.16, lw=0, zorder=1)
    ax.plot(runs, value, color=theme.MUTED, lw=1.4, zorder=2)
    looked = np.array([s.get("phase") == "verify" for s in steps])
    for x, a, b in zip(runs[looked], low[looked], high[looked], strict=True):
        if np.isfinite(a) and np.isfinite(b):
            ax.plot([x, x], [a, b], color=theme.PHASE["verify"], lw=2.4, alpha=0.75, zorder=3)
    _marks(ax, steps, runs, value, limits)
    ax.grid(axis="y")
    ax.set_xlabel("micro runs", loc="right")
    quantity_axis(ax, "y", str(saved.get("qoi", "q")), saved.unit)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=6, handletextpad=0.4, columnspacing=1.6, borderpad=0)
    return theme.svg(figure, "Value and interval against the number of micro runs", "path")


def _limits(
    saved: Saved, value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[float, float]:
    """Frame the end of the path; a first guess far away must not flatten everything else."""
    settled = value[len(value) // 3 :]
    ends = [*settled, *low[np.isfinite(low)], *high[np.isfinite(high)]]
    centre = saved.value if np.isfinite(saved.value) else float(value[-1])
    reach = float(np.quantile(np.abs(np.array(ends) - centre), 0.9)) if ends else 0.0
    reach = max(reach, 2.2 * (saved.tolerance or 0.0), 1.5 * (saved.half_width or 0.0)) or abs(centre) or 1.0
    return centre - 1.15 * reach, centre + 1.15 * reach


def _tolerance(ax: Axes, saved: Saved) -> None:
    if saved.tolerance and np.isfinite(saved.value):
        ax.axhspan(
            saved.value - saved.tolerance, saved.value + saved.tolerance, color=theme.SOFT, zorder=0, label="asked for"
        )


def _marks(
    ax: Axes,
    steps: Sequence[Mapping[str, Any]],
    runs: NDArray[np.float64],
    value: NDArray[np.float64],
    limits: tuple[float, float],
) -> None:
    phases = np.array([str(s.get("phase", "learn")) for s in steps])
    for phase in dict.fromkeys(phases):
        kept = phases == phase
        colour, marker = theme.PHASE.get(phase, theme.MUTED), theme.MARKER.get(phase, "o")
        inside = kept & (value >= limits[0]) & (value <= limits[1])
        label = theme.PHASE_WORDS.get(phase, phase)
        ax.plot(
            runs[inside], value[inside], ls="", marker=marker, ms=7.5, color=colour, mec=theme.PAPER, mew=1.2,
            zorder=5, label=label,
        )  # fmt: skip
        for edge, out, arrow in (
            (limits[1], kept & (value > limits[1]), "^"),
            (limits[0], kept & (value < limits[0]), "v"),
        ):
            if out.any():
                ax.plot(runs[out], np.full(out.sum(), edge), arrow, ms=7, color=colour, clip_on=False, zorder=6)
