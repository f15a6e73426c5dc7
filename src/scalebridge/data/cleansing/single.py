"""Columns of single numbers, which is what most treatments take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def single(dataset: Dataset, name: str) -> Floats:
    """A column of one number per row ``[n]``, gaps as NaN.

    Raises:
        InputError: no such column, text, images or arrays in it, or no rows.
    """
    column, variable = dataset[name], dataset.space[name]
    if column.dtype.kind != "f" or column.ndim != 1:
        what = "text" if variable.kind == "category" else "images" if variable.kind == "field" else "arrays"
        raise InputError(f"The column '{name}' of '{dataset.name}' holds {what}; name one with a number per row.")
    if not len(column):
        raise InputError(f"'{dataset.name}' has no rows; read it again, or undo the selection that left none.")
    return column
