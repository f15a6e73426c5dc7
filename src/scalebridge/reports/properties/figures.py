"""The figures of the report of properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.reports import numbers, theme
from scalebridge.reports.properties.record import Record, Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 1040


def agreement_figure(target: Target) -> str:
    """Draw predicted against measured, each specimen predicted without it, and the errors beside."""
    figure = theme.canvas(WIDTH, 430)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1.0])
    _agreement(left, target)
    _errors(right, target)
    return theme.svg(figure, "Predicted against measured, at specimens held back", f"agreement-{_slug(target.name)}")


def gallery_figure(record: Record, target: Target) -> str | None:
    """Draw micrographs from the lowest to the highest value; ``None`` without arrays."""
    shown = [s for s in record.content.get("gallery", ()) if f"image_{s['index']}" in record.arrays]
    if not shown:
        return None
    shown = sorted(shown, key=lambda s: _value_of(s, target.name))
    figure = theme.canvas(WIDTH, WIDTH / len(shown) + 42)
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for ax, entry in zip(axes, shown, strict=True):
        ax.imshow(record.arrays[f"image_{entry['index']}"], cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        value = entry["values"].get(target.name)
        words = "not measured" if value is None else numbers.with_unit(numbers.plain(value, 4), target.unit or "1")
        ax.set_title(f"{entry['specimen']}\n{words}", fontsize=10.5, fontweight="normal", parse_math=False)
        ax.set_axis_off()
    return theme.svg(figure, "Micrographs by property", f"gallery-{_slug(target.name)}")


def looks_figure(record: Record, target: Target) -> str | None:
    """Draw micrographs and, below, what in them moves the prediction; ``None`` without."""
    shown = [s for s in target.content["looks"]["of"] if f"{s['key']}_map" in record.arrays]
    if not shown:
        return None
    figure = theme.canvas(WIDTH, 2 * WIDTH / max(len(shown), 3) * 0.8 + 40)
    axes = figure.subplots(2, max(len(shown), 2), squeeze=False)
    for ax in axes.ravel():
        ax.set_axis_off()
    for k, entry in enumerate(shown):
        image, seen = record.arrays[f"{entry['key']}_image"], record.arrays[f"{entry['key']}_map"]
        axes[0][k].imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
        axes[0][k].set_title(entry["specimen"], fontsize=10.5, fontweight="normal", parse_math=False)
        reach = float(np.quantile(np.abs(seen), 0.995)) or 1.0
        axes[1][k].imshow(seen, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="antialiased")
    return theme.svg(figure, "What the network looks at", f"looks-{_slug(target.name)}")


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


def _errors(ax: Axes, target: Target) -> None:
    error = target.held("mean") - target.held("measured")
    ax.hist(error, bins=min(20, max(6, len(error) // 4)), color=theme.PHASE["learn"], alpha=0.85)
    ax.axvline(0, color=theme.GRID, linewidth=1.2)
    ax.set_title("Errors at specimens held back")
    ax.set_xlabel(f"predicted − measured{f' in {target.unit}' if target.unit else ''}", loc="right")


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def _value_of(entry: Mapping[str, Any], target: str) -> float:
    value = entry["values"].get(target)
    return np.inf if value is None else float(value)
