"""Sheets of Excel workbooks to a `Dataset`: several header rows, merged cells, errors, formulas, dates."""

from __future__ import annotations

import re
import warnings
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import headers
from scalebridge.data.readers.assembling import Parts, Place, assembled, place_of, read_as_text
from scalebridge.data.readers.cells import Cells, as_column, as_text
from scalebridge.data.readers.header_rows import Headline, headline
from scalebridge.data.readers.opening import check_cells, check_unpacked, decoding
from scalebridge.data.readers.wanted import Wanted
from scalebridge.errors import InputError, did_you_mean

LARGEST_SHEET = 5_000_000
SAMPLE_ROWS = 60

Grid = list[list[str]]


def read_excel(path: Path, wanted: Wanted) -> Dataset:
    """Read one sheet as `read_table` says."""
    check_unpacked(path, "table")
    with warnings.catch_warnings(), decoding(path, "table"):
        # openpyxl warns of styles and extensions that it leaves out; none of them is data.
        warnings.simplefilter("ignore")
        import openpyxl

        book = openpyxl.load_workbook(path, data_only=True)
        formulas = openpyxl.load_workbook(path, data_only=False) if _has_formulas(path) else book
    sheet = _sheet(book, wanted)
    owner = f"{wanted.owner}, sheet '{sheet.title}',"
    check_cells(sheet.max_row, sheet.max_column, path, "table")
    if sheet.max_row * sheet.max_column > LARGEST_SHEET:
        raise InputError(f"{owner} spans {sheet.max_row} x {sheet.max_column} cells; save it as .csv or .parquet.")
    with decoding(path, "table"):
        grid, numbers, notes = _grid(sheet, formulas[sheet.title], owner)
    others = [s.title for s in book.worksheets if s.title != sheet.title]
    if others and wanted.sheet is None:
        notes.append(f"Read the sheet '{sheet.title}'; the workbook also holds {', '.join(others[:8])}.")
    return _dataset(grid, numbers, tuple(notes), path.name, owner, wanted)


def _dataset(grid: Grid, numbers: list[int], notes: tuple[str, ...], name: str, owner: str, wanted: Wanted) -> Dataset:
    head = (
        Headline(wanted.header or 0, wanted.names)
        if wanted.names is not None
        else headline(grid[:SAMPLE_ROWS], owner, wanted.header)
    )
    if wanted.names is not None and grid and len(grid[0]) != len(wanted.names):
        raise InputError(f"{owner} has {len(grid[0])} columns and names= gives {len(wanted.names)}; give as many.")
    body = grid[head.count :]
    if not body:
        raise InputError(f"{owner} holds a header and no rows; export it again.")
    made = headers(head.names, owner, units=wanted.units, stated=head.units, groups=head.groups)
    place: Place = lambda row: f"row {numbers[head.count + row]}"  # noqa: E731
    text = read_as_text(made, wanted.text, wanted.index, owner)
    chosen = range(len(made))
    if wanted.columns is not None:
        names = dict.fromkeys((*wanted.columns, *((wanted.clock.column,) if wanted.clock else ())))
        chosen = [place_of(made, n, owner, "a column") for n in names]  # type: ignore[assignment]
    kept, columns = [], []
    for i in chosen:
        texts = [row[i] for row in body]
        if not made[i].text and not any(texts):
            continue
        cells = Cells(
            owner,
            made[i].text or made[i].name,
            place,
            made[i].unit,
            wanted.gaps,
            name=made[i].name,
            unreadable=wanted.unreadable,
        )
        kept.append(made[i])
        columns.append(as_text(texts, cells) if i in text else as_column(texts, cells))
    parts = Parts(wanted.file, owner, kept, columns, place, "table", wanted.options, notes)
    return assembled(parts, name=name, index=wanted.index, time=wanted.clock)


def _sheet(book: Any, wanted: Wanted) -> Any:
    titles = [sheet.title for sheet in book.worksheets]
    if not titles:
        raise InputError(f"{wanted.owner} holds no sheet of cells; check that it is the right file.")
    if wanted.sheet is None:
        return next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), book.worksheets[0])
    if wanted.sheet not in titles:
        raise InputError(f"{wanted.owner} has no sheet '{wanted.sheet}'{did_you_mean(wanted.sheet, titles)}")
    return book[wanted.sheet]


def _grid(sheet: Any, formulas: Any, owner: str) -> tuple[Grid, list[int], list[str]]:
    """Texts of all rows that hold something, their numbers in the sheet, and notes."""
    grid: Grid = []
    numbers: list[int] = []
    merged, notes = _merged(sheet)
    width = sheet.max_column
    for r, (values, written) in enumerate(zip(sheet.iter_rows(), formulas.iter_rows(), strict=True), 1):
        row = [_text(cell, formula, owner) for cell, formula in zip(values, written, strict=True)]
        row += [""] * (width - len(row))
        for c in range(width):
            row[c] = row[c] or merged.get((r, c + 1), "")
        if any(text.strip() for text in row):
            grid.append(row)
            numbers.append(r)
    if not grid:
        raise InputError(f"{owner} is empty; name another by sheet=.")
    # Columns to the right that hold nothing at all are no columns.
    used = max(c for row in grid for c, text in enumerate(row, 1) if text.strip())
    hidden = sum(1 for d in sheet.row_dimensions.values() if d.hidden)
    if hidden:
        notes.append(f"{hidden} rows are hidden in the sheet and were read like the others.")
    return [row[:used] for row in grid], numbers, notes


def _has_formulas(path: Path) -> bool:
    """Whether any sheet holds one; most tables do not, and need not be read twice."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(re.search(rb"<(\w+:)?f[\s/>]", archive.read(name)) for name in sheets)


def _merged(sheet: Any) -> tuple[dict[tuple[int, int], str], list[str]]:
    """Texts of cells that a merged one covers: its own, wherever it reaches."""
    covered: dict[tuple[int, int], str] = {}
    below = 0
    for area in list(sheet.merged_cells.ranges):
        top = sheet.cell(area.min_row, area.min_col).value
        if top is None or area.size["rows"] * area.size["columns"] > LARGEST_SHEET:
            continue
        below += area.min_row > 3
        for r in range(area.min_row, area.max_row + 1):
            for c in range(area.min_col, area.max_col + 1):
                covered[r, c] = _plain(top, "")
    note = f"{below} merged cells among the rows were read as that value in every row that they cover."
    return covered, [note] if below else []


def _text(cell: Any, formula: Any, owner: str) -> str:
    """A cell as the text that a person reads in it."""
    if cell.value is None:
        written = formula.value
        if getattr(formula, "data_type", "n") == "f" or (isinstance(written, str) and written.startswith("=")):
            raise InputError(
                f"{owner} holds a formula without its value in row {cell.row}, column {cell.column_letter} "
                f"('{str(written)[:40]}'); open and save the file in a spreadsheet program, or export it as .csv."
            )
        return ""
    return _plain(cell.value, str(cell.number_format or ""))


def _plain(value: Any, number_format: str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        # A cell that shows "12 %" holds 0.12: it is read as it is seen.
        return f"{100.0 * value!r} %" if "%" in number_format and '"' not in number_format else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()!r} s"
    return str(value)
