"""Columns of single numbers, which is what most treatments take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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


def measured(dataset: Dataset, name: str) -> Floats:
    """As `single`, of a column whose values are all measured and none only a limit.

    Raises:
        InputError: also values marked as censored.
    """
    column = single(dataset, name)
    limits = np.flatnonzero(dataset.censored.get(name, 0))
    if len(limits):
        raise InputError(
            f"{len(limits)} values of '{name}' of '{dataset.name}' are only limits, the first in row {limits[0] + 1}; "
            "what is made of them would be taken for measured: leave the column out by columns=, drop these rows, or "
            "fit it with CensoredRegression."
        )
    return column
