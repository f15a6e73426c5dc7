"""Headers of COMSOL's exports: ``T (K) @ t=0.1``, ``solid.mises (N/m^2)``, ``V (V) @ 1: d=0.001, U=2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scalebridge.data.headers import identifier
from scalebridge.data.units_in_text import unit_from_text
from scalebridge.errors import InputError
from scalebridge.quantities.units import conversion
from scalebridge.simulators.comsol.units import in_base_units

# A unit stands in brackets behind a blank; in tables the place of an evaluation may follow.
_COLUMN = re.compile(r"^(?P<name>.*?)(?:\s+\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)(?:,(?P<more>.*))?)?$", re.DOTALL)
_AT = re.compile(r"\s+@\s+")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:[-+](?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?i)?"
# Name, number, and what stands behind it up to a comma or the next name.
_VALUE = re.compile(rf"([^\s=,]+)\s*=\s*({_NUMBER})\s*([^,=]*?)\s*(?=,|$|\s\S+\s*=)")
# Units of what a study steps through, where the header of an export does not say them.
_STEPPED = {"t": "s", "freq": "Hz"}
# One column of a header whose columns are set apart by single blanks.
_ONE = re.compile(
    rf"\S+(?:\s\((?:[^()]|\([^()]*\))*\))?(?:\s@\s(?:\d+:\s)?[^\s=,]+={_NUMBER}(?:,\s[^\s=,]+={_NUMBER})*)?"
)
_LONGEST = 2000
COORDINATES = ("x", "y", "z", "r", "phi", "X", "Y", "Z", "R", "PHI", "Phi")


@dataclass(frozen=True)
class Column:
    """One column of an export.

    Args:
        text: as it stands in the file.
        name: an identifier made of the expression.
        unit: as pint spells it; ``"1"`` where none is stated.
        step: what stands behind ``@``, such as ``"t=0.1"``; empty where there is none.
        known_unit: False where a unit is stated that is not known.
    """

    text: str
    name: str
    unit: str = "1"
    step: str = ""
    known_unit: bool = True

    @property
    def parameters(self) -> dict[str, float]:
        """Names and real values behind ``@`` as `step_parameters` has them, without units."""
        return {name: value.real for name, (value, _) in step_parameters(self.step).items()}


def step_parameters(step: str) -> dict[str, tuple[complex, str]]:
    """Names, values and units of a step such as ``"d=1 mm, t=2"``; eigenfrequencies are complex.

    Times are in s and frequencies in Hz; another unit that is stated is taken to base units of the SI.

    Raises:
        InputError: behind a number stands what is no unit.
    """
    found: dict[str, tuple[complex, str]] = {}
    for name, number, stated in _VALUE.findall(step):
        value, usual = complex(number.replace("i", "j")), _STEPPED.get(name, "1")
        unit = unit_from_text(stated.strip("[]()")) if stated else None
        if stated and unit is None:
            raise InputError(f"The step '{step[:80]}' has '{stated[:40]}' behind a number, which is no unit we know.")
        if unit is not None:
            target = usual if usual != "1" else in_base_units(unit, f"The step '{step[:80]}'")[2]
            factor, offset = conversion(unit, target, f"The step '{step[:80]}'")
            value, usual = factor * value + offset, target
        found[name] = (value, usual)
    return found


def column(text: str) -> Column:
    """A column from its header."""
    text = text.strip()[:_LONGEST]
    head, *rest = _AT.split(text, maxsplit=1)
    found = _COLUMN.match(head)
    name, stated = (found["name"], found["unit"]) if found else (head, None)
    more = (found["more"] or "").strip() if found else ""
    unit = None if stated is None else unit_from_text(stated)
    if stated is not None and unit is None and (not name or " " in name.strip()):
        name, stated = head, None  # a bracket of the expression, no unit
    label = f"{name} {more}" if more else name
    return Column(
        text.strip(),
        identifier(label or head),
        unit or "1",
        rest[0] if rest else "",
        stated is None or unit is not None,
    )


def split_header(line: str, width: int) -> list[str] | None:
    """The texts of ``width`` columns of a header without its ``%``; None where they cannot be told apart."""
    line = line.strip()
    for separator in ("\t", ";", None, ","):
        if separator is None:
            parts = [p for p in re.split(r"\s{2,}", line) if p]
            if len(parts) < width:
                finer = [piece for part in parts for piece in _pieces(part)]
                parts = finer if len(finer) == width else parts
        elif separator not in line:
            continue
        else:
            parts = [p.strip().strip('"') for p in _split_outside(line, separator)]
        if len(parts) == width and all(len(part) <= _LONGEST for part in parts):
            return parts
    return None


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in _ONE.findall(text)]


def _split_outside(line: str, separator: str) -> list[str]:
    """Split at separators outside of quotes and brackets, and not amid the values behind ``@``."""
    parts, depth, quoted, current = [], 0, False, ""
    for k, sign in enumerate(line):
        quoted ^= sign == '"'
        depth += (sign in "([") - (sign in ")]")
        in_step = separator == "," and " @ " in current and line[k : k + 2] == ", "
        if sign == separator and not quoted and depth <= 0 and not in_step:
            parts.append(current)
            current = ""
        else:
            current += sign
    return [*parts, current]
