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
    r"\s*(?P<what>[A-Za-z][^()]*?)\s*(?:\((?P<columns>(?:[^()]|\([^()]*\))*)\)(?:[^()]*\((?P<more>[^()]*)\))?)?"
    r"\s*for set\s*(?P<set>\S+) and time\s+(?P<time>\S+)"
)
_NUMBER = re.compile(r"[-+.\d].*|(?i:nan|inf|infinity)")
# Tables with one row for the whole set.
_OF_THE_SET = ("total", "center")
_MODE = re.compile(r"\s*E I G E N V A L U E\s+N U M B E R\s+(\d{1,9})\s*$")
_PART = re.compile(r"\s*(?:R E A L|I M A G I N A R Y)\s+P A R T\s*$")
# In the place of names stands a counter, or above one value an explanation or the names of another table.
_NO_NAMES = ("v(i)", "values")
_ONE_VALUE = ("network pressures", "ductile damage initiation")
# Columns that count, and are no values.
_COUNTS = ("elem", "element", "integ.pnt.", "node", "nodenr")


@dataclass(frozen=True, eq=False)
class Table:
    """One printed table.

    Args:
        quantity: as printed, such as "displacements" or "stresses".
        columns: names of the values, such as ``("vx", "vy", "vz")``; ``value``, or ``value1``, ``value2``, ... of
            several that CalculiX does not name.
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
    """A table while it is read; columns that CalculiX does not name are counted in the first row."""

    quantity: str
    columns: tuple[str, ...]
    n_counts: int
    set: str
    time: float
    mode: int | None = None
    counts: Any = field(default_factory=lambda: array("q"))
    values: Any = field(default_factory=lambda: array("d"))

    def closed(self) -> Table:
        """The finished table."""
        counts = np.array(self.counts, dtype=np.int64).reshape(-1, max(1, self.n_counts))
        columns = self.columns or ("value1",)
        values = np.array(self.values, dtype=np.float64).reshape(-1, len(columns))
        points = counts[:, 1] if self.n_counts == 2 else None
        return Table(self.quantity, columns, self.set, self.time, self.mode, counts[:, 0], points, values)


def read_dat(path: str | Path) -> tuple[Table, ...]:
    """Read all tables of a ``.dat``, in the order of the file.

    Sections that are no tables of a set (eigenvalues, modal participation, contact and section prints) are left out.

    Raises:
        InputError: a missing file; a damaged one, with the line.
    """
    with opened(path, "CalculiX's printed results") as file:
        return tuple(_tables(file, Path(path)))


def find(tables: tuple[Table, ...], quantity: str, name: str | None = None) -> Table:
    """Return the table of a quantity (and of a set, where given) at the last time, or mode, of the file.

    Raises:
        InputError: no such table, none at the last time, or two that differ; the message says what was printed.
    """
    for at in reversed(range(len(tables))):
        table = tables[at]
        if table.quantity == quantity and (name is None or table.set == name.upper()):
            _check_single(table, tables[:at])
            return _latest(table, tables[-1])
    printed = sorted({f"{t.quantity} of {t.set}" for t in tables})
    of = "" if name is None else f" of the set {name.upper()}"
    raise InputError(
        f"CalculiX printed no '{quantity}'{of}; it printed {', '.join(printed) or 'nothing'}: "
        "ask with *NODE PRINT or *EL PRINT in the deck."
    )


def _check_single(table: Table, earlier: tuple[Table, ...]) -> None:
    """Refuse the second of two parts, real and imaginary, which CalculiX prints under the same heading."""
    for other in reversed(earlier):
        if (other.time, other.mode) != (table.time, table.mode):
            return
        same = (other.quantity, other.set) == (table.quantity, table.set)
        if same and not np.array_equal(other.values, table.values):
            raise InputError(
                f"CalculiX printed '{table.quantity}' of the set {table.set} twice at {_moment(table)}, as the real "
                "and the imaginary part of a dynamic answer: read both by a function of read_dat."
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
    of_mode: list[_Open] = []
    for at, text in text_lines(file, path):
        if not text.strip():
            continue
        head = _HEAD.match(text)
        if head is not None or (text.lstrip()[0].isalpha() and not _is_row(text)):
            if table is not None:
                yield table.closed()
            table = None if head is None else _begun(head, path, at)
            if found := _MODE.match(text):
                mode, of_mode = int(found[1]), []
            elif _PART.match(text):
                of_mode = []
            if table is not None:
                # The tables of a later step stand below those of the last mode without a heading.
                mode = None if any(_ends(table, other) for other in of_mode) else mode
                table.mode = mode
                of_mode.append(table)
        elif table is not None:
            _add(table, text, path, at)
    if table is not None:
        yield table.closed()


def _ends(table: _Open, other: _Open) -> bool:
    """Whether two tables cannot be of the same mode."""
    return table.time != other.time or (table.quantity, table.set) == (other.quantity, other.set)


def _is_row(text: str) -> bool:
    return text.split()[0].lower() in ("nan", "inf", "infinity")


def _begun(head: re.Match[str], path: Path, at: int) -> _Open:
    # Where its own source breaks a name, CalculiX prints blanks.
    heads = (re.sub(" {2,}", "", part) for part in (head["columns"], head["more"]) if part)
    listed = [c.strip() for part in heads for c in part.split(",")]
    n_counts = 0 if head["what"].startswith(_OF_THE_SET) else sum(c in _COUNTS for c in listed[:2]) or 1
    unnamed = any(c in _NO_NAMES for c in listed) or head["what"].startswith("center")
    names = () if unnamed else tuple(c for c in listed if c not in _COUNTS)
    if head["what"] in _ONE_VALUE or not (unnamed or names):
        names = ("value",)
    try:
        time = fortran_number(head["time"])
    except ValueError:
        raise broken(path, at, f"the time '{head['time'][:30]}' of a table is no number") from None
    return _Open(head["what"], names, n_counts, head["set"], time)


def _add(table: _Open, text: str, path: Path, at: int) -> None:
    words = text.split()
    # Values in a local system end with its name.
    if len(words) > table.n_counts and not _NUMBER.fullmatch(words[-1]):
        words.pop()
    if not table.columns:
        table.columns = tuple(f"value{k}" for k in range(1, max(2, len(words) - table.n_counts + 1)))
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
