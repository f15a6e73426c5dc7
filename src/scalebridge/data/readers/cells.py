"""The texts of one column to numbers or to a category, refusing what cannot be trusted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.units_in_text import unit_from_text
from scalebridge.errors import InputError, UnitError
from scalebridge.quantities.units import conversion

# Texts that are taken for a gap and listed in the notes.
GAPS = frozenset(
    {"", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "-", "--", "---", "–", "—", "?", "#n/a", "n.d.", "nd"}
    | {"missing", "not available", "not measured", "not reported", ".", "<na>", "-nan", "+nan", "#n/a n/a"}
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d{1,4})?", re.ASCII)
_WITH_UNIT = re.compile(rf"(?P<number>{_NUMBER.pattern})(?P<gap>\s*)(?P<unit>[^\d\s.,+-].*|1/.*)", re.ASCII | re.DOTALL)
_BOUND = re.compile(r"(?P<sign>[<>≤≥]=?)\s*(?P<rest>\S.*)", re.ASCII)
_DEVIATION = re.compile(rf"(?P<number>{_NUMBER.pattern})\s*(?:±|\+/-)\s*(?P<std>{_NUMBER.pattern})", re.ASCII)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}[- ][A-Za-z]{3}([- ]\d{2,4})?|[A-Za-z]{3}-\d{2}")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[,. '’\u202f\u00a0]\d{3})+(?:[.,]\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII)
_ERRORS = {"#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!", "#spill!", "#calc!", "#getting_data"}
# Below this share of numbers, a column with text in it is a category.
MOSTLY = 0.5
LONGEST_DECORATED = 80

Texts = Sequence[str]


@dataclass(frozen=True, eq=False)
class Column:
    """One column as read.

    Attributes:
        values: float64 ``[n]`` or text ``[n]``.
        unit: that of the cells, where they or the header state one.
        std, censored: where cells state them ("12 ± 0.3", "< 0.1"), else ``None``.
        notes: what was assumed, one sentence each.
    """

    values: NDArray[np.float64] | NDArray[np.str_]
    unit: str | None
    std: NDArray[np.float64] | None = None
    censored: NDArray[np.int8] | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether it is a category."""
        return self.values.dtype.kind == "U"


@dataclass(frozen=True)
class Cells:
    """How the cells of one column are to be read, and how to name them.

    Args:
        owner: what messages call the file: ``"The table 'a.csv'"``.
        header: of the column, as in the file.
        place: from row index to what the user calls the row, such as ``"row 17"``.
        unit: that the header states, or ``None``.
        gaps: further texts that mean a gap.
        decimal: ``"."`` or ``","``.
        thousands: the separator of thousands, ``""`` for none.
        name: the identifier, for advice.
        unreadable: ``"refuse"`` text among numbers, or take it for a ``"gap"`` and list it.
    """

    owner: str
    header: str
    place: Callable[[int], str]
    unit: str | None = None
    gaps: frozenset[str] = frozenset()
    decimal: str = "."
    thousands: str = ""
    name: str = ""
    unreadable: str = "refuse"

    def is_gap(self, text: str) -> bool:
        """Whether a cell's text stands for nothing."""
        return text in self.gaps or text.strip().lower() in GAPS

    def refusal(self, row: int, text: str, why: str, advice: str) -> InputError:
        """The one sentence: what, where, why, what next."""
        shown = text if len(text) <= 60 else text[:57] + "..."
        return InputError(
            f"{self.owner} holds '{shown}' in {self.place(row)}, column '{self.header}', {why}; {advice}."
        )


def as_text(texts: Texts, cells: Cells) -> Column:
    """A category; gap conventions stay as they are written, but blanks become ``""``."""
    stripped = [text.strip() for text in texts]
    return Column(np.array(stripped, dtype=np.str_) if stripped else np.zeros(0, dtype="<U1"), None)


