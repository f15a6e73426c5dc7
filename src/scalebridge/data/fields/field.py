"""Values on a mesh, with their unit and the places that they belong to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.columns import frozen
from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities import Floats, Variable
from scalebridge.quantities.units import check_unit, conversion

LOCATIONS = ("points", "cells", "integration points")


@dataclass(frozen=True, eq=False)
class Field:
    """Values on a mesh; immutable, every derived field is a new one.

    Args:
        name: an identifier.
        unit: a pint unit; ``"1"`` for none.
        values: ``[p, *shape]`` at points, ``[e, *shape]`` in cells, ``[e, q, *shape]`` at the q integration points of
            each cell; NaN where there is no value. A symmetric tensor is the matrix ``(3, 3)``, or the components
            ``(6,)`` in the order xx, yy, zz, xy, yz, zx, each once (no factor of the square root of two).
        location: ``"points"``, ``"cells"`` or ``"integration points"``.
        mesh: where they live.
        time: of the values in s; None for a steady state.
        description: one line for people.

    Raises:
        InputError: a name that is no identifier, an unknown location, values that are no numbers or are infinite.
        ShapeError: as many values as the mesh has not.
        UnitError: an unknown unit.
    """

    name: str
    unit: str
    values: Floats
    location: str
    mesh: Mesh
    time: float | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise InputError(f"A field is named '{self.name}', which is no identifier; use letters, digits and '_'.")
        owner = f"The field '{self.name}'"
        check_unit(self.unit, owner)
        if self.location not in LOCATIONS:
            raise InputError(f"{owner} has the location '{self.location}'{did_you_mean(self.location, LOCATIONS)}")
        if not isinstance(self.mesh, Mesh):
            raise InputError(f"{owner} has a {type(self.mesh).__name__} for its mesh; give a Mesh.")
        if self.time is not None and not math.isfinite(self.time):
            raise InputError(f"{owner} has the time {self.time}; give seconds, or None for a steady state.")
        object.__setattr__(self, "values", self._checked(self.values, owner))

    def _checked(self, given: Any, owner: str) -> Floats:
        array: NDArray[Any] = np.asarray(given)
        if array.dtype.kind not in "buif":
            raise InputError(f"{owner} holds {array.dtype} values, which are no real numbers; give float64.")
        least = 2 if self.location == "integration points" else 1
        at_points = self.location == "points"
        wanted = self.mesh.n_points if at_points else self.mesh.n_cells
        if array.ndim < least or len(array) != wanted:
            has = "a single value" if array.ndim == 0 else f"values of the shape {array.shape}"
            raise ShapeError(
                f"{owner} has {has} at {self.location}, and its mesh '{self.mesh.name}' has {wanted} "
                f"{'points' if at_points else 'cells'}; give one row for each."
            )
        values = array.astype(np.float64, copy=False)
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values).reshape(len(values), -1).any(axis=1))[0])
            raise InputError(
                f"{owner} is infinite in row {row} of its {self.location}; write NaN where there is no value."
            )
        return frozen(values)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one value: () of a number, (3,) of a vector, (3, 3) of a tensor."""
        return self.values.shape[2 if self.location == "integration points" else 1 :]

    @property
    def variable(self) -> Variable:
        """The field as a variable of the kind ``field``."""
        return Variable(self.name, self.unit, kind="field", description=self.description)

    def with_values(self, values: Any, **changed: Any) -> Field:
        """The same field with other values, and other entries such as ``name`` or ``unit``."""
        return replace(self, values=values, **changed)

    def in_units(self, unit: str) -> Field:
        """The same field in another unit.

        Raises:
            UnitError: units that do not convert.
        """
        factor, offset = conversion(self.unit, unit, f"The field '{self.name}'")
        return replace(self, values=factor * self.values + offset, unit=unit)

    def __repr__(self) -> str:
        what = {(): "numbers", (3,): "vectors", (3, 3): "tensors"}.get(self.shape, f"arrays {self.shape}")
        return f"<Field '{self.name}' [{self.unit}]: {what} at {self.location} of {self.mesh!r}>"
