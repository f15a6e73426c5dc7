"""States as a table of finite numbers, checked for methods that have no spaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats


def checked_states(title: str, x: Any, d: int | None = None, *, finite: bool = True) -> Floats:
    """``x`` as float64 ``[b, d]``; raise `InputError` in one sentence where it is none.

    Args:
        title: who asks, in a sentence.
        x: the states, one a row.
        d: columns, where they are known.
        finite: refuse values that are not finite.
    """
    try:
        states = np.asarray(x)
        if np.iscomplexobj(states):
            raise TypeError("complex numbers")
        states = states.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"{title} got states that are not numbers; it takes an array [b, d], one state a row."
        ) from error
    if states.ndim != 2 or states.shape[1] != (states.shape[1] if d is None else d) or (states.size == 0 and d is None):
        wanted = "at least one row and one column" if d is None else f"{d} columns as it was fitted on"
        raise ShapeError(f"{title} got states of shape {states.shape}; it takes [b, d] with {wanted}.")
    bad = np.argwhere(~np.isfinite(states)) if finite else np.zeros((0, 2))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise InputError(
            f"{title} got {states[row, column]} in row {row}, column {column}; values must be finite: leave out rows "
            "that failed."
        )
    return states
