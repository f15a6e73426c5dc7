"""Text that LAMMPS wrote, as lines: plain or packed, in flat memory, and never a line that does not end."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from scalebridge.data.readers.opening import first_line
from scalebridge.errors import InputError, ScaleBridgeError

# No line of any of LAMMPS' files is longer; one that is belongs to something else.
LONGEST_LINE = 2**20
# Text that is kept whole (logs, data files, averages), unpacked.
LARGEST_KEPT = 2**30
# Numbers that are kept of one file: a gigabyte, to which no reader adds as much again.
MOST_NUMBERS = 2**27
_ZSTANDARD = b"\x28\xb5\x2f\xfd"


@contextmanager
def opened_text(path: str | Path, what: str) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, unpacking gzip, bzip2, xz or zstd by what its first bytes say.

    Args:
        path: as the user gave it.
        what: in words, such as ``"dump"``.

    Raises:
        InputError: missing, a folder, empty, not allowed, packed and damaged, zstd without a library for it.
    """
    source = Path(path)
    magic = _first_bytes(source, what)
    try:
        with _unpacked(source, magic, f"The {what} '{path}'") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"The {what} '{path}' is packed and damaged or cut off ({first_line(error)}); copy it again."
        ) from error
    except OSError as error:
        raise _unreadable(source, what, error) from error


def _first_bytes(source: Path, what: str) -> bytes:
    try:
        if source.is_dir():
            raise InputError(f"The {what} '{source}' is a folder; give the path of a file.")
        if not source.is_file():
            raise InputError(f"There is no {what} '{source}'; give the path of a file.")
        with source.open("rb") as raw:
            magic = raw.read(6)
    except ScaleBridgeError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(source, what, error) from error
    if not magic:
        raise InputError(f"The {what} '{source}' is empty (0 bytes); the run wrote nothing into it.")
    return magic


def _unreadable(source: Path, what: str, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or first_line(error)
    return InputError(f"The {what} '{source}' cannot be read ({why}); check its path and permissions.")


def _unpacked(source: Path, magic: bytes, owner: str) -> IO[bytes]:
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(source, "rb"))
    if magic.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(source, "rb"))
    if magic.startswith(b"\xfd7zXZ"):
        return cast(IO[bytes], lzma.open(source, "rb"))
    if magic.startswith(_ZSTANDARD):
        return _zstandard(source, owner)
    return source.open("rb")


def _zstandard(source: Path, owner: str) -> IO[bytes]:
    """Python 3.14 brings zstd; before, the package zstandard does where it is installed."""
    for module in ("compression.zstd", "zstandard"):
        try:
            library: Any = importlib.import_module(module)
        except ImportError:
            continue
        return cast(IO[bytes], library.open(source, "rb"))
    raise InputError(
        f"{owner} is packed by zstd, which this Python cannot unpack; unpack it with 'zstd -d', or "
        "pip install zstandard."
    )


def lines_of(stream: IO[bytes], owner: str, largest: int = LARGEST_KEPT) -> Iterator[tuple[int, bytes]]:
    """Numbers from 1 and lines, each with its end where the file has it.

    Raises:
        InputError: a line longer than any of LAMMPS', a file that unpacks to more than ``largest`` bytes, a binary one.
    """
    number = total = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        total += len(line)
        if len(line) > LONGEST_LINE:
            raise InputError(f"{owner}, line {number}, is longer than {LONGEST_LINE} bytes; this is no such file.")
        if total > largest:
            raise InputError(
                f"{owner} holds more than {largest >> 20} MiB of text by line {number}, more than is kept in memory; "
                "cut it into parts."
            )
        if b"\0" in line:
            raise InputError(f"{owner}, line {number}, holds zero bytes; it is binary or damaged, copy it again.")
        yield number, line


def text_of(line: bytes) -> str:
    """A line as text without its end; bytes that are no UTF-8 are replaced."""
    return line.decode("utf-8", "replace").strip()


def check_kept(n: int, most: int, what: str, owner: str) -> None:
    """Refuse what would not stay in memory.

    Raises:
        InputError: more than ``most``.
    """
    if n > most:
        raise InputError(f"{owner} is past {most} {what}, more than are kept in memory; cut the file into parts.")