def as_column(texts: Texts, cells: Cells) -> Column:
    """Numbers, or a category where most cells are text.

    Raises:
        InputError: text, dates, error cells, infinite values or separated thousands among numbers, units that are
            mixed and do not convert.
    """
    quick = plain_numbers(texts, cells)
    if quick is not None:
        return Column(quick, cells.unit)
    plain = [_normalised(text.strip(), cells) for text in texts]
    blank = np.array([cells.is_gap(text) for text in texts], dtype=np.bool_)
    number = np.array([_NUMBER.fullmatch(text) is not None for text in plain], dtype=np.bool_) & ~blank
    numbers, others = int(number.sum()), np.flatnonzero(~number & ~blank)
    decorated = [row for row in others if _decorated(plain[row])]
    # "1,234" is meant as a number, though nobody can say which.
    unclear = [row for row in others if _GROUPED.fullmatch(plain[row]) or _COMMA.fullmatch(plain[row])]
    meant = numbers + len(decorated) + len(unclear)
    if not meant:
        _refuse_errors(texts, others, cells)
        return _category(texts, blank)
    rest = sorted(set(others.tolist()) - set(decorated))
    measured = cells.unit not in (None, "1")
    if rest and not measured and meant < MOSTLY * (numbers + len(others)):
        _refuse_errors(texts, others, cells)
        note = f"The column '{cells.header}' holds {numbers} numbers among {len(rest)} texts and was read as text."
        return Column(as_text(texts, cells).values, None, notes=(note,))
    if rest and cells.unreadable != "gap":
        raise _intruder(texts[rest[0]].strip(), rest[0], cells, numbers + len(decorated), len(rest))
    blank[rest] = True
    return _numbers(plain, blank, texts, cells)


def plain_numbers(texts: Texts, cells: Cells) -> NDArray[np.float64] | None:
    """The column if all its cells are plain finite numbers, in C speed; else ``None``."""
    if cells.decimal != "." or cells.thousands or (cells.gaps and not cells.gaps.isdisjoint(texts)):
        return None
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except (ValueError, TypeError):
        return None
    # float() reads "1_000", "nan", "infinity" and digits of other scripts; these go the long way.
    joined = "".join(texts)
    if not np.isfinite(values).all() or "_" in joined or not joined.isascii():
        return None
    return values


def _normalised(text: str, cells: Cells) -> str:
    if not text or not (text[0].isdigit() or text[0] in "+-.,<>≤≥−"):
        return text
    text = text.replace("−", "-")
    if cells.thousands and _GROUPED.match(text):
        text = text.replace(cells.thousands, "")
    if cells.decimal == ".":
        return text
    # Where commas are decimal, a point is no part of a number.
    return f"({text})" if "." in text else text.replace(",", ".")


def _decorated(text: str) -> bool:
    """Whether a cell is a number with a unit, a bound or a deviation."""
    if len(text) > LONGEST_DECORATED:
        return False
    bound = _BOUND.fullmatch(text)
    if bound:
        return _NUMBER.fullmatch(bound["rest"]) is not None or _has_unit(bound["rest"])
    return _DEVIATION.fullmatch(text) is not None or _has_unit(text)


def _has_unit(text: str) -> bool:
    match = _WITH_UNIT.fullmatch(text)
    # "316L" is a steel, not 316 litres: one letter needs a blank before it.
    if match is None or (len(match["unit"]) == 1 and match["unit"].isalpha() and match["gap"] == ""):
        return False
    return unit_from_text(match["unit"]) is not None


def _numbers(plain: list[str], blank: NDArray[np.bool_], texts: Texts, cells: Cells) -> Column:
    n = len(plain)
    values, std, flags = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=np.int8)
    units: dict[int, str] = {}
    for row in np.flatnonzero(~blank).tolist():
        values[row], std[row], flags[row], unit = _parsed(plain[row])
        if unit:
            units[row] = unit
        if not math.isfinite(values[row]):
            raise cells.refusal(row, texts[row], "which is no finite number", "correct it, or name it in gaps=[...]")
    common, notes = _in_one_unit(values, std, units, texts, blank, cells)
    notes += _gap_notes(texts, blank, cells)
    if flags.any():
        notes += (f"{int(np.count_nonzero(flags))} cells of '{cells.header}' are bounds ('<' or '>') and censored.",)
    return Column(values, common, None if np.isnan(std).all() else std, flags if flags.any() else None, notes)


def _parsed(text: str) -> tuple[float, float, int, str]:
    """Value, deviation, censoring and unit of one cell."""
    bound, deviation = _BOUND.fullmatch(text), _DEVIATION.fullmatch(text)
    if bound:
        value, _, _, unit = _parsed(bound["rest"])
        return value, math.nan, -1 if bound["sign"][0] in "<≤" else 1, unit
    if deviation:
        return _float(deviation["number"]), abs(_float(deviation["std"])), 0, ""
    united = None if _NUMBER.fullmatch(text) else _WITH_UNIT.fullmatch(text)
    if united:
        return _float(united["number"]), math.nan, 0, unit_from_text(united["unit"]) or ""
    return _float(text), math.nan, 0, ""


