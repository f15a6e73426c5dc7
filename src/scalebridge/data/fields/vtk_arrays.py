"""The arrays of VTK's XML files: text, base64 or raw bytes, packed or not.

What a file claims about sizes is held against the bytes that are there before anything is made.
Source: VTK's XML file formats, https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html
"""

from __future__ import annotations

import base64
import binascii
import lzma
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

TYPES = {
    f"{sign}{bits}": f"{code}{bits // 8}" for sign, code in (("Int", "i"), ("UInt", "u")) for bits in (8, 16, 32, 64)
}
TYPES |= {"Float32": "f4", "Float64": "f8"}
COMPRESSORS = {"vtkZLibDataCompressor": "zlib", "vtkLZMADataCompressor": "lzma"}
# More than a compressor can gain: a claim above it is a lie.
LARGEST_GAIN = {"zlib": 1100, "lzma": 8000}


@dataclass(frozen=True)
class Coding:
    """How a file writes its arrays.

    Args:
        order: ``"<"`` or ``">"``.
        header: type of the sizes before each array.
        compressor: ``"zlib"``, ``"lzma"`` or None.
        appended: the bytes after the underscore, where arrays stand apart.
        raw: whether these are bytes, not base64.
    """

    order: Literal["<", ">"]
    header: np.dtype[Any]
    compressor: str | None
    appended: memoryview
    raw: bool


def decoded(coding: Coding, kind: str, form: str, text: str | None, offset: str | None) -> NDArray[Any]:
    """One array, flat, in the machine's byte order.

    Raises:
        ValueError: what is claimed does not fit what is there.
    """
    if kind not in TYPES:
        raise ValueError(f"it has an array of the type '{kind}'")
    dtype = np.dtype(TYPES[kind]).newbyteorder(coding.order)
    if form == "ascii":
        return _text(text or "", dtype.newbyteorder("="))
    if form == "binary":
        content = _unpacked(coding, _Encoded(memoryview(_run(text or ""))))
    elif form == "appended":
        start = int(offset or 0)
        if not 0 <= start < len(coding.appended):
            raise ValueError(f"an array stands at byte {start} of {len(coding.appended)} appended ones")
        part = coding.appended[start:]
        content = _unpacked(coding, _Plain(part) if coding.raw else _Encoded(part))
    else:
        raise ValueError(f"it has an array in the format '{form}'")
    if len(content) % dtype.itemsize:
        raise ValueError("an array ends in the middle of a number")
    # A copy of raw bytes: a view would hold the whole file.
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=coding.raw)


class _Plain:
    """Bytes as they are."""

    def __init__(self, content: memoryview) -> None:
        self.content, self.at = content, 0

    def take(self, count: int, last: bool = True) -> memoryview:
        """The next ``count`` bytes."""
        if not 0 <= count <= len(self.content) - self.at:
            raise ValueError(f"an array claims {count} bytes, and {len(self.content) - self.at} are left")
        part = self.content[self.at : self.at + count]
        self.at += count
        return part


class _Encoded:
    """Base64, in one run of characters, or with the sizes in a run of their own."""

    def __init__(self, content: memoryview) -> None:
        self.content, self.at, self.left = content, 0, b""

    def take(self, count: int, last: bool = True) -> bytes:
        """The next ``count`` bytes; ``last`` ends the run where padding says so."""
        need = count - len(self.left)
        characters = -(-need // 3) * 4 if need > 0 else 0
        if not 0 <= characters <= len(self.content) - self.at + 3:
            raise ValueError(f"an array claims {count} bytes, and there are fewer left")
        run = bytes(self.content[self.at : self.at + characters])
        try:
            made = self.left + base64.b64decode(run, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("an array is no base64") from None
        self.at += characters
        if len(made) < count:
            raise ValueError(f"an array claims {count} bytes, and {len(made)} are left")
        # Padding closes a run; what lies behind it begins a new one.
        self.left = b"" if last or run.endswith(b"=") else made[count:]
        return made[:count]


def _unpacked(coding: Coding, source: _Plain | _Encoded) -> bytes | memoryview:
    size = coding.header.itemsize
    if coding.compressor is None:
        count = int(np.frombuffer(source.take(size, last=False), coding.header)[0])
        return source.take(count)
    # The sizes of packed arrays are a run of base64 of their own, whose length their first number says.
    n_blocks = int(np.frombuffer(_peek(source, size), coding.header)[0])
    if n_blocks * size > len(source.content):
        raise ValueError(f"an array claims {n_blocks} blocks, and the file has not as many bytes")
    sizes = np.frombuffer(source.take((3 + n_blocks) * size), coding.header).astype(np.int64)
    whole, rest, packed = int(sizes[1]), int(sizes[2]), sizes[3:]
    if n_blocks == 0:
        return b""
    total = (n_blocks - 1) * whole + (rest or whole)
    if int(packed.min()) < 0 or not 0 <= total <= LARGEST_GAIN[coding.compressor] * max(64, int(packed.sum())):
        raise ValueError(f"an array claims to unpack to {total} bytes, which its packed ones cannot hold")
    content = source.take(int(packed.sum()))
    unpack, made, at = _unpacker(coding.compressor), bytearray(), 0
    for k, count in enumerate(packed.tolist()):
        made += unpack(content[at : at + count], whole if k < n_blocks - 1 else rest or whole)
        at += count
    return memoryview(made)


def _peek(source: _Plain | _Encoded, count: int) -> bytes:
    before = source.at
    part = bytes(source.take(count))
    source.at = before
    if isinstance(source, _Encoded):
        source.left = b""
    return part


def _unpacker(compressor: str) -> Callable[[Any, int], bytes]:
    def unpack(content: Any, count: int) -> bytes:
        machine: Any = zlib.decompressobj() if compressor == "zlib" else lzma.LZMADecompressor()
        try:
            made: bytes = machine.decompress(content, count + 1)
        except (zlib.error, lzma.LZMAError, EOFError) as error:
            raise ValueError(f"a packed block is damaged ({error})") from None
        if len(made) != count:
            raise ValueError(f"a packed block holds {len(made)} bytes, and {count} were claimed")
        return made

    return unpack


def _run(text: str) -> bytes:
    """Base64 without the white space around it, and within it where there is some."""
    run = text.strip().encode("ascii")
    return b"".join(run.split()) if b"\n" in run or b" " in run else run


def _text(text: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    if not text.strip():
        return np.zeros(0, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, dtype=dtype, sep=" ")
        except (DeprecationWarning, ValueError, OverflowError):
            raise ValueError(f"an array of {dtype} holds text that is none") from None
