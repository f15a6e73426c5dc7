"""Delimited text to a `Dataset`, in chunks so that large tables stay small in memory."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import Header, headers
from scalebridge.data.readers.assembling import Parts, Place, assembled, place_of, read_as_text
from scalebridge.data.readers.cells import Cells, Column, as_column, as_text, plain_numbers
from scalebridge.data.readers.delimited import SAMPLE_ROWS, Layout, layout, rows_of
from scalebridge.data.readers.header_rows import Headline, headline
from scalebridge.data.readers.wanted import Wanted
from scalebridge.errors import InputError

CHUNK = 20_000
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", re.ASCII)

Part = NDArray[np.float64] | list[str]


def read_text(path: Path, wanted: Wanted) -> Dataset:
    """Read delimited text as `read_table` says."""
    found = layout(path, wanted.owner, encoding=wanted.encoding, delimiter=wanted.delimiter, comment=wanted.comment)
    lines: array[int] = array("q")
    rows = rows_of(found, lines)
    first = list(islice(rows, SAMPLE_ROWS))
    head = _headline(first, found, wanted)
    _refuse_ragged(first[head.count :], len(head.names), lines, head.count, wanted.owner)
    made = headers(head.names, wanted.owner, units=wanted.units, stated=head.units, groups=head.groups)
    chosen = _chosen(made, wanted)
    decimal = wanted.decimal or _decimal(first[head.count :], found.delimiter)
    texts = read_as_text(made, wanted.text, wanted.index, wanted.owner)
    cells = [
        Cells(
            wanted.owner,
            h.text or h.name,
            _place(lines, head.count),
            h.unit,
            wanted.gaps | head.gaps,
            decimal,
            wanted.thousands,
            h.name,
            wanted.unreadable,
        )
        for h in made
    ]
    parts = _parts(chain(first[head.count :], rows), chosen, texts, cells, lines, len(made), head.count)
    mixed = [i for i, part in zip(chosen, parts, strict=True) if len({type(chunk) for chunk in part}) > 1]
    if mixed:
        # A text below many numbers: what those were written as is read again.
        again = islice(rows_of(found, array("q")), head.count, None)
        said = dict(zip(mixed, _parts(again, mixed, set(mixed), cells, lines, len(made), head.count), strict=True))
        parts = [said.get(i, part) for i, part in zip(chosen, parts, strict=True)]
    columns = [_whole(part, cells[i], i in texts) for part, i in zip(parts, chosen, strict=True)]
    if not len(columns[0].values):
        raise InputError(f"{wanted.owner} holds a header and no rows; export it again.")
    kept, columns = _without_empty([made[i] for i in chosen], columns)
    notes = _notes(found, decimal, path)
    table = Parts(wanted.file, wanted.owner, kept, columns, _place(lines, head.count), "table", wanted.options, notes)
    return assembled(table, name=path.name, index=wanted.index, time=wanted.clock)


def _headline(first: Sequence[Sequence[str]], found: Layout, wanted: Wanted) -> Headline:
    if wanted.names is not None:
        if not first or len(first[0]) != len(wanted.names):
            have = len(first[0]) if first else 0
            raise InputError(f"{wanted.owner} has {have} columns and names= gives {len(wanted.names)}; give as many.")
        return Headline(wanted.header or 0, wanted.names)
    if first and found.remarks and wanted.header is None and _numbers_only(first[0]):
        # The header of a file for plotting programs stands in its last comment.
        words = _words(found.remarks[-1], len(first[0]), found.delimiter)
        if words:
            return Headline(0, words)
    return headline(first, wanted.owner, wanted.header)


def _words(remark: str, count: int, delimiter: str) -> tuple[str, ...]:
    """The names of ``count`` columns in a comment, if it can be parted into as many."""
    for separator in (r"\s+" if delimiter == " " else re.escape(delimiter), r"\s{2,}|\t", r"\s+-\s+", r"\s*,\s*"):
        words = [word.strip() for word in re.split(separator, remark) if word.strip()]
        if len(words) == count and len(set(words)) == count:
            return tuple(words)
    return ()


def _parts(
    rows: Iterator[list[str]],
    chosen: Sequence[int],
    texts: set[int],
    cells: Sequence[Cells],
    lines: array[int],
    width: int,
    skipped: int,
) -> list[list[Part]]:
    """Per chosen column its chunks: numbers where a chunk is plain numbers, else its texts."""
    parts: list[list[Part]] = [[] for _ in chosen]
    start = skipped
    while block := list(islice(rows, CHUNK)):
        _refuse_ragged(block, width, lines, start, cells[0].owner)
        start += len(block)
        columns = list(zip(*block, strict=True))
        for part, i in zip(parts, chosen, strict=True):
            numbers = None if i in texts else plain_numbers(columns[i], cells[i])
            part.append(list(columns[i]) if numbers is None else numbers)
    return parts


def _whole(parts: list[Part], cells: Cells, text: bool) -> Column:
    if parts and all(isinstance(part, np.ndarray) for part in parts):
        return Column(np.concatenate(parts), cells.unit)
    texts = [text for part in parts for text in part if isinstance(text, str)]
    return as_text(texts, cells) if text else as_column(texts, cells)


def _refuse_ragged(block: Sequence[Sequence[str]], width: int, lines: array[int], start: int, owner: str) -> None:
    if set(map(len, block)) <= {width}:
        return
    i = next(i for i, row in enumerate(block) if len(row) != width)
    last = " it is the last row, so the file may be cut off;" if start + i == len(lines) - 1 else ""
    raise InputError(
        f"{owner} has {len(block[i])} cells in row {lines[start + i]} and {width} columns in its header;{last} give "
        "every row as many cells, quote texts that hold the delimiter, or name it by delimiter=."
    )


def _chosen(made: Sequence[Header], wanted: Wanted) -> list[int]:
    if wanted.columns is None:
        return list(range(len(made)))
    names = dict.fromkeys((*wanted.columns, *((wanted.clock.column,) if wanted.clock else ())))
    return [place_of(made, name, wanted.owner, "a column") for name in names]


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """``","`` where numbers are plainly written with decimal commas, else ``"."``."""
    if delimiter == ",":
        # A comma in a quoted cell may part thousands or decimals: it is refused where it stands.
        return "."
    cells = [cell.strip() for row in rows for cell in row]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    plain = [cell for cell in commas if not _THOUSANDS.fullmatch(cell)]
    points = sum(_POINT.fullmatch(cell) is not None for cell in cells)
    return "," if plain and not points else "."


def _without_empty(made: Sequence[Header], columns: Sequence[Column]) -> tuple[list[Header], list[Column]]:
    """Leave out columns that have neither a name nor a value: delimiters at the ends of lines."""
    kept = [(h, c) for h, c in zip(made, columns, strict=True) if h.text or c.is_text or not np.isnan(c.values).all()]
    return [h for h, _ in kept], [c for _, c in kept]


def _notes(found: Layout, decimal: str, path: Path) -> tuple[str, ...]:
    notes = [f"Comment before the table: {remark}" for remark in found.remarks[:10] if remark]
    if decimal == ",":
        notes.append("Numbers are written with decimal commas.")
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        if stream.read(1) not in {b"\n", b"\r", b"\0"}:
            notes.append("The last row has no line end; check that the file is whole.")
    return tuple(notes)


def _place(lines: array[int], skipped: int) -> Place:
    return lambda row: f"row {lines[skipped + row]}"


def _numbers_only(row: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(cell)) for cell in row)
    except ValueError:
        return False
