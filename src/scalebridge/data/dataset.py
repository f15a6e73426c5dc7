"""Rows of one scale - specimens, images, times, points, nodes - with what their columns mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.data.columns import checked_column, checked_columns, flat, frozen, numbers
from scalebridge.data.frames import Frame, TimeFrame
from scalebridge.data.source import Source
from scalebridge.data.steps import Step, changes
from scalebridge.errors import InputError, ShapeError, did_you_mean
from scalebridge.quantities import Floats, Space, Variable
from scalebridge.quantities.units import conversion


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of one scale with named, typed columns; immutable, every derived dataset is a new one.

    It is a table for `sb.compare` and the learners: ``keys()`` are the names, ``dataset["T"]`` the column.

    Args:
        space: what the columns are: name, unit, shape, bounds and kind, in order.
        columns: read-only float64 ``[n, *shape]`` with NaN for a gap; a category is text ``[n]`` with ``""`` for a
            gap; a field is an object array ``[n]`` of `Field`, float64 arrays, `Micrograph` or `Volume`, ``None`` for
            a gap.
        name: what messages call it, such as the file's name.
        index: the category that identifies rows; no gap, no text twice.
        coordinates: which columns are places, and in which frame.
        time: which column is time.
        std: standard deviation per numeric column, in the column's shape and unit, where known.
        censored: per numeric column ``[n]``: 0 measured, +1 at least this (a run-out), -1 at most this.
        edges: of a graph: rows with columns ``source`` and ``target``, the row numbers of nodes here.
        source: files, reader, options, and what the reader assumed.
        steps: alignments, cleansings and selections since, the oldest first; `undo` takes back the last.

    Raises:
        InputError: columns that the space does not declare, an index that is not unique, unknown names.
        ShapeError: columns of different lengths or shapes.
    """

    space: Space
    columns: Mapping[str, NDArray[Any]]
    name: str = "dataset"
    index: str | None = None
    coordinates: Frame | None = None
    time: TimeFrame | None = None
    std: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    censored: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    edges: Dataset | None = None
    source: Source = field(default_factory=Source)
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        owner = f"'{self.name}'"
        object.__setattr__(self, "space", Space(self.space))
        object.__setattr__(self, "columns", checked_columns(self.space, self.columns, owner))
        object.__setattr__(self, "std", MappingProxyType({k: self._deviation(k, v) for k, v in self.std.items()}))
        object.__setattr__(self, "censored", MappingProxyType({k: self._flags(k, v) for k, v in self.censored.items()}))
        object.__setattr__(self, "steps", tuple(self.steps))
        _check_index(self)
        _check_frames(self)
        _check_edges(self)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise InputError(f"'{self.name}' has no column '{name}'{did_you_mean(str(name), self.columns)}")
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def keys(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self.space.names

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, the same on every platform; name, source and steps are no content."""
        from scalebridge.data.digests import digest

        return digest(self)

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """Names of the columns that hold numbers of a fixed shape."""
        return self.space.numeric.names

    def numeric(self, names: Sequence[str] | None = None) -> Floats:
        """Columns of numbers side by side, ``[n, k]``, arrays flattened in C order; gaps are NaN.

        Raises:
            InputError: a name that is not there, or not numeric.
        """
        chosen = self.numeric_names if names is None else _names(names)
        for name in chosen:
            self[name]
            if name not in self.numeric_names:
                raise InputError(
                    f"The column '{name}' of '{self.name}' is a {self.space[name].kind}, no number; leave it out or "
                    "write each category as a column of 0 and 1."
                )
        parts = [flat(self.columns[name]) for name in chosen]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(self), 0))

    def gaps(self, name: str) -> NDArray[np.bool_]:
        """Which rows ``[n]`` lack the column ``name``, in any component."""
        column = self[name]
        if column.dtype == object:
            return np.array([item is None for item in column], dtype=np.bool_)
        if column.dtype.kind == "U":
            return np.asarray(column == "")
        missing: NDArray[np.bool_] = np.isnan(flat(column)).any(axis=1)
        return missing

    def rows(self, which: ArrayLike) -> Dataset:
        """The rows of a mask ``[n]`` or of indices ``[k]``, in that order, as a step.

        Raises:
            InputError: a mask of another length, indices out of range or no whole numbers, edges that lose a node.
        """
        from scalebridge.data.selection import chosen_rows, take

        indices = chosen_rows(which, len(self), self.name)
        after = take(self, indices)
        sentence = f"Kept {len(indices)} of {len(self)} rows."
        return self.stepped(after, "rows", {"rows": len(indices)}, sentence)

    def only(self, names: str | Sequence[str]) -> Dataset:
        """The columns named, in that order, as a step; index, time and coordinates stay where their columns do."""
        kept = _names(names)
        for name in kept:
            self[name]
        after = replace(
            self,
            space=Space([self.space[name] for name in kept]),
            columns={name: self.columns[name] for name in kept},
            index=self.index if self.index in kept else None,
            coordinates=self.coordinates if self.coordinates and set(self.coordinates.columns) <= set(kept) else None,
            time=self.time if self.time and self.time.column in kept else None,
            std={k: v for k, v in self.std.items() if k in kept},
            censored={k: v for k, v in self.censored.items() if k in kept},
        )
        return self.stepped(after, "only", {"columns": list(kept)}, f"Kept {len(kept)} of {len(self.space)} columns.")

    def without(self, names: str | Sequence[str]) -> Dataset:
        """All columns but those named, as a step."""
        dropped = _names(names)
        for name in dropped:
            self[name]
        after = self.only([name for name in self.space.names if name not in dropped])
        return self.stepped(after, "without", {"columns": list(dropped)}, f"Left out {', '.join(dropped)}.")

    def with_column(
        self, variable: Variable | str, values: Any, std: ArrayLike | None = None, censored: ArrayLike | None = None
    ) -> Dataset:
        """A column added at the end, or the column of that name replaced where it stands, as a step.

        Args:
            variable: the variable, or the name of one that is there already.
            values: ``[n, *shape]``, or as the kind asks for.
            std, censored: of the values; a replaced column loses its former ones.

        Raises:
            InputError, ShapeError: values that do not fit the variable or the rows.
        """
        made = self.space[variable] if isinstance(variable, str) else variable
        replaced = made.name in self.columns
        variables = [made if v.name == made.name else v for v in self.space] + ([] if replaced else [made])
        values = checked_column(made, values, f"'{self.name}'")
        deviations = {k: v for k, v in self.std.items() if k != made.name}
        flags = {k: v for k, v in self.censored.items() if k != made.name}
        if std is not None:
            deviations[made.name] = np.asarray(std, dtype=np.float64)
        if censored is not None:
            flags[made.name] = np.asarray(censored, dtype=np.int8)
        after = replace(
            self, space=Space(variables), columns={**self.columns, made.name: values}, std=deviations, censored=flags
        )
        verb = "Replaced" if replaced else "Added"
        return self.stepped(after, "with_column", {"column": made.name}, f"{verb} the column '{made.name}'.")

    def in_units(self, units: Mapping[str, str]) -> Dataset:
        """Columns converted to other units, deviations and bounds too, as a step.

        Args:
            units: from column to the unit wanted, such as ``{"T": "degC"}``.

        Raises:
            InputError: an unknown or not numeric column, a time column, which stays in seconds.
            UnitError: units that do not convert.
        """
        after = self
        for name, unit in units.items():
            after = _converted(after, name, unit)
        told = ", ".join(f"{name} from '{self.space[name].unit}' to '{unit}'" for name, unit in units.items())
        return self.stepped(after, "in_units", dict(units), f"Converted {told or 'nothing'}.")

    def stepped(
        self, after: Dataset, name: str, options: Mapping[str, Any] | None = None, sentence: str = ""
    ) -> Dataset:
        """``after`` as what one step made of this dataset: its steps are ours and this one.

        Args:
            after: the dataset that the step made; steps it recorded on the way count as this one.
            name: of the step.
            options: plain values (text, numbers, lists and mappings of them).
            sentence: what the step did, in words.
        """
        step = Step(name, options or {}, sentence, changes(self, after), before=self)
        return replace(after, steps=(*self.steps, step))

    def undo(self) -> Dataset:
        """The dataset before the last step.

        Raises:
            InputError: no step, or one whose former data was left out when it was saved.
        """
        if not self.steps:
            raise InputError(f"There is no step to undo in '{self.name}'; it is as it was read.")
        before = self.steps[-1].before
        if before is None:
            raise InputError(
                f"The step '{self.steps[-1].name}' of '{self.name}' cannot be undone, because it was saved without its "
                "history; read the source again, or save with history=True."
            )
        return before

    def save(self, path: str | os.PathLike[str], history: bool = True) -> None:
        """Write to one file that `scalebridge.data.load` reads; see `scalebridge.data.archive`."""
        from scalebridge.data.archive import save

        save(self, path, history=history)

    def describe(self) -> str:
        """What the dataset is, in words: rows, columns with units, gaps, source, steps."""
        from scalebridge.data.describing import describe

        return describe(self)

    def __repr__(self) -> str:
        return f"<Dataset '{self.name}': {len(self)} rows of {', '.join(self.space.names) or 'nothing'}>"

    def _repr_html_(self) -> str:
        from scalebridge.data.describing import page

        return page(self)

    def _deviation(self, name: str, values: Any) -> NDArray[np.float64]:
        self._numeric_column(name, "deviations")
        owner = f"The deviation of '{name}' of '{self.name}'"
        std = numbers(values, self.space[name].shape, owner)
        if len(std) != len(self):
            raise ShapeError(f"{owner} has {len(std)} rows and the column {len(self)}; give as many of each.")
        bad = np.argwhere((std < 0) | np.isinf(std))
        if len(bad):
            raise InputError(f"{owner} is {std[tuple(bad[0])]:g} in row {bad[0][0] + 1}; it must be finite and >= 0.")
        return std

    def _flags(self, name: str, values: Any) -> NDArray[np.int8]:
        self._numeric_column(name, "censoring")
        flags = np.asarray(values)
        if flags.shape != (len(self),) or not np.isin(flags, (-1, 0, 1)).all():
            raise InputError(
                f"The censoring of '{name}' of '{self.name}' must be {len(self)} numbers: 0 measured, 1 at least this, "
                "-1 at most this."
            )
        return frozen(flags.astype(np.int8))

    def _numeric_column(self, name: str, what: str) -> None:
        if name not in self.space.numeric.names:
            raise InputError(f"'{self.name}' got {what} of '{name}'{did_you_mean(name, self.space.numeric.names)}")


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _converted(dataset: Dataset, name: str, unit: str) -> Dataset:
    if name in dataset and dataset.space[name].kind == "field":
        from scalebridge.data.fields.columns import converted

        return converted(dataset, name, unit)
    dataset.numeric([name])
    if dataset.time is not None and dataset.time.column == name:
        raise InputError(f"The column '{name}' of '{dataset.name}' is time in seconds since an epoch; it stays in s.")
    if dataset.coordinates is not None and name in dataset.coordinates.columns:
        raise InputError(
            f"The column '{name}' of '{dataset.name}' is a coordinate of the frame '{dataset.coordinates.name}' in "
            f"'{dataset.coordinates.unit}'; convert the frame as a whole."
        )
    v = dataset.space[name]
    factor, offset = conversion(v.unit, unit, f"The column '{name}' of '{dataset.name}'")
    low, high = (None if b is None else factor * b + offset for b in v.bounds or (None, None))
    made = replace(v, unit=unit, bounds=None if v.bounds is None else (low, high) if factor > 0 else (high, low))
    std = None if name not in dataset.std else abs(factor) * dataset.std[name]
    return dataset.with_column(made, factor * dataset[name] + offset, std, dataset.censored.get(name))


def _check_index(dataset: Dataset) -> None:
    if dataset.index is None:
        return
    identifiers = dataset[dataset.index]
    if identifiers.dtype.kind != "U":
        raise InputError(f"The index '{dataset.index}' of '{dataset.name}' is no category; declare it as text.")
    if (identifiers == "").any():
        row = int(np.flatnonzero(identifiers == "")[0])
        raise InputError(f"The index '{dataset.index}' of '{dataset.name}' has a gap in row {row + 1}.")
    values, first, counts = np.unique(identifiers, return_index=True, return_counts=True)
    if len(values) < len(identifiers):
        k = int(np.flatnonzero(counts > 1)[np.argmin(first[counts > 1])])
        at = np.flatnonzero(identifiers == values[k])[:2] + 1
        raise InputError(
            f"The identifier '{values[k]}' stands {counts[k]} times in the index '{dataset.index}' of "
            f"'{dataset.name}' (rows {at[0]} and {at[1]}); an index identifies rows, so leave one out or use no index."
        )


def _check_frames(dataset: Dataset) -> None:
    frame, time = dataset.coordinates, dataset.time
    for name in frame.columns if frame else ():
        dataset.numeric([name])
        if frame and dataset.space[name].unit != frame.unit:
            raise InputError(
                f"The coordinate '{name}' of '{dataset.name}' is in '{dataset.space[name].unit}', its frame "
                f"'{frame.name}' in '{frame.unit}'; convert the column first."
            )
    if time is not None:
        dataset.numeric([time.column])
        if dataset.space[time.column].unit not in {"s", "second"}:
            raise InputError(f"The time '{time.column}' of '{dataset.name}' must be a column in seconds.")


def _check_edges(dataset: Dataset) -> None:
    if dataset.edges is None:
        return
    for side in ("source", "target"):
        ends = dataset.edges.numeric([side])[:, 0]
        bad = np.flatnonzero(~((ends >= 0) & (ends < len(dataset)) & (ends == np.floor(ends))))
        if len(bad):
            raise InputError(
                f"The edge in row {bad[0] + 1} of '{dataset.name}' has the {side} {ends[bad[0]]:g}, which is no row "
                f"number of a node; nodes are 0 to {len(dataset) - 1}."
            )
