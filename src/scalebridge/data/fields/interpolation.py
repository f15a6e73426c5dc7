"""Values of a field at places of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field


def at(field: Field, points: ArrayLike | Mesh) -> Floats:
    """Values ``[n, *shape]`` at places: see `Field.at`."""
    places = places_of(points, field.mesh)
    found = field.mesh.locator.locate(places)
    if field.location == "points":
        flat = field.values.reshape(len(field.values), -1)
        values = np.asarray(found.weights @ flat).reshape(len(places), *field.shape)
    else:
        values = field.to_cells().values[found.cells]
    values[found.cells < 0] = np.nan
    return values


def along(field: Field, start: ArrayLike, end: ArrayLike, n: int = 101) -> tuple[Floats, Floats]:
    """Values on a straight line: see `Field.along`."""
    ends = places_of([_row(start), _row(end)], field.mesh)
    if not n >= 2:
        raise InputError(f"The line through '{field.name}' has n = {n} places; give at least 2.")
    share = np.linspace(0.0, 1.0, n)
    return share * float(np.linalg.norm(ends[1] - ends[0])), at(field, ends[0] + share[:, None] * (ends[1] - ends[0]))


def places_of(points: ArrayLike | Mesh, mesh: Mesh) -> Floats:
    """Places ``[n, 3]`` in the unit of ``mesh``: rows of one to three numbers in it, or the points of a mesh.

    Coordinates that are left out are those of the mesh where all its points share them, else zero.

    Raises:
        ShapeError: no rows of up to three numbers.
        InputError: places that are not finite.
    """
    if isinstance(points, Mesh):
        return points.points if points.unit == mesh.unit else points.in_unit(mesh.unit).points
    try:
        given = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Places on the mesh '{mesh.name}' are no numbers; give rows of x, y, z.") from None
    if given.ndim != 2 or not 1 <= given.shape[1] <= 3:
        raise ShapeError(f"Places on the mesh '{mesh.name}' have the shape {given.shape}; give [n, 3].")
    if not np.isfinite(given).all():
        raise InputError(f"Places on the mesh '{mesh.name}' are not all finite; leave out those that are nowhere.")
    left = mesh.points[:, given.shape[1] :]
    rest = left[0] if len(left) and bool(np.all(left == left[:1])) else np.zeros(left.shape[1])
    return np.hstack([given, np.tile(rest, (len(given), 1))])


def _row(place: Any) -> Floats:
    return np.atleast_1d(np.asarray(place, dtype=np.float64))
