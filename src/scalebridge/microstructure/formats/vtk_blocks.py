"""Bytes of a VTK XML data array: plain or base64, whole or in compressed blocks, bounded by what is expected."""

from __future__ import annotations

import base64
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Buffer(Protocol):
    """Bytes, or a file mapped to memory."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a part of them."""

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Coding:
    """How the data arrays of one file are stored.

    Args:
        header: type of the counts before the data, such as ``<u8``.
        decompress: ``None`` for plain data.
        base64: whether bytes are base64 characters.
    """

    header: np.dtype[np.unsignedinteger]
    decompress: Callable[[bytes, int], bytes] | None
    base64: bool


def _zlib(block: bytes, limit: int) -> bytes:
    return zlib.decompressobj().decompress(block, limit)


def _lzma(block: bytes, limit: int) -> bytes:
    return lzma.LZMADecompressor().decompress(block, limit)


COMPRESSORS: dict[str, Callable[[bytes, int], bytes]] = {
    "vtkZLibDataCompressor": _zlib,
    "vtkLZMADataCompressor": _lzma,
}


def unpack(data: Buffer, start: int, coding: Coding, expected: int) -> bytes:
    """Return the ``expected`` bytes of the array whose header begins at ``start``.

    Raises:
        ValueError: lengths that disagree with ``expected`` or with each other, or data that end too early.
    """
    word = coding.header.itemsize
    if coding.decompress is None:
        (count,) = _words(data, start, 1, coding)
        _same(count, expected)
        if not coding.base64:
            return _cut(data, start + word, expected)
        # VTK encodes length and data as one stream, some writers each on its own: then padding follows the length.
        length = _characters(word)
        if _cut(data, start, length).endswith(b"="):
            return _take(data, start + length, expected, coding)
        return _take(data, start, word + expected, coding)[word:]
    return _blocks(data, start, coding, coding.decompress, expected)


def _blocks(
    data: Buffer, start: int, coding: Coding, decompress: Callable[[bytes, int], bytes], expected: int
) -> bytes:
    count, size, last = _words(data, start, 3, coding)
    whole = count * size if last == 0 else (count - 1) * size + last
    _same(whole if count else 0, expected)
    if count * coding.header.itemsize > len(data):
        raise ValueError(f"{count} blocks are announced, more than the file can hold")
    packed = _words(data, start, 3 + count, coding)[3:]
    head = (3 + count) * coding.header.itemsize
    start += _characters(head) if coding.base64 else head
    stored = _take(data, start, sum(packed), coding)
    parts, at = [], 0
    for k, length in enumerate(packed):
        full = last if k == count - 1 and last else size
        # One byte more than announced tells a block that swells from one that fits.
        part = decompress(stored[at : at + length], full + 1)
        _same(len(part), full)
        parts.append(part)
        at += length
    return b"".join(parts)


def _words(data: Buffer, start: int, count: int, coding: Coding) -> list[int]:
    word = coding.header.itemsize
    if coding.base64:
        # Whole groups of three bytes that hold the words wanted; a header of its own may end in padding.
        text = _cut(data, start, _characters(count * word))
        held = base64.b64decode(text)[: count * word]
    else:
        held = _cut(data, start, count * word)
    return [int(k) for k in np.frombuffer(held, coding.header)]


def _take(data: Buffer, start: int, count: int, coding: Coding) -> bytes:
    if not coding.base64:
        return _cut(data, start, count)
    held = base64.b64decode(_cut(data, start, _characters(count)))
    _same(len(held), count)
    return held


def _cut(data: Buffer, start: int, count: int) -> bytes:
    if start < 0 or start + count > len(data):
        raise ValueError(f"{count} bytes at position {start} lie beyond its end")
    return data[start : start + count]


def _characters(count: int) -> int:
    return (count + 2) // 3 * 4


def _same(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"an array holds {found} bytes where {expected} are expected")
