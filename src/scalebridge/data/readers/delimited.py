"""Delimited text to rows of texts: encoding, delimiter, comments, quotes, ragged rows."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scalebridge.errors import InputError

# csv's own limit, kept: a cell beyond it is a damaged file (a quote that never closes).
LONGEST_CELL = 131_072
SAMPLE_ROWS = 60
DELIMITERS = ("\t", ";", "|", ",", " ")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_TOLD = re.compile(r"sep=([,;\t|])")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes:
        path, owner: the file, and what messages call it.
        encoding: of its text.
        delimiter: one character; ``" "`` for any run of blanks.
        comment: start of lines that are left out; ``""`` for none.
        skipped: lines before the table (comments and blank lines).
        remarks: those comments, without their marks.
        sample: the first lines of the table itself.
    """

    path: Path
    owner: str
    encoding: str
    delimiter: str
    comment: str
    skipped: int
    remarks: tuple[str, ...]
    sample: tuple[str, ...] = ()


def layout(path: str | Path, owner: str, *, encoding: str | None, delimiter: str | None, comment: str) -> Layout:
    """Find how a text file is laid out.

    Raises:
        InputError: binary content, text that is not of the encoding, no delimiter that fits.
    """
    source = Path(path)
    with source.open("rb") as stream:
        head = stream.read(2**20)
    found = encoding or next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    found = "utf-8-sig" if head.startswith(_BOMS[0][0]) and found.lower() in {"utf-8", "utf8"} else found
    if not found.lower().startswith(("utf-16", "utf-32")):
        _refuse_binary(head, owner)
    lines, skipped, remarks = _first_lines(source, found, owner, comment)
    if not lines:
        raise InputError(
            f"{owner} holds no table, only {skipped} blank or comment lines; check that it is the right file."
        )
    if delimiter is not None and len(delimiter) != 1:
        raise InputError(f"{owner} was to be parted by delimiter={delimiter!r}; give one character, such as ';'.")
    told = _TOLD.fullmatch(lines[0].strip())
    if told:
        # Excel's own first line, which says the delimiter.
        lines, skipped, delimiter = lines[1:], skipped + 1, delimiter or told[1]
    chosen = delimiter or _delimiter(lines)
    return Layout(source, owner, found, chosen, comment, skipped, remarks, tuple(lines))


def rows_of(layout: Layout, numbers: array[int]) -> Iterator[list[str]]:
    """Rows of texts; the number of each one's last line is appended to ``numbers``, blank lines are left out.

    Raises:
        InputError: bytes that are not of the encoding, quotes that do not close.
    """
    with _opened(layout.path, layout.encoding) as stream:
        try:
            for _ in range(layout.skipped):
                next(stream)
            if layout.delimiter == " ":
                yield from _blank_parted(stream, layout, numbers)
            else:
                yield from _parted(stream, layout, numbers)
        except UnicodeError as error:
            raise _not_text(layout.path, layout.encoding, layout.owner) from error


def _parted(stream: IO[str], layout: Layout, numbers: array[int]) -> Iterator[list[str]]:
    reader = csv.reader(stream, delimiter=layout.delimiter, strict=True, skipinitialspace=True)
    start, comment, append = layout.skipped, layout.comment, numbers.append
    try:
        for row in reader:
            if not row or (comment and row[0].startswith(comment)) or (len(row) == 1 and not row[0].strip()):
                continue
            append(start + reader.line_num)
            yield row
    except csv.Error as error:
        line = start + reader.line_num
        raise InputError(
            f"{layout.owner} cannot be read at row {line} ({error}); a quote is not closed there or the file is cut "
            "off, so export it again."
        ) from error


def _blank_parted(stream: IO[str], layout: Layout, numbers: array[int]) -> Iterator[list[str]]:
    for number, line in enumerate(stream, layout.skipped + 1):
        cells = line.split()
        if cells and not (layout.comment and cells[0].startswith(layout.comment)):
            numbers.append(number)
            yield cells


def _opened(path: Path, encoding: str) -> IO[str]:
    try:
        return path.open(encoding=encoding, errors="strict", newline="")
    except LookupError:
        raise InputError(f"There is no encoding '{encoding}'; write 'utf-8', 'cp1252' or 'latin-1'.") from None


def _first_lines(path: Path, encoding: str, owner: str, comment: str) -> tuple[list[str], int, tuple[str, ...]]:
    """Up to `SAMPLE_ROWS` lines of the table, the number of lines before it, and the comments among those."""
    lines: list[str] = []
    remarks: list[str] = []
    skipped = 0
    try:
        with _opened(path, encoding) as stream:
            while len(lines) < SAMPLE_ROWS:
                line = stream.readline(2**20)
                if not line:
                    break
                stripped = line.strip()
                if not lines and (not stripped or (comment and stripped.startswith(comment))):
                    skipped += 1
                    remarks += [stripped.lstrip(comment).strip()] if stripped else []
                elif stripped and not (comment and stripped.startswith(comment)):
                    lines.append(line)
    except UnicodeError as error:
        raise _not_text(path, encoding, owner) from error
    return lines, skipped, tuple(remarks)


def _delimiter(lines: list[str]) -> str:
    """The delimiter that parts all lines into as many cells; ``","`` for a single column."""
    best, most = ",", 0.0
    for delimiter in DELIMITERS:
        counts = _counts(lines, delimiter)
        if not counts or max(counts) < 2:
            continue
        typical = max(set(counts), key=counts.count)
        alike = counts.count(typical) / len(counts) if typical > 1 else 0.0
        # A table of one ragged row must still be told its delimiter; blanks part words too, so they must fit all.
        if alike > most + 1e-9 and (delimiter != " " or alike == 1.0 or not most):
            best, most = delimiter, alike
    return best if most >= 0.5 else ","


def _counts(lines: list[str], delimiter: str) -> list[int]:
    if delimiter == " ":
        return [len(line.split()) for line in lines]
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return []
    return [len(row) for row in rows if row]


def _refuse_binary(head: bytes, owner: str) -> None:
    found = _CONTROL.search(head)
    if found:
        line = head.count(b"\n", 0, found.start()) + 1
        raise InputError(
            f"{owner} is no text: row {line} holds the byte 0x{found.group()[0]:02x}; it may be a binary file under a "
            "wrong name, or damaged."
        )


def _not_text(path: Path, encoding: str, owner: str) -> InputError:
    line = 1
    with path.open("rb") as stream:
        for line, content in enumerate(stream, 1):
            try:
                content.decode("utf-8" if encoding == "utf-8-sig" else encoding)
            except UnicodeError as error:
                byte = getattr(error, "object", b"\0")[getattr(error, "start", 0)]
                return InputError(
                    f"{owner} is not in {encoding}: row {line} holds the byte 0x{byte:02x}; save it as UTF-8, or name "
                    "its encoding, as in encoding='cp1252'."
                )
    return InputError(f"{owner} is not in {encoding} or cut off; save it as UTF-8, or name its encoding.")
