"""Columns of a dataset, checked against the variables that declare them, and made read-only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities import Space, Variable

LONGEST_TEXT = 32_767
LARGEST_TEXT_COLUMN = 2**31


def flat(column: NDArray[Any]) -> NDArray[Any]:
    """Each row of a column ``[n, *shape]`` in one dimension, ``[n, k]``; with 0 rows too."""
    return column.reshape(len(column), math.prod(column.shape[1:]))


def checked_columns(space: Space, columns: Mapping[str, ArrayLike], owner: str) -> Mapping[str, NDArray[Any]]:
    """Read-only columns in the order of ``space``, all of one length.

    Raises:
        InputError: a column without a variable, a variable without a column, text among numbers.
        ShapeError: columns of different lengths or of another shape than declared.
    """
    for name in columns:
        if name not in space.names:
            raise InputError(f"{owner} has a column '{name}' that its space does not declare.")
    for name in space.names:
        if name not in columns:
            raise InputError(f"{owner} declares '{name}' and has no such column{did_you_mean(name, columns)}")
    made = {v.name: checked_column(v, columns[v.name], owner) for v in space}
    first = next(iter(made), None)
    for name, column in made.items():
        if first is not None and len(column) != len(made[first]):
            raise ShapeError(
                f"{owner} has {len(column)} rows of '{name}' and {len(made[first])} of '{first}'; give as many of each."
            )
    return MappingProxyType(made)


def checked_column(variable: Variable, values: Any, owner: str) -> NDArray[Any]:
    """``values`` as the column that ``variable`` declares, read-only."""
    if variable.kind == "category":
        return _text(variable, values, owner)
    if variable.kind == "field":
        return _fields(variable, values, owner)
    return numbers(values, variable.shape, f"The column '{variable.name}' of {owner}")


def numbers(values: Any, shape: tuple[int, ...], owner: str) -> NDArray[np.float64]:
    """``values`` as read-only float64 ``[n, *shape]``."""
    array = np.asarray(values)
    if array.dtype.kind in "cmMUS":
        raise InputError(f"{owner} holds {array.dtype} values, which are no numbers; declare it as a category.")
    try:
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise InputError(f"{owner} holds values that are no numbers; declare it as a category.") from None
    if array.ndim != 1 + len(shape) or array.shape[1:] != shape:
        raise ShapeError(f"{owner} has the shape {array.shape}; declared is [rows, {', '.join(map(str, shape))}].")
    return frozen(array)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only array: itself if nobody can write into it, else a copy."""
    if array.flags.writeable or (array.base is not None and getattr(array.base, "flags", array.flags).writeable):
        array = array.copy()
        array.setflags(write=False)
    return array


def _text(variable: Variable, values: Any, owner: str) -> NDArray[np.str_]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError(f"The category '{variable.name}' of {owner} has the shape {array.shape}; give one text a row.")
    if array.dtype.kind != "U":
        texts = ["" if v is None or v != v else str(v) for v in array.tolist()]
        array = np.array(texts, dtype=np.str_) if texts else np.zeros(0, dtype="<U1")
    if array.dtype.itemsize > 4 * LONGEST_TEXT or array.nbytes > LARGEST_TEXT_COLUMN:
        raise InputError(
            f"The category '{variable.name}' of {owner} holds a text of {array.dtype.itemsize // 4} characters in "
            f"{len(array)} rows, which is no category; leave the column out."
        )
    return frozen(array)


def _fields(variable: Variable, values: Any, owner: str) -> NDArray[np.object_]:
    items = list(values)
    array = np.empty(len(items), dtype=object)
    for row, item in enumerate(items):
        array[row] = _field(item, f"The field '{variable.name}' of {owner}, row {row + 1},", variable.unit)
    return frozen(array)


def _field(item: Any, owner: str, unit: str) -> Any:
    if hasattr(item, "mesh"):
        if item.unit != unit:
            raise InputError(f"{owner} is in '{item.unit}', and its column in '{unit}'; use in_units('{unit}').")
        return item
    if item is None or hasattr(item, "grey") or hasattr(item, "voxel_size"):
        return item
    try:
        array = np.asarray(item)
        if array.dtype.kind not in "buif" or array.ndim == 0:
            raise TypeError
        return frozen(array.astype(np.float64, copy=False))
    except (TypeError, ValueError):
        raise InputError(
            f"{owner} is {type(item).__name__}, which is no array of numbers; give an array, a Field, a "
            "Micrograph, a Volume, or None for a gap."
        ) from None
