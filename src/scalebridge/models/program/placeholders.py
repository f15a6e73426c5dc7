"""Placeholders of a template: ``{{ name }}``, ``{{ name [degC] }}``, ``{{ strain[0] [mm] : .6e }}``.

::

    {{ T }}                       the number, with every digit that it has, in the unit of the input
    {{ T [degC] }}                converted
    {{ T [degC] : .3f }}          in a format of Python's; d for whole numbers
    {{ strain[0] }}               one component of an array
    {{ strain : .6e | ", " }}     all components, parted by the text in quotes (a space by default)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.quantities.units import conversion

_BEGIN = re.compile(r"\{\{[ \t]*(?=[^\W\d])")
_WHOLE = re.compile(
    r"\{\{[ \t]*(?P<name>[^\W\d]\w*)"
    r"(?P<index>\[[ \t]*\d+[ \t]*(?:,[ \t]*\d+[ \t]*)*\])?[ \t]*"
    r"(?:\[(?P<unit>[^\[\]{}\n]*)\])?[ \t]*"
    r"(?::[ \t]*(?P<format>[^{}|\n]*?))?[ \t]*"
    r"(?:\|[ \t]*\"(?P<joint>[^\"\n]*)\")?[ \t]*\}\}"
)
_ROUNDING = 1e-15
# Whatever reads it - a shell in a script, an option parser, an input language - finds nothing to act upon.
_PLAIN = re.compile(r"[^\W]|[ .,:+\-/@%=]")
_FORMAT = re.compile(r"[<>=^]?[+\- ]?#?0?\d{0,3}(?:\.\d{1,3})?[eEfFgGd]?")


@dataclass(frozen=True)
class Placeholder:
    """A place where a value is written.

    Args:
        name: of an input or an option.
        index: of one component of an array; ``None`` for the whole.
        unit: that it is written in; ``None`` for the unit of the input.
        format: of each number; empty for every digit.
        joint: between the components of an array.
        where: place in the template, for people.
    """

    name: str
    index: tuple[int, ...] | None
    unit: str | None
    format: str
    joint: str
    where: str

    def written(self, value: Floats | str | float, unit: str, width: int | None = None) -> str:
        """Return the text for a value that is in ``unit``: an array of the input's shape, a number or a text.

        Args:
            value: an array of the input's shape, a number or a text.
            unit: of the value.
            width: characters that the program reads of a number; ``None`` for all.

        Raises:
            ValueError: a format for whole numbers and a number that is none, a number wider than ``width``.
        """
        if isinstance(value, str):
            return value
        if self.index is not None:
            value = np.asarray(value)[self.index]
        factor, offset = _conversion(unit, unit if self.unit is None else self.unit)
        return self.joint.join(self._number(factor * float(v) + offset, width) for v in np.ravel(value))

    def _number(self, value: float, width: int | None) -> str:
        if width is not None and not self.format:
            return within(value, width)
        text = self._formatted(value)
        if width is not None and len(text.strip()) > width:
            asked = f"in the format '{self.format}'" if self.format else "in full"
            raise ValueError(f"{text.strip()} {asked}, of which the program reads {width} characters only")
        return text

    def _formatted(self, value: float) -> str:
        if self.format.endswith("d"):
            # A conversion rounds: 4.35 m are 434.99999999999994 cm.
            if not math.isclose(value, round(value), rel_tol=_ROUNDING):
                raise ValueError(f"{value!r} is no whole number, which the format '{self.format}' asks for")
            return format(round(value), self.format)
        return format(value, self.format) if self.format else repr(value)


def within(value: float, width: int) -> str:
    """Return a number in at most ``width`` characters: exact where its shortest form fits, else rounded.

    Raises:
        ValueError: a width that holds no digit of it.
    """
    text, digits = repr(value), width
    while len(text) > width:
        if digits < 0:
            raise ValueError(f"{value!r} does not fit into {width} characters")
        text = f"{value:.{digits}e}"
        digits -= 1
    return text


Parts = tuple[str | Placeholder, ...]


def parsed(text: str, where: str, lines: bool = False) -> Parts:
    """Split a text into what is kept and its placeholders.

    Args:
        text: the text.
        where: what it is, for people.
        lines: whether messages name the line.

    Raises:
        InputError: something between ``{{`` and ``}}`` that begins as a placeholder and is none.
    """
    parts: list[str | Placeholder] = []
    at = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < at:
            continue
        place = f"{where}, line {text.count(chr(10), 0, begin.start()) + 1}" if lines else where
        match = _WHOLE.match(text, begin.start())
        if match is None:
            shown = text[begin.start() : begin.start() + 40].split("\n")[0]
            raise InputError(
                f"{place}: '{shown}' is no placeholder; write {{{{ name }}}}, {{{{ name [unit] }}}} or "
                "{{ name [unit] : .6e }}, or name the file under verbatim to have it copied as it is."
            )
        parts += [text[at : begin.start()], _placeholder(match, place)]
        at = match.end()
    return tuple(part for part in (*parts, text[at:]) if part != "")


def placeholders(parts: Parts) -> list[Placeholder]:
    """Return the placeholders among the parts."""
    return [part for part in parts if isinstance(part, Placeholder)]


def check_text(name: str, value: str) -> None:
    """Refuse a text that a shell, an option parser or an input language might act upon.

    Raises:
        InputError: a word with a leading dash, a line break, or anything but letters, digits and a few signs.
    """
    strange = [c for c in value if not _PLAIN.fullmatch(c)]
    if strange:
        raise InputError(
            f"The option '{name}' = {value!r} holds {strange[0]!r}; a text that goes into a command or a file may hold "
            "letters, digits, spaces and _ . , : + - / @ % = only; write anything else into the template itself."
        )
    if re.search(r"(^|\s)-", value):
        raise InputError(
            f"The option '{name}' = {value!r} has a word that begins with '-', which a program takes for one of its "
            "own options; write such an option into the command itself."
        )


def _placeholder(match: re.Match[str], where: str) -> Placeholder:
    index, joint, given = match["index"], match["joint"], (match["format"] or "").strip()
    if not _FORMAT.fullmatch(given):
        raise InputError(f"{where}: the format '{given}' of '{match['name']}' is not known; write .6e, .3f, g or d.")
    return Placeholder(
        match["name"],
        None if index is None else tuple(int(i) for i in index.strip("[]").split(",")),
        None if match["unit"] is None else match["unit"].strip() or "1",
        given,
        " " if joint is None else joint.replace("\\n", "\n").replace("\\t", "\t"),
        where,
    )


@cache
def _conversion(source: str, target: str) -> tuple[float, float]:
    return conversion(source, target, "A placeholder")
