"""Headers of COMSOL's exports: ``T (K) @ t=0.1``, ``solid.mises (N/m^2)``, ``V (V) @ 1: d=0.001, U=2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scalebridge.data.headers import identifier
from scalebridge.data.units_in_text import unit_from_text

# A unit stands in brackets behind a blank; in tables the place of an evaluation may follow.
_COLUMN = re.compile(r"^(?P<name>.*?)(?:\s+\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)*)\)(?:,(?P<more>.*))?)?$", re.DOTALL)
_AT = re.compile(r"\s+@\s+")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:[-+](?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?i)?"
_VALUE = re.compile(rf"([^\s=,]+)\s*=\s*({_NUMBER})")
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
        """Names and values behind ``@``; of complex ones the real part."""
        return step_parameters(self.step)


def step_parameters(step: str) -> dict[str, float]:
    """Names and values of a step: ``"d=0.001, t=2"``."""
    found: dict[str, float] = {}
    for name, value in _VALUE.findall(step):
        found[name] = complex(value.replace("i", "j")).real
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
                parts = finer if len(finer) == width else line.split() if len(line.split()) == width else parts
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
