"""The shorthand of stacking sequences: ``[0/±45/90]2s``."""

from __future__ import annotations

import re

from scalebridge.errors import InputError

_WHOLE = re.compile(r"\[(?P<plies>[^\[\]]+)\]\s*(?P<times>\d*)\s*(?P<symmetric>[sS]?)")
_PLY = re.compile(r"(?P<sign>±|\+-|[+-]?)(?P<angle>\d+(\.\d+)?)(_(?P<times>\d+))?")


def angles(sequence: str) -> tuple[float, ...]:
    """Return the angles in degrees, from the bottom up, of a sequence such as ``"[0/±45/90]2s"``.

    ``90_2`` is twice the same ply, ``±45`` is 45 then -45, a number behind the bracket repeats, ``s`` mirrors. A ply in
    the middle that is not to be doubled has to be written out.

    Raises:
        InputError: a text that is no such sequence.
    """
    whole = _WHOLE.fullmatch(sequence.strip())
    if whole is None:
        raise InputError(f"The stacking sequence '{sequence}' cannot be read; write it as in '[0/±45/90]2s'.")
    found: list[float] = []
    for text in whole["plies"].split("/"):
        found += _ply(text.strip(), sequence)
    found *= int(whole["times"] or 1)
    if whole["symmetric"]:
        found += found[::-1]
    if not found:
        raise InputError(f"The stacking sequence '{sequence}' repeats its plies 0 times; give at least one ply.")
    return tuple(found)


def _ply(text: str, sequence: str) -> list[float]:
    one = _PLY.fullmatch(text)
    if one is None:
        raise InputError(
            f"'{text}' in the stacking sequence '{sequence}' is no ply; write an angle in degrees, as in 45, -45, ±45 "
            "or 90_2."
        )
    angle = float(one["angle"])
    pair = [angle, -angle] if one["sign"] in ("±", "+-") else [-angle if one["sign"] == "-" else angle]
    return pair * int(one["times"] or 1)
