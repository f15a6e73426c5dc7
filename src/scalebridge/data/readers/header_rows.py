"""Which of the first rows of a table are its header: names, groups above them, units below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scalebridge.data.readers.cells import GAPS
from scalebridge.data.units_in_text import unit_from_text
from scalebridge.errors import InputError

# What a logger's "TOA5" file starts with: environment, names, units, processing.
_LOGGER = "TOA5"
# What such loggers write for a value below their range, and for none.
OUT_OF_RANGE = frozenset({"-7999", "INF", "-INF", "NAN"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)
MOST_HEADER_ROWS = 8


@dataclass(frozen=True)
class Headline:
    """The header of a table.

    Attributes:
        count: rows of it.
        names: text per column.
        groups: texts above the names, repeated over the columns they span, or ``None``.
        units: texts of a row of units, or ``None``.
        gaps: texts that mean a gap in files of this kind.
    """

    count: int
    names: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    gaps: frozenset[str] = frozenset()


def headline(rows: Sequence[Sequence[str]], owner: str, count: int | None = None) -> Headline:
    """The header of a table by its first rows.

    Args:
        rows: the first rows, some of data included.
        owner: what messages call the file.
        count: rows of the header where the user says it; ``None`` to find it.

    Raises:
        InputError: no header, only a header, a count that does not fit.
    """
    if not rows:
        raise InputError(f"{owner} holds no rows; export it again.")
    if rows[0] and rows[0][0].strip().lstrip("\ufeff") == _LOGGER and len(rows) >= 4:
        return Headline(4, _texts(rows[1]), None, _logged_units(rows[2]), OUT_OF_RANGE)
    if count is None and all(_is_number(cell) or _is_gap(cell) for cell in rows[0]):
        raise InputError(
            f"{owner} has no header: its first row holds numbers only ('{rows[0][0].strip()[:30]}', ...); name the "
            "columns by names=[...]."
        )
    count = _count(rows) if count is None else count
    if not 1 <= count <= min(MOST_HEADER_ROWS, len(rows)):
        raise InputError(f"{owner} cannot have {count} header rows; give a number from 1 to {MOST_HEADER_ROWS}.")
    return _headline(rows, count)


def _headline(rows: Sequence[Sequence[str]], count: int) -> Headline:
    units = None
    last = count - 1
    if last and _are_units(rows[last], rows[count:]):
        units, last = _texts(rows[last]), last - 1
    width = max(len(row) for row in rows[: last + 1])
    groups = None
    if last:
        above = [_filled(row, width) for row in rows[:last]]
        groups = tuple(" ".join(dict.fromkeys(part for part in parts if part)) for parts in zip(*above, strict=True))
    return Headline(count, _texts(rows[last], width), groups, units)


def _count(rows: Sequence[Sequence[str]]) -> int:
    """Rows before the first one that holds a number, as far as they look like a header."""
    first = next((i for i, row in enumerate(rows) if any(_is_number(cell) for cell in row)), 1)
    first = min(max(first, 1), MOST_HEADER_ROWS)
    if first == 1:
        return 1
    if _are_units(rows[1], rows[first:]):
        return 2
    if _has_blanks_that_fill(rows[0], rows[1]):
        return 3 if first > 2 and _are_units(rows[2], rows[first:]) else 2
    return 1


def _are_units(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row holds units over every column of numbers: known ones, or none."""
    numeric = [c for c in range(len(row)) if _mostly_numbers([r[c] for r in below if c < len(r)])]
    texts = [row[c].strip().strip("[]()") for c in numeric]
    known = [text for text in texts if text and unit_from_text(text, "temperature") is not None]
    return (
        bool(numeric) and bool([t for t in known if t not in {"-", "1"}]) and len(known) == len([t for t in texts if t])
    )


def _has_blanks_that_fill(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row of groups stands over a row of names: blanks above, filled below, all different within a group."""
    named = [c for c, text in enumerate(below) if text.strip()]
    # A merged cell of a spreadsheet repeats its text over the columns that it spans.
    blanks = [c for c, text in enumerate(above) if not text.strip() or (c and text == above[c - 1])]
    groups = _filled(above, max(len(above), len(below)))
    pairs = {(groups[c], below[c].strip()) for c in named}
    return (
        len(blanks) >= max(2, len(above) // 4)
        and len(named) > len(above) - len(blanks)
        and len(pairs) == len(named)
        and 2 * sum(c in named for c in blanks) >= len(blanks)
    )


def _mostly_numbers(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if not _is_gap(cell)]
    return bool(known) and 2 * sum(_is_number(cell) for cell in known) >= len(known)


def _filled(row: Sequence[str], width: int) -> list[str]:
    """Texts of a row of groups, each repeated over the blanks to its right."""
    made, current = [], ""
    for c in range(width):
        current = (row[c].strip() if c < len(row) else "") or current
        made.append(current)
    return made


def _logged_units(row: Sequence[str]) -> tuple[str, ...]:
    # "TS" and "RN" mark the time stamp and the record number; "name" marks text.
    return tuple("" if cell.strip() in {"TS", "RN", "name"} else cell.strip() for cell in row)


def _texts(row: Sequence[str], width: int = 0) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row) + ("",) * (width - len(row))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def _is_gap(text: str) -> bool:
    return text.strip().lower() in GAPS
