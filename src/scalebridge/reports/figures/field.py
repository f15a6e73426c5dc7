"""The macro field on the deformed body, with the states at which the micro model was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.reports import numbers, theme
from scalebridge.reports.figures.axes import equivalent
from scalebridge.reports.figures.influence import influence
from scalebridge.reports.saved import Saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
# The corners of a cell by its number of nodes: higher-order nodes follow the corners.
CORNERS = {2: 2, 3: 3, 4: 4, 6: 3, 8: 4, 9: 4}


def field_figure(saved: Saved) -> str | None:
    """Draw the state and its influence over the macro body; ``None`` without a two-dimensional mesh."""
    fields = saved.fields()
    points, cells = fields.get("points"), fields.get("cells")
    states = saved.array("states")
    if points is None or cells is None or states is None or points.ndim != 2 or points.shape[1] != 2:
        return None
    corners = cells[:, : CORNERS.get(cells.shape[1], cells.shape[1])].astype(np.int64)
    if len(corners) == 0 or len(states) % len(corners):
        return None
    moved, multiple = deformed(points, fields.get("displacement"))
    polygons = moved[corners]
    level, name, unit = cell_level(saved, fields, len(corners), states)
    weight = influence(saved)
    shape = float(np.ptp(moved[:, 1])) / (float(np.ptp(moved[:, 0])) or 1.0)
    wide = shape < 0.55
    panels = 1 if weight is None else 2
    height = panels * (900 * shape + 60) if wide else min(430 * shape + 76, 900)
    figure = theme.canvas(1040, height)
    axes = figure.subplots(panels if wide else 1, 1 if wide else panels, squeeze=False).ravel()
    scale = "" if multiple is None else f", displacement × {multiple:g}"
    factor, words = (1.0, unit) if unit == "%" else numbers.prefixed(unit, float(np.abs(level).max()))
    _draw(axes[0], polygons, factor * level, f"{name}{scale}", words)
    if weight is not None:
        per_cell = weight.reshape(len(corners), -1).sum(axis=1) / _areas(points[corners])
        per_cell = per_cell / (float(per_cell.max()) or 1.0)
        _draw(axes[1], polygons, per_cell, "where the answer listens, and where the micro model was run", "influence")
        _runs(axes[1], saved, states, polygons)
    return theme.svg(figure, "The macro field on the deformed body with the states of the micro runs", "field")


def deformed(points: Array, displacement: Array | None) -> tuple[Array, float | None]:
    """Return the points moved by a round multiple of the displacement (about 6 % of the body), and the multiple."""
    if displacement is None or displacement.shape != points.shape:
        return points, None
    largest = float(np.sqrt((displacement**2).sum(axis=1)).max(initial=0.0))
    if not np.isfinite(largest) or largest == 0:
        return points, None
    raw = 0.06 * float(np.ptp(points, axis=0).max()) / largest
    decade = 10.0 ** np.floor(np.log10(raw))
    factor = float(max((m for m in (1, 2, 5, 10) if m * decade <= raw * 1.0001), default=1) * decade)
    return points + factor * displacement, factor


def cell_level(saved: Saved, fields: dict[str, Array], n: int, states: Array) -> tuple[Array, str, str]:
    """Return one number per cell to colour by, with its name and unit."""
    for name in ("equivalent_strain", "von_mises", "stress_von_mises"):
        if name in fields and fields[name].shape[:1] == (n,):
            return fields[name].reshape(n, -1).mean(axis=1), name.replace("_", " "), saved.side_unit("outputs")
    mean = equivalent(states).reshape(n, -1).mean(axis=1)
    variable = next((str(v.get("name", "state")) for v in saved.variables("inputs")), "state")
    unit = saved.side_unit("inputs")
    return (
        (100 * mean, f"magnitude of the {variable}", "%") if unit == "1" else (mean, f"magnitude of {variable}", unit)
    )


def _areas(polygons: Array) -> NDArray[np.float64]:
    x, y = polygons[..., 0], polygons[..., 1]
    area = 0.5 * np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1))
    return np.asarray(np.maximum(area, 1e-300), dtype=np.float64)


def _draw(ax: Axes, polygons: Array, values: Array, title: str, label: str) -> None:
    from matplotlib.collections import PolyCollection

    many = len(polygons) > 1500
    collection = PolyCollection(list(polygons), cmap=theme.colours(), rasterized=many)
    collection.set_array(values)
    low, high = (float(v) for v in np.nanquantile(values, [0.002, 0.998]))
    collection.set_clim(low, high if high > low else low + 1.0)
    collection.set_edgecolor("face" if many else (1, 1, 1, 0.18))
    collection.set_linewidth(0.3)
    ax.add_collection(collection)
    low, high = polygons.reshape(-1, 2).min(axis=0), polygons.reshape(-1, 2).max(axis=0)
    margin = 0.015 * float((high - low).max())
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(title)
    assert ax.figure is not None
    bar = ax.figure.colorbar(collection, ax=ax, shrink=0.72, aspect=26, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    bar.set_label(label)


def _runs(ax: Axes, saved: Saved, states: Array, polygons: Array) -> None:
    """Mark the cell whose final state lies nearest to each run (learning moves the states a little)."""
    centres = polygons.mean(axis=1)
    scale = np.std(states, axis=0) + 1e-300
    for phase, word in theme.PHASE_WORDS.items():
        rows = [r for r in saved.runs if r.get("phase") == phase]
        if not rows or phase in ("start", "input"):
            continue
        x = saved.inputs_of(rows)
        distance = ((x[:, None] / scale - states[None] / scale) ** 2).sum(axis=2)
        cell = distance.argmin(axis=1) // (len(states) // len(polygons))
        ax.plot(
            *centres[cell].T, ls="", marker=theme.MARKER[phase], ms=8, color=theme.PHASE[phase], mec="#ffffff",
            mew=1.3, label=word,
        )  # fmt: skip
    if ax.get_legend_handles_labels()[0]:
        legend = ax.legend(loc="upper left", bbox_to_anchor=(0, 0.0), ncols=4, handletextpad=0.2, columnspacing=1.2)
        legend.set_in_layout(False)
