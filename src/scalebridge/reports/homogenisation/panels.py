"""The panels of the report and of the picture: image, phases, field, directions, windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import theme
from scalebridge.reports.homogenisation.record import Part, Record, spread_of, symbol_math, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.projections.polar import PolarAxes

Paint = Callable[[str], str]

# Readable on light and on dark paper, apart in lightness; the last ones repeat for meshes of many groups.
PHASES = ("#d9e3ea", "#3a6ea5", "#e0a23b", "#7a4b94", "#5b9e7a", "#b5544a", "#8a8f98", "#2b3550")
VOID = "#17181c"
EMPTY = ("void", "outside", "pore", "air")
# On paper of its own, for a picture that stands by itself.
PRINTED = {
    theme.INK: "#1b1d22",
    theme.MUTED: "#62656c",
    theme.GRID: "#dedcd3",
    theme.PAPER: "#fdfcf9",
    theme.SOFT: "#eef1ea",
    theme.ACCENT: "#005f99",
    theme.WARN: "#9c4300",
    theme.PHASE["verify"]: "#d55e00",
    theme.PHASE["learn"]: "#0072b2",
    theme.PHASE["finer"]: "#009e73",
}
LINES = (theme.PHASE["learn"], theme.PHASE["verify"], theme.PHASE["finer"])


def on_page(colour: str) -> str:
    """Leave a stand-in colour to the page."""
    return colour


def on_paper(colour: str) -> str:
    """Replace a stand-in colour by that of light paper."""
    return PRINTED.get(colour, colour)


def draw_images(axes: Sequence[Axes], record: Record, paint: Paint) -> None:
    """Draw the slices of the image as it was read, with the windows on a slice."""
    windows = record.arrays.get("windows")
    for ax, (words, values) in zip(axes, record.planes("image"), strict=False):
        ax.imshow(values, cmap="gray", interpolation="none")
        flat = windows is not None and windows.shape[1] == 3
        _bare(ax, words or ("the image, and the windows" if flat else "the image"))
        if windows is not None and flat:
            _rectangles(ax, windows, paint)


def draw_phases(axes: Sequence[Axes], record: Record, paint: Paint) -> None:
    """Draw the phases; windows on them where there is no image beside."""
    from matplotlib.colors import ListedColormap

    n = max(len(record.phases), 1)
    colours = ListedColormap(phase_colours(record))
    windows = record.arrays.get("windows")
    lone = not record.planes("image")
    for ax, (words, values) in zip(axes, record.planes("labels"), strict=False):
        ax.imshow(values, cmap=colours, vmin=-0.5, vmax=n - 0.5, interpolation="none")
        _bare(ax, words or "its phases")
        if lone and windows is not None and windows.shape[1] == 3:
            _rectangles(ax, windows, paint)
    if len(axes):
        _key(axes[0], record)


def draw_field(figure: Figure, axes: Sequence[Axes], record: Record, part: Part, paint: Paint) -> None:
    """Draw the von Mises stress under a pull along 1, or the flux under a gradient along 1, relative to the mean."""
    mean = float(record.arrays[f"{part.kind}_mean"][0]) or 1.0
    planes = record.planes(f"{part.kind}_field")
    top = max(float(np.nanquantile(values, 0.995)) for _, values in planes) / mean or 1.0
    shown: Any = None
    name = "von Mises stress" if part.kind == "stiffness" else "flux"
    for ax, (words, values) in zip(axes, planes, strict=False):
        shown = ax.imshow(values / mean, cmap=theme.colours(), vmin=0.0, vmax=top, interpolation="none")
        _bare(ax, words or f"{name}, {'pull' if part.kind == 'stiffness' else 'gradient'} along 1 (→)")
    bar = figure.colorbar(shown, ax=list(axes), shrink=0.8, aspect=24, pad=0.02, anchor=(0.0, 1.0), panchor=(0.5, 1.0))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.set_label(f"{name} over the mean {'stress σ₁₁' if part.kind == 'stiffness' else 'flux q₁'}")
    for label in bar.ax.get_yticklabels():
        label.set_color(paint(theme.MUTED))


def draw_directions(ax: PolarAxes, part: Part, flat: bool, paint: Paint) -> None:
    """Draw Young's modulus (the conductivity) over directions, in the slice or in three planes."""
    from scalebridge.reports import numbers

    angle = np.linspace(0.0, 2.0 * np.pi, 361)
    curves = directional(part.tensor, part.kind, angle)[: 1 if flat else 3]
    top = max(float(values.max()) for _, values in curves)
    factor, unit = numbers.prefixed(part.unit, top)
    for colour, (words, values) in zip(LINES, curves, strict=False):
        ax.plot(angle, factor * values, color=paint(colour), lw=2.0, label=words)
    ax.set_ylim(0.0, 1.12 * factor * top)
    ax.set_thetagrids(np.arange(0, 360, 45), ["1", "", "2", *[""] * 5] if len(curves) == 1 else [""] * 8)
    ax.yaxis.set_major_locator(_few())
    ax.set_rlabel_position(22.5)
    ax.spines["polar"].set_visible(False)
    ax.grid(color=paint(theme.GRID))
    name = "Young's modulus" if part.kind == "stiffness" else "conductivity"
    ax.set_title(f"{name} by direction, {unit}")
    if len(curves) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, -0.2), ncols=3, handlelength=1.2, columnspacing=1.2)


