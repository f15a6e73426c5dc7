"""Values at probes over time, as ``probes`` writes them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.source import Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.openfoam.components import SHAPES, shaped
from scalebridge.simulators.openfoam.function_objects import identifier
from scalebridge.simulators.openfoam.result_tables import ResultTable, damaged, merged_table, table_names
from scalebridge.simulators.openfoam.time_folders import case_folder
from scalebridge.simulators.openfoam.units_in_case import unit_in_case

# A probe that lies in no cell reads the largest number that the program has.
OUTSIDE = 1e300
_PROBE = re.compile(r"\s*Probe\s+(\d+)\s+\(([^()]*)\)(.*)")
_AXIS = re.compile(r"\s*([xyz])\s+(.*)")


@dataclass(frozen=True, eq=False)
class Probes:
    """Values at fixed places over time.

    Args:
        points: ``[n, 3]`` in m.
        inside: ``[n]``, False for a probe that lies in no cell; its values are NaN.
        time: ``[t]`` in s.
        values: name -> ``[t, n, *shape]``; a symmetric tensor has the components xx, yy, zz, xy, yz, zx.
        units: name -> unit; ``"1"`` where nobody said it.
    """

    points: Floats
    inside: NDArray[np.bool_]
    time: Floats
    values: Mapping[str, Floats] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Floats:
        if name not in self.values:
            raise InputError(f"The probes have no field '{name}'{did_you_mean(name, self.values)}")
        return self.values[name]

    def at(self, probe: int) -> Dataset:
        """The series of one probe, as a dataset with ``time`` and a column per field."""
        if not -len(self.points) <= probe < len(self.points):
            raise InputError(f"There is no probe {probe}; they are numbered 0 to {len(self.points) - 1}.")
        columns = {identifier(name): values[:, probe] for name, values in self.values.items()}
        variables = [Variable("time", "s")]
        variables += [Variable(identifier(n), self.units[n], v.shape[2:]) for n, v in self.values.items()]
        source = Source(reader="openfoam", notes=(f"probe {probe} at {self.points[probe].tolist()} m.",))
        return Dataset(Space(variables), {"time": self.time, **columns}, f"probe_{probe}", source=source)


def read_probes(
    case: str | os.PathLike[str],
    name: str = "probes",
    fields: Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | None = None,
) -> Probes:
    """Read probes over all starts of a run; where they overlap in time, the later counts.

    Args:
        case: its folder.
        name: of the function object.
        fields: which; None: all that were written.
        units: of fields that are not in the case's own time folders.

    Raises:
        InputError: no such function object or field, a damaged file.
    """
    folder = case_folder(case)
    tables = {}
    for wanted in table_names(folder, name) if fields is None else fields:
        tables[wanted] = merged_table(folder, name, (wanted,))
    if not tables:
        raise InputError(f"The probes '{name}' of '{case}' wrote no field; run the case.")
    first = next(iter(tables.values()))
    points, found = _places(first)
    values = {}
    for wanted, table in tables.items():
        if not np.array_equal(table.time, first.time) or not np.array_equal(_places(table)[0], points):
            raise InputError(f"The files '{first.path}' and '{table.path}' are not of the same probes and times.")
        values[wanted] = _values(table, len(points))
    outside = np.array(
        [any((np.isnan(v[:, i]) & (len(v) > 0)).all() for v in values.values()) for i in range(len(points))]
    )
    known = {wanted: unit_in_case(folder, wanted, units) or "1" for wanted in values}
    return Probes(points, found & ~outside if len(first.time) else found, first.time, values, known)


def _values(table: ResultTable, n_probes: int) -> Floats:
    widths = {column.shape[1] if column.dtype.kind == "f" else 0 for column in table.columns}
    if not table.columns:
        return np.zeros((0, n_probes))
    if len(table.columns) != n_probes or len(widths) != 1 or next(iter(widths)) not in SHAPES:
        damaged(
            table.path,
            len(table.comments) + 1,
            f"{len(table.columns)} values stand there for {n_probes} probes, or not of one kind",
        )
    values = np.stack(table.columns, axis=1)
    return shaped(np.where(np.abs(values) < OUTSIDE, values, np.nan))


def _places(table: ResultTable) -> tuple[Floats, NDArray[np.bool_]]:
    """Places ``[n, 3]`` and whether a cell was found there, from the comments."""
    rows, found = [], []
    axes: dict[str, list[float]] = {}
    for number, comment in enumerate(table.comments, start=1):
        if probe := _PROBE.match(comment):
            rows.append(_floats(table.path, number, probe[2]))
            found.append("not found" not in probe[3].lower())
        elif axis := _AXIS.match(comment):
            axes[axis[1]] = _floats(table.path, number, axis[2])
    if not rows and set(axes) == {"x", "y", "z"} and len({len(a) for a in axes.values()}) == 1:
        rows = [list(row) for row in zip(*(axes[k] for k in "xyz"), strict=True)]
        found = [True] * len(rows)
    if not rows or any(len(row) != 3 for row in rows):
        damaged(table.path, max(1, len(table.comments)), "the places of the probes must stand in its first lines")
    return np.array(rows), np.array(found)


def _floats(path: Path, line: int, text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(x) for x in numbers):
        damaged(path, line, "the place of a probe is no three numbers")
    return numbers
