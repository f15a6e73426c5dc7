"""Headers of columns: names, units, and identifiers made of them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scalebridge.data.units_in_text import NONE, unit_from_text
from scalebridge.errors import InputError, UnitError, did_you_mean
from scalebridge.quantities.units import check_unit

_SQUARE = re.compile(r"^(?P<name>.*?)\s*\[(?P<unit>[^\[\]]*)\]\s*$", re.DOTALL)
_ROUND = re.compile(r"^(?P<name>.*?)\s*\((?P<unit>[^()]*(\([^()]*\)[^()]*)*)\)\s*$", re.DOTALL)
_DURATION = re.compile(r"\b(time|duration)\b", re.IGNORECASE)
LONGEST_HEADER = 300


@dataclass(frozen=True)
class Header:
    """One column's header.

    Attributes:
        name: an identifier, unique in the table.
        unit: as pint spells it, ``None`` where none is stated or the one stated is not known.
        text: what stood in the file.
        note: a sentence where something had to be assumed, else ``""``.
    """

    name: str
    unit: str | None
    text: str
    note: str = ""

    @property
    def description(self) -> str:
        """The text of the file, where the name does not say it already."""
        return "" if self.text == self.name else self.text


def headers(
    texts: Sequence[str],
    owner: str,
    *,
    units: Mapping[str, str] | None = None,
    stated: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> list[Header]:
    """Headers of a table.

    Args:
        texts: of the header row, one per column; ``""`` where a column has none.
        owner: what messages call the file, such as ``"The table 'a.csv'"``.
        units: from name (as in the file, or the identifier) to unit; they win over a header that states none.
        stated: units that stand in a row of their own.
        groups: texts of a row above, repeated over the columns that they span; used where names repeat below.

    Raises:
        InputError: two columns of one name, ``units`` for a column that is not there.
        UnitError: a unit in square brackets that is not known, or one that contradicts ``units``.
    """
    texts = [re.sub(r"\s+", " ", text.strip())[:LONGEST_HEADER] for text in texts]
    full = _qualified(texts, groups)
    _refuse_repeats(full, owner)
    made: list[Header] = []
    taken: set[str] = set()
    for i, text in enumerate(full):
        own = stated[i] if stated is not None and i < len(stated) else None
        header = _header(text, i, own, owner)
        name = _free(header.name, taken)
        taken.add(name)
        made.append(Header(name, header.unit, header.text, header.note))
    return _with_units(made, units or {}, owner)


def identifier(text: str) -> str:
    """An identifier made of ``text``: ``"Gauge Length"`` is ``"Gauge_Length"``, ``"2theta"`` is ``"_2theta"``."""
    made = re.sub(r"\W+", "_", text).strip("_") or "column"
    if made == text.strip("_") and text.startswith("_") and text.isidentifier():
        made = text
    made = made if made.isidentifier() and not keyword.iskeyword(made) else f"_{made}"
    return made if made.isidentifier() else "column"


def split(text: str, owner: str = "A table") -> tuple[str, str | None, str]:
    """Name, unit and note of one header: ``"T [degC]"`` and ``"T (degC)"`` give ``("T", "degC", "")``."""
    square, round_ = _SQUARE.match(text), _ROUND.match(text)
    if square and square["name"]:
        unit = unit_from_text(square["unit"], square["name"])
        if unit is None:
            raise UnitError(
                f"{owner} has the column '{text}', whose unit '{square['unit']}' is not known; write it as in "
                "'kg/m^3', 'MPa', 'degC' or '1', or give units={...} for a header without brackets."
            )
        return square["name"], unit, ""
    if round_ and round_["name"]:
        unit = unit_from_text(round_["unit"], round_["name"])
        if unit == "1" and round_["unit"].strip().lower() not in NONE:
            # "Aspect Ratio (L/W)": the brackets say which ratio.
            return text, "1", ""
        if unit is None:
            return text, None, f"'{round_['unit']}' in the header '{text}' is no unit that is known."
        if unit == "m" and _DURATION.search(round_["name"]):
            return round_["name"], None, f"'(m)' in the header '{text}' is metre, which no time has: state its unit."
        assumed = round_["unit"].strip() == "C" and unit == "degC"
        note = f"'(C)' in the header '{text}' was read as degrees Celsius." if assumed else ""
        return round_["name"], unit, note
    return text, None, ""


def _header(text: str, place: int, stated: str | None, owner: str) -> Header:
    if not text:
        return Header(f"column_{place + 1}", None, "", f"Column {place + 1} has no name in the header.")
    name, unit, note = split(text, owner)
    if unit is None and stated is not None and stated.strip():
        unit = unit_from_text(stated, name)
        note = note if unit else f"'{stated.strip()}' under the header '{text}' is no unit that is known."
    return Header(identifier(name), unit, text, note)


def _qualified(texts: Sequence[str], groups: Sequence[str] | None) -> list[str]:
    if groups is None:
        return list(texts)
    made = []
    for i, text in enumerate(texts):
        group = re.sub(r"\s+", " ", groups[i].strip()) if i < len(groups) else ""
        repeated = text and sum(other == text for other in texts) > 1
        made.append(f"{group} {text}" if group and repeated else text or group)
    return made


def _refuse_repeats(texts: Sequence[str], owner: str) -> None:
    first: dict[str, int] = {}
    for place, text in enumerate(texts, 1):
        if text and text in first:
            raise InputError(
                f"{owner} has two columns named '{text}' (columns {first[text]} and {place}); names must differ, so "
                "rename one of them."
            )
        first.setdefault(text, place)


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _with_units(made: list[Header], units: Mapping[str, str], owner: str) -> list[Header]:
    found = {}
    for key, unit in units.items():
        places = [i for i, h in enumerate(made) if key in (h.name, h.text, h.text.split(" [")[0].split(" (")[0])]
        if not places:
            raise InputError(f"{owner} has no column '{key}', whose unit was given{did_you_mean(key, _names(made))}")
        check_unit(unit, f"The column '{key}'")
        stated = made[places[0]].unit
        if stated is not None and stated != "1" and not _same(stated, unit):
            raise UnitError(
                f"{owner} states '{stated}' for the column '{made[places[0]].text}', and units= says '{unit}'; leave "
                "one out, or read it as stated and convert with in_units(...)."
            )
        found[places[0]] = unit
    return [Header(h.name, found[i], h.text) if i in found else h for i, h in enumerate(made)]


def _names(made: Sequence[Header]) -> list[str]:
    return [h.name for h in made]


def _same(a: str, b: str) -> bool:
    from scalebridge.quantities.units import conversion

    try:
        return conversion(a, b, "A column") == (1.0, 0.0)
    except UnitError:
        return False
