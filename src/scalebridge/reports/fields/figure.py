"""Fields as a figure: a flat mesh with its cells, a solid by its outer faces and by sections through its middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.data.fields.drawing import draw, plane, scalar, span, view
from scalebridge.data.fields.field import Field
from scalebridge.errors import InputError
from scalebridge.reports import numbers, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of a panel, and of what stands around panels, in pixels; the least share of a panel's side in the longest.
WIDTH, HEIGHT, LABELS, LEAST = 470, 400, 90, 0.2
AXES = "xyz"


def field_figure(
    fields: Field | Sequence[Field],
    *,
    titles: Sequence[str] | None = None,
    same_scale: bool = False,
    limits: tuple[float, float] | None = None,
    sections: bool | Sequence[str] = True,
    edges: bool | None = None,
) -> Figure:
    """Draw fields side by side; of a solid, beside its outside, planes through its middle.

    Vectors are drawn by their length, tensors by their norm; take `Field.von_mises` for the equivalent stress.
    Grey is where there is no value.

    Args:
        fields: one or several.
        titles: of the panels; by default the names, with the time where there is one.
        same_scale: one scale of colours for all, which must be in units that convert.
        limits: of the colours, in the unit of the first field.
        sections: of solids: all three planes, none, or those named, such as ``["z"]`` for the plane normal to z.
        edges: draw the cells' edges; by default up to 4000 faces.

    Returns:
        A matplotlib figure, to be saved by ``figure.savefig("T.png")``.

    Raises:
        InputError: no fields, titles that do not fit them, a plane that is none.
        UnitError: one scale for units that do not convert.
    """
    given = [fields] if isinstance(fields, Field) else list(fields)
    if not given or (titles is not None and len(titles) != len(given)):
        raise InputError(f"A figure got {len(given)} fields and {len(titles or ())} titles; give one title for each.")
    shown = [scalar(field) for field in given]
    if same_scale or limits is not None:
        shown = [field.in_units(shown[0].unit) for field in shown]
    if same_scale and limits is None:
        spans = [span(field) for field in shown]
        limits = (min(s[0] for s in spans), max(s[1] for s in spans))
    names = list(titles) if titles is not None else [_title(f, s) for f, s in zip(given, shown, strict=True)]
    planes = _planes(sections)
    if len(shown) == 1 and len(planes) == 3 and _is_solid(shown[0]):
        figure, grid = _drawing(shown[0])
    else:
        figure, grid = _grid([1 + len(planes) if _is_solid(field) else 1 for field in shown])
    for row, field, name in zip(grid, shown, names, strict=True):
        _row(row, field, name, limits, planes, edges)
    return figure


def _grid(panels: list[int]) -> tuple[Figure, list[list[Axes]]]:
    """A figure with so many panels for each field: fields side by side, or a row for each."""
    many = max(panels)
    if many == 1:
        figure = theme.canvas(WIDTH * len(panels), HEIGHT)
        return _compressed(figure), [[ax] for ax in figure.subplots(1, len(panels), squeeze=False)[0]]
    figure = theme.canvas(0.75 * WIDTH * many, 0.8 * HEIGHT * len(panels))
    return _compressed(figure), [list(row) for row in figure.subplots(len(panels), many, squeeze=False)]


def _drawing(field: Field) -> tuple[Figure, list[list[Axes]]]:
    """Four panels of a solid as on a drawing: its outside, and sections that share their lengths, x beside y over x."""
    x, y, z = np.maximum(np.ptp(field.mesh.points, axis=0), LEAST * np.ptp(field.mesh.points, axis=0).max()).tolist()
    outside = np.ptp(view(field.mesh).places, axis=0)
    left = min(max((y + z) * float(outside[0] / outside[1]), 0.4 * (x + y)), 1.5 * (x + y))
    # The figure keeps its area, whatever the body's form.
    scale = float(np.sqrt(3.6 * WIDTH * HEIGHT / ((left + x + y) * (y + z))))
    figure = theme.canvas(
        min(scale * (left + x + y), 2.2 * WIDTH) + LABELS, min(scale * (y + z), 2.4 * HEIGHT) + LABELS
    )
    grid = figure.add_gridspec(2, 3, width_ratios=[left, x, y], height_ratios=[z, y])
    places = (grid[:, 0], grid[0, 2], grid[0, 1], grid[1, 1])
    return figure, [[figure.add_subplot(place) for place in places]]


def _compressed(figure: Figure) -> Figure:
    figure.set_layout_engine("compressed")
    return figure


def _row(
    axes: list[Axes],
    field: Field,
    title: str,
    limits: tuple[float, float] | None,
    planes: list[int],
    edges: bool | None,
) -> None:
    low, high = limits or span(field)
    factor, unit = numbers.prefixed(field.unit, max(abs(low), abs(high)))
    scaled = field.with_values(factor * field.values)
    same = 0.0 if high > low else 0.5 * (abs(low) or 1.0)
    bounds = (factor * (low - same), factor * (high + same))
    drawn = draw(axes[0], scaled, limits=bounds, colours=theme.colours(), edges=edges)
    axes[0].set_title(title)
    used = [axes[0]]
    if _is_solid(field):
        for ax, normal in zip(axes[1:], planes, strict=False):
            _section(ax, scaled, normal, bounds)
            used.append(ax)
    for ax in axes[len(used) :]:
        ax.set_axis_off()
    figure: Any = axes[0].figure
    bar = figure.colorbar(drawn, ax=used, shrink=0.8, aspect=26, pad=0.02 if len(used) == 1 else 0.05)
    bar.outline.set_visible(False)
    bar.formatter.set_useOffset(False)
    name = field.name.replace("_", " ")
    bar.set_label(f"{name} in {unit}" if unit else name)


def _section(ax: Axes, field: Field, normal: int, limits: tuple[float, float]) -> None:
    """A plane through the middle of the mesh."""
    from matplotlib.ticker import MaxNLocator

    drawn = plane(ax, field, normal, theme.colours())
    drawn.set_clim(*limits)
    points, unit = field.mesh.points, "" if field.mesh.unit == "1" else field.mesh.unit
    middle = 0.5 * float(points[:, normal].min() + points[:, normal].max())
    ax.set_title(f"{AXES[normal]} = {numbers.with_unit(numbers.plain(middle, 3), field.mesh.unit)}")
    across, along = (name for i, name in enumerate(AXES) if i != normal)
    extent = np.ptp(points, axis=0)
    for axis, name in ((ax.xaxis, across), (ax.yaxis, along)):
        if extent[AXES.index(name)] < LEAST * extent.max():
            axis.set_major_locator(MaxNLocator(1))
    ax.set_xlabel(f"{across} in {unit}" if unit else across)
    ax.set_ylabel(f"{along} in {unit}" if unit else along)


def _is_solid(field: Field) -> bool:
    return field.mesh.dimension == 3 and view(field.mesh).axes is None


def _planes(sections: bool | Sequence[str]) -> list[int]:
    chosen = [AXES[i] for i in range(3)] if sections is True else list(sections or ())
    for name in chosen:
        if name not in AXES:
            raise InputError(f"A section normal to '{name}' was asked for; valid: x, y, z.")
    return [AXES.index(name) for name in chosen]


def _title(field: Field, shown: Field) -> str:
    name = field.name.replace("_", " ")
    what = name if field.shape == () else f"size of {name}"
    return what if shown.time is None else f"{what}, t = {numbers.plain(shown.time, 4)} s"
