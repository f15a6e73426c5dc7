"""Rows of a dataset by mask or by number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError

if TYPE_CHECKING:
    from scalebridge.data.dataset import Dataset


def chosen_rows(which: ArrayLike, n: int, name: str) -> NDArray[np.int64]:
    """Indices ``[k]`` from a mask ``[n]`` or indices; negative ones count from the end.

    Raises:
        InputError: a mask of another length, numbers that are no rows.
    """
    array = np.asarray(which)
    if array.dtype == np.bool_:
        if array.shape != (n,):
            raise InputError(f"A mask of shape {array.shape} chooses rows of '{name}', which has {n}; give {n} values.")
        return np.flatnonzero(array).astype(np.int64)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(f"Rows of '{name}' are chosen by {which!r}; give a mask [{n}] or whole numbers.")
    indices = array.astype(np.int64)
    bad = np.flatnonzero((indices < -n) | (indices >= n))
    if len(bad):
        raise InputError(f"Row {indices[bad[0]]} of '{name}' was chosen, which has the rows 0 to {n - 1}.")
    return np.where(indices < 0, indices + n, indices)


def take(dataset: Dataset, indices: NDArray[np.int64]) -> Dataset:
    """The rows ``indices``; edges between nodes that stay keep them, by their new numbers."""
    time = dataset.time
    if time is not None and time.step is not None:
        time = replace(time, step=step_of(dataset.columns[time.column][indices]))
    return replace(
        dataset,
        columns={name: _taken(column, indices) for name, column in dataset.columns.items()},
        std={name: _taken(column, indices) for name, column in dataset.std.items()},
        censored={name: _taken(column, indices) for name, column in dataset.censored.items()},
        time=time,
        edges=_kept_edges(dataset, indices),
    )


def _taken(column: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[Any]:
    part = column[indices]
    part.setflags(write=False)
    return part


def step_of(seconds: NDArray[np.float64]) -> float | None:
    """Seconds from row to row where they are all alike, else None."""
    with np.errstate(over="ignore"):
        steps = np.diff(seconds)
    if not len(steps) or not np.isfinite(steps).all() or not steps[0] > 0:
        return None
    return float(steps[0]) if np.abs(steps - steps[0]).max() <= 1e-6 * (1.0 + steps[0]) else None


def _kept_edges(dataset: Dataset, indices: NDArray[np.int64]) -> Dataset | None:
    edges = dataset.edges
    if edges is None:
        return None
    if len(np.unique(indices)) < len(indices):
        raise InputError(f"A node of the graph '{dataset.name}' was chosen twice; choose every row once.")
    number = np.full(len(dataset), -1, dtype=np.int64)
    number[indices] = np.arange(len(indices))
    ends = [number[edges.columns[side].astype(np.int64)] for side in ("source", "target")]
    kept = np.flatnonzero((ends[0] >= 0) & (ends[1] >= 0))
    part = take(edges, kept)
    renumbered = {"source": ends[0][kept].astype(np.float64), "target": ends[1][kept].astype(np.float64)}
    return replace(part, columns={**part.columns, **renumbered})