def _float(text: str) -> float:
    return float(text.replace("d", "e").replace("D", "e"))


def _in_one_unit(
    values: NDArray[np.float64],
    std: NDArray[np.float64],
    units: dict[int, str],
    texts: Texts,
    blank: NDArray[np.bool_],
    cells: Cells,
) -> tuple[str | None, tuple[str, ...]]:
    """Convert cells that state a unit to one unit, in place; say so."""
    if not units:
        return cells.unit, ()
    target = cells.unit or Counter(units.values()).most_common(1)[0][0]
    bare = [row for row in np.flatnonzero(~blank).tolist() if row not in units]
    if bare and cells.unit is None:
        row = next(iter(units))
        why = f"and '{texts[bare[0]].strip()}' without a unit in {cells.place(bare[0])}"
        advice = f"state the unit of bare numbers by units={{'{cells.name or cells.header}': '{target}'}}"
        raise cells.refusal(row, texts[row].strip(), why, advice)
    for row, unit in units.items():
        try:
            factor, offset = conversion(unit, target, "")
        except UnitError:
            raise cells.refusal(
                row,
                texts[row].strip(),
                f"whose unit does not convert to '{target}'",
                "give one kind of unit per column",
            ) from None
        values[row] = factor * float(values[row]) + offset
        std[row] = abs(factor) * float(std[row])
        if not math.isfinite(values[row]):
            raise cells.refusal(row, texts[row].strip(), f"which is no finite number in '{target}'", "correct it")
    counts = Counter(units.values())
    told = ", ".join(f"{count} cells in '{unit}'" for unit, count in sorted(counts.items()))
    return target, (f"The column '{cells.header}' was read in '{target}'; it states {told}.",)


def _gap_notes(texts: Texts, blank: NDArray[np.bool_], cells: Cells) -> tuple[str, ...]:
    found: dict[str, list[int]] = {}
    for row in np.flatnonzero(blank).tolist():
        text = texts[row].strip()
        if text:
            found.setdefault(text, []).append(row)
    return tuple(
        f"'{text}' in the column '{cells.header}' was taken for a gap in {len(rows)} cells "
        f"({', '.join(cells.place(row) for row in rows[:5])}{', ...' if len(rows) > 5 else ''})."
        for text, rows in found.items()
    )


def _category(texts: Texts, blank: NDArray[np.bool_]) -> Column:
    if blank.all():
        # Nothing but gaps: numbers that are all missing.
        return Column(np.full(len(texts), np.nan), None)
    stripped = [text.strip() for text in texts]
    return Column(np.array(stripped, dtype=np.str_), None)


def _refuse_errors(texts: Texts, rows: NDArray[np.int64], cells: Cells) -> None:
    for row in rows.tolist():
        if texts[row].strip().lower() in _ERRORS:
            raise _intruder(texts[row].strip(), row, cells, 0, 1)


def _intruder(text: str, row: int, cells: Cells, numbers: int, count: int) -> InputError:
    """The refusal of a cell that is no number in a column of numbers."""
    name = cells.name or cells.header
    among = f"among {numbers} numbers" if numbers else "which is no number"
    more = f" ({count - 1} more such cells)" if count > 1 else ""
    advice = (
        f"correct it, take it for a gap by gaps=['{text[:40]}'] (all such cells: unreadable='gap'), or read the column "
        f"as text by text=['{name}']"
    )
    if text.lower() in _ERRORS:
        why, advice = "an error of the spreadsheet" + more, "repair the formula, or leave the row out"
    elif text.lower().lstrip("+-") in {"inf", "infinity"}:
        why = "which is no finite number" + more
    elif _GROUPED.fullmatch(text) or _COMMA.fullmatch(text) or (cells.decimal == "," and _NUMBER.fullmatch(text)):
        why = "where a comma, a point or a blank may part thousands or decimals" + more
        advice = f"say which by decimal=',' or thousands=',', or read the column as text by text=['{name}']"
    elif _DATE.fullmatch(text):
        why = f"a date {among}{more}, as spreadsheets make of entries like 1-2"
    else:
        why = among + more
    return cells.refusal(row, text, why, advice)
