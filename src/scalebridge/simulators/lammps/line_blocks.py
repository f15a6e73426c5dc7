"""A stream of bytes in blocks of whole lines, with memory for a few megabytes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import numpy as np

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.text_files import LONGEST_LINE

CHUNK = 2**20
# A block for few lines is looked for in few bytes.
LINE_GUESS = 256


class LineBlocks:
    """Whole lines of a stream, one by one or many at once.

    Attributes:
        number: of the last line that was handed out, from 1.
        cut: whether the stream ended within a line, or within what it was packed in.
    """

    def __init__(self, stream: IO[bytes], owner: str) -> None:
        self.number = 0
        self.cut = False
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._owner = owner
        self._held = b""
        self._at = 0

    def line(self) -> bytes | None:
        """The next line without its end; ``None`` at the end of the stream."""
        end = self._end_of_line()
        if end < 0:
            return None
        found = self._held[self._at : end]
        self._at = end + 1
        self.number += 1
        return found.rstrip(b"\r")

    def block(self, most: int) -> tuple[bytes, int]:
        """The next whole lines, at least one and at most so many, and their number; ``(b"", 0)`` at the end."""
        if self._end_of_line() < 0:
            return b"", 0
        window = min(len(self._held), self._at + max(4096, most * LINE_GUESS))
        last = self._held.rfind(b"\n", self._at, window)
        if last < 0:
            last = self._held.find(b"\n", self._at)
        count = self._held.count(b"\n", self._at, last + 1)
        if count > most:
            held = np.frombuffer(self._held, dtype=np.uint8)[self._at : last + 1]
            last = self._at + int(np.flatnonzero(held == 10)[most - 1])
            count = most
        found = self._held[self._at : last + 1]
        self._at = last + 1
        self.number += count
        return found, count

    def give_back(self, part: bytes, lines: int) -> None:
        """Put back the last bytes of the block that was handed out last, so many lines of it."""
        self._at -= len(part)
        self.number -= lines

    def _end_of_line(self) -> int:
        """Where the next line ends in what is held; -1 at the end of the stream."""
        end = self._held.find(b"\n", self._at)
        while end < 0:
            if len(self._held) - self._at > LONGEST_LINE:
                raise InputError(
                    f"{self._owner}, line {self.number + 1}, is longer than {LONGEST_LINE} bytes; this is no such file."
                )
            if not self._more():
                return -1
            end = self._held.find(b"\n", self._at)
        return end

    def _more(self) -> bool:
        chunk = self._chunk()
        if b"\0" in chunk:
            raise InputError(
                f"{self._owner} holds zero bytes after line {self.number}; it is binary or damaged: copy it again, or "
                "turn a binary dump to text by binary2txt."
            )
        self._held = self._held[self._at :] + chunk
        self._at = 0
        self.cut = self.cut or (not chunk and bool(self._held.strip()))
        return bool(chunk)

    def _chunk(self) -> bytes:
        """The next bytes; of a packed file that was not written to its end, those that can be had."""
        parts, size = [], 0
        try:
            while size < CHUNK and (part := self._read(CHUNK - size)):
                parts.append(part)
                size += len(part)
        except EOFError:
            self.cut = True
        return b"".join(parts)
