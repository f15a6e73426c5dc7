"""A comparison as people see it: plain text, HTML, a picture."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from scalebridge.learn.held_out import TOLD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scalebridge.learn.comparing import Comparison
    from scalebridge.learn.comparison_entry import Entry

# M. Okabe and K. Ito, Color universal design (2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
CURVE = np.linspace(0.02, 0.98, 49)


def as_text(c: Comparison) -> str:
    """The table and what is to be said of it."""
    head, body = _cells(c)
    rows = [head, *(cells for _, cells in body)]
    widths = [max(len(row[i]) for row in rows if len(row) > i) for i in range(len(head))]
    lines = [_title(c), ""]
    for row in rows:
        if len(row) == 2:
            lines.append(f"{row[0]:<{widths[0]}}  {row[1]}")
        else:
            figures = "  ".join(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True))
            lines.append(f"{row[0]:<{widths[0]}}  {figures}")
    return "\n".join([*lines, "", *_sentences(c)])


def as_html(c: Comparison) -> str:
    """The same for notebooks."""
    head, body = _cells(c)
    rows = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    for _, cells in body:
        if len(cells) == 2:
            rest = f'<td colspan="{len(head) - 1}" style="text-align:left">{escape(cells[1])}</td>'
        else:
            rest = "".join(f'<td style="text-align:right">{escape(cell)}</td>' for cell in cells[1:])
        rows.append(f'<tr><th style="text-align:left">{escape(cells[0])}</th>{rest}</tr>')
    sentences = "".join(f"<p>{escape(s)}</p>" for s in _sentences(c))
    return f"<p>{escape(_title(c))}</p><table>{''.join(rows)}</table>{sentences}"


def _title(c: Comparison) -> str:
    n, m = c.data.y.shape
    parts = [_count(n, "row"), _count(c.data.x.shape[1], "input"), _count(m, "output"), _count(len(c.splits), "split")]
    return f"{_count(len(c.entries), 'surrogate')} on {', '.join(parts)}; ranked by CRPS."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _cells(c: Comparison) -> tuple[list[str], list[tuple[Entry, list[str]]]]:
    single = c.data.y.shape[1] == 1
    head = ["surrogate", "CRPS", *(["RMSE"] if single else []), "nRMSE", "R2", "NLL"]
    head += [f"covers {100 * c.level:g} %", "width", "fit s", "predict s"]
    return head, [(e, _row(e, single)) for e in c.entries]


def _row(e: Entry, single: bool) -> list[str]:
    if e.held is None:
        return [e.name, f"failed: {e.failure}"]
    figures = [f"{e.score:.4f}", *([f"{e.rmse[0]:.4g}"] if single else [])]
    figures += [f"{v:.3f}" for v in (float(np.mean(e.nrmse)), float(np.mean(e.r2)), float(np.mean(e.nll)))]
    figures.append(f"{100 * float(np.mean(e.coverage)):.1f} ±{100 * e.coverage_error:.1f}")
    figures.append(f"{float(np.mean(e.width / e.spread)):.3f}")
    return [e.name, *figures, f"{e.fit_seconds:.2f}", f"{e.predict_seconds:.3f}"]


def _sentences(c: Comparison) -> list[str]:
    several = "" if c.data.y.shape[1] == 1 else ", means over the outputs"
    said = [f"CRPS, nRMSE and width are relative to the standard deviation of the outputs{several}."]
    if c.entries[0].held is None:
        return [*said, "No candidate could be judged.", *c.notes]
    if c.tied:
        said.append(f"Not distinguishable from {c.best.name} on these rows: {', '.join(c.tied)}.")
    elif sum(e.held is not None for e in c.entries) > 1:
        said.append(f"{c.best.name} is better than every other by more than {TOLD:g} standard errors.")
    for e in c.entries:
        if e.held is None:
            continue
        gap = float(np.mean(e.coverage)) - c.level
        # The share of as many independent rows, were the intervals honest.
        honest = math.sqrt(c.level * (1 - c.level) / len(np.unique(e.units[e.held.rows])))
        if abs(gap) > TOLD * max(e.coverage_error, honest):
            said.append(f"Intervals of {e.name} hold {'fewer' if gap < 0 else 'more'} values than they claim.")
    return [*said, *c.notes]


def drawn(c: Comparison) -> Figure:
    """Three panels: error against width, coverage with its error, calibration curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    good = [e for e in c.entries if e.held is not None]
    panels = figure.subplots(1, 3)
    _error_and_width(panels[0], good, c.level)
    _coverage(panels[1], good, c.level)
    _curves(panels[2], good)
    return figure


def _error_and_width(ax: Axes, good: list[Entry], level: float) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    for k, e in enumerate(good):
        at = float(np.mean(e.nrmse)), float(np.mean(e.width / e.spread))
        ax.plot(*at, "o", color=_colour(k), markersize=9 if k == 0 else 6)
    if all(float(np.mean(e.nrmse)) > 0 and float(np.mean(e.width)) > 0 for e in good):
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="nRMSE", ylabel=f"width of the {100 * level:g} % interval / deviation", title="Error and width")
    ax.grid(alpha=0.25, which="both")


def _coverage(ax: Axes, good: list[Entry], level: float) -> None:
    for k, e in enumerate(good):
        share = 100 * float(np.mean(e.coverage))
        ax.errorbar(share, k, xerr=100 * TOLD * e.coverage_error, fmt="o", color=_colour(k), capsize=3)
    ax.axvline(100 * level, color="0.4", linewidth=1, linestyle="--")
    ax.set_yticks(range(len(good)), [e.name for e in good])
    for k, label in enumerate(ax.get_yticklabels()):
        label.set_color(_colour(k))
    ax.invert_yaxis()
    ax.set_xlim(right=min(ax.get_xlim()[1], 101.0))
    ax.set(xlabel=f"% of the values inside (± {TOLD:g} standard errors)", title=f"Coverage of {100 * level:g} %")
    ax.grid(alpha=0.25, axis="x")


def _curves(ax: Axes, good: list[Entry]) -> None:
    ax.plot([0, 1], [0, 1], color="0.4", linewidth=1, linestyle="--")
    for k, e in enumerate(good):
        found = [float(np.mean(e.known.level <= p)) for p in CURVE]
        ax.plot(CURVE, found, color=_colour(k), linewidth=2.2 if k == 0 else 1.3)
    if good:
        # Two standard errors of a share of independent rows.
        band = TOLD * np.sqrt(CURVE * (1 - CURVE) / len(np.unique(good[0].units[good[0].known.rows])))
        ax.fill_between(CURVE, CURVE - band, CURVE + band, color="0.4", alpha=0.12, linewidth=0)
    ax.set(xlabel="level named", ylabel="share of the values below", title="Calibration", xlim=(0, 1), ylim=(0, 1))
    ax.grid(alpha=0.25)


def _colour(k: int) -> str:
    return COLOURS[min(k, len(COLOURS) - 1)]
