"""Lines of an input deck: numbers at the width that CalculiX reads, cards, nodes, elements, sets, conditions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.program.placeholders import within
from scalebridge.quantities import Floats

# CalculiX reads 20 characters of an entry and cuts off the rest, an exponent included; 16 entries to a line.
WIDTH = 20
ENTRIES = 16


def number(value: float) -> str:
    """Return a number in at most 20 characters: exact where its shortest form fits, else to 14 digits.

    Raises:
        InputError: a number that is not finite.
    """
    value = float(value)
    if not math.isfinite(value):
        raise InputError(f"The number {value} was to be written into a CalculiX deck; give finite numbers.")
    return within(value, WIDTH)


def line(*entries: Any) -> str:
    """Return one data line; floats at full width, other entries as they are."""
    return ",".join(number(e) if isinstance(e, float) else str(e) for e in entries)


def nodes(points: Floats, name: str = "ALL_NODES") -> Iterator[str]:
    """``*NODE`` of ``points [p, 2 or 3]``, numbered from 1, all in a set."""
    yield f"*NODE, NSET={name}"
    for row, point in enumerate(points.tolist(), 1):
        yield line(row, *point)


def elements(kind: str, cells: Any, name: str = "ALL_ELEMENTS", first: int = 1) -> Iterator[str]:
    """``*ELEMENT`` of ``cells [e, k]`` (points from 0, in CalculiX's order), numbered from ``first``."""
    yield f"*ELEMENT, TYPE={kind}, ELSET={name}"
    for row, cell in enumerate((cells + 1).tolist(), first):
        yield from _continued([row, *cell])


def members(card: str, name: str, numbers: Iterable[int]) -> Iterator[str]:
    """``*NSET`` or ``*ELSET`` of numbers as they stand in the deck."""
    yield f"*{card}, {card}={name}"
    listed = list(numbers)
    for start in range(0, len(listed), ENTRIES):
        yield line(*listed[start : start + ENTRIES])


# Any number in 20 characters, for tables of many.
_FIXED = "%.12e"
_CONSTANTS = "\n".join(",".join([_FIXED] * n) for n in (8, 8, 5))
_STRESS = f"%d,%d,{_FIXED},{_FIXED},0.,{_FIXED},0.,0."


def anisotropic(constants: Sequence[float]) -> Iterator[str]:
    """``*ELASTIC, TYPE=ANISO`` of 21 constants, in CalculiX's order, to 13 digits."""
    yield "*ELASTIC, TYPE=ANISO"
    yield _CONSTANTS % tuple(constants)


def initial_stresses(stress: Floats) -> Iterator[str]:
    """``*INITIAL CONDITIONS, TYPE=STRESS`` in a plane, ``stress [e, points, 3]`` (xx, yy, xy), to 13 digits."""
    yield "*INITIAL CONDITIONS, TYPE=STRESS"
    for cell, rows in enumerate(stress.tolist(), 1):
        for point, (xx, yy, xy) in enumerate(rows, 1):
            yield _STRESS % (cell, point, xx, yy, xy)


def _continued(entries: list[int]) -> Iterator[str]:
    # A line that ends in a comma goes on in the next.
    for start in range(0, len(entries), ENTRIES):
        more = start + ENTRIES < len(entries)
        yield line(*entries[start : start + ENTRIES]) + ("," if more else "")
