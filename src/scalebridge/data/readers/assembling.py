"""Columns as read to a `Dataset`: kinds, identifiers, time, notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import TimeFrame
from scalebridge.data.headers import Header
from scalebridge.data.readers.cells import Column
from scalebridge.data.readers.stamps import Clock, seconds_of
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Space, Variable

# The first column of such a name identifies rows: "SpecimenID", "core_id", "ID".
_IDENTIFIER = re.compile(r"(^|.*_)(id|ID|Id|[Ii]dentifier|uuid|UUID)|.*[a-z]I[Dd]")
# Where more than this share of its texts stand in several rows, it names groups; where fewer do, those are mistakes.
REPEATED = 0.5
AUTO = "auto"

Place = Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Parts:
    """A table as read, before it is a dataset.

    Attributes:
        file: what it came from.
        owner: what messages call it.
        headers: one per column.
        columns: in the same order.
        place: from row index to the user's word for it, such as ``"row 17"``.
        reader, options, notes: for the source.
    """

    file: File
    owner: str
    headers: Sequence[Header]
    columns: Sequence[Column]
    place: Place
    reader: str
    options: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def assembled(parts: Parts, *, name: str, index: str | None = AUTO, time: Clock | None = None) -> Dataset:
    """The dataset of a table's columns.

    Args:
        parts: as read.
        name: of the dataset.
        index: the column that identifies rows, ``"auto"`` for the first that says so by its name, ``None`` for none.
        time: the clock whose column becomes seconds.

    Raises:
        InputError: an index that is not there, with gaps or with identifiers that stand twice; time stamps that
            cannot be read, repeat or go back.
    """
    headers, columns = list(parts.headers), list(parts.columns)
    notes = [*parts.notes, *(h.note for h in headers if h.note), *(n for c in columns for n in c.notes)]
    chosen, note = _index(parts, index)
    notes += [note] if note else []
    frame: TimeFrame | None = None
    if time is not None:
        place = _found(parts, time.column, "time")
        values, frame, told = seconds_of(columns[place], time, headers[place].name, parts.owner, parts.place)
        columns[place] = Column(values, "s")
        notes += told
    variables = [_variable(h, c) for h, c in zip(headers, columns, strict=True)]
    pairs = list(zip(headers, columns, strict=True))
    unstated = tuple(h.name for h, c in pairs if not c.is_text and c.unit is None and h.unit is None)
    return Dataset(
        Space(variables),
        {h.name: c.values for h, c in pairs},
        name=name,
        index=None if chosen is None else headers[chosen].name,
        time=frame,
        std={h.name: c.std for h, c in pairs if c.std is not None},
        censored={h.name: c.censored for h, c in pairs if c.censored is not None},
        source=Source((parts.file,), parts.reader, parts.options, tuple(notes), unstated),
    )


def read_as_text(headers: Sequence[Header], text: Sequence[str], index: str | None, owner: str) -> set[int]:
    """Which columns are text whatever they hold: those named, and the index.

    Raises:
        InputError: a name that is no column.
    """
    chosen = {place_of(headers, name, owner, "text") for name in text}
    if index is not None and index != AUTO:
        chosen.add(place_of(headers, index, owner, "index"))
    found = identifiers_of(headers) if index == AUTO else None
    return chosen if found is None else chosen | {found}


def place_of(headers: Sequence[Header], name: str, owner: str, role: str) -> int:
    """Which column is called ``name``, by identifier or as in the file."""
    for i, header in enumerate(headers):
        if name in (header.name, header.text):
            return i
    raise InputError(
        f"{owner} has no column '{name}', asked for as {role}{did_you_mean(name, [h.name for h in headers])}"
    )


def identifiers_of(headers: Sequence[Header]) -> int | None:
    """The first column whose header says that it identifies rows."""
    return next((i for i, h in enumerate(headers) if h.unit is None and _IDENTIFIER.fullmatch(h.name)), None)


def _variable(header: Header, column: Column) -> Variable:
    if column.is_text:
        return Variable(header.name, kind="category", description=header.description)
    unit = column.unit or header.unit or "1"
    return Variable(header.name, unit, tuple(column.values.shape[1:]), description=header.description)


def _found(parts: Parts, name: str, role: str) -> int:
    return place_of(parts.headers, name, parts.owner, role)


def _index(parts: Parts, index: str | None) -> tuple[int | None, str]:
    """Which column is the index, and a note where one that looked like it is not."""
    if index is None:
        return None, ""
    if index != AUTO:
        place = _found(parts, index, "index")
        _check_unique(parts, place)
        return place, ""
    found = identifiers_of(parts.headers)
    if found is None or not parts.columns[found].is_text:
        return None, ""
    texts, header = parts.columns[found].values, parts.headers[found].text
    known = texts[texts != ""]
    counts = np.unique(known, return_counts=True)[1]
    if len(known) < len(texts) or not len(known):
        return None, f"'{header}' has gaps and is no index."
    if np.count_nonzero(counts > 1) > REPEATED * len(counts):
        return None, f"'{header}' names {len(counts)} groups of rows and is no index."
    _check_unique(parts, found)
    return found, ""


def _check_unique(parts: Parts, place: int) -> None:
    texts, header = parts.columns[place].values, parts.headers[place]
    blank = np.flatnonzero(texts == "")
    if len(blank):
        raise InputError(
            f"{parts.owner} has no identifier in {parts.place(int(blank[0]))}, column '{header.text}'; fill it in, or "
            "read with index=None."
        )
    order = np.argsort(texts, kind="stable")
    same = np.flatnonzero(texts[order][1:] == texts[order][:-1])
    if len(same):
        first = same[np.argmin(order[same + 1])]
        a, b = int(order[first]), int(order[first + 1])
        more = f" ({len(same) - 1} more such rows)" if len(same) > 1 else ""
        raise InputError(
            f"{parts.owner} holds the identifier '{texts[a]}' twice, in {parts.place(a)} and {parts.place(b)}, column "
            f"'{header.text}'{more}; identifiers must differ, so correct one, or read with index=None where several "
            "rows belong to one specimen."
        )
