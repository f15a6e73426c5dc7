"""What every reader checks before it reads: that there is a file, whole, of a size that can be read."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scalebridge.data.source import File
from scalebridge.errors import InputError, ScaleBridgeError

LARGEST_FILE = 4 * 2**30
LARGEST_UNPACKED = 2**30
LARGEST_RATIO = 200
LARGEST_CELLS = 200_000_000


def opened(path: str | Path, what: str, *, largest: int = LARGEST_FILE) -> File:
    """Name, digest and size of a file that exists, may be read, is not empty and not too large.

    Args:
        path: as the user gave it.
        what: in words, such as ``"table"``.
        largest: size in bytes beyond which it is refused.

    Raises:
        InputError: missing, a folder, no permission, a loop of links, empty, too large.
    """
    source = Path(path)
    try:
        if source.is_dir():
            raise InputError(f"The {what} '{path}' is a folder; give the path of a file.")
        if not source.is_file():
            present = source.exists()
            why = "is no regular file" if present else _missing(source)
            raise InputError(f"The {what} '{path}' {why}; give the path of a file.")
        size = source.stat().st_size
        if size == 0:
            raise InputError(f"The {what} '{path}' is empty (0 bytes); export it again.")
        if size > largest:
            raise InputError(
                f"The {what} '{path}' has {size / 2**30:.1f} GiB, more than the {largest / 2**30:.1f} GiB that are "
                "read at once; split it, or save it as Parquet or HDF5."
            )
        with source.open("rb") as stream:
            return File(str(path), hashlib.file_digest(stream, "sha256").hexdigest(), size)
    except ScaleBridgeError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The {what} '{path}' cannot be opened ({why}); check its path and permissions.") from error


def _missing(source: Path) -> str:
    near = ""
    if source.parent.is_dir():
        from difflib import get_close_matches

        names = [p.name for p in list(source.parent.iterdir())[:10_000]]
        found = get_close_matches(source.name, names, n=1)
        near = f" (did you mean '{found[0]}'?)" if found else ""
    return f"does not exist{near}"


@contextmanager
def decoding(
    path: str | Path, what: str, advice: str = "it may be truncated or damaged, export it again"
) -> Iterator[None]:
    """Turn whatever a library raises on damaged bytes into one sentence."""
    try:
        yield
    except ScaleBridgeError:
        raise
    except MemoryError as error:
        raise InputError(f"The {what} '{path}' asks for more memory than there is; {advice}.") from error
    except RecursionError as error:
        raise InputError(f"The {what} '{path}' is nested too deeply to be read; {advice}.") from error
    except Exception as error:
        raise InputError(f"The {what} '{path}' cannot be decoded ({first_line(error)}); {advice}.") from error


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, at most 160 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")[:160]


def check_unpacked(path: str | Path, what: str) -> None:
    """Refuse a zip that would unpack to far more than it is (a zip bomb), from its directory alone.

    Raises:
        InputError: no zip, one that is damaged, or one that unpacks to too much.
    """
    with decoding(path, what), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    whole = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if whole > LARGEST_UNPACKED or (whole > 2**26 and whole > LARGEST_RATIO * max(packed, 1)):
        raise InputError(
            f"The {what} '{path}' would unpack from {packed / 2**20:.1f} to {whole / 2**20:.0f} MiB, which no honest "
            "file of its kind does; it is not opened."
        )


def check_cells(rows: int, columns: int, path: str | Path, what: str) -> None:
    """Refuse what would hold more values than are read at once.

    Raises:
        InputError: too many.
    """
    if rows * columns > LARGEST_CELLS:
        raise InputError(
            f"The {what} '{path}' has {rows} x {columns} values, more than the {LARGEST_CELLS // 10**6} million that "
            "are read at once; choose a part of it."
        )
