"""Values from tables: comma-separated ones, and columns parted by blanks."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue, all_of, check_name, lines_of, located
from scalebridge.quantities import Floats

# Its number, its cells, and whether it is a comment.
Line = tuple[int, list[str], bool]


@dataclass(frozen=True)
class Csv:
    """Numbers of one column of a comma-separated table.

    Args:
        file: name of the file.
        column: its heading, or its number from 0.
        row: number of the row from 0, from the end if negative; ``"all"`` for the whole column.
        unit: that the file is in; the output's where not given.
        delimiter: between cells; where not given, the first of ``;``, tab and ``,`` that the first line holds.
    """

    file: str
    column: str | int
    row: str | int = -1
    unit: str | None = None
    delimiter: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, "A Csv")
        _check_row(self.row, self.file)

    def read(self, folder: Path) -> Floats:
        """Return the numbers ``[1]``, of the whole column ``[n]``.

        Raises:
            NoValue: no file, no such column or row, no number.
        """
        return _column(self._lines(located(folder, self.file)), self.file, self.column, self.row)

    def _lines(self, path: Path) -> Iterator[Line]:
        delimiter = self.delimiter
        for number, line in lines_of(path):
            if not line.strip():
                continue
            delimiter = delimiter or next((d for d in ";\t" if d in line), ",")
            try:
                cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
            except csv.Error as error:
                raise NoValue(f"'{self.file}', line {number} is no line of a table ({error})") from error
            yield number, cells, False


@dataclass(frozen=True)
class Columns:
    """Numbers of one column of a table whose columns are parted by blanks.

    Args:
        file: name of the file.
        column: its number from 0, or its heading: in the line above the numbers, which may be a comment and has as
            many words as there are columns.
        row: number of the row from 0, from the end if negative; ``"all"`` for the whole column.
        unit: that the file is in; the output's where not given.
        comment: signs that begin a comment.
    """

    file: str
    column: str | int
    row: str | int = -1
    unit: str | None = None
    comment: str = "#%!"

    def __post_init__(self) -> None:
        check_name(self.file, "Columns")
        _check_row(self.row, self.file)

    def read(self, folder: Path) -> Floats:
        """Return the numbers ``[1]``, of the whole column ``[n]``.

        Raises:
            NoValue: no file, no such column or row, no number.
        """
        return _column(self._lines(located(folder, self.file)), self.file, self.column, self.row)

    def _lines(self, path: Path) -> Iterator[Line]:
        for number, line in lines_of(path):
            cells = line.lstrip(f" \t{self.comment}").split()
            if cells:
                yield number, cells, line.lstrip()[:1] in tuple(self.comment)


def _column(lines: Iterator[Line], file: str, column: str | int, row: str | int) -> Floats:
    cells = _below(lines, file, column) if isinstance(column, str) else _numbered(lines, file, column)
    if row == "all":
        values: Iterable[tuple[str, str]] = cells
    elif int(row) >= 0:
        values = islice(cells, int(row), int(row) + 1)
    else:
        kept = deque(cells, maxlen=-int(row))
        values = [kept[0]] if len(kept) == -int(row) else []
    found = all_of(values)
    if not len(found):
        raise NoValue(f"'{file}' has no row {row} with a number in the column '{column}'")
    return found


def _numbered(lines: Iterator[Line], file: str, column: int) -> Iterator[tuple[str, str]]:
    """The cells of a column with their places, from the first line that holds a number."""
    begun = False
    for number, cells, is_comment in lines:
        begun = begun or (not is_comment and any(_is_number(cell) for cell in cells))
        if not begun or is_comment:
            continue
        try:
            yield cells[column], f"'{file}', line {number}, column '{column}'"
        except IndexError:
            raise NoValue(f"'{file}', line {number} has {len(cells)} columns only, no column '{column}'") from None


def _below(lines: Iterator[Line], file: str, column: str) -> Iterator[tuple[str, str]]:
    """The cells of a column with their places, each below the nearest heading that names it and fits its row."""
    heading: list[str] = []
    nearest: list[str] = []
    seen: list[str] = []
    for number, cells, is_comment in lines:
        if column in cells:
            nearest = cells
        elif not is_comment and nearest and any(_is_number(cell) for cell in cells):
            heading = nearest if len(nearest) == len(cells) or not heading else heading
            yield _cell(cells, heading, column, f"'{file}', line {number}")
        elif not is_comment and heading:
            yield _cell(cells, heading, column, f"'{file}', line {number}")
        seen = seen if seen and any(_is_number(cell) for cell in cells) else cells
    if not nearest:
        raise NoValue(f"'{file}' has no column '{column}'{did_you_mean(column, seen[:20])}".rstrip("."))


def _cell(cells: list[str], heading: list[str], column: str, where: str) -> tuple[str, str]:
    if len(cells) == len(heading) or (len(cells) == len(heading) + 1 and not cells[-1]):
        return cells[heading.index(column)], f"{where}, column '{column}'"
    # Whether this line matters is known at the end only: a log goes on below its table.
    return f"{' '.join(cells)} ...", f"{where} with {len(cells)} cells, under a heading of {len(heading)},"


def _is_number(text: str) -> bool:
    try:
        float(text.replace("D", "e").replace("d", "e"))
    except ValueError:
        return False
    return True


def _check_row(row: str | int, file: str) -> None:
    if row != "all" and (isinstance(row, bool) or not isinstance(row, int)):
        raise InputError(f"The row {row!r} of '{file}' is neither a whole number nor 'all'.")
