"""The figures of an explanation and of errors by part, in the style of the reports, from plain records."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scalebridge.explain import pictures
from scalebridge.reports import numbers, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Record = Mapping[str, Any]
WIDTH = 1040
# Parts drawn at most: those with the largest errors.
PARTS = 16


def paint() -> pictures.Paint:
    """Colours that follow the page."""
    return pictures.Paint(theme.PART["closure"], theme.PART["mesh"], theme.MUTED, theme.INK)


def importance_figure(record: Record) -> str:
    """Draw importance and the Shapley values of single rows."""
    listed = min(len(record["importance"]), pictures.LISTED)
    figure = theme.canvas(WIDTH, 150 + 46 * listed)
    left, right = figure.subplots(1, 2)
    pictures.draw_importance(left, record, paint())
    pictures.draw_rows(right, record, paint())
    right.set_yticks(range(listed), [""] * listed)
    label = f"What '{record['surrogate']}' goes by for {record['target']}"
    return theme.svg(figure, label, f"importance-{_slug(record)}")


def effects_figure(record: Record) -> str | None:
    """Draw how the answer moves along the most important inputs; ``None`` without an effect."""
    shown = pictures.effects_of(record)
    if not shown:
        return None
    rows = math.ceil(len(shown) / 3)
    figure = theme.canvas(WIDTH, 30 + 280 * rows)
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for k, ax in enumerate(axes):
        if k < len(shown):
            pictures.draw_effect(ax, record, shown[k], paint())
        else:
            ax.set_axis_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return theme.svg(figure, f"{record['target']} along each input", f"effects-{_slug(record)}")


def errors_figure(record: Record) -> str:
    """Draw error, bias and coverage of each part beside those of all rows."""
    parts = record["parts"][:PARTS]
    known = record["whole"]["coverage"] is not None
    figure = theme.canvas(WIDTH, 110 + 27 * len(parts))
    axes = figure.subplots(1, 3 if known else 2, sharey=True)
    unit = numbers.unit_text(record["unit"])
    told = f" in {unit}" if unit else ""
    _marks(axes[0], parts, "rmse", _by_error, "error", record["whole"]["rmse"])
    axes[0].set(xlabel=f"error (rms){told}", title="Error")
    _marks(axes[1], parts, "bias", _by_interval("bias_interval"), "bias", 0.0)
    axes[1].set(xlabel=f"seen less predicted{told}", title="Bias")
    if known:
        _marks(axes[2], parts, "coverage", _by_interval("coverage_interval"), "coverage", record["level"], 100.0)
        axes[2].set(xlabel=f"% inside the {100 * record['level']:g} % interval", title="Coverage")
    axes[0].set_yticks(range(len(parts)), [part["label"] for part in parts])
    axes[0].invert_yaxis()
    return theme.svg(figure, f"Errors by {record['by']}", f"errors-{re.sub(r'[^a-z]+', '-', record['by'].lower())}")


def _by_error(part: Record) -> tuple[float, float]:
    error = part["rmse_error"]
    reach = 0.0 if error is None else 2 * error
    return part["rmse"] - reach, part["rmse"] + reach


def _by_interval(name: str) -> Any:
    def ends(part: Record) -> tuple[float, float]:
        low, high = part[name]
        value = part[name.removesuffix("_interval")]
        return (value if low is None else low), (value if high is None else high)

    return ends


def _marks(ax: Axes, parts: Any, name: str, ends: Any, test: str, line: float, factor: float = 1.0) -> None:
    """A mark and its interval for each part; parts that differ beyond chance in the second colour."""
    colours = paint()
    ax.axvline(factor * line, color=colours.muted, linewidth=1, linestyle="--")
    for k, part in enumerate(parts):
        p = part[f"p_{test}"]
        differs = p is not None and p < 0.05
        low, high = (factor * v for v in ends(part))
        colour = colours.second if differs else colours.main
        ax.plot([low, high], [k, k], color=colour, linewidth=1.6)
        ax.plot(factor * part[name], k, "D" if differs else "o", color=colour, markersize=6)
    ax.grid(axis="x", alpha=0.6)
    ax.set_ylim(-0.6, len(parts) - 0.4)


def _slug(record: Record) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{record['surrogate']}-{record['target']}".lower()).strip("-")
