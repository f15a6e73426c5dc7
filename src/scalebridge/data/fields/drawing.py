"""A field drawn on axes of matplotlib: a flat mesh as it lies, a solid by its outer faces seen from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.surface import Faces, faces
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From where a body is seen, how many faces are drawn with their edges, and how many one by one.
VIEW, MOST_EDGES, MOST_FACES = (1.0, -1.6, 1.1), 4000, 100_000
# Of a picture made of pixels, along its longer side.
PIXELS = 240
# A mesh this much thinner than wide is flat.
FLAT = 1e-9
NOTHING = "#d9d9d9"


@dataclass(frozen=True)
class View:
    """Points on the paper.

    Args:
        places: ``[p, 2]``.
        depth: ``[p]``, the nearer the larger; zero of a flat mesh.
        axes: names of the two axes of a flat mesh, else nothing.
    """

    places: Floats
    depth: Floats
    axes: tuple[str, str] | None


def scalar(field: Field) -> Field:
    """What is drawn of a field: numbers as they are, the length of vectors, the norm of tensors, means over cells."""
    made = field if field.shape == () else field.norm()
    return made.to_cells() if made.location == "integration points" else made


def view(mesh: Mesh) -> View:
    """A mesh on the paper: along its own plane where it is flat, else from `VIEW`."""
    extent = np.ptp(mesh.points, axis=0) if mesh.n_points else np.zeros(3)
    thin = np.flatnonzero(extent <= FLAT * max(float(extent.max()), 1e-300))
    if len(thin):
        kept = [axis for axis in (0, 1, 2) if axis != thin[-1]]
        return View(mesh.points[:, kept], np.zeros(mesh.n_points), ("xyz"[kept[0]], "xyz"[kept[1]]))
    towards = np.array(VIEW) / np.linalg.norm(VIEW)
    right = np.cross([0.0, 0.0, 1.0], towards)
    right /= np.linalg.norm(right)
    up = np.cross(towards, right)
    return View(mesh.points @ np.column_stack([right, up]), mesh.points @ towards, None)


def draw(
    axes: Axes,
    field: Field,
    *,
    limits: tuple[float, float] | None = None,
    colours: Any = "viridis",
    edges: bool | None = None,
) -> Any:
    """Draw one field; return what a colour bar takes.

    Args:
        axes: of matplotlib.
        field: of numbers, or `scalar` of it.
        limits: of the colours; by default the smallest and the largest value.
        colours: a colour map.
        edges: of cells; by default up to 4000 faces.
    """
    shown = scalar(field)
    seen = view(shown.mesh)
    drawn: Any
    low, high = limits or span(shown)
    if seen.axes is not None and shown.mesh.dimension == 2 and shown.mesh.n_cells > MOST_FACES:
        drawn = plane(axes, shown, 3 - sum("xyz".index(a) for a in seen.axes), colours, 3 * PIXELS)
    elif shown.mesh.dimension == 0:
        drawn = axes.scatter(seen.places[:, 0], seen.places[:, 1], c=shown.values, cmap=colours, s=12)
    elif shown.mesh.dimension == 1:
        drawn = _lines(axes, shown, seen, colours)
    else:
        drawn = _faces(axes, shown, seen, colours, edges)
    same = 0.0 if high > low else 0.5 * (abs(low) or 1.0)
    drawn.set_clim(low - same, high + same)
    _frame(axes, seen, shown.mesh)
    return drawn


def plane(axes: Axes, field: Field, normal: int, colours: Any = "viridis", pixels: int | None = None) -> Any:
    """Draw the plane normal to an axis (0, 1, 2) through the middle of the mesh, as pixels; white is outside."""
    points = field.mesh.points
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    across, along = (axis for axis in range(3) if axis != normal)
    step = float(extent[[across, along]].max()) / (pixels or PIXELS) or 1.0
    lines = []
    for axis in (across, along):
        count = max(2, round(float(extent[axis]) / step))
        # The middles of pixels lie inside, so that the border does not fray.
        lines.append(low[axis] + extent[axis] * (np.arange(count) + 0.5) / count)
    places = np.empty((len(lines[1]), len(lines[0]), 3))
    places[..., across], places[..., along] = np.meshgrid(*lines)
    places[..., normal] = low[normal] + 0.5 * extent[normal]
    values = field.at(places.reshape(-1, 3)).reshape(places.shape[:2])
    ends = (low[across], low[across] + extent[across], low[along], low[along] + extent[along])
    return axes.imshow(np.ma.masked_invalid(values), origin="lower", extent=ends, cmap=colours, interpolation="nearest")


def span(field: Field) -> tuple[float, float]:
    """Smallest and largest value; 0 and 1 where there is none."""
    values = scalar(field).values
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _lines(axes: Axes, field: Field, seen: View, colours: Any) -> Any:
    from matplotlib.collections import LineCollection

    values = field.to_cells().values
    parts = faces(field.mesh)
    lines = np.concatenate([seen.places[part.nodes] for part in parts])
    drawn = LineCollection(list(lines), cmap=colours, linewidth=2.5)
    drawn.set_array(values[np.concatenate([part.cells for part in parts])])
    axes.add_collection(drawn)
    return drawn


def _faces(axes: Axes, field: Field, seen: View, colours: Any, edges: bool | None) -> Any:
    parts = faces(field.mesh)
    n_faces = sum(len(part.nodes) for part in parts)
    outlined = n_faces <= MOST_EDGES if edges is None else edges
    if seen.axes is not None and field.location == "points":
        return _smooth(axes, field, seen, parts, colours, outlined)
    from matplotlib.collections import PolyCollection

    polygons: list[Floats] = []
    values: list[Floats] = []
    depth: list[Floats] = []
    for part in parts:
        polygons += list(seen.places[part.nodes])
        values.append(_on(field, part))
        depth.append(seen.depth[part.nodes].mean(axis=1))
    order = np.argsort(np.concatenate(depth), kind="stable")
    drawn = PolyCollection([polygons[i] for i in order.tolist()], cmap=_with_gaps(colours), rasterized=n_faces > 1500)
    drawn.set_array(np.ma.masked_invalid(np.concatenate(values)[order]))
    drawn.set_edgecolor((0, 0, 0, 0.35) if outlined else "face")
    drawn.set_linewidth(0.35 if outlined else 0.2)
    axes.add_collection(drawn)
    return drawn


def _smooth(axes: Axes, field: Field, seen: View, parts: list[Faces], colours: Any, outlined: bool) -> Any:
    """Values of points, linear over triangles; cells without a value at a corner stay grey."""
    from matplotlib.collections import PolyCollection
    from matplotlib.tri import Triangulation

    triangles = np.concatenate(
        [part.nodes[:, [0, i, i + 1]] for part in parts for i in range(1, part.nodes.shape[1] - 1)]
    )
    gaps = np.isnan(field.values)
    missing = gaps[triangles].any(axis=1)
    tri = Triangulation(seen.places[:, 0], seen.places[:, 1], triangles, mask=missing if missing.any() else None)
    outlines = PolyCollection([seen.places[row] for part in parts for row in part.nodes], rasterized=True)
    outlines.set_facecolor(NOTHING if missing.any() else "none")
    outlines.set_edgecolor((0, 0, 0, 0.3) if outlined else "none")
    outlines.set_linewidth(0.35)
    outlines.set_zorder(0.5 if missing.any() else 2)
    axes.add_collection(outlines)
    if missing.all():
        return _nothing(axes, colours)
    return axes.tripcolor(tri, np.where(gaps, 0.0, field.values), shading="gouraud", cmap=colours, rasterized=True)


def _nothing(axes: Axes, colours: Any) -> Any:
    return axes.scatter([], [], c=[], cmap=colours)


def _on(field: Field, part: Faces) -> Floats:
    values: Floats = field.values[part.cells] if field.location == "cells" else field.values[part.nodes].mean(axis=1)
    return values


def _with_gaps(colours: Any) -> Any:
    import matplotlib

    made = matplotlib.colormaps[colours] if isinstance(colours, str) else colours
    return made.with_extremes(bad=NOTHING)


def _frame(axes: Axes, seen: View, mesh: Mesh) -> None:
    low, high = (seen.places.min(axis=0), seen.places.max(axis=0)) if mesh.n_points else (np.zeros(2), np.ones(2))
    margin = 0.02 * (float((high - low).max()) or 1.0)
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[1] - margin, high[1] + margin)
    axes.set_aspect("equal")
    if seen.axes is None:
        axes.set_axis_off()
        return
    unit = "" if mesh.unit == "1" else f" in {mesh.unit}"
    axes.set_xlabel(f"{seen.axes[0]}{unit}")
    axes.set_ylabel(f"{seen.axes[1]}{unit}")
