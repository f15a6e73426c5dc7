"""Data that COMSOL exported as text, read without COMSOL: spreadsheets (also CSV), tables, sectionwise data, grids.

Source: COMSOL Multiphysics Programming Reference Manual, "Data formats", and Reference Manual, "Examples of
spreadsheet, sectionwise, and grid file formats".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.fields import CellBlock, Field, Mesh
from scalebridge.data.readers.opening import opened
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.simulators.comsol.columns import Column, step_parameters
from scalebridge.simulators.comsol.parts import Parts, read_parts

_WHAT = "COMSOL export"
_LARGEST = 1 << 36


@dataclass(frozen=True, eq=False)
class Export:
    """Data that COMSOL exported.

    Args:
        path: as given.
        header: what stands behind ``%``: Model, Version, Date, Dimension, Nodes, Expressions, Length unit, Table...
        points: ``[n, d]`` coordinates in ``length_unit``; d = 0 of a table.
        coordinates: their names.
        length_unit: of the coordinates; ``"1"`` where the file does not say it.
        columns: of the values.
        values: ``[n, c]``, real or complex.
        cells: nodes of the cells ``[e, k]``, and their type, where the file holds them.
        notes: sentences about what had to be assumed.
    """

    path: str
    header: Mapping[str, str]
    points: Floats
    coordinates: tuple[str, ...]
    length_unit: str
    columns: tuple[Column, ...]
    values: NDArray[Any]
    cells: CellBlock | None = None
    notes: tuple[str, ...] = ()
    _file: File | None = field(default=None, repr=False, kw_only=True)

    @property
    def steps(self) -> tuple[str, ...]:
        """Times, frequencies and parameters in order, as in ``"t=0.1"``; one empty text where there are none."""
        return tuple(self._by_step)

    @property
    def mesh(self) -> Mesh:
        """Points, and cells where the file holds them; else every point is a cell.

        Raises:
            InputError: a table, which has no points.
        """
        if not self.points.shape[1]:
            raise InputError(f"The {_WHAT} '{self.path}' is a table without coordinates; read it with dataset().")
        blocks = self.cells or CellBlock("vertex", np.arange(len(self.points))[:, None])
        return Mesh(self.points, (blocks,), self.length_unit, name=Path(self.path).name)

    def fields(self, step: str | int = -1) -> dict[str, Field]:
        """Fields of one step.

        Args:
            step: one of ``steps``, or its number from 0; -1 for the last.

        Returns:
            from name to field at the points; an expression that is complex at any step gives ``NAME_real`` and
            ``NAME_imag``.

        Raises:
            InputError: no such step, a table.
        """
        chosen, mesh = self._step(step), self.mesh
        when = step_parameters(chosen).get("t")
        time = None if when is None else when[0].real
        found: dict[str, Field] = {}
        for k in self._by_step[chosen]:
            one = self.columns[k]
            for name, values in _parts(one.name, self.values[:, k], self._complex).items():
                found[name] = Field(name, one.unit, values, "points", mesh, time, one.text)
        return found

    def dataset(self) -> Dataset:
        """All as a dataset: one row for each point and step, with the parameters of the steps as columns.

        Raises:
            InputError: an expression that stands at some steps only, or in several units.
        """
        columns: dict[str, list[Floats]] = {}
        variables: dict[str, Variable] = {}

        def put(name: str, unit: str, values: Floats, text: str = "") -> None:
            if variables.setdefault(name, Variable(name, unit, description=text)).unit != unit:
                raise InputError(f"The {_WHAT} '{self.path}' has '{name}' in several units; export it in one.")
            columns.setdefault(name, []).append(np.asarray(values, dtype=np.float64))

        n_rows, steps = len(self.values), self.steps
        stepped = {step: step_parameters(step) for step in steps}
        split = {name for found in stepped.values() for name, (value, _) in found.items() if value.imag}
        for step in steps:
            for i, name in enumerate(self.coordinates):
                put(name, self.length_unit, self.points[:, i])
            for stated, (value, unit) in stepped[step].items():
                for name, values in _parts(stated, np.full(n_rows, value), split).items():
                    put(name, unit, values)
            for k in self._by_step[step]:
                one = self.columns[k]
                for name, values in _parts(one.name, self.values[:, k], self._complex).items():
                    put(name, one.unit, values, one.text)
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        whole = {name: values for name, values in joined.items() if len(values) == n_rows * len(steps)}
        if len(whole) < len(joined):
            gone = ", ".join(sorted(set(joined) - set(whole)))
            raise InputError(f"The {_WHAT} '{self.path}' has {gone} at some steps only; export the same expressions.")
        files = () if self._file is None else (self._file,)
        source = Source(files, "COMSOL export", {}, self.notes, tuple(n for n, v in variables.items() if v.unit == "1"))
        return Dataset(Space(list(variables.values())), whole, name=Path(self.path).name, source=source)

    @cached_property
    def _by_step(self) -> dict[str, list[int]]:
        """Numbers of the columns of each step, in order."""
        found: dict[str, list[int]] = {} if self.columns else {"": []}
        for k, one in enumerate(self.columns):
            found.setdefault(one.step, []).append(k)
        return found

    @cached_property
    def _complex(self) -> set[str]:
        """Names of the expressions that are complex at any step."""
        is_complex = (self.values.imag != 0).any(axis=0)
        return {one.name for one, own in zip(self.columns, is_complex.tolist(), strict=True) if own}

    def _step(self, step: str | int) -> str:
        if isinstance(step, str):
            if step not in self.steps:
                raise InputError(f"The {_WHAT} '{self.path}' has no step '{step}'{did_you_mean(step, self.steps)}")
            return step
        if not -len(self.steps) <= step < len(self.steps):
            raise InputError(f"The {_WHAT} '{self.path}' has {len(self.steps)} steps, and none {step}.")
        return self.steps[step]


def read_export(path: str | Path) -> Export:
    """Data that COMSOL exported as text (``.txt``, ``.csv``, ``.dat``).

    Raises:
        InputError: no such file, an empty one, rows of different lengths, numbers that are none, a header that does
            not fit its columns, a step whose unit is not known.
    """
    file = opened(path, _WHAT, largest=_LARGEST)
    parts = read_parts(path, _WHAT)
    _unique(parts, str(path))
    _check_steps(parts, str(path))
    return Export(
        str(path),
        parts.header,
        parts.points,
        parts.coordinates,
        parts.length_unit,
        parts.columns,
        parts.values,
        parts.cells,
        parts.notes,
        _file=file,
    )


def _unique(parts: Parts, path: str) -> None:
    seen: set[tuple[str, str]] = set()
    for one in parts.columns:
        if (one.name, one.step) in seen or one.name in parts.coordinates:
            raise InputError(
                f"The {_WHAT} '{path}' has two columns '{one.text[:80]}' that cannot be told apart; export one of them."
            )
        seen.add((one.name, one.step))


def _check_steps(parts: Parts, path: str) -> None:
    for step in {one.step for one in parts.columns}:
        try:
            step_parameters(step)
        except InputError as error:
            raise InputError(f"The {_WHAT} '{path}' cannot be read: {error}") from None


def _parts(name: str, values: NDArray[Any], split: set[str]) -> dict[str, Floats]:
    if name in split:
        return {f"{name}_real": values.real, f"{name}_imag": values.imag}
    return {name: np.asarray(values.real, dtype=np.float64)}
