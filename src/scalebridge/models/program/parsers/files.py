"""Files of a working folder, as the parsers find them."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scalebridge.errors import InputError

_SHOWN = 12
_LINE_BYTES = 1 << 20


class NoValue(Exception):
    """What was to be read is not there; its text is the reason of a failed row."""


def located(folder: Path, name: str) -> Path:
    """Return the file called ``name``, which may hold ``*`` where one file only matches.

    Raises:
        NoValue: no such file, several, or something that is no file.
    """
    found = sorted(folder.glob(name)) if any(c in name for c in "*?[") else [folder / name]
    if len(found) > 1:
        raise NoValue(f"{len(found)} files match '{name}': {_list([str(f.relative_to(folder)) for f in found])}")
    if not found or not found[0].exists():
        raise NoValue(f"it wrote no file '{name}'; its folder holds {_list(names_in(folder))}")
    # A pipe or a device would be waited for, or never end.
    if not stat.S_ISREG(found[0].stat().st_mode):
        raise NoValue(f"'{name}' is no file")
    return found[0]


def names_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder, those of sub-folders below it."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Return the lines of a text with their numbers from 1, one at a time.

    Raises:
        NoValue: a line that no text has.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        number = 0
        while line := file.readline(_LINE_BYTES):
            number += 1
            if len(line) == _LINE_BYTES:
                raise NoValue(f"'{path.name}', line {number} is longer than {_LINE_BYTES} characters")
            yield number, line.rstrip("\n")


def number_in(text: str, where: str) -> float:
    """Return a number, Fortran's exponents ``1.0D-3`` included.

    Raises:
        NoValue: it is none, or not finite.
    """
    try:
        value = float(text.strip().replace("D", "e").replace("d", "e"))
    except ValueError:
        raise NoValue(f"{where} is '{text.strip()[:40]}', no number") from None
    if not math.isfinite(value):
        raise NoValue(f"{where} is {value}")
    return value


def check_name(name: str, owner: str) -> None:
    """Refuse a file name that leads out of the working folder.

    Raises:
        InputError: such a name.
    """
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise InputError(f"{owner} names the file '{name}'; give its path below the working folder.")


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN]) or "nothing"
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