def directional(
    tensor: NDArray[np.float64], kind: str, angle: NDArray[np.float64]
) -> list[tuple[str, NDArray[np.float64]]]:
    """Return Young's modulus (or n.k.n) over angles in the plane 12, or in the planes 12, 13 and 23 of a volume.

    Args:
        tensor: stiffness ``[6, 6]`` or ``[3, 3]`` (Mandel), conductivity ``[3, 3]`` or ``[2, 2]``.
        kind: ``"stiffness"`` or ``"conductivity"``.
        angle: in radians ``[n]``, from the first axis of the plane.
    """
    size = {("stiffness", 6): 3, ("stiffness", 3): 2}.get((kind, len(tensor)), len(tensor))
    planes = [(0, 1)] if size == 2 else [(0, 1), (0, 2), (1, 2)]
    inverse = np.linalg.inv(tensor) if kind == "stiffness" else tensor
    made = []
    for i, j in planes:
        n = np.zeros((len(angle), size))
        n[:, i], n[:, j] = np.cos(angle), np.sin(angle)
        if kind == "conductivity":
            values = np.einsum("ni,ij,nj->n", n, inverse, n)
        else:
            pairs = [(1, 2), (0, 2), (0, 1)] if size == 3 else [(0, 1)]
            m = np.concatenate([n**2, np.stack([np.sqrt(2.0) * n[:, a] * n[:, b] for a, b in pairs], 1)], 1)
            values = 1.0 / np.einsum("ni,ij,nj->n", m, inverse, m)
        made.append((f"plane {i + 1}{j + 1}", values))
    return made


def draw_windows(ax: Axes, part: Part, paint: Paint) -> None:
    """Draw what windows give for each constant, in per cent of the answer, with mean and deviation."""
    names = window_names(part)
    answer = {**part.group("constants"), **part.group("transverse"), **part.group("isotropic")}
    table = (part.windows or {}).get("constants") or {}
    rng = np.random.default_rng(0)
    ax.axhline(0.0, color=paint(theme.MUTED), lw=1.2, zorder=1)
    for x, name in enumerate(names):
        values = np.array([np.nan if v is None else v for v in table[name]["values"]], dtype=np.float64)
        share = 100.0 * (values[np.isfinite(values)] / answer[name] - 1.0)
        jitter = x + 0.09 * rng.uniform(-1, 1, len(share))
        ax.plot(jitter, share, ls="", marker="o", ms=5, color=paint(LINES[0]), alpha=0.55, mec="none", zorder=3)
        mean, std = share.mean(), share.std(ddof=1) if len(share) > 1 else 0.0
        ax.plot([x - 0.27, x + 0.27], [mean, mean], color=paint(LINES[1]), lw=2.2, zorder=4, solid_capstyle="butt")
        ax.fill_between([x - 0.27, x + 0.27], mean - std, mean + std, color=paint(LINES[1]), alpha=0.16, lw=0, zorder=2)
    ax.set_xticks(range(len(names)), [symbol_math(name) for name in names])
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:+.3g} %".replace("-", "−") if v else "0 %")
    ax.grid(axis="y")
    ax.tick_params(axis="x", length=0)
    size = int((part.windows or {}).get("size", 0))
    ax.set_title(f"{int((part.windows or {}).get('n', 0))} windows of {size} against the answer")


