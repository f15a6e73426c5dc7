"""Blocks of lines of numbers into arrays: by compiled loops where Numba is installed, else by NumPy."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

# Compiled code takes a second to load, which smaller files do not pay back.
WORTH_COMPILING = 2**24
# Per block: tokens that the compiled loops leave to Python, such as nan or 1e-30.
MOST_HARD = 2**14


def numbers_of(
    block: bytes, n_rows: int, place: NDArray[np.int64], out: Floats, owner: str, first_line: int, compiled: bool
) -> None:
    """Fill ``out [n_rows, k]`` with the wanted columns of a block of lines.

    Args:
        block: whole lines, the last with its end.
        n_rows: number of lines.
        place: for every column of the text, its column in ``out``, or -1.
        out: filled in place.
        owner: what messages call the file.
        first_line: number of the block's first line in it.
        compiled: whether to use compiled loops (see `compiling`).

    Raises:
        InputError: a line with too many or too few columns, a token that is no number.
    """
    done = _by_loops(block, place, out, owner, first_line) if compiled else False
    if not done:
        _by_numpy(block, n_rows, place, out, owner, first_line)


def compiling(size: int) -> bool:
    """Whether a file of this many bytes is read by compiled loops."""
    return size >= WORTH_COMPILING and importlib.util.find_spec("numba") is not None


def _by_loops(block: bytes, place: NDArray[np.int64], out: Floats, owner: str, first_line: int) -> bool:
    from scalebridge.simulators.lammps.number_loops import POWERS, read_rows

    hard = np.empty((MOST_HARD, 4), dtype=np.int64)
    rows, n_hard, wrong = read_rows(np.frombuffer(block, dtype=np.uint8), place, out, hard, POWERS)
    if wrong >= 0 and n_hard == MOST_HARD:
        return False  # full of tokens such as nan: NumPy reads them faster
    if wrong >= 0:
        raise _wrong_line(block[wrong:].split(b"\n", 1)[0], len(place), owner, first_line + rows)
    for start, end, row, column in hard[:n_hard].tolist():
        out[row, column] = _number(block[start:end], owner, first_line + row)
    return True


def _by_numpy(block: bytes, n_rows: int, place: NDArray[np.int64], out: Floats, owner: str, first_line: int) -> None:
    width = len(place)
    counts = _words_per_line(block)
    bad = np.flatnonzero(counts != width)
    if len(bad):
        raise _wrong_line(block.split(b"\n", int(bad[0]) + 1)[bad[0]], width, owner, first_line + int(bad[0]))
    wanted = np.flatnonzero(place >= 0)
    values = _all_numbers(block)
    if values is not None and values.size == n_rows * width:
        out[:, place[wanted]] = values.reshape(n_rows, width)[:, wanted]
        return
    words = block.split()
    for row in range(n_rows):
        for column in wanted.tolist():
            out[row, place[column]] = _number(words[row * width + column], owner, first_line + row)


def _all_numbers(block: bytes) -> Floats | None:
    """Every token as a number, or ``None`` where one is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.asarray(np.fromstring(block, dtype=np.float64, sep=" "))
        except (DeprecationWarning, ValueError):
            return None


def _words_per_line(block: bytes) -> NDArray[np.int64]:
    text = np.frombuffer(block, dtype=np.uint8)
    dark = text > 32
    begins = dark.copy()
    begins[1:] &= ~dark[:-1]
    ends = np.flatnonzero(text == 10)
    # A block is a megabyte or two: its words are counted in 32 bits.
    upto = np.cumsum(begins, dtype=np.int32)[ends].astype(np.int64)
    return np.diff(upto, prepend=0)


def _number(word: bytes, owner: str, line: int) -> float:
    try:
        return float(word)
    except ValueError:
        shown = word[:40].decode("utf-8", "replace")
        raise InputError(
            f"{owner}, line {line}, holds '{shown}' where a number stands in the other rows; the file is damaged there."
        ) from None


def _wrong_line(text: bytes, width: int, owner: str, line: int) -> InputError:
    words = text.split()
    shown = text[:60].decode("utf-8", "replace").strip()
    return InputError(
        f"{owner}, line {line}, has {len(words)} columns where {width} were announced ('{shown}'); the file is damaged "
        "there."
    )
