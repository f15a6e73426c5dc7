"""Where a dataset came from: its files, the reader and its options, and what the reader had to assume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class File:
    """One file as it was read.

    Attributes:
        name: the path as it was given.
        sha256: of its bytes, hexadecimal.
        size: in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, eq=False)
class Source:
    """Provenance of a dataset.

    Attributes:
        files: those that were read; none for arrays given in memory.
        reader: what read them, such as ``"table"``.
        options: what the reader was told, as plain values.
        notes: what the reader assumed, converted or took for a gap, one sentence each.
        unstated: names of columns of numbers whose unit nobody stated (their ``unit`` is ``"1"``).
    """

    files: tuple[File, ...] = ()
    reader: str = "memory"
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unstated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def describe(self) -> str:
        """Say in one sentence where the data came from."""
        if not self.files:
            return f"given in memory ({self.reader})."
        first = f"{self.files[0].name} (sha256 {self.files[0].sha256[:12]})"
        more = f" and {len(self.files) - 1} more files" if len(self.files) > 1 else ""
        return f"read from {first}{more} as {self.reader}."