def window_names(part: Part) -> list[str]:
    """Return the moduli that windows are compared by."""
    table = (part.windows or {}).get("constants") or {}
    groups = ("transverse", "constants") if part.group("transverse") else ("constants",)
    known = [name for g in groups for name in part.group(g)]
    left_out = ("G12", "G13", "G23", "E3", "k33") if part.group("transverse") else ()
    return [n for n in known if n in table and not n.startswith("nu") and n not in left_out]


def draw_against_fraction(ax: Axes, record: Record, part: Part, paint: Paint) -> None:
    """Draw the first constant of each window against the fraction of its last phase, with the answer."""
    from scalebridge.reports.figures.axes import quantity_axis

    head, windows = part.headline(), part.windows or {}
    assert head is not None
    name, answer = head
    values, share = spread_of(part, name), 100.0 * np.array(windows["fractions"], dtype=np.float64)[:, -1]
    phase = record.phases[-1]
    ax.plot(share, values, ls="", marker="o", ms=6, color=paint(LINES[0]), alpha=0.7, mec="none", label="a window")
    ax.plot(100.0 * float(phase["fraction"]), answer, ls="", marker="D", ms=7, color=paint(LINES[1]), mec="none",
            label=f"the answer, {value_text(answer, part.unit_of(name), 3)}")  # fmt: skip
    ax.margins(0.12)
    ax.grid()
    ax.legend(loc="upper left", handletextpad=0.2, borderpad=0)
    ax.set_xlabel(f"{phase['name']} in %", loc="right")
    quantity_axis(ax, "y", symbol_math(name).replace("_", "\0"), part.unit)
    ax.set_ylabel(ax.get_ylabel().replace("\0", "_"), loc="top")
    ax.set_title("and what it follows from")


def phase_colours(record: Record) -> list[str]:
    """Return the colour of each phase: dark where there is nothing, else one after another."""
    found, rest = [], itertools.cycle(PHASES)
    for phase in record.phases or [{}]:
        empty = phase.get("name") in EMPTY or phase.get("material") == "void"
        found.append(VOID if empty else next(rest))
    return found


def _rectangles(ax: Axes, windows: NDArray[Any], paint: Paint) -> None:
    from matplotlib.patches import Rectangle

    for row, column, size in windows.tolist():
        place = (column - 0.5, row - 0.5)
        ax.add_patch(Rectangle(place, size, size, fill=False, ec="#ffffff", lw=2.6))
        ax.add_patch(Rectangle(place, size, size, fill=False, ec=paint(theme.PHASE["verify"]), lw=1.3))


def _key(ax: Axes, record: Record) -> None:
    """Name the phases with their fractions below the picture."""
    from matplotlib.patches import Patch

    named = [
        Patch(fc=colour, label=f"{p['name']} {100 * float(p['fraction']):.1f} %")
        for colour, p in zip(phase_colours(record), record.phases[:8], strict=False)
    ]
    ax.legend(handles=named, loc="upper left", bbox_to_anchor=(0, -0.01), ncols=min(len(named), 3), handlelength=1.0,
              borderaxespad=0.3, borderpad=0, columnspacing=1.4)  # fmt: skip


def _bare(ax: Axes, title: str) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(title)
    ax.set_anchor("N")


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3, steps=[1, 2, 5, 10], prune="lower")
