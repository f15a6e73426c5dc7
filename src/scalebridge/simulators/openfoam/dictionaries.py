"""OpenFOAM dictionaries as text: our own from mappings, those of others without their comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_INDENT = "    "
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def dictionary(name: str, entries: Mapping[str, Any], kind: str = "dictionary") -> str:
    """Return the text of a dictionary file.

    Args:
        name: of the file.
        entries: keyword -> number, word, mapping (a dictionary of its own) or list (written in parentheses).
        kind: OpenFOAM's class of the file, such as ``volVectorField``.
    """
    header = {"version": "2.0", "format": "ascii", "class": kind, "object": name}
    return _block("FoamFile", header, "") + "\n" + _entries(entries, "")


def without_comments(file: Path) -> str:
    """Return the text of a dictionary file, each comment a blank."""
    return _COMMENT.sub(" ", file.read_text(errors="replace"))


def _entries(entries: Mapping[str, Any], indent: str) -> str:
    return "".join(
        _block(key, value, indent) if isinstance(value, Mapping) else f"{indent}{key} {value_text(value)};\n"
        for key, value in entries.items()
    )


def _block(key: str, entries: Mapping[str, Any], indent: str) -> str:
    return f"{indent}{key}\n{indent}{{\n{_entries(entries, indent + _INDENT)}{indent}}}\n"


def value_text(value: Any) -> str:
    """Return one value as OpenFOAM reads it; numbers keep all their digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + " ".join(f"{key} {value_text(v)};" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "(" + " ".join(value_text(v) for v in value) + ")"
    return repr(value) if isinstance(value, float) else str(value)
