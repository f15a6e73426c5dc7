"""Columns of fields: said in words, converted, and sampled at places that all rows share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.data.fields.field import Field
from scalebridge.data.fields.interpolation import located, places_of
from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Variable

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset
    from scalebridge.data.fields.locating import Located


def described(fields: Sequence[Field]) -> str:
    """A column in words: how many fields, where, from what to what, on how many meshes."""
    locations = ", ".join(dict.fromkeys(f.location for f in fields))
    known = [f.values for f in fields if not np.isnan(f.values).all()]
    span = f", {min(np.nanmin(v) for v in known):.6g} to {max(np.nanmax(v) for v in known):.6g}" if known else ""
    meshes = len({f.mesh.digest for f in fields})
    shape = f" of {list(fields[0].shape)}" if fields[0].shape else ""
    return f"{len(fields)} fields{shape} at {locations}{span}, on {meshes} mesh{'' if meshes == 1 else 'es'}"


def converted(dataset: Dataset, name: str, unit: str) -> Dataset:
    """A column of fields in another unit, as a step."""
    column = fields_in(dataset, name)
    variable = replace(dataset.space[name], unit=unit)
    return dataset.with_column(variable, [None if f is None else f.in_units(unit) for f in column])


def sampled(
    dataset: Dataset,
    column: str,
    at: ArrayLike | Mesh | None = None,
    *,
    order: int = 1,
    outside: str = "refuse",
    name: str | None = None,
) -> Dataset:
    """A column of fields, each on its own mesh, as numbers at places that all rows share, as a step.

    So that it is a variable of a fixed shape, which the learners take: ``[rows, places, *shape]``. The places stand in
    the options of the step, in the unit of the first row's mesh.

    Args:
        dataset: with a column of fields.
        column: its name.
        at: ``[n, 3]`` (or ``[n, 2]``) in the unit of the first row's mesh, or a mesh: its points; by default the
            points of the first row's mesh.
        order: of the interpolation, see `Field.at`: 2 for smooth fields on coarse meshes, whose errors of
            interpolation would else be learned.
        outside: ``"refuse"``, or ``"gap"`` for NaN at places that lie outside of a row's mesh.
        name: of the column of numbers, which then stands beside the fields; by default it takes their place.

    Raises:
        InputError: no column of fields, a place outside of a row's mesh or without a value there.
    """
    column_fields = fields_in(dataset, column)
    first = next((f for f in column_fields if f is not None), None)
    if first is None:
        raise InputError(f"The column '{column}' of '{dataset.name}' has no field; there is nothing to sample.")
    if outside not in ("refuse", "gap"):
        raise InputError(f"Places outside are answered by outside='{outside}'; valid: refuse, gap.")
    mesh = first.mesh
    places = Mesh(places_of(mesh if at is None else at, mesh), unit=mesh.unit, name="places")
    values = np.full((len(dataset), places.n_points, *first.shape), np.nan)
    found: dict[int, Located] = {}
    for row, field in enumerate(column_fields):
        if field is not None:
            values[row] = _sample(field, places, order, found)
            if outside == "refuse":
                _check_known(values[row], places, f"The field '{column}' in row {row + 1} of '{dataset.name}'")
    made = Variable(name or column, first.unit, values.shape[1:], description=_said(dataset, column, places))
    after = dataset.with_column(made, values)
    options = {"column": column, "unit": places.unit, "order": order, "places": places.points.tolist()}
    sentence = f"Sampled the fields '{column}' at {places.n_points} places."
    return dataset.stepped(after, "sampled", options, sentence)


def fields_in(dataset: Dataset, name: str) -> list[Field | None]:
    """A column of fields on meshes, None for gaps.

    Raises:
        InputError: a column of something else.
    """
    column = dataset[name]
    if column.dtype != object or not all(item is None or isinstance(item, Field) for item in column):
        raise InputError(
            f"The column '{name}' of '{dataset.name}' is a {dataset.space[name].kind} and holds no fields on meshes; "
            "make one with fields_dataset(...)."
        )
    return list(column)


def _sample(field: Field, places: Mesh, order: int, found: dict[int, Located]) -> Floats:
    # At the points of the very same mesh nothing is looked for.
    own = field.mesh
    if field.location == "points" and own.unit == places.unit and np.array_equal(own.points, places.points):
        return field.values
    there = places_of(places, own)
    if id(own) not in found:
        # Once for each mesh, however many rows share it.
        found[id(own)] = own.locator.locate(there)
    return located(field, there, found[id(own)], order)


def _check_known(values: Floats, places: Mesh, owner: str) -> None:
    missing = np.flatnonzero(np.isnan(values).reshape(len(values), -1).any(axis=1))
    if len(missing):
        where = ", ".join(f"{c:.4g}" for c in places.points[missing[0]])
        raise InputError(
            f"{owner} has no value at {len(missing)} of {len(values)} places, the first at ({where}) {places.unit}, "
            "outside of its mesh or in a gap; choose places inside, or outside='gap'."
        )


def _said(dataset: Dataset, column: str, places: Mesh) -> str:
    said: Any = dataset.space[column].description or column
    return f"{said} at {places.n_points} places"
