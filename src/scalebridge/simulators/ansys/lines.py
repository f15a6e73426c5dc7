"""Lines of a text file, one after the other, with their number for messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from scalebridge.errors import InputError

_LONGEST = 10_000


class Lines:
    """The lines of a file; memory stays flat, also where a file has no line end at all.

    Args:
        path: of the file.
        what: it is, for messages.
    """

    def __init__(self, path: str | Path, what: str) -> None:
        self.path, self.what, self.number = str(path), what, 0
        self._file = open(path, "rb")  # noqa: SIM115

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next line without its end."""
        line = self._file.readline(_LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        return line.rstrip(b"\r\n")

    def damaged(self, why: str) -> InputError:
        """The error of the line that was read last."""
        return InputError(
            f"The {self.what} '{self.path}' has in line {max(self.number, 1)} {why}; it may be damaged or cut off: "
            "write it again."
        )
