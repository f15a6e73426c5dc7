"""Values of a field at places of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.midsides import bulge
from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.fields.field import Field
    from scalebridge.data.fields.locating import Located


def at(field: Field, points: ArrayLike | Mesh, order: int = 1) -> Floats:
    """Values ``[n, *shape]`` at places: see `Field.at`."""
    places = places_of(points, field.mesh)
    return located(field, places, field.mesh.locator.locate(places), order)


def located(field: Field, places: Floats, found: Located, order: int = 1) -> Floats:
    """Values ``[n, *shape]`` at ``places [n, 3]`` that were found in the field's mesh."""
    if order not in (1, 2):
        raise InputError(f"The field '{field.name}' was asked for an interpolation of the order {order}; valid: 1, 2.")
    if field.location == "points":
        flat = field.values.reshape(len(field.values), -1)
        values = np.asarray(found.weights @ flat)
        if order == 2:
            own, known = bulge(field, found)
            values = values + (own if known.all() else np.where(known[:, None], own, _bend(field, places, found)))
        values = values.reshape(len(places), *field.shape)
    else:
        values = field.to_cells().values[found.cells]
    values[found.cells < 0] = np.nan
    return values


def _bend(field: Field, places: Floats, found: Located) -> Floats:
    """What a linear interpolation misses of a quadratic field, ``[n, m]``; zero where no gradient is known.

    With the gradients ``g_i`` at the corners a quadratic field is ``sum N_i (u_i + g_i (x - x_i) / 2)``: expand it
    around each corner, with the gradient at ``x`` for the second derivatives, and sum; ``sum N_i (x - x_i) = 0``.
    """
    rates = field.gradient().to_points().values.reshape(field.mesh.n_points, -1, 3)
    middle = field.mesh.points.mean(axis=0)
    own = np.einsum("pmi,pi->pm", rates, field.mesh.points - middle)
    there = np.asarray(found.weights @ rates.reshape(len(rates), -1)).reshape(len(places), -1, 3)
    bend = 0.5 * (np.einsum("nmi,ni->nm", there, places - middle) - np.asarray(found.weights @ own))
    return np.where(np.isnan(bend), 0.0, bend)


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
