"""Datasets from arrays that are already in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import headers
from scalebridge.data.source import Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable


def from_columns(
    columns: Mapping[str, Any],
    *,
    units: Mapping[str, str] | None = None,
    index: str | None = None,
    name: str = "dataset",
) -> Dataset:
    """A dataset of columns in memory.

    Args:
        columns: from header, such as ``"T"`` or ``"T [degC]"``, to values ``[n]`` or ``[n, *shape]``: numbers, text
            (a category), or a list of images or of arrays whose shapes differ (a field).
        units: of columns whose header states none.
        index: the column whose texts identify rows.
        name: what messages call it.

    Raises:
        InputError: columns that cannot be told apart, values that are no column.
        ShapeError: columns of different lengths.
    """
    made = headers(list(columns), f"'{name}'", units=units)
    variables, values = [], {}
    for header, given in zip(made, columns.values(), strict=True):
        kind, shape = _kind(given, header.text or header.name, name)
        kind = "category" if header.name == index else kind
        unit = header.unit or "1"
        variables.append(
            Variable(header.name, "1" if kind == "category" else unit, shape, None, kind, header.description)
        )
        values[header.name] = given
    unstated = tuple(h.name for h, v in zip(made, variables, strict=True) if h.unit is None and v.kind != "category")
    return Dataset(Space(variables), values, name, index, source=Source(unstated=unstated))


def _kind(given: Any, header: str, owner: str) -> tuple[str, tuple[int, ...]]:
    if any(_is_image(item) for item in list(given)[:1000]):
        return "field", ()
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different shapes
        return "field", ()
    if array.ndim == 0:
        raise InputError(f"The column '{header}' of '{owner}' is the single value {given!r}; give one value per row.")
    if array.dtype.kind in "buif":
        return "array", tuple(array.shape[1:])
    if array.dtype == object and any(isinstance(item, np.ndarray) for item in array):
        return "field", ()
    return "category", ()


def _is_image(item: Any) -> bool:
    return hasattr(item, "grey") or hasattr(item, "voxel_size") or hasattr(item, "mesh")
