"""Printed results (``.dat``): one table for each quantity, set and time."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.calculix.text import broken, fortran_number, opened, text_lines

# CalculiX leaves out a blank here and there, and prints some heads in two parts.
_HEAD = re.compile(
    r"\s*(?P<what>[A-Za-z][^()]*?)\s*(?:\((?P<columns>[^()]*)\)(?:[^()]*\((?P<more>[^()]*)\))?)?"
    r"\s*for set\s*(?P<set>\S+) and time\s+(?P<time>\S+)"
)
_MODE = re.compile(r"\s*E I G E N V A L U E\s+N U M B E R\s+(\d{1,9})\s*$")
# Columns that count, and are no values.
_COUNTS = ("elem", "element", "integ.pnt.", "node", "nodenr")


@dataclass(frozen=True, eq=False)
class Table:
    """One printed table.

    Args:
        quantity: as printed, such as "displacements" or "stresses".
        columns: names of the values, such as ``("vx", "vy", "vz")``.
        set: the set that was asked for, as CalculiX writes it (in capitals).
        time: total time.
        mode: number of the eigenmode; None in other analyses.
        ids: ``[n]`` nodes or elements, from 1; empty of a total.
        points: ``[n]`` integration points from 1, where the table has them.
        values: ``[n, c]``.
    """

    quantity: str
    columns: tuple[str, ...]
    set: str
    time: float
    mode: int | None
    ids: NDArray[np.int64]
    points: NDArray[np.int64] | None
    values: Floats

    def column(self, name: str) -> Floats:
        """The values of one column ``[n]``.

        Raises:
            InputError: no such column.
        """
        if name not in self.columns:
            owner = f"The printed table '{self.quantity}' for the set {self.set} has no column"
            raise InputError(f"{owner} '{name}'{did_you_mean(name, self.columns)}")
        column: Floats = self.values[:, self.columns.index(name)]
        return column


@dataclass
class _Open:
    """A table while it is read."""

    quantity: str
    columns: tuple[str, ...]
    n_counts: int
    set: str
    time: float
    mode: int | None
    counts: Any = field(default_factory=lambda: array("q"))
    values: Any = field(default_factory=lambda: array("d"))

    def closed(self) -> Table:
        """The finished table."""
        counts = np.array(self.counts, dtype=np.int64).reshape(-1, max(1, self.n_counts))
        values = np.array(self.values, dtype=np.float64).reshape(-1, len(self.columns))
        points = counts[:, 1] if self.n_counts == 2 else None
        return Table(self.quantity, self.columns, self.set, self.time, self.mode, counts[:, 0], points, values)


def read_dat(path: str | Path) -> tuple[Table, ...]:
    """Read all tables of a ``.dat``, in the order of the file.

    Sections that are no tables of a set (eigenvalues, modal participation) are left out.

    Raises:
        InputError: a missing file; a damaged one, with the line.
    """
    with opened(path, "CalculiX's printed results") as file:
        return tuple(_tables(file, Path(path)))


def find(tables: tuple[Table, ...], quantity: str, name: str | None = None) -> Table:
    """Return the table of a quantity (and of a set, where given) at the last time, or mode, of the file.

    Raises:
        InputError: no such table, or none at the last time; the message says what was printed.
    """
    for table in reversed(tables):
        if table.quantity == quantity and (name is None or table.set == name.upper()):
            return _latest(table, tables[-1])
    printed = sorted({f"{t.quantity} of {t.set}" for t in tables})
    of = "" if name is None else f" of the set {name.upper()}"
    raise InputError(
        f"CalculiX printed no '{quantity}'{of}; it printed {', '.join(printed) or 'nothing'}: "
        "ask with *NODE PRINT or *EL PRINT in the deck."
    )


def _latest(table: Table, last: Table) -> Table:
    if (table.time, table.mode) != (last.time, last.mode):
        raise InputError(
            f"CalculiX printed '{table.quantity}' of the set {table.set} last at {_moment(table)}, and other tables at "
            f"{_moment(last)}: ask for it in the last step too."
        )
    return table


def _moment(table: Table) -> str:
    return f"the time {table.time:g}" + ("" if table.mode is None else f" (mode {table.mode})")


def _tables(file: TextIO, path: Path) -> Iterator[Table]:
    table: _Open | None = None
    mode: int | None = None
    for at, text in text_lines(file, path):
        if not text.strip():
            continue
        head = _HEAD.match(text)
        if head is not None or (text.lstrip()[0].isalpha() and not _is_row(text)):
            if table is not None:
                yield table.closed()
            table = None if head is None else _begun(head, mode, path, at)
            found = _MODE.match(text)
            mode = int(found[1]) if found else mode
        elif table is not None:
            _add(table, text, path, at)
    if table is not None:
        yield table.closed()


def _is_row(text: str) -> bool:
    return text.split()[0].lower() in ("nan", "inf", "infinity")


def _begun(head: re.Match[str], mode: int | None, path: Path, at: int) -> _Open:
    listed = [c.strip() for part in (head["columns"], head["more"]) if part for c in part.split(",")]
    total = head["what"].startswith("total")
    n_counts = 0 if total else sum(c in _COUNTS for c in listed[:2]) or 1
    names = [c for c in listed if c not in _COUNTS] or ["value"]
    try:
        time = fortran_number(head["time"])
    except ValueError:
        raise broken(path, at, f"the time '{head['time'][:30]}' of a table is no number") from None
    return _Open(head["what"], tuple(names), n_counts, head["set"], time, mode)


def _add(table: _Open, text: str, path: Path, at: int) -> None:
    words = text.split()
    # Cylindrical output of stresses ends with a mark of the local system.
    if words[-1] in ("L", "G"):
        words.pop()
    if len(words) != table.n_counts + len(table.columns):
        raise broken(
            path, at, f"a row of '{table.quantity}' has {len(words)} entries, not {table.n_counts + len(table.columns)}"
        )
    try:
        counts = [int(w) for w in words[: table.n_counts]]
        table.values.extend(_numbers(words[table.n_counts :]))
        table.counts.extend(counts)
    except (ValueError, OverflowError):
        raise broken(path, at, f"a row of '{table.quantity}' holds something that is no number") from None


def _numbers(words: list[str]) -> list[float]:
    try:
        return [*map(float, words)]
    except ValueError:
        return [fortran_number(word) for word in words]
