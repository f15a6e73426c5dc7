"""Files that a deck names: they have to come with it, or the same deck would stand for other results."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.program.template import TemplateFile, template_files

# CalculiX reads keywords in either case and skips blanks; a line that begins with ** is a comment.
_INPUT = re.compile(rb"(?im)^[ \t]*\*(?!\*)[^\n]*?\b(?:INPUT|FILE)[ \t]*=[ \t]*\"?([^,\"\r\n]+)")


def check_included(deck: Any) -> None:
    """Refuse a deck that reads files from outside its working folder.

    Args:
        deck: a file, a folder, or a mapping from names to texts and paths.

    Raises:
        InputError: a path that is absolute or leads upwards, with the file that holds it.
    """
    for file in template_files(deck, (), (), ()):
        for name in _named(file):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise InputError(
                    f"The deck's file '{file.label}' reads '{name}', which does not come with it; put that file beside "
                    f"the deck, write INPUT={path.name}, and give the folder as the deck: what it holds then counts as "
                    "part of the model."
                )


def _named(file: TemplateFile) -> Iterator[str]:
    if file.source is None:
        text = "".join(part if isinstance(part, str) else "0" for part in file.text or ())
        yield from _found(text.encode())
    elif Path(file.source).stat().st_size:
        # Mapped, not read: a mesh may be large.
        with open(file.source, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield from _found(content)


def _found(content: bytes | mmap.mmap) -> Iterator[str]:
    for match in _INPUT.finditer(content):
        yield match[1].decode("utf-8", errors="replace").strip()
