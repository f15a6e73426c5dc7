"""APDL input that is given as a file or as a text."""

from __future__ import annotations

from pathlib import Path


def file_of(script: str | Path) -> Path | None:
    """The file, where it is one: a `Path`, or a text of one line without a line break; None of APDL itself."""
    return Path(script) if isinstance(script, Path) or "\n" not in script else None
