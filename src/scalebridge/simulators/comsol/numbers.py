"""Rows of numbers of COMSOL's exports: real or complex (``1.5-2.0E-3i``), set apart by blanks, tabs, commas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Lines that are turned into numbers at a time: memory stays near that of the numbers.
_CHUNK = 20_000


def separator_of(line: bytes) -> bytes | None:
    """What sets the numbers of a line apart; None for blanks and tabs."""
    for sign in (b",", b";"):
        if sign in line:
            return sign
    return None


def numbers(rows: Iterable[bytes], width: int | None = None) -> NDArray[Any]:
    """Numbers ``[n, width]``, complex where one of them is.

    Args:
        rows: lines without their ends.
        width: numbers of a line; that of the first where left out.

    Raises:
        ValueError: with the row (from 0) and what is wrong there.
    """
    parts: list[NDArray[Any]] = []
    chunk: list[list[bytes]] = []
    start = 0
    for row in rows:
        words = row.replace(b'"', b"").split(separator_of(row))
        width = len(words) if width is None else width
        if len(words) != width:
            raise ValueError(start + len(chunk), f"{len(words)} numbers, and {width} columns")
        chunk.append(words)
        if len(chunk) == _CHUNK:
            parts.append(_converted(chunk, start, width))
            start, chunk = start + _CHUNK, []
    if chunk:
        parts.append(_converted(chunk, start, width or 0))
    return np.concatenate(parts) if parts else np.zeros((0, width or 0))


def _converted(chunk: list[list[bytes]], start: int, width: int) -> NDArray[Any]:
    try:
        return np.array([[float(word) for word in row] for row in chunk]).reshape(-1, width)
    except ValueError:
        pass
    found = np.empty((len(chunk), width), dtype=np.complex128)
    for k, row in enumerate(chunk):
        for i, word in enumerate(row):
            try:
                found[k, i] = _number(word)
            except ValueError:
                shown = word[:30].decode("utf-8", "replace")
                raise ValueError(start + k, f"'{shown}' in column {i + 1}, which is no number") from None
    return found if (found.imag != 0).any() else found.real


def _number(word: bytes) -> complex:
    text = word.strip().decode("ascii", "replace")
    if not text.endswith("i"):
        return complex(float(text))
    return complex(text[:-1].replace("i", "") + "j")
