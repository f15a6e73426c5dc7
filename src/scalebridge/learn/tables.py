"""Inputs and outputs as people have them: arrays, or tables whose columns have names and perhaps units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import conversion

HEADER = re.compile(r"^\s*(?P<name>[^\[\]]+?)\s*(\[(?P<unit>[^\[\]]*)\])?\s*$")


@dataclass(frozen=True)
class Limits:
    """Stands for a column of a dataset of which some values were not measured: no learner here may have it.

    Attributes:
        count: of the values that are only limits.
    """

    count: int


def read(x: Any, y: Any, inputs: Any = None, outputs: Any = None) -> tuple[Space, Space, Floats, Floats]:
    """Spaces and values ``[n, d]``, ``[n, m]`` of arrays or tables.

    Args:
        x: ``[n, d]``, or a table: a mapping, a structured array, a data frame or a dataset, with columns named
            ``"T"`` or, with a unit, ``"T [degC]"``; a dataset's units are those of its space.
        y: ``[n, m]`` or ``[n]``, a table, or the names of columns of ``x``.
        inputs, outputs: spaces, or what makes one; columns of a table are converted to their units, and those which
            they do not name are left out. By default all columns, in their own units.

    Raises:
        InputError: text, values that are not finite or (of a dataset) only limits, columns that are missing, sides
            that do not pair.
        UnitError: a unit that is not known or does not convert.
        ShapeError: columns that are not those of the spaces.
    """
    x, y = _with_headers(x), _with_headers(y)
    named = isinstance(y, str) or (isinstance(y, Sequence) and bool(y) and all(isinstance(v, str) for v in y))
    if named and not _is_table(x):
        raise InputError(f"The outputs are named ({y}), but the inputs are no table; give y as an array [n, m].")
    if named:
        wanted, headers = ([y] if isinstance(y, str) else list(y)), _headers(x)
        chosen = [_found(name, headers, "outputs") for name in wanted]
        y = {header: x[header] for header in chosen}
        x = {header: x[header] for header in headers.values() if header not in chosen}
    input_space, input_values = _side(x, inputs, "inputs", "x")
    output_space, output_values = _side(y, outputs, "outputs", "y")
    if len(input_values) != len(output_values):
        raise InputError(
            f"There are {len(input_values)} rows of inputs and {len(output_values)} of outputs; give one row of "
            "outputs per row of inputs."
        )
    return input_space, output_space, input_values, output_values


def _side(values: Any, space: Any, side: str, letter: str) -> tuple[Space, Floats]:
    made = None if space is None else Space(space)
    if _is_table(values):
        made, array = _from_table(values, made, side)
    else:
        array = _array(values, side)
        made = made or Space([Variable(f"{letter}{i + 1}" if array.shape[1] > 1 else letter) for i in _range(array)])
        array = made.check(array, f"The {side}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise InputError(
            f"The {side} hold {array[row, column]} in row {row}, column '{made.component_names[column]}'; values must "
            "be finite: leave out rows that failed."
        )
    return made, array


def _range(array: Floats) -> range:
    if array.shape[1] == 0:
        raise ShapeError(f"An array of shape {array.shape} has no columns; give at least one.")
    return range(array.shape[1])


def _from_table(table: Any, space: Space | None, side: str) -> tuple[Space, Floats]:
    headers = _headers(table)
    if not headers:
        raise InputError(f"The table of the {side} has no columns.")
    if space is None:
        parts = [_column(table[header], header, side) for header in headers.values()]
        shapes = [part.shape[1:] for part in parts]
        space = Space(
            [
                Variable(_identifier(name), _split(header)[1] or "1", shape)
                for (name, header), shape in zip(headers.items(), shapes, strict=True)
            ]
        )
        names = zip(space.names, parts, strict=True)
        return space, space.pack(dict(names), f"The table of the {side}")
    values = {}
    for variable in space:
        header = _found(variable.name, headers, side)
        factor, offset = conversion(
            _split(header)[1] or variable.unit, variable.unit, f"The column '{variable.name}' of the {side}"
        )
        values[variable.name] = factor * _column(table[header], header, side) + offset
    return space, space.pack(values, f"The table of the {side}")


def _column(values: Any, header: str, side: str) -> Floats:
    if isinstance(values, Limits):
        raise InputError(
            f"The column '{header}' of the {side} holds {values.count} values that are only limits (censored), which a "
            "learner would take for measured; fit it with sb.learn.life.CensoredRegression, or drop these rows."
        )
    array = np.asarray(values)
    if array.dtype == object and array.ndim == 1 and len(array) and isinstance(array[0], list | tuple | np.ndarray):
        array = np.stack([np.asarray(v) for v in array])
    try:
        if np.iscomplexobj(array) or array.dtype.kind in "mM":
            raise TypeError("no numbers")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        shown = next((v for v in array.ravel().tolist() if not _is_number(v)), array.ravel()[0])
        raise InputError(
            f"The column '{header}' of the {side} holds {shown!r}, which is no number; leave the column out, or write "
            "each category as a column of 0 and 1."
        ) from error


def _array(values: Any, side: str) -> Floats:
    array = np.asarray(values)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise ShapeError(f"The {side} have the shape {array.shape}; give an array [n, columns] or a table.")
    return np.concatenate([_column(array[:, [i]], str(i), side) for i in _range(array)], axis=1)


def _with_headers(values: Any) -> Any:
    """A table that declares its columns in a ``space`` (a dataset) as one whose headers say the units."""
    space = getattr(values, "space", None)
    if not isinstance(space, Space) or not _is_table(values):
        return values
    limits = {name: Limits(int(np.count_nonzero(f))) for name, f in getattr(values, "censored", {}).items() if f.any()}
    headers = {v.name: f"{v.name} [{v.unit}]" if v.kind != "category" else v.name for v in space}
    return {header: limits.get(name, values[name]) for name, header in headers.items()}


def _is_table(values: Any) -> bool:
    names: Any = getattr(getattr(values, "dtype", None), "names", None)
    return bool(names) or (hasattr(values, "keys") and hasattr(values, "__getitem__"))


def _headers(table: Any) -> dict[str, str]:
    """Names without units, and the headers they stand for."""
    structured: Any = getattr(getattr(table, "dtype", None), "names", None)
    headers = list(structured or table.keys())
    for header in headers:
        if not isinstance(header, str) or not HEADER.match(header):
            raise InputError(f"A column is named {header!r}; name columns as in 'T' or, with a unit, 'T [degC]'.")
    return {_split(header)[0]: header for header in headers}


def _split(header: str) -> tuple[str, str]:
    found: Any = HEADER.match(header)
    return found["name"], (found["unit"] or "").strip()


def _found(name: str, headers: dict[str, str], side: str) -> str:
    for mine, header in headers.items():
        if name in (mine, header, _identifier(mine)):
            return header
    raise InputError(f"The table of the {side} has no column '{name}'{did_you_mean(name, headers)}")


def _identifier(name: str) -> str:
    made = re.sub(r"\W+", "_", name).strip("_") or "column"
    return made if made.isidentifier() else f"_{made}"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def rows_alike(x: Floats, groups: Any = None) -> NDArray[np.int64]:
    """Labels ``[n]`` of rows that must not be parted: those of one group, those equal in ``x``, and chains of both.

    Raises:
        InputError: not one label per row.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from scalebridge.learn.spread import same_rows

    same, n = same_rows(x + 0.0), len(x)
    if groups is None:
        return same
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"There are {n} rows and groups of shape {labels.shape}; give one label per row.")
    of = np.unique(labels, return_inverse=True)[1].reshape(-1)
    graph = coo_array((np.ones(n), (same, same.max() + 1 + of)), shape=(same.max() + of.max() + 2,) * 2)
    part: NDArray[np.int64] = connected_components(graph, directed=False)[1][same].astype(np.int64)
    return part
