"""Numbers of an example input file that may be inputs of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scalebridge.errors import UnitError
from scalebridge.models.program.proposals.names import ALONE, NUMBER, identifier, number
from scalebridge.quantities.units import check_unit

# Tried in this order on every line; each has the groups name and value.
_FORMS = (
    # LAMMPS: variable T equal 0.722
    re.compile(rf"^\s*variable\s+(?P<name>\w+)\s+(?:equal|index)\s+(?P<value>{ALONE})\s*(?=$|[#&])"),
    # OpenFOAM: nu [0 2 -1 0 0 0 0] 0.01;
    re.compile(
        rf"^\s*(?P<name>\w+)\s+(?:\w+\s+)?(?P<dimensions>\[[-\d\s.]+\])?\s*(?:uniform\s+)?(?P<value>{ALONE})\s*;"
    ),
    # JSON: "T": 300
    re.compile(rf'"(?P<name>[^"]+)"\s*:\s*(?P<value>{ALONE})\s*(?=[,}}\]]|$)'),
    # XML: <T unit="K">300</T>, <mesh n="10"/>
    re.compile(rf"<(?P<name>[A-Za-z_][\w:.\-]*)(?:\s[^<>]*)?>\s*(?P<value>{ALONE})\s*</"),
    re.compile(rf"""(?:<[\w:.\-]+|(?<="))\s+(?P<name>[A-Za-z_][\w:.\-]*)\s*=\s*"\s*(?P<value>{ALONE})\s*\""""),
    # name = value, name(2) = value: ini, TOML, namelists, Python
    re.compile(
        rf"(?<![\w%.\-])(?P<name>\d*[A-Za-z_][\w%.\-]*(?:[(\[][\d, ]{{1,20}}[)\]])?)"
        rf"\s*=\s*(?P<value>{ALONE})\s*(?=$|[,;!#/&]|\s[A-Za-z_])"
    ),
    # name: value
    re.compile(rf"^\s*(?:-\s+)?(?P<name>[A-Za-z_][\w .\-]*?)\s*:\s+(?P<value>{ALONE})\s*(?=$|#)"),
    # name value
    re.compile(rf"^\s*(?P<name>[A-Za-z_][\w.\-]*)\s+(?P<value>{ALONE})\s*(?=$|[#!%;])"),
)
# name = value, value, value
_NEXT = re.compile(rf"\s*,\s*(?P<value>{ALONE})\s*(?=$|[,;!#/&])")
_COMMENT = re.compile(r"^\s*(?:#|!|//|%|\*\*|<[?!])")
_UNIT = re.compile(r"(?:#|!|//|%).*?[\[(](?P<unit>[^\])]{1,20})[\])]")
# CalculiX and Abaqus: the numbers in the lines below such a keyword are quantities, in an order of their own.
_KEYWORD = re.compile(r"^\s*\*(?P<name>[A-Za-z][A-Za-z ]*)")
_OF_QUANTITIES = {"elastic", "density", "conductivity", "expansion", "specific heat", "plastic", "cload", "dload",
                  "boundary", "solid section", "shell section", "temperature", "film", "dflux"}  # fmt: skip
# kg, m, s, K, mol, A, cd: the order of OpenFOAM's dimensions.
_DIMENSIONS = ("kg", "m", "s", "K", "mol", "A", "cd")


@dataclass(frozen=True)
class Found:
    """A number that may be an input.

    Args:
        name: an identifier.
        value: in the example.
        unit: where the file says it; else ``"1"``.
        line: from 1.
        start: of the number in the text.
        end: of the number in the text.
        is_whole: written without point or exponent: a count more likely than a quantity.
    """

    name: str
    value: float
    unit: str
    line: int
    start: int
    end: int
    is_whole: bool


def inputs_in(text: str) -> list[Found]:
    """Return the numbers with a name in front of them, in the order of the text."""
    found: list[Found] = []
    start, keyword = 0, ""
    for line, content in enumerate(text.splitlines(keepends=True), 1):
        heading = _KEYWORD.match(content)
        keyword = heading["name"].strip().lower() if heading else keyword
        if not _COMMENT.match(content):
            for name, span, unit in [*_named(content), *(_below(content, keyword) if not heading else ())]:
                value = content[slice(*span)]
                unique = identifier(name, [f.name for f in found])
                is_whole = re.fullmatch(r"[-+]?\d+", value) is not None
                found.append(Found(unique, number(value), unit, line, start + span[0], start + span[1], is_whole))
        start += len(content)
    return found


def with_placeholders(text: str, chosen: Iterable[Found]) -> str:
    """Return the text with a placeholder in place of each number; of a whole one the program reads no other."""
    for found in sorted(chosen, key=lambda f: -f.start):
        written = f"{found.name} : d" if found.is_whole else found.name
        text = f"{text[: found.start]}{{{{ {written} }}}}{text[found.end :]}"
    return text


def _named(line: str) -> Iterator[tuple[str, tuple[int, int], str]]:
    """The numbers with a name before them: name, place in the line, unit."""
    for form in _FORMS:
        matches = list(form.finditer(line))
        if matches:
            for m in matches:
                unit = _unit(m, line)
                more: re.Match[str] | None = m
                while more is not None:
                    yield m["name"], more.span("value"), unit
                    more = _NEXT.match(line, more.end("value"))
            return


def _below(line: str, keyword: str) -> Iterator[tuple[str, tuple[int, int], str]]:
    """The numbers of a line below a keyword, called by it and by their place."""
    if keyword not in _OF_QUANTITIES:
        return
    at = 0
    for place, cell in enumerate(line.rstrip().split(","), 1):
        value = cell.strip()
        # Whole numbers are those of nodes, of directions.
        if re.fullmatch(NUMBER, value) and not value.lstrip("+-").isdigit():
            begin = at + cell.index(value)
            yield f"{keyword}_{place}", (begin, begin + len(value)), "1"
        at += len(cell) + 1


def _unit(match: re.Match[str], line: str) -> str:
    dimensions = match.groupdict().get("dimensions")
    if dimensions:
        return _unit_of(dimensions)
    hint = _UNIT.search(line, match.end("value"))
    if hint is not None:
        try:
            check_unit(hint["unit"].strip(), "It")
        except UnitError:
            return "1"
        return hint["unit"].strip()
    return "1"


def _unit_of(dimensions: str) -> str:
    powers = re.findall(NUMBER, dimensions)
    parts = [
        name if float(power) == 1 else f"{name}**{float(power):g}"
        for name, power in zip(_DIMENSIONS, powers, strict=False)
        if float(power) != 0
    ]
    return "*".join(parts) or "1"
