"""Numbers and texts of COMSOL's text files, one after the other; ``#`` starts a comment.

A text is its length, a blank, and its characters: ``5 mesh1``.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

_LONGEST_LINE, _LONGEST_TEXT = 1 << 20, 100_000


class Tokens:
    """Reads a text file of COMSOL; memory stays with what is asked for.

    Args:
        path: of the file.
        what: it is, for messages.
    """

    def __init__(self, path: str | Path, what: str) -> None:
        self.path, self.what, self.number = str(path), what, 0
        self._size = Path(path).stat().st_size
        self._file = open(path, "rb")  # noqa: SIM115
        self._rest = b""

    def __enter__(self) -> Tokens:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    def damaged(self, why: str) -> InputError:
        """The error of the line that was read last."""
        return InputError(
            f"The {self.what} '{self.path}' has in line {max(self.number, 1)} {why}; it may be damaged or cut off: "
            "export it again."
        )

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return self._size - self._file.tell() + len(self._rest)

    def at_end(self) -> bool:
        """Whether nothing is left but blanks and comments."""
        return not self._filled()

    def next_comment(self) -> str:
        """Comment behind the number that comes next; empty where there is none."""
        return self._rest.partition(b"#")[2].decode("utf-8", "replace").strip() if self._filled() else ""

    def skip_to(self, start: bytes) -> bool:
        """Leave out all lines up to the next that starts so; False where there is none."""
        while line := self._file.readline(_LONGEST_LINE):
            self.number += 1
            if line.startswith(start):
                self._rest = b""
                return True
        self._rest = b""
        return False

    def whole(self, what: str, most: int = 2**31 - 1) -> int:
        """One whole number from 0 to ``most``."""
        if not self._filled():
            raise self.damaged(f"the end of the file, where {what} belongs")
        word, _, self._rest = self._rest.partition(b" ")
        try:
            value = int(word)
        except ValueError:
            raise self.damaged(f"'{_shown(word)}', where {what} belongs") from None
        if not 0 <= value <= most:
            raise self.damaged(f"{value} for {what}, and 0 to {most} are possible")
        return value

    def text(self, what: str) -> str:
        """A text: its length, a blank, its characters."""
        length = self.whole(f"the length of {what}", _LONGEST_TEXT)
        raw = self._rest.decode("utf-8", "replace")
        if len(raw) < length:
            raise self.damaged(f"{length} characters of {what}, of which '{_shown(self._rest)}' is left")
        self._rest = raw[length:].encode()
        return raw[:length]

    def wholes(self, count: int, what: str) -> NDArray[np.int64]:
        """``count`` whole numbers."""
        values = self._many(count, what)
        whole = np.floor(values)
        if (whole != values).any() or (np.abs(values) > 2**53).any():
            raise self.damaged(f"the end of {what}, among which are no whole numbers")
        return whole.astype(np.int64)

    def reals(self, count: int, what: str) -> Floats:
        """``count`` real numbers."""
        return self._many(count, what)

    def skip_lines(self, count: int, what: str) -> None:
        """Leave ``count`` lines out."""
        for k in range(count):
            if not self._filled():
                raise self.damaged(f"the end of the file amid {what}: {k} of {count} lines are there")
            self._rest = b""

    def _many(self, count: int, what: str) -> Floats:
        # A number and its blank are two bytes at least: no larger array is made than the file can fill.
        if not 0 <= 2 * count <= self.left + 2:
            raise self.damaged(f"the number {count} of {what}, more than the file has room for")
        values = np.empty(count)
        done = 0
        while done < count:
            if not self._filled():
                raise self.damaged(f"the end of the file amid {what}: {done} of {count} are there")
            words = self._rest.partition(b"#")[0].split(maxsplit=count - done)
            surplus = len(words) > count - done
            self._rest = words.pop() if surplus else b""
            try:
                values[done : done + len(words)] = [float(word) for word in words]
            except ValueError:
                raise self.damaged(f"'{_shown(b' '.join(words))}' among {what}, which is no number") from None
            done += len(words)
        if not np.isfinite(values).all():
            raise self.damaged(f"the end of {what}, among which are numbers that are not finite")
        return values

    def _filled(self) -> bool:
        """Whether something is left; reads on where the line is used up."""
        while True:
            self._rest = self._rest.lstrip()
            if self._rest and not self._rest.startswith(b"#"):
                return True
            line = self._file.readline(_LONGEST_LINE)
            if not line:
                self._rest = b""
                return False
            self.number += 1
            self._rest = line.rstrip(b"\r\n")


def _shown(raw: bytes) -> str:
    return raw[:40].decode("utf-8", "replace")
