"""The output of a running program: bounded on disk and in memory, its last words kept."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from scalebridge.errors import InfrastructureError

_PIECE = 1 << 20
_TAIL = 1 << 14
_WORDS = 400
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Output:
    """A pipe for both output streams, copied into a file of the working folder.

    Args:
        folder: where the file is.
        log: name of the file; ``None`` to keep nothing but the tail.
        limit: bytes after which the program has written too much.

    ``trouble`` says why no more can be taken; empty while all is well.
    """

    def __init__(self, folder: Path, log: str | None, limit: int) -> None:
        self.trouble = ""
        self._limit = limit
        self._taken = 0
        self._tail = b""
        self._file: int | None = None
        if log is not None:
            try:
                self._file = os.open(folder / log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            except OSError as error:
                self.trouble = f"the file '{log}' for its output cannot be written ({error.strerror})"
        try:
            self.read_end, self.write_end = os.pipe()
        except OSError as error:
            self._close_file()
            raise InfrastructureError(f"No pipe can be opened for a program's output ({error.strerror}).") from error
        self._open_write_end = True
        os.set_blocking(self.read_end, False)
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, _PIECE)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_write_end()
        os.close(self.read_end)
        self._close_file()

    def close_write_end(self) -> None:
        """Let go of the end that the program writes to."""
        if self._open_write_end:
            self._open_write_end = False
            os.close(self.write_end)

    def take(self) -> bool:
        """Take what is there; False once there can be no more."""
        try:
            piece = os.read(self.read_end, _PIECE)
        except BlockingIOError:
            return True
        if not piece:
            return False
        kept = piece[: max(0, self._limit - self._taken)]
        self._taken += len(piece)
        self._tail = (self._tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
        self._write(kept)
        if self._taken > self._limit and not self.trouble:
            self.trouble = f"it was ended after it had printed more than the limit of {self._limit} bytes"
        return True

    def drain(self) -> None:
        """Take what a program that has ended left in the pipe."""
        while not self.trouble:
            before = self._taken
            if not self.take() or self._taken == before:
                return

    def tail(self) -> str:
        """The end of the output."""
        return _ESCAPES.sub("", self._tail.decode(errors="replace"))

    def last_words(self) -> str:
        """The last lines in one, for a reason."""
        # A progress bar overwrites its line: only what stands at the end was last seen.
        lines = [line.strip() for line in re.split(r"[\r\n]+", self.tail()) if line.strip()]
        joined = " | ".join(lines)
        if len(joined) <= _WORDS:
            return joined
        # Not from within a word, unless it is no word but a long path or a number of many digits.
        return f"... {re.sub(r'^[^ ]{0,40} ', '', joined[-_WORDS - 1 :])}"

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def _write(self, piece: bytes) -> None:
        if self._file is None or not piece:
            return
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            self.trouble = f"it was ended because its output could not be written ({error.strerror})"
