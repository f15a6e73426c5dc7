"""Values on a mesh, with their unit and the places that they belong to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        with np.errstate(invalid="ignore"):
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

    def at(self, points: ArrayLike | Mesh, order: int = 1) -> Floats:
        """Values ``[n, *shape]`` at places: between the corners of a cell, or constant in a cell; NaN outside.

        Args:
            points: ``[n, 3]`` (or ``[n, 2]`` on a flat mesh) in the mesh's unit, or a mesh: its points.
            order: 1, linear between the corners; 2, quadratic: by the mid-side nodes of cells that have them, exact
                for quadratic fields in straight cells; elsewhere with gradients taken from the neighbouring cells, for
                smooth fields at points: inside exact for quadratic ones on regular meshes, it may overshoot at jumps.

        Raises:
            InputError: a mesh without cells, places that are not finite, another order.
        """
        from scalebridge.data.fields.interpolation import at

        return at(self, points, order)

    def along(self, start: ArrayLike, end: ArrayLike, n: int = 101) -> tuple[Floats, Floats]:
        """Distance from ``start`` ``[n]`` in the mesh's unit, and values ``[n, *shape]`` on the line to ``end``."""
        from scalebridge.data.fields.interpolation import along

        return along(self, start, end, n)

    def to_cells(self) -> Field:
        """Means over each cell: of its integration points, or of the interpolation between its corners (exactly).

        A cell with a corner without a value has none; cells below the mesh's highest dimension have none either.
        """
        from scalebridge.data.fields.averaging import to_cells

        return to_cells(self)

    def to_points(self) -> Field:
        """Means over the cells at each point, weighted by their volume; cells without a value are left out."""
        from scalebridge.data.fields.averaging import to_points

        return to_points(self)

    def statistic(self, name: str) -> float | Floats:
        """``min``, ``max``, ``mean``, ``std``, ``median`` or ``range``; of arrays one for each component ``[*shape]``.

        Weighted by the volume (area, length) that each value stands for; gaps are left out.

        Raises:
            InputError: another name.
        """
        from scalebridge.data.fields.statistics import statistic

        return statistic(self, name)

    def quantile(self, p: float) -> float | Floats:
        """The value that the share ``p`` of the volume does not exceed."""
        from scalebridge.data.fields.statistics import quantile

        return quantile(self, p)

    def integral(self) -> tuple[float | Floats, str]:
        """The integral over the mesh's volume (area, length), and its unit; NaN where a value is missing.

        Raises:
            InputError: a unit with an arbitrary zero (degrees Celsius), a mesh without cells.
        """
        from scalebridge.data.fields.statistics import integral

        return integral(self)

    def norm(self) -> Field:
        """Length of vectors, Frobenius' norm of tensors, absolute value of numbers."""
        from scalebridge.data.fields.tensors import norm

        return norm(self)

    def von_mises(self) -> Field:
        """Von Mises' equivalent of symmetric stress tensors ``(6,)``, ``(4,)`` or ``(3, 3)``.

        Raises:
            InputError: values of another shape.
        """
        from scalebridge.data.fields.tensors import von_mises

        return von_mises(self)

    def principal(self) -> Field:
        """Principal values ``(3,)`` of symmetric tensors, the largest first."""
        from scalebridge.data.fields.tensors import principal

        return principal(self)

    def gradient(self) -> Field:
        """Derivatives in x, y, z at the middle of each cell, ``[e, *shape, 3]``; in its tangent on a surface."""
        from scalebridge.data.fields.gradients import gradient

        return gradient(self)

    def restricted(self, cells: str | ArrayLike) -> Field:
        """The field on a part of its mesh: a set by its name, a mask ``[e]``, or numbers of cells.

        Raises:
            InputError: a set that is not there, a mask of another length, no cells at all.
        """
        from scalebridge.data.fields.parts import restricted

        return restricted(self, cells)

    def __repr__(self) -> str:
        what = {(): "numbers", (3,): "vectors", (3, 3): "tensors"}.get(self.shape, f"arrays {self.shape}")
        return f"<Field '{self.name}' [{self.unit}]: {what} at {self.location} of {self.mesh!r}>"

    def _repr_html_(self) -> str:
        from scalebridge.data.fields.page import page

        return page(self)
