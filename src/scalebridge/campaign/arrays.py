"""Array files of a store: npy without pickle, written once, each record with its key, token and checksum."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.campaign.rows import OPTIONAL, Row

Records = NDArray[np.void]


class TornArray(Exception):
    """A file of arrays that is missing, short or does not match its checksum."""


def write_records(path: Path, rows: Sequence[tuple[str, int, Row]]) -> None:
    """Write ``(key, token, row)`` records of one layout to ``path``: all of it appears there, or nothing.

    No fsync: the death of the process loses nothing that was written; the ledger syncs before it relies on it.
    """
    first = rows[0][2]
    records = np.zeros(len(rows), dtype=_layout(first))
    for record, (key, token, row) in zip(records, rows, strict=True):
        record["key"], record["token"], record["cost_s"] = key.encode(), token, row.cost_s
        for name in ("values", *OPTIONAL):
            if name in (records.dtype.names or ()):
                record[name] = getattr(row, name)
        record["checksum"] = _checksum(record)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        _write(temporary, _header(records.dtype, len(records)) + records.tobytes())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _write(path: str, content: bytes) -> None:
    # Bare system calls: between the end of a run and this record lies the only moment at which it can be lost.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


@functools.lru_cache(maxsize=64)
def _header(dtype: np.dtype[Any], n: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.zeros(n, dtype), version=(3, 0), allow_pickle=False)
    return file.getvalue()[: -n * dtype.itemsize]


def same_layout(rows: Sequence[Row]) -> bool:
    """Whether the rows fit into one file."""
    return len({str(_layout(row)) for row in rows}) <= 1


def read_records(path: Path) -> Iterator[tuple[str, int, Row]]:
    """Yield ``(key, token, row)`` of a file; raise `TornArray` where it is not whole."""
    try:
        records: Records = np.load(path, allow_pickle=False)
        known = set(records.dtype.names or ()) >= {"key", "token", "cost_s", "checksum", "values"}
    except (OSError, ValueError, EOFError) as error:
        raise TornArray(f"{path.name}: {error}") from error
    if not known:
        raise TornArray(f"{path.name}: these are no records of runs")
    for record in records:
        if bytes(record["checksum"]) != _checksum(record):
            raise TornArray(f"{path.name}: the checksum does not match")
        optional = {n: np.array(record[n]) for n in OPTIONAL if n in (records.dtype.names or ())}
        row = Row(np.array(record["values"]), float(record["cost_s"]), **optional)
        yield bytes(record["key"]).decode(), int(record["token"]), row


def _layout(row: Row) -> np.dtype[Any]:
    fields: list[Any] = [("key", "S64"), ("token", "<i8"), ("cost_s", "<f8"), ("checksum", "S32")]
    for name in ("values", *OPTIONAL):
        array = getattr(row, name)
        if array is not None:
            fields.append((name, "<f8", array.shape))
    return np.dtype(fields)


def _checksum(record: Any) -> bytes:
    digest = hashlib.sha256()
    for name in record.dtype.names:
        if name != "checksum":
            digest.update(record[name].tobytes())
    return digest.hexdigest()[:32].encode()
