"""What stood in a working folder before the program ran: it is no result of that run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scalebridge.models.program.parsers.files import NoValue, matching

# Further apart than any file system's clock ticks.
_EARLIER_NS = 2_000_000_000
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Before:
    """The files that are to be read and that the template brought.

    Args:
        folder: the working folder.
        stamps: inode, size and time of each.
    """

    folder: Path
    stamps: Mapping[Path, Stamp]

    @staticmethod
    def of(folder: Path, names: Iterable[str]) -> Before:
        """Look at the files called ``names``, which may hold ``*``."""
        found = {path for name in names for path in matching(folder, name) if path.exists()}
        return Before(folder, {path: _dated(path, folder) for path in found})

    def is_written(self, name: str) -> bool:
        """Whether the run wrote a file called ``name``."""
        return any(self.stamps.get(path) != _stamp(path) for path in self._there(name))

    def check(self, name: str) -> None:
        """Raise `NoValue` where a file called ``name`` is there and the run did not write it."""
        if self._there(name) and not self.is_written(name):
            raise NoValue(f"it did not write '{name}', which came with the template")

    def _there(self, name: str) -> list[Path]:
        return [path for path in matching(self.folder, name) if path.exists()]


def _dated(path: Path, folder: Path) -> Stamp:
    """Date one of ours back, so that a program that writes it in the same tick of the clock is seen to have."""
    if path.resolve().is_relative_to(folder.resolve()):
        about = path.stat()
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns - _EARLIER_NS))
    return _stamp(path)


def _stamp(path: Path) -> Stamp:
    about = path.stat()
    return about.st_ino, about.st_size, about.st_mtime_ns
