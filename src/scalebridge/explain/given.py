"""What people give to be explained, as rows: arrays, a table, a dataset, or a comparison with its folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.explain.answering import Answering
from scalebridge.explain.scatter import units_of
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Given:
    """Rows of a surrogate's inputs and, where they are known, of its outputs.

    Args:
        x: ``[n, d]``.
        y: ``[n, m]``, or None.
        units: ``[n]`` labels of rows that are not independent.
        notes: what was left out, in sentences.
    """

    x: Floats
    y: Floats | None
    units: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def kept(self, rows: Any) -> Given:
        """Some of the rows."""
        labels = np.unique(self.units[rows], return_inverse=True)[1].reshape(-1)
        return replace(self, x=self.x[rows], y=None if self.y is None else self.y[rows], units=labels)


def given(surrogate: Any, data: Any, groups: Any = None) -> Given:
    """Rows from what was given.

    Args:
        surrogate: whose inputs and outputs are read, in its units.
        data: a dataset, a table (mapping, structured array, data frame), ``(x, y)``, ``x [n, d]`` alone, or None for
            the rows that the surrogate learned from.
        groups: ``[n]`` labels, or the name of a column of the table.

    Raises:
        InputError: columns that are missing, rows that do not pair, nothing left without its gaps.
    """
    if data is None:
        x, y, _ = surrogate.data
        return Given(x, y, units_of(len(x), groups))
    if isinstance(data, tuple) and len(data) == 2:
        return _of_arrays(surrogate, data[0], data[1], groups)
    if hasattr(data, "keys") or getattr(getattr(data, "dtype", None), "names", None):
        return _of_table(surrogate, data, groups)
    return _of_arrays(surrogate, data, None, groups)


def learned_share(answering: Answering, x: Floats) -> float:
    """Share of the rows ``[n, d]`` that the surrogate learned from."""
    try:
        learned = np.asarray(answering.surrogate.data[0], dtype=np.float64)
    except (AttributeError, InputError):
        return 0.0
    if learned.ndim != 2 or learned.shape[1] != x.shape[1]:
        return 0.0
    seen = {row.tobytes() for row in learned + 0.0}
    return float(np.mean([row.tobytes() in seen for row in x + 0.0]))


def _of_arrays(surrogate: Any, x: Any, y: Any, groups: Any) -> Given:
    owner = f"The explanation of '{surrogate.name}'"
    rows = surrogate.inputs.check(x, owner)
    values = None
    if y is not None:
        array = np.asarray(y)
        values = surrogate.outputs.check(array[:, None] if array.ndim == 1 else array, owner)
        if len(values) != len(rows):
            raise InputError(f"{owner} got {len(rows)} rows of inputs and {len(values)} of outputs; give as many.")
    return _whole(Given(rows, values, units_of(len(rows), groups)), owner)


def _of_table(surrogate: Any, table: Any, groups: Any) -> Given:
    from scalebridge.learn.tables import read

    owner = f"The explanation of '{surrogate.name}'"
    headed = _headed(table)
    names = _bare(headed)
    labels = _labels(groups, headed, names)
    wanted = [v for v in surrogate.outputs if v.name in names]
    known = len(wanted) == len(surrogate.outputs)
    columns = {names[v.name]: headed[names[v.name]] for v in surrogate.inputs if v.name in names}
    outputs = {names[v.name]: headed[names[v.name]] for v in wanted} if known else {}
    whole = _without_gaps([*columns.values(), *outputs.values()], owner)
    count = len(whole)
    columns = {k: np.asarray(v)[whole] for k, v in columns.items()}
    outputs = {k: np.asarray(v)[whole] for k, v in outputs.items()}
    y: Any = outputs or np.zeros((int(whole.sum()), surrogate.outputs.size))
    _, _, x, read_y = read(columns, y, surrogate.inputs, surrogate.outputs)
    left = count - len(x)
    notes = (f"{left} of {count} rows have gaps and are left out.",) if left else ()
    units = units_of(count, labels)[whole]
    return Given(x, read_y if known else None, np.unique(units, return_inverse=True)[1].reshape(-1), notes)


def _headed(table: Any) -> dict[str, Any]:
    """Columns by header, a dataset's with their units."""
    structured: Any = getattr(getattr(table, "dtype", None), "names", None)
    space: Any = getattr(table, "space", None)
    told = {str(name): table[name] for name in structured or table.keys()}
    if space is None:
        return told
    # A unit that nobody stated is that of the surrogate.
    unstated = getattr(getattr(table, "source", None), "unstated", ())
    numbers = {v.name: v.unit for v in space if v.kind in ("array", "symmetric") and v.name not in unstated}
    return {f"{name} [{numbers[name]}]" if name in numbers else name: values for name, values in told.items()}


def _bare(headed: dict[str, Any]) -> dict[str, str]:
    return {header.split("[")[0].strip(): header for header in headed}


def _labels(groups: Any, headed: dict[str, Any], names: dict[str, str]) -> Any:
    if not isinstance(groups, str):
        return groups
    if groups not in names:
        raise InputError(f"There is no column '{groups}' to group by{did_you_mean(groups, list(names))}")
    return np.asarray(headed[names[groups]])


def _without_gaps(columns: Sequence[Any], owner: str) -> NDArray[np.bool_]:
    """Which rows have every number."""
    if not columns:
        raise InputError(f"{owner} got a table without any of its inputs; give their columns by name.")
    whole = np.ones(len(columns[0]), dtype=bool)
    for values in columns:
        array = np.asarray(values)
        if array.dtype.kind == "f" and len(array) == len(whole):
            whole &= np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if not whole.any():
        raise InputError(f"{owner} got no row without a gap; fill gaps first, or leave columns out.")
    return whole


def _whole(rows: Given, owner: str) -> Given:
    whole = np.asarray(np.isfinite(rows.x).all(axis=1))
    if rows.y is not None:
        whole &= np.isfinite(rows.y).all(axis=1)
    if whole.all():
        return rows
    if not whole.any():
        raise InputError(f"{owner} got no row without a gap; fill gaps first.")
    note = f"{int((~whole).sum())} of {len(whole)} rows have gaps and are left out."
    return replace(rows.kept(whole), notes=(note,))
