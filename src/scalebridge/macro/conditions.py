"""Reading boundary conditions: numbers, texts with units, or functions of position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.macro.element_space import ElementSpace, Ints, Points
from scalebridge.quantities import Floats
from scalebridge.quantities.units import magnitude

Condition = float | str | Callable[[Floats], Any] | None
FREE = ("free", "")


def is_free(value: Any) -> bool:
    """True for None and the text "free"."""
    return value is None or (isinstance(value, str) and value.strip().lower() in FREE)


def at_points(value: Any, points: Floats, unit: str, owner: str) -> Floats:
    """Return a condition at points ``[..., dim]``.

    Args:
        value: a number in ``unit``, a text with a unit, or a function of ``x [dim, ...]``.
        points: coordinates.
        unit: wanted.
        owner: whose condition it is, for messages.

    Raises:
        InputError: a value that is no finite number.
        UnitError: a unit that does not convert.
    """
    if callable(value):
        result = np.asarray(value(np.moveaxis(points, -1, 0)), dtype=np.float64)
        field: Floats = np.broadcast_to(result, points.shape[:-1])
    else:
        field = np.full(points.shape[:-1], _number(value, unit, owner))
    if not np.isfinite(field).all():
        raise InputError(f"{owner} is {value!r}, which is not finite; give a number or a text such as '1 {unit}'.")
    return field


def _number(value: Any, unit: str, owner: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, np.number)):
        raise InputError(f"{owner} is {value!r}; give a number in {unit} or a text such as '1 {unit}'.")
    return magnitude(value if isinstance(value, str) else float(value), unit, owner)


def vector(entry: Any, components: int, owner: str) -> tuple[Any, ...]:
    """Return a condition per component, checking their number."""
    if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != components:
        raise InputError(
            f"{owner} is {entry!r}; give {components} values, one per direction, None where the direction is free."
        )
    return tuple(entry)


def facet_load(
    space: ElementSpace, boundary: str, conditions: Sequence[Any], unit: str, owner: str, scale: Any = 1.0
) -> Floats:
    """Return the load vector ``[components * n]`` of a traction or flux on a boundary."""
    return _load(space, space.facets(boundary), conditions, unit, owner, scale)


def body_load(space: ElementSpace, conditions: Sequence[Any], unit: str, owner: str, scale: Any = 1.0) -> Floats:
    """Return the load vector ``[components * n]`` of a force or source in the body."""
    return _load(space, space.fine_cells(), conditions, unit, owner, scale)


def _load(space: ElementSpace, points: Points, conditions: Sequence[Any], unit: str, owner: str, scale: Any) -> Floats:
    components = len(conditions)
    load = np.zeros(components * space.size)
    weights = points.weights * (scale(points.points) if callable(scale) else scale)
    for component, value in enumerate(conditions):
        if is_free(value):
            continue
        density = at_points(value, points.points, unit, owner) * weights
        np.add.at(load, components * points.dofs + component, (density[..., None] * points.values).sum(1))
    return load


def prescribed(
    space: ElementSpace, conditions: Mapping[str, Sequence[Any]], components: int, unit: str, owner: str
) -> tuple[Ints, Floats]:
    """Return the fixed degrees of freedom and the field ``[components * n]`` of their values.

    Raises:
        InputError: two boundaries that prescribe different values where they meet.
    """
    target = np.zeros(components * space.size)
    owners: dict[int, str] = {}
    for boundary, values in conditions.items():
        nodes = space.on(boundary)
        for component, value in enumerate(values):
            if is_free(value):
                continue
            field = at_points(value, space.locations[nodes], unit, f"{owner} on '{boundary}'")
            for dof, number in zip((components * nodes + component).tolist(), field.tolist(), strict=True):
                if dof in owners and not np.isclose(target[dof], number, rtol=1e-9, atol=1e-300):
                    raise InputError(
                        f"{owner} is {target[dof]:g} {unit} on '{owners[dof]}' and {number:g} {unit} on '{boundary}' "
                        "at the corner where they meet; leave one of them free or give both the same value."
                    )
                target[dof] = number
                owners[dof] = boundary
    return np.array(sorted(owners), dtype=np.int64), target
