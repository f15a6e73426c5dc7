"""Quantiles that hold in finite samples: the new value counts as one of them.

Source: V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World (2005); for rows that come in
specimens: Y. Lee, R. F. Barber and R. Willett, Distribution-free inference with hierarchical data (2023).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

# Products such as 10 * 0.9 are not always whole in floating point.
ROUNDING = 1e-9


def rows_needed(level: float) -> int:
    """The fewest calibration rows (or specimens) with which an interval of this level is finite."""
    return max(1, math.ceil(level / (1.0 - level) - ROUNDING))


def check_rows(rows: int, level: float, owner: str, unit: str = "calibration rows") -> None:
    """Raise `InputError` with the number needed where ``rows`` do not suffice for ``level``."""
    if rows < rows_needed(level):
        raise InputError(
            f"{owner} has {rows} {unit}, too few for an interval of {100 * level:g} %, which needs "
            f"{rows_needed(level)}; give more rows or ask for at most {100 * rows / (rows + 1):.4g} %."
        )


def upper_quantile(values: Floats, level: float, weights: Floats | None = None) -> Floats:
    """The value that a new one, exchangeable with ``values [k, ...]``, stays below with at least ``level``.

    The ``ceil((k + 1) level)``-th smallest, over the first axis; infinite where there are too few.

    Args:
        values: ``[k, ...]``.
        level: between 0 and 1.
        weights: ``[k]`` with a sum below one, the rest standing at infinity; by default ``1 / (k + 1)`` each.
    """
    count = len(values)
    if weights is None:
        rank = math.ceil((count + 1) * level - ROUNDING)
        if rank > count:
            return np.full(values.shape[1:], np.inf)
        chosen: Floats = np.partition(values, max(rank, 1) - 1, axis=0)[max(rank, 1) - 1]
        return chosen
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0) >= level - ROUNDING
    first = np.argmax(reached, axis=0)[None]
    found = np.take_along_axis(np.take_along_axis(values, order, axis=0), first, axis=0)[0]
    return np.where(reached.any(axis=0), found, np.inf)


def specimen_weights(specimens: NDArray[Any]) -> Floats:
    """Weights ``[k]`` of rows: each specimen as much as any other, one share left for the new specimen."""
    _, index, counts = np.unique(specimens, return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / ((len(counts) + 1) * counts[index])
    return weights
