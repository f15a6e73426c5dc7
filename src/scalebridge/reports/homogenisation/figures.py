"""The figures of the report, and the one picture for slides and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.reports import theme
from scalebridge.reports.homogenisation.panels import (
    draw_against_fraction,
    draw_directions,
    draw_field,
    draw_images,
    draw_phases,
    draw_windows,
    on_page,
    on_paper,
)
from scalebridge.reports.homogenisation.record import Part, Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 1040


def structure_figure(record: Record) -> str | None:
    """Draw the image and its phases; ``None`` without arrays."""
    images, labels = record.planes("image"), record.planes("labels")
    if not labels:
        return None
    flat = len(labels) == 1
    rows = 1 if flat or not images else 2
    columns = len(labels) + (len(images) if flat else 0)
    shape = _shape(labels)
    width = WIDTH / max(columns, 2)
    figure = theme.canvas(WIDTH, rows * (min(width * shape, 520) + 64))
    axes = figure.subplots(rows, max(columns, 2), squeeze=False)
    for ax in axes.ravel()[rows * columns :] if columns < 2 else []:
        ax.set_axis_off()
    if flat:
        draw_images(axes[0][: len(images)], record, on_page)
        draw_phases(axes[0][len(images) : columns], record, on_page)
    else:
        draw_images(axes[0], record, on_page) if images else None
        draw_phases(axes[-1], record, on_page)
    return theme.svg(figure, "The image and its phases", "structure")


def field_figure(record: Record, part: Part) -> str | None:
    """Draw a solved field and, of a slice beside it, the constant over directions."""
    planes = record.planes(f"{part.kind}_field")
    if not planes:
        return None
    flat = len(planes) == 1
    width = WIDTH / (2 if flat else 3.3)
    figure = theme.canvas(WIDTH, min(width * _shape(planes), 520) + 56)
    count = 2 if flat else len(planes)
    axes = [figure.add_subplot(1, count, k + 1) for k in range(len(planes))]
    draw_field(figure, axes, record, part, on_page)
    if flat and _regular(part):
        draw_directions(_polar(figure, 1, 2, 2), part, record.flat, on_page)
    return theme.svg(figure, "A solved field, and the constant over directions", f"{part.kind}-field")


def directions_figure(record: Record, part: Part) -> str | None:
    """Draw the constant over directions of a volume; a slice has it beside its field."""
    beside = len(record.planes("labels")) == 1 and bool(record.planes(f"{part.kind}_field"))
    if beside or not _regular(part):
        return None
    figure = theme.canvas(WIDTH, 400)
    draw_directions(_polar(figure, 1, 1, 1), part, record.flat, on_page)
    return theme.svg(figure, "The constant over directions", f"{part.kind}-directions")


def windows_figure(record: Record, part: Part) -> str | None:
    """Draw what windows give, and against their fractions; ``None`` without windows."""
    if not part.windows or not part.group("constants"):
        return None
    figure = theme.canvas(WIDTH, 350)
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1.0])
    draw_windows(left, part, on_page)
    draw_against_fraction(right, record, part, on_page)
    return theme.svg(figure, "The same constants on windows of the image", f"{part.kind}-windows")


def picture(record: Record) -> Figure:
    """Return everything in one figure on light paper: phases, field, directions, windows."""
    parts = [p for p in record.parts if _regular(p)]
    labels = record.planes("labels")[:1]
    images = record.planes("image")[:1]
    fields = [(p, record.planes(f"{p.kind}_field")[:1]) for p in parts if record.planes(f"{p.kind}_field")]
    windowed = [p for p in parts if p.windows]
    top = len(images) + len(labels) + len(fields)
    bottom = len(parts) + 2 * len(windowed)
    shape = _shape(labels) if labels else 1.0
    heights = [min(1180 / max(top, 1) * shape, 520) + 70] * bool(top) + [360] * bool(bottom)
    figure = theme.canvas(1180, max(sum(heights), 200))
    bands: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel() if heights else []
    if top:
        axes = bands[0].subplots(1, top, squeeze=False)[0]
        draw_images(axes[: len(images)], record, on_paper)
        draw_phases(axes[len(images) : len(images) + len(labels)], record, on_paper)
        for ax, (part, _) in zip(axes[len(images) + len(labels) :], fields, strict=True):
            draw_field(bands[0], [ax], record, part, on_paper)
    if bottom:
        _below(bands[-1], record, parts, windowed)
    return figure


def picture_style() -> dict[str, Any]:
    """Return matplotlib's settings of the picture: the style of the page in the colours of light paper."""
    style = {k: on_paper(v) if isinstance(v, str) else v for k, v in theme.STYLE.items()}
    return {**style, "figure.facecolor": on_paper(theme.PAPER), "savefig.facecolor": on_paper(theme.PAPER)}


def _below(band: Any, record: Record, parts: list[Part], windowed: list[Part]) -> None:
    wide = [1.0] * len(parts) + [1.5, 1.0] * len(windowed)
    grid = band.add_gridspec(1, len(wide), width_ratios=wide)
    for k, part in enumerate(parts):
        draw_directions(band.add_subplot(grid[0, k], projection="polar"), part, record.flat, on_paper)
    for k, part in enumerate(windowed):
        draw_windows(band.add_subplot(grid[0, len(parts) + 2 * k]), part, on_paper)
        draw_against_fraction(band.add_subplot(grid[0, len(parts) + 2 * k + 1]), record, part, on_paper)


def _polar(figure: Figure, rows: int, columns: int, place: int) -> Any:
    return figure.add_subplot(rows, columns, place, projection="polar")


def _shape(planes: Any) -> float:
    return max(float(values.shape[0] / values.shape[1]) for _, values in planes)


def _regular(part: Part) -> bool:
    t = part.tensor
    return bool(np.isfinite(t).all() and (part.kind == "conductivity" or np.linalg.cond(t) < 1e10))
