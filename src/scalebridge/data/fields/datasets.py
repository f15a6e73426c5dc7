"""The results of many runs as one dataset: parameters as columns of numbers, results as columns of fields."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.series import files_of, read_steps
from scalebridge.data.readers.opening import opened
from scalebridge.data.source import Source
from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Space, Variable

Run = Mapping[str, Field] | None


def fields_dataset(
    runs: Sequence[Run],
    parameters: Mapping[str, Any] | None = None,
    *,
    index: Sequence[str] | None = None,
    name: str = "fields",
    source: Source | None = None,
) -> Dataset:
    """One row for each run, or each time step of one.

    Args:
        runs: what each gave, by name; None for a run that failed, and a name may be missing in some: gaps.
        parameters: from name to ``(unit, values [n])``, or to values of which nobody said the unit.
        index: texts that identify the rows, as the column ``run``.
        name: what messages call it.
        source: of the files, where there are any.

    Returns:
        A dataset with a column of the kind ``field`` for each name, in the unit of its first field, and a column
        ``time`` in s where every run has one.

    Raises:
        InputError: no run with a field, a parameter named like a field.
        ShapeError: parameters of another number of rows, fields of one name with values of different shapes.
        UnitError: fields of one name whose units do not convert.
    """
    names = list(dict.fromkeys(n for run in runs if run for n in run))
    if not names:
        raise InputError(f"'{name}' has {len(runs)} runs and none of them has a field; there is nothing to keep.")
    variables: list[Variable] = []
    columns: dict[str, Any] = {}
    unstated: list[str] = []
    if index is not None:
        variables.append(Variable("run", kind="category"))
        columns["run"] = [str(text) for text in index]
    for key, given in (parameters or {}).items():
        unit, values = given if isinstance(given, tuple) else (None, given)
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.ndim == 0 or len(numbers) != len(runs):
            raise ShapeError(f"The parameter '{key}' of '{name}' has the shape {numbers.shape} for {len(runs)} runs.")
        unstated += [key] if unit is None else []
        variables.append(Variable(key, unit or "1", numbers.shape[1:]))
        columns[key] = numbers
    times = [next(iter(run.values())).time if run else None for run in runs]
    if "time" not in columns and all(t is not None for t in times):
        variables.append(Variable("time", "s"))
        columns["time"] = np.array(times, dtype=np.float64)
    for key in names:
        variable, fields = _column([run.get(key) if run else None for run in runs], key, name)
        if key in columns:
            raise InputError(f"'{name}' has a parameter and a field named '{key}'; rename one of them.")
        variables.append(variable)
        columns[key] = fields
    origin = source or Source(unstated=tuple(unstated))
    return Dataset(Space(variables), columns, name, "run" if index is not None else None, source=origin)


def _column(fields: list[Field | None], key: str, name: str) -> tuple[Variable, list[Field | None]]:
    """The variable and the fields in the unit of the first."""
    first = next(f for f in fields if f is not None)
    for row, field in enumerate(fields):
        if field is not None and field.shape != first.shape:
            raise ShapeError(
                f"The field '{key}' of '{name}' has values of the shape {field.shape} in row {row + 1} and "
                f"{first.shape} before; rows of one column are alike."
            )
    made = [f if f is None or f.unit == first.unit else f.in_units(first.unit) for f in fields]
    return Variable(key, first.unit, kind="field", description=first.description), made


def read_dataset(path: str | os.PathLike[str], **options: Any) -> Dataset:
    """A mesh file, a series or a pattern of them as a dataset, a row for each time step; options of `read_steps`."""
    listed = [file for _, file in files_of(path)]
    files = tuple(opened(file, "mesh") for file in dict.fromkeys([Path(path), *listed]) if "*" not in str(file))
    steps = read_steps(path, **options)
    plain = {k: dict(v) if isinstance(v, Mapping) else v for k, v in options.items() if k in ("unit", "units")}
    unstated = tuple(k for k, f in steps[0].items() if f.unit == "1") if steps else ()
    source = Source(files, "mesh", plain, unstated=unstated)
    return fields_dataset(steps, name=Path(path).name, source=source)
