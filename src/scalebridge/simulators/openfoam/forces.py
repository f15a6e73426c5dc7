"""Forces, moments and their coefficients, as ``forces`` and ``forceCoeffs`` write them.

Three formats are known: ``force.dat`` and ``moment.dat`` with vectors in brackets (OpenCFD to v2112), the same without
brackets (v2206 and later), and ``forces.dat`` with both (the Foundation's, and releases before v1606).
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.source import Source
from scalebridge.errors import InputError
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.openfoam.dictionaries import without_comments
from scalebridge.simulators.openfoam.function_objects import dataset, identifier
from scalebridge.simulators.openfoam.result_tables import ResultTable, damaged, merged_table, table_names

_PARTS = ("total", "pressure", "viscous", "porous", "internal")
_TOGETHER = re.compile(r"(forces?|moments?)\((.+)\)")
_FORCES = re.compile(r"\btype\s+forces\s*;")
_DENSITY = re.compile(r"\brhoInf\s+(?:\w+\s+)?(?:\[[^\]]*\]\s*)?(\d[\d.]*(?:[eE][-+]?\d+)?)\s*;")
_SUFFIXES = {"(f)": "_front", "(r)": "_rear"}


def read_forces(case: str | os.PathLike[str], name: str = "forces") -> Dataset:
    """Read forces and moments over all starts of a run; where they overlap in time, the later counts.

    Args:
        case: its folder.
        name: of the function object.

    Returns:
        A row per time: ``time`` (s), ``total_force`` (N, ``(3,)``) and its parts ``pressure_force``, ``viscous_force``
        and, where written, ``porous_force``; ``total_moment`` (N*m) and its parts in the same way. An incompressible
        solver computes them with the function object's ``rhoInf``, a two-dimensional case for its mesh's thickness.

    Raises:
        InputError: no such function object, a damaged file.
    """
    known = table_names(case, name)
    if "force" not in known:
        table = merged_table(case, name, ("forces",))
        parts = _together(table)
        time = table.time
    else:
        tables = {what: merged_table(case, name, (what,)) for what in ("force", "moment") if what in known}
        first = tables["force"]
        parts = {}
        for what, table in tables.items():
            if not np.array_equal(table.time, first.time):
                raise InputError(
                    f"The files '{first.path}' and '{table.path}' hold different times; run the case again."
                )
            parts |= _apart(table, what)
        time, table = first.time, first
    variables = [Variable("time", "s")]
    variables += [Variable(key, "N*m" if key.endswith("moment") else "N", (3,)) for key in parts]
    source = Source(reader="openfoam", notes=(f"read from '{table.path}' and the starts before it.",))
    return Dataset(Space(variables), {"time": time, **parts}, name, source=source)


def read_force_coefficients(case: str | os.PathLike[str], name: str = "forceCoeffs") -> Dataset:
    """Read the coefficients of ``forceCoeffs``: ``time`` and, without unit, ``Cd``, ``Cl`` and what else is written.

    ``Cd(f)`` and ``Cd(r)``, the shares of the front and the rear axle, are ``Cd_front`` and ``Cd_rear``.

    Raises:
        InputError: no such function object, a damaged file.
    """
    table = merged_table(case, name, ("coefficient", "forceCoeffs"))
    names = [_coefficient(heading) for heading in table.headings[1:]]
    return dataset(table, names, ["1"] * len(names), name)


def reference_densities(case: Path) -> dict[str, float]:
    """File -> ``rhoInf`` (kg/m^3) of function objects ``forces`` in ``system``, with which they turn p into Pa."""
    found = {}
    for path in sorted((case / "system").glob("*")):
        text = without_comments(path) if path.is_file() else ""
        for forces in _FORCES.finditer(text):
            density = _DENSITY.search(_surrounding(text, forces.start()))
            if density is not None:
                found[f"system/{path.name}"] = float(density[1])
    return found


def _surrounding(text: str, at: int) -> str:
    """The entries of the dictionary that holds a position, those of dictionaries within it too."""
    depth, start = 0, at
    while start > 0 and depth <= 0:
        start -= 1
        depth += {"{": 1, "}": -1}.get(text[start], 0)
    depth, end = 0, at
    while end < len(text) and depth >= 0:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start:end]


def _coefficient(heading: str) -> str:
    for written, meant in _SUFFIXES.items():
        heading = heading.replace(written, meant)
    return identifier(heading)


def _apart(table: ResultTable, what: str) -> dict[str, Floats]:
    """Vectors of ``force.dat`` or ``moment.dat``: ``(total_x total_y total_z)`` or ``total_x`` and so on."""
    labels = " ".join(table.headings[1:]).replace("(", " ").replace(")", " ").split()
    return _vectors(table, [label.removesuffix("_x") for label in labels[::3]], labels, table.numbers, what)


def _together(table: ResultTable) -> dict[str, Floats]:
    """Vectors of ``forces.dat``: ``forces(pressure viscous porous) moment(pressure viscous porous)``."""
    found: dict[str, Floats] = {}
    numbers, at = table.numbers, 0
    for heading in table.headings[1:]:
        match = _TOGETHER.fullmatch(heading)
        if match is None:
            damaged(table.path, len(table.comments), f"the heading '{heading[:40]}' is no list of forces or moments")
        parts = match[2].replace(",", " ").split()
        what = match[1].removesuffix("s")
        mine = numbers[:, at : at + 3 * len(parts)]
        at += 3 * len(parts)
        labels = [f"{part}_{axis}" for part in parts for axis in "xyz"]
        vectors = _vectors(table, parts, labels, mine, what)
        found |= {f"total_{what}": np.sum(list(vectors.values()), axis=0), **vectors}
    if at != numbers.shape[1]:
        damaged(table.path, len(table.comments), f"headings for {at} numbers stand over {numbers.shape[1]}")
    return found


def _vectors(table: ResultTable, parts: list[str], labels: list[str], numbers: Floats, what: str) -> dict[str, Floats]:
    wanted = [f"{part}_{axis}" for part in parts for axis in "xyz"]
    if labels != wanted or not parts or not set(parts) <= set(_PARTS) or numbers.shape[1] != len(labels):
        damaged(
            table.path,
            len(table.comments),
            f"its headings ({' '.join(labels)[:80]}) are not those of vectors {', '.join(_PARTS)} over "
            f"{numbers.shape[1]} numbers",
        )
    return {f"{part}_{what}": numbers[:, 3 * i : 3 * i + 3] for i, part in enumerate(parts)}
