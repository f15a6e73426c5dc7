"""Tables of function objects: averages over surfaces and volumes, minima and maxima, residuals, anything in time.

::

    mean = read_function_object("case", "outletPressure")
    mean["areaAverage_p"]                                # [n], in the unit of the case's own p
    read_residuals("case")["Ux_initial"]
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.source import Source
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.openfoam.components import SHAPES, shaped
from scalebridge.simulators.openfoam.result_tables import ResultTable, damaged, merged_table
from scalebridge.simulators.openfoam.time_folders import case_folder
from scalebridge.simulators.openfoam.units_in_case import unit_in_case


def read_function_object(
    case: str | os.PathLike[str], name: str, table: str | None = None, *, units: Mapping[str, str] | None = None
) -> Dataset:
    """Read the table of a function object over all starts of a run.

    Args:
        case: its folder.
        name: of the function object: a folder of ``postProcessing``.
        table: which of its tables, where it writes several, without ``.dat``.
        units: of columns, by their heading (``"areaAverage(p)"``) or by the field in it (``"p"``); others are found
            in the case's own fields, or are ``"1"`` and named by ``source.unstated``.

    Returns:
        A row per time: ``time`` (s; the iteration of a steady solver) and a column per heading, ``areaAverage(p)`` as
        ``areaAverage_p``. Vectors have the shape ``(3,)``, tensors ``(3, 3)``, symmetric ones the components xx, yy,
        zz, xy, yz, zx; words are categories.

    Raises:
        InputError: no such function object or table, a damaged file.
    """
    folder = case_folder(case)
    found = merged_table(folder, name, () if table is None else (table,))
    headings = found.headings[1:]
    stated = [unit_in_case(folder, heading, units) for heading in headings]
    return dataset(found, [identifier(h) for h in headings], stated, name)


def read_residuals(case: str | os.PathLike[str], name: str = "residuals") -> Dataset:
    """Read what ``solverInfo`` or ``residuals`` wrote: all numbers are without unit; a gap is NaN.

    Raises:
        InputError: no such function object, a damaged file.
    """
    found = merged_table(case, name, ("solverInfo", "residuals"))
    return dataset(found, [identifier(h) for h in found.headings[1:]], ["1"] * len(found.headings[1:]), name)


def dataset(table: ResultTable, names: list[str], units: list[str | None], name: str) -> Dataset:
    """A table as a dataset; ``None`` for a unit that nobody stated."""
    if len(names) != len(table.columns):
        damaged(table.path, len(table.comments), f"{len(names)} headings stand over {len(table.columns)} columns")
    variables, columns = [Variable("time", "s")], {"time": table.time}
    unstated = []
    for label, unit, column, heading in zip(_distinct(names), units, table.columns, table.headings[1:], strict=True):
        if column.dtype.kind != "f":
            variables.append(Variable(label, kind="category"))
            columns[label] = column
            continue
        # The largest float stands for no value.
        kept = np.where(np.abs(column) < 1e300, column, np.nan)
        columns[label] = _value(kept, heading)
        variables.append(Variable(label, unit or "1", columns[label].shape[1:]))
        if unit is None:
            unstated.append(label)
    notes = (f"read from '{table.path}' and the starts before it.",)
    source = Source(reader="openfoam", notes=notes, unstated=tuple(unstated))
    return Dataset(Space(variables), columns, name, source=source)


def _value(column: Floats, heading: str) -> Floats:
    """Numbers ``[n, k]`` as values; a list of vectors, as in ``forces(pressure viscous)``, stays one row."""
    k = column.shape[1]
    return shaped(column) if k in SHAPES and not re.search(r"[\s,]", heading) else column


def identifier(heading: str) -> str:
    """A heading as an identifier: ``areaAverage(p)`` is ``areaAverage_p``."""
    name = re.sub(r"\W+", "_", heading).strip("_") or "column"
    return name if name.isidentifier() else f"column_{name}"


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {"time": 1}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found
