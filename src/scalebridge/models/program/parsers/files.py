"""Files of a working folder, as the parsers find them."""

from __future__ import annotations

import math
import stat
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

_SHOWN = 12
_LINE_BYTES = 1 << 20
# What is more is a field, which a function reduces.
_MOST = 1 << 22


class NoValue(Exception):
    """What was to be read is not there; its text is the reason of a failed row."""


def located(folder: Path, name: str) -> Path:
    """Return the file called ``name``, which may hold ``*`` where one file only matches.

    Raises:
        NoValue: no such file, several, or something that is no file.
    """
    found = matching(folder, name)
    if len(found) > 1:
        raise NoValue(f"{len(found)} files match '{name}': {_list([str(f.relative_to(folder)) for f in found])}")
    if not found or not found[0].exists():
        raise NoValue(f"it wrote no file '{name}'; its folder holds {_list(names_in(folder))}")
    # A pipe or a device would be waited for, or never end.
    if not stat.S_ISREG(found[0].stat().st_mode):
        raise NoValue(f"'{name}' is no file")
    return found[0]


def matching(folder: Path, name: str) -> list[Path]:
    """Return where the files called ``name``, which may hold ``*``, are or would be."""
    is_pattern = any(c in name for c in "*?[") and not (folder / name).exists()
    return sorted(folder.glob(name)) if is_pattern else [folder / name]


def names_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder, those of sub-folders below it."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """Return the lines of a text with their numbers from 1, one at a time.

    Raises:
        NoValue: a line that no text has.
    """
    with open(path, encoding="utf-8-sig", errors="replace") as file:
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
        # Python reads 1_000 as a number; nobody else writes one so.
        value = float(text.strip().replace("_", "?").replace("D", "e").replace("d", "e"))
    except ValueError:
        raise NoValue(f"{where} is '{text.strip()[:40]}', no number") from None
    if not math.isfinite(value):
        raise NoValue(f"{where} is {value}")
    return value


def numbers(raw: Any, what: str) -> Floats:
    """Return what was read as numbers, in its shape.

    Raises:
        NoValue: it holds none: complex numbers, dates, words.
    """
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(raw)
            if found.dtype.kind not in "biufOUS":
                raise NoValue(f"{what} holds {found.dtype}, no real numbers")
            return np.array(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise NoValue(f"{what} is {str(raw)[:40]!r}, no number") from error


def all_of(texts: Iterable[tuple[str, str]]) -> Floats:
    """Return the numbers in texts, each given with what it is; flat in memory.

    Raises:
        NoValue: one is no number, or there are more than a model has outputs.
    """
    values = array("d")
    for text, where in texts:
        values.append(number_in(text, where))
        if len(values) > _MOST:
            raise NoValue(f"{where} is one of more than {_MOST} numbers; reduce them by a function of the folder")
    return np.array(values, dtype=np.float64)


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
