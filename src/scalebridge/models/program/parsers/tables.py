"""Values from tables: comma-separated ones, and columns parted by blanks."""

from __future__ import annotations

import abc
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models.program.parsers.files import NoValue, all_of, check_name, lines_of, located
from scalebridge.quantities import Floats

# Its number, its cells, and whether it is a comment.
Line = tuple[int, list[str], bool]
# Numbers of fixed width with no blank between them, or too wide for it: what follows has moved to the left.
_GLUED = re.compile(r"[-+]?\d*\.\d*(?:[eEdD][-+]?\d+)?[-+*][\d.*]|\*{2,}[-+]?[\d.]")


@dataclass(frozen=True)
class _Table(abc.ABC):
    # Whether nothing but a blank, which a number of full width leaves no room for, parts the cells.
    may_glue: ClassVar[bool] = False

    file: str
    column: str | int
    row: str | int = -1
    unit: str | None = None

    def __post_init__(self) -> None:
        check_name(self.file, f"A parser {type(self).__name__}")
        if self.row != "all" and (isinstance(self.row, bool) or not isinstance(self.row, int)):
            raise InputError(f"The row {self.row!r} of '{self.file}' is neither a whole number nor 'all'.")
        if isinstance(self.column, bool) or not isinstance(self.column, int | str) or self.column == "":
            raise InputError(f"The column {self.column!r} of '{self.file}' is neither a heading nor a whole number.")

    def read(self, folder: Path) -> Floats:
        """Return the numbers ``[1]``, of the whole column ``[n]``.

        Raises:
            NoValue: no file, no such column or row, no number.
        """
        lines = self._lines(located(folder, self.file))
        cells = self._below(lines, self.column) if isinstance(self.column, str) else self._numbered(lines, self.column)
        if self.row == "all":
            values: Iterable[tuple[str, str]] = cells
        elif int(self.row) >= 0:
            values = islice(cells, int(self.row), int(self.row) + 1)
        else:
            kept = deque(cells, maxlen=-int(self.row))
            values = [kept[0]] if len(kept) == -int(self.row) else []
        found = all_of(values)
        if not len(found):
            raise NoValue(f"'{self.file}' has no row {self.row} with a number in the column '{self.column}'")
        return found

    @abc.abstractmethod
    def _lines(self, path: Path) -> Iterator[Line]:
        """The lines that are not empty."""

    def _numbered(self, lines: Iterator[Line], column: int) -> Iterator[tuple[str, str]]:
        """The cells of a column with their places, from the first line that holds a number."""
        begun = False
        for number, cells, is_comment in lines:
            begun = begun or (not is_comment and any(_is_number(cell) for cell in cells))
            if not begun or is_comment:
                continue
            where = f"'{self.file}', line {number}"
            if not -len(cells) <= column < len(cells):
                raise NoValue(f"{where} has {len(cells)} columns only, no column '{column}'")
            counted = cells[: column + 1] if column >= 0 else cells[column:]
            glued = (cell for cell in counted if self.may_glue and _GLUED.match(cell))
            yield next(glued, cells[column]), f"{where}, column '{column}'"

    def _below(self, lines: Iterator[Line], column: str) -> Iterator[tuple[str, str]]:
        """The cells of a column with their places, each below the nearest heading that names it and fits its row."""
        heading: list[str] = []
        nearest: list[str] = []
        seen: list[str] = []
        for number, cells, is_comment in lines:
            is_row = not is_comment and any(_is_number(cell) for cell in cells)
            # Under a heading a row may hold its word too, as a note; a heading that comes again holds no other numbers.
            if column in cells and (not nearest or not is_row or cells == nearest):
                nearest = cells
            elif is_row and nearest:
                heading = nearest if len(nearest) == len(cells) or not heading else heading
                if heading.count(column) > 1:
                    raise NoValue(f"'{self.file}' has {heading.count(column)} columns '{column}'; give its number")
                yield _cell(cells, heading, column, f"'{self.file}', line {number}")
            elif not is_comment and heading:
                yield _cell(cells, heading, column, f"'{self.file}', line {number}")
            seen = seen if seen and any(_is_number(cell) for cell in cells) else cells
        if not nearest:
            raise NoValue(f"'{self.file}' has no column '{column}'{did_you_mean(column, seen[:20])}".rstrip("."))


@dataclass(frozen=True)
class Csv(_Table):
    """Numbers of one column of a comma-separated table; lines that begin with ``#`` are headings or comments.

    Args:
        file: name of the file.
        column: its heading, or its number from 0.
        row: number of the row from 0, from the end if negative; ``"all"`` for the whole column.
        unit: that the file is in; the output's where not given.
        delimiter: between cells; where not given, the first of ``;``, tab and ``,`` in the first line, other than a
            comment, that holds one.

    Raises:
        InputError: a delimiter of several signs; a column or row that is none.
    """

    delimiter: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise InputError(f"The delimiter {self.delimiter!r} of '{self.file}' is not one sign; blanks: see Columns.")

    def _lines(self, path: Path) -> Iterator[Line]:
        delimiter = self.delimiter or delimiter_in(line for _, line in lines_of(path))
        for number, line in lines_of(path):
            if not line.strip():
                continue
            try:
                cells = cells_of(line, delimiter)
            except csv.Error as error:
                raise NoValue(f"'{self.file}', line {number} is no line of a table ({error})") from error
            yield number, cells, line.startswith("#")


@dataclass(frozen=True)
class Columns(_Table):
    """Numbers of one column of a table whose columns are parted by blanks.

    Args:
        file: name of the file.
        column: its number from 0, or its heading: in the line above the numbers, which may be a comment and has as
            many words as there are columns.
        row: number of the row from 0, from the end if negative; ``"all"`` for the whole column.
        unit: that the file is in; the output's where not given.
        comment: signs that begin a comment.

    Raises:
        InputError: a column or row that is none.
    """

    may_glue = True

    comment: str = "#%!"

    def _lines(self, path: Path) -> Iterator[Line]:
        for number, line in lines_of(path):
            cells = line.lstrip(f" \t{self.comment}").split()
            if cells:
                yield number, cells, line.lstrip()[:1] in tuple(self.comment)


def delimiter_in(lines: Iterable[str]) -> str:
    """Return what parts the cells of a table: the first of ``;``, tab and ``,`` in a line that is no comment."""
    return next((d for line in lines if not line.startswith("#") for d in ";\t," if d in line), ",")


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line, without the sign of a comment before the first."""
    first, *others = (cell.strip() for cell in next(csv.reader([line], delimiter=delimiter)))
    return [(first.lstrip("# ") or first) if line.startswith("#") else first, *others]


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
