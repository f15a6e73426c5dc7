"""Files of text, whole or not at all, and names that other languages take."""

from __future__ import annotations

import os
import re
from pathlib import Path

from scalebridge.errors import InputError

# Of C, and short enough for Fortran 2003 with the longest ending that is put behind it.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
_RESERVED = re.compile(
    "auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|register|"
    "restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while"
)


def checked_name(name: str) -> str:
    """Return a name that C and Fortran take.

    Raises:
        InputError: any other name.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise InputError(
            f"The exported functions would begin with '{name}', which is no name in C; give name= of at most 31 "
            "letters, digits and '_' that begins with a letter."
        )
    return name


def write_text(path: Path, text: str) -> Path:
    """Write a file whole; an older one stays until the new one is there.

    Raises:
        InputError: the folder does not exist.
    """
    if not path.parent.is_dir():
        raise InputError(f"'{path}' cannot be written: the folder '{path.parent}' does not exist; make it first.")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path
