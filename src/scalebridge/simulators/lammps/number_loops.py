"""Numbers out of text, compiled: needs Numba; `number_blocks` does without it, ten times slower."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

# 10^k is exact in float64 up to here.
POWERS = 10.0 ** np.arange(23)
_SPLIT = 134217729.0


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        made: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep the compiled code
        made = numba.njit(nogil=True)(function)
    return made


@_compiled
def quotient(mantissa: np.uint64, power: float) -> float:
    """``mantissa / power`` rounded once, by the remainder of a first quotient (T. J. Dekker's exact product)."""
    high = float(mantissa)
    if mantissa < np.uint64(9007199254740992):
        return high / power
    back = np.uint64(high) if high < 18446744073709551615.0 else mantissa
    low = float(np.int64(mantissa - back)) if mantissa >= back else -float(np.int64(back - mantissa))
    first = high / power
    a, b = _SPLIT * first, _SPLIT * power
    a_high, b_high = a - (a - first), b - (b - power)
    a_low, b_low = first - a_high, power - b_high
    product = first * power
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return first + (((high - product) - error) + low) / power


@_compiled
def digits_at(text: NDArray[np.uint8], at: int, mantissa: np.uint64, digits: int) -> tuple[np.uint64, int, int, int]:
    """Digits from ``at`` on: the mantissa they make, how many count, how many were passed over, and where they end."""
    dropped = 0
    while 48 <= text[at] <= 57:
        if digits < 19:
            mantissa = mantissa * np.uint64(10) + np.uint64(text[at] - 48)
            digits += 1 if mantissa > 0 else 0
        else:
            dropped += 1
        at += 1
    return mantissa, digits, dropped, at


@_compiled
def number_at(text: NDArray[np.uint8], at: int, powers: NDArray[np.float64]) -> tuple[float, int, bool]:
    """The number at ``at``, where it ends, and whether it was easy: plain digits within 22 powers of ten."""
    negative = text[at] == 45
    if text[at] == 45 or text[at] == 43:
        at += 1
    start = at
    mantissa, digits, exponent, at = digits_at(text, at, np.uint64(0), 0)
    seen = at - start
    if text[at] == 46:
        start = at + 1
        mantissa, digits, dropped, at = digits_at(text, start, mantissa, digits)
        seen += at - start
        exponent -= at - start - dropped
    easy = seen > 0
    if easy and (text[at] == 101 or text[at] == 69):
        at += 1
        sign, power = -1 if text[at] == 45 else 1, 0
        if text[at] == 45 or text[at] == 43:
            at += 1
        easy = 48 <= text[at] <= 57
        while 48 <= text[at] <= 57:
            power = power * 10 + text[at] - 48 if power < 999 else power
            at += 1
        exponent += sign * power
    easy = easy and text[at] <= 32 and -22 <= exponent <= 22
    easy = easy and (exponent <= 0 or mantissa < np.uint64(9007199254740992))
    if not easy:
        while text[at] > 32:
            at += 1
        return 0.0, at, False
    value = quotient(mantissa, powers[-exponent]) if exponent <= 0 else float(mantissa) * powers[exponent]
    return -value if negative else value, at, True


@_compiled
def read_rows(
    text: NDArray[np.uint8],
    place: NDArray[np.int64],
    out: NDArray[np.float64],
    hard: NDArray[np.int64],
    powers: NDArray[np.float64],
) -> tuple[int, int, int]:
    """Read lines of numbers; return rows read, hard tokens met, and the offset of the line it stopped at, or -1.

    Args:
        text: bytes of whole lines.
        place: column of ``out`` for every column of the text; -1 for one that is not wanted.
        out: rows to fill.
        hard: ``[k, 4]``, filled with start, end, row and column of tokens that need a slower eye.
        powers: `POWERS`.
    """
    row = column = n_hard = at = line_start = 0
    size, width = text.size, place.size
    while at < size:
        c = text[at]
        if c == 10:
            if column != width:
                return row, n_hard, line_start
            row, column, at = row + 1, 0, at + 1
            line_start = at
        elif c <= 32:
            at += 1
        elif column >= width:
            return row, n_hard, line_start
        else:
            start, target = at, place[column]
            column += 1
            if target < 0:
                while text[at] > 32:
                    at += 1
                continue
            value, at, easy = number_at(text, at, powers)
            out[row, target] = value
            if not easy:
                if n_hard == hard.shape[0]:
                    return row, n_hard, line_start
                hard[n_hard, 0], hard[n_hard, 1], hard[n_hard, 2], hard[n_hard, 3] = start, at, row, target
                n_hard += 1
    return row, n_hard, -1
