"""What the readers share: opening, lines of bounded length, Fortran's numbers, the sentence of a damaged file."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from scalebridge.errors import InputError

# No line of CalculiX is longer; a file without line ends is not read into memory.
_LONGEST = 4096
_NO_E = re.compile(r"(?<=\d)([+-]\d{3})$")


def opened(path: str | Path, what: str) -> TextIO:
    """Open a text file of CalculiX.

    Raises:
        InputError: a file that is missing or cannot be read.
    """
    check_file(Path(path), what)
    return open(path, encoding="ascii", errors="replace", newline=None)


def check_file(path: Path, what: str) -> None:
    """Refuse what is no file that can be read; a pipe would be waited for.

    Raises:
        InputError: naming it.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        if regular:
            open(path, "rb").close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{what} '{path}' cannot be read ({why}); check the path.") from error
    if not regular:
        raise InputError(f"{what} '{path}' is no file; give the file that CalculiX wrote or reads.")


def text_lines(file: TextIO, path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1.

    Raises:
        InputError: a line longer than any that CalculiX writes.
    """
    at = 0
    while text := file.readline(_LONGEST):
        at += 1
        if len(text) >= _LONGEST and not text.endswith("\n"):
            raise broken(path, at, "the line is too long")
        yield at, text.rstrip("\r\n")


def broken(path: Path, at: int, why: str) -> InputError:
    """The error of a damaged file."""
    return InputError(f"'{path}', line {at}: {why}; the file is damaged or was cut off, run CalculiX again.")


def fortran_number(word: str) -> float:
    """Read a number as Fortran prints it: an exponent of three digits has no E.

    Raises:
        ValueError: no number.
    """
    try:
        return float(word)
    except ValueError:
        return float(_NO_E.sub(r"E\1", word.strip().replace("D", "E").replace("d", "e")))
