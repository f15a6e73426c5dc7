"""The figures of the report of properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.reports import numbers, theme
from scalebridge.reports.properties.record import Record, Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 1040
SHOWN = 12
"""Features of which the importance is drawn."""


def agreement_figure(target: Target) -> str:
    """Draw predicted against measured, each specimen predicted without it, and the errors by group beside."""
    groups = [g for g in target.content.get("by_group", ()) if g["count"] > 0]
    figure = theme.canvas(WIDTH, 430)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1.0])
    _agreement(left, target)
    _by_group(right, target, groups) if len(groups) > 1 else _errors(right, target)
    return theme.svg(figure, "Predicted against measured, at specimens held back", f"agreement-{_slug(target.name)}")


def importance_figure(target: Target) -> str | None:
    """Draw by how much the error grows when a feature is shuffled; ``None`` where nothing was found out."""
    rows = list(target.content.get("importance", ()))[:SHOWN][::-1]
    if not rows:
        return None
    figure = theme.canvas(WIDTH, 70 + 27 * len(rows))
    ax = figure.subplots()
    value = np.array([100 * r["value"] for r in rows])
    error = np.array([100 * r["std"] for r in rows])
    colours = [theme.PHASE["learn"] if v > 2 * e else theme.MUTED for v, e in zip(value, error, strict=True)]
    place = np.arange(len(rows))
    ax.barh(place, np.maximum(value, 0), color=colours, height=0.62)
    ax.errorbar(value, place, xerr=2 * error, fmt="none", ecolor=theme.INK, elinewidth=1.1, capsize=2.5)
    ax.set_yticks(place, [str(r["words"]) for r in rows])
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=theme.GRID, linewidth=1)
    ax.set_xlabel("growth of the error in per cent, ± 2 deviations", loc="right")
    return theme.svg(figure, "Which features matter", f"importance-{_slug(target.name)}")


def effects_figure(target: Target) -> str | None:
    """Draw how the prediction follows the features that matter most; ``None`` without any."""
    effects = list(target.content.get("effects", ()))[:4]
    if not effects:
        return None
    figure = theme.canvas(WIDTH, 270)
    axes = figure.subplots(1, max(len(effects), 2), sharey=True, squeeze=False)[0]
    for ax in axes[len(effects) :]:
        ax.set_axis_off()
    for ax, effect in zip(axes, effects, strict=False):
        x, mean, std = (np.array(effect[k], dtype=np.float64) for k in ("x", "mean", "std"))
        ax.fill_between(x, mean - 2 * std, mean + 2 * std, color=theme.SOFT, linewidth=0)
        ax.plot(x, mean, color=theme.PHASE["learn"], linewidth=2)
        ax.axhline(0, color=theme.GRID, linewidth=1)
        ax.set_xlabel(str(effect["words"]), loc="right")
    axes[0].set_ylabel(f"effect{f' in {target.unit}' if target.unit else ''}", loc="top")
    return theme.svg(figure, "How the prediction follows the features", f"effects-{_slug(target.name)}")


def gallery_figure(record: Record, target: Target) -> str | None:
    """Draw micrographs from the lowest to the highest value; ``None`` without arrays."""
    shown = [s for s in record.content.get("gallery", ()) if f"image_{s['index']}" in record.arrays]
    if not shown:
        return None
    shown = sorted(shown, key=lambda s: float(s["values"].get(target.name) or np.inf))
    figure = theme.canvas(WIDTH, WIDTH / len(shown) + 42)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for ax, entry in zip(axes, shown, strict=True):
        ax.imshow(record.arrays[f"image_{entry['index']}"], cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        value = entry["values"].get(target.name)
        words = "not measured" if value is None else numbers.with_unit(numbers.plain(value, 4), target.unit or "1")
        ax.set_title(f"{entry['specimen']}\n{words}", fontsize=10.5, fontweight="normal")
        ax.set_axis_off()
    return theme.svg(figure, "Micrographs by property", f"gallery-{_slug(target.name)}")


def _agreement(ax: Axes, target: Target) -> None:
    measured, mean, lower, upper = (target.held(k) for k in ("measured", "mean", "lower", "upper"))
    inside = (measured >= lower) & (measured <= upper)
    low, high = float(min(measured.min(), mean.min())), float(max(measured.max(), mean.max()))
    pad = 0.04 * (high - low)
    ax.plot([low - pad, high + pad], [low - pad, high + pad], color=theme.GRID, linewidth=1.2)
    for chosen, colour, word in (
        (inside, theme.PHASE["learn"], "interval holds"),
        (~inside, theme.PHASE["verify"], "missed"),
    ):
        if chosen.any():
            reach: Any = np.stack([mean[chosen] - lower[chosen], upper[chosen] - mean[chosen]])
            ax.errorbar(
                measured[chosen], mean[chosen], yerr=reach, fmt="o", markersize=4.5, color=colour, elinewidth=0.9,
                alpha=0.85, label=f"{word} ({int(chosen.sum())})",
            )  # fmt: skip
    unit = f" in {target.unit}" if target.unit else ""
    ax.set_xlabel(f"measured{unit}", loc="right")
    ax.set_ylabel(f"predicted without it{unit}", loc="top")
    ax.legend(loc="upper left")


def _by_group(ax: Axes, target: Target, groups: list[Any]) -> None:
    place = np.arange(len(groups))[::-1]
    bias = np.array([g["bias"] for g in groups])
    error = np.array([np.nan if g["bias_std"] is None else g["bias_std"] for g in groups])
    ax.errorbar(bias, place, xerr=2 * error, fmt="o", color=theme.PHASE["learn"], markersize=5, elinewidth=1.2)
    ax.axvline(0, color=theme.GRID, linewidth=1.2)
    ax.set_yticks(place, [f"{g['group']} ({g['count']})" for g in groups])
    ax.tick_params(axis="y", length=0)
    ax.set_title("Mean error by group, ± 2 deviations")
    ax.set_xlabel(f"predicted − measured{f' in {target.unit}' if target.unit else ''}", loc="right")


def _errors(ax: Axes, target: Target) -> None:
    error = target.held("mean") - target.held("measured")
    ax.hist(error, bins=min(20, max(6, len(error) // 4)), color=theme.PHASE["learn"], alpha=0.85)
    ax.axvline(0, color=theme.GRID, linewidth=1.2)
    ax.set_title("Errors at specimens held back")
    ax.set_xlabel(f"predicted − measured{f' in {target.unit}' if target.unit else ''}", loc="right")


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())
