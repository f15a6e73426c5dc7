"""Values from tables: comma-separated ones, and columns parted by blanks."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue, check_name, lines_of, located, number_in
from scalebridge.quantities import Floats

Line = tuple[int, list[str]]


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
                yield number, [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
            except csv.Error as error:
                raise NoValue(f"'{self.file}', line {number} is no line of a table ({error})") from error


@dataclass(frozen=True)
class Columns:
    """Numbers of one column of a table whose columns are parted by blanks.

    Args:
        file: name of the file.
        column: its number from 0, or its heading: in the line above the numbers, which may be a comment.
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
        heading = True
        for number, line in lines_of(path):
            cells = line.lstrip(f" \t{self.comment}").split()
            is_comment = line.lstrip()[:1] in tuple(self.comment)
            if not cells or (is_comment and not heading):
                continue
            heading = heading and not (not is_comment and _is_number(cells[0]))
            if not (is_comment and isinstance(self.column, int)):
                yield number, cells


def _column(lines: Iterator[Line], file: str, column: str | int, row: str | int) -> Floats:
    numbers = _numbers(lines, file, column)
    if row == "all":
        values = list(numbers)
    elif int(row) >= 0:
        values = list(islice(numbers, int(row), int(row) + 1))
    else:
        kept = deque(numbers, maxlen=-int(row))
        values = [kept[0]] if len(kept) == -int(row) else []
    if not values:
        raise NoValue(f"'{file}' has no row {row} with a number in the column '{column}'")
    return np.array([number_in(text, where) for text, where in values])


def _numbers(lines: Iterator[Line], file: str, column: str | int) -> Iterator[tuple[str, str]]:
    """The cells of a column with their places, below the headings."""
    at = column if isinstance(column, int) else None
    begun = False
    seen: list[str] = []
    for number, cells in lines:
        if at is None:
            # The heading nearest above the numbers counts.
            seen = seen if seen and any(_is_number(cell) for cell in cells) else cells
            at = cells.index(str(column)) if column in cells else None
            continue
        if not begun and isinstance(column, str) and column in cells:
            at = cells.index(column)
            continue
        if not begun and not any(_is_number(cell) for cell in cells):
            continue
        begun = True
        try:
            yield cells[at], f"'{file}', line {number}, column '{column}'"
        except IndexError:
            raise NoValue(f"'{file}', line {number} has {len(cells)} columns only, no column '{column}'") from None
    if at is None:
        raise NoValue(f"'{file}' has no column '{column}'{did_you_mean(str(column), seen[:20])}".rstrip("."))


def _is_number(text: str) -> bool:
    try:
        float(text.replace("D", "e").replace("d", "e"))
    except ValueError:
        return False
    return True


def _check_row(row: str | int, file: str) -> None:
    if row != "all" and (isinstance(row, bool) or not isinstance(row, int)):
        raise InputError(f"The row {row!r} of '{file}' is neither a whole number nor 'all'.")
