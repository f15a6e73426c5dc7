"""Records of ANSYS' binary files: Fortran-style, in words of four bytes.

A record is its size in words, a word of flags, the items, and its size once more. The flags say what the items
are (whole or real numbers, short or long) and whether they are packed:

* plain: the items one after the other;
* sparse ("bsparse"): number of items, a word with one bit per item, the items that are not zero;
* windowed sparse ("wsparse"): number of items, number of windows, then for each window a place and either one item,
  a count of items, or a negative count of one item repeated.

Source: Mechanical APDL Programmer's Reference, "Format of binary data files" and the include file fddesc; the
packed forms as they stand in real files (compared value by value with ansys-mapdl-reader).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats

WORD = 4
_WHOLE, _SHORT, _ZIPPED, _WINDOWED, _SPARSE = (1 << b for b in (31, 30, 29, 28, 27))
_KNOWN = _WHOLE | _SHORT | _ZIPPED | _WINDOWED | _SPARSE


@dataclass(frozen=True, eq=False)
class Records:
    """The words of a file, mapped and not read: memory stays flat whatever its size.

    Args:
        path: as given.
        words: ``[n]`` of four bytes, in the file's own byte order.
    """

    path: str
    words: NDArray[np.int32]

    @property
    def order(self) -> str:
        """Byte order, ``"<"`` or ``">"``."""
        return ">" if self.words.dtype.str.startswith(">") else "<"

    def wholes(self, place: int, what: str, most: int) -> NDArray[np.int64]:
        """The whole numbers of a record, unpacked.

        Args:
            place: word at which it starts.
            what: it is, for messages.
            most: items that it may have.

        Raises:
            InputError: no such record there, or one that does not fit the file or ``most``.
        """
        items = self._read(place, what, most)
        if items.dtype.kind != "i":
            raise self.damaged(place, what, "real numbers where whole ones belong")
        return items.astype(np.int64)

    def reals(self, place: int, what: str, most: int) -> Floats:
        """The real numbers of a record, unpacked; see `wholes`."""
        items = self._read(place, what, most)
        if items.dtype.kind != "f":
            raise self.damaged(place, what, "whole numbers where real ones belong")
        return _doubles(items)

    def _read(self, place: int, what: str, most: int) -> NDArray[Any]:
        size, flags = self._head(place, what)
        content = self.words[place + 2 : place + 2 + size]
        kind = np.dtype(self.order + _kind(flags))
        if flags & ~_KNOWN:
            raise self.damaged(place, what, f"flags {flags:#010x}, which are not known")
        if flags & _ZIPPED:
            raise InputError(
                f"The ANSYS file '{self.path}' holds {what} compressed by zlib; write it again after "
                "/FCOMP,RST,SPARSE or /FCOMP,RST,0."
            )
        raw = np.ascontiguousarray(content).tobytes()
        if flags & _SPARSE:
            items = self._sparse(raw, kind, place, what, most)
        elif flags & _WINDOWED:
            items = self._windowed(raw, kind, place, what, most)
        else:
            items = np.frombuffer(raw, kind, len(raw) // kind.itemsize)
        if len(items) > most:
            raise self.damaged(place, what, f"{len(items)} items where at most {most} belong")
        return items

    def together(self, places: NDArray[np.int64]) -> NDArray[Any] | None:
        """The items ``[n, k]`` of plain records of one size and kind, float64 if real; None where they are not so."""
        last = len(self.words) - 3
        if not len(places) or places.min() < 0 or places.max() > last:
            return None
        size, flags = int(self.words[places[0]]), int(self.words[places[0] + 1]) & 0xFFFFFFFF
        kind = np.dtype(self.order + _kind(flags))
        if not 0 < size <= last - int(places.max()) or flags & ~(_WHOLE | _SHORT) or size * WORD % kind.itemsize:
            return None
        same = (self.words[places] == size) & (self.words[places + 1] == self.words[places[0] + 1])
        if not (same & (self.words[places + 2 + size] == size)).all():
            return None
        raw = np.ascontiguousarray(self.words[places[:, None] + np.arange(2, 2 + size)])
        items = raw.view(kind)
        return _doubles(items) if kind.kind == "f" else items

    def after(self, place: int, what: str) -> int:
        """The word at which the record behind the one at ``place`` starts."""
        return place + self._head(place, what)[0] + 3

    def damaged(self, place: int, what: str, why: str) -> InputError:
        """The error of a record that cannot be what it should be."""
        return InputError(
            f"The ANSYS file '{self.path}' is damaged or cut off: {what} at byte {WORD * place} has {why}; write it "
            "again, or copy it again in binary mode."
        )

    def _head(self, place: int, what: str) -> tuple[int, int]:
        if not 0 <= place <= len(self.words) - 3:
            raise self.damaged(place, what, f"its place outside the {WORD * len(self.words)} bytes of the file")
        size, flags = int(self.words[place]), int(self.words[place + 1]) & 0xFFFFFFFF
        if not 0 <= size <= len(self.words) - place - 3:
            raise self.damaged(place, what, f"a size of {size} words, more than are left")
        if int(self.words[place + 2 + size]) != size:
            raise self.damaged(place, what, f"a size of {size} words in front and another one behind")
        return size, flags

    def _sparse(self, raw: bytes, kind: np.dtype[Any], place: int, what: str, most: int) -> NDArray[Any]:
        head = np.frombuffer(raw, self.order + "i4", min(2, len(raw) // WORD))
        if len(head) < 2 or not 0 <= head[0] <= min(32, most):
            raise self.damaged(place, what, "a sparse form that does not hold")
        kept = np.flatnonzero([(int(head[1]) >> i) & 1 for i in range(int(head[0]))])
        if len(raw) - 2 * WORD < kind.itemsize * len(kept):
            raise self.damaged(place, what, f"{len(kept)} items that are not zero in {len(raw)} bytes")
        items = np.zeros(int(head[0]), kind)
        items[kept] = np.frombuffer(raw, kind, len(kept), 2 * WORD)
        return items

    def _windowed(self, raw: bytes, kind: np.dtype[Any], place: int, what: str, most: int) -> NDArray[Any]:
        cursor = _Cursor(raw, self.order)
        try:
            length, windows = cursor.whole(), cursor.whole()
            if not 0 <= length <= most or not 0 <= windows <= len(raw):
                raise ValueError
            items = np.zeros(length, kind)
            for _ in range(windows):
                start = cursor.whole()
                count = 1 if start > 0 else cursor.whole()
                low, n = abs(start), abs(count)
                if low + n > length:
                    raise ValueError
                items[low : low + n] = cursor.items(kind, n if count > 0 else min(n, 1))
        except ValueError:
            raise self.damaged(place, what, "a windowed sparse form that does not hold") from None
        return items


def open_records(path: str | Path) -> Records:
    """The records of a file that is one of ANSYS' binary files.

    Raises:
        InputError: none of them.
    """
    n_words = Path(path).stat().st_size // WORD
    if n_words >= 103:
        for order in "<>":
            words: NDArray[np.int32] = np.memmap(path, np.dtype(order + "i4"), "r", shape=(n_words,))
            if int(words[0]) == 100 and int(words[102]) == 100:
                return Records(str(path), words)
    raise InputError(
        f"The ANSYS file '{path}' does not start with the standard header of 100 words; it is no binary file of "
        "ANSYS, or it is damaged."
    )


def _doubles(items: NDArray[Any]) -> Floats:
    with np.errstate(invalid="ignore"):  # bytes that are no number are NaN
        return items.astype(np.float64)


def _kind(flags: int) -> str:
    if flags & _WHOLE:
        return "i2" if flags & _SHORT else "i4"
    return "f4" if flags & _SHORT else "f8"


class _Cursor:
    """Reads one thing after the other."""

    def __init__(self, raw: bytes, order: str) -> None:
        self._raw, self._order, self._at = raw, order, 0

    def whole(self) -> int:
        return int(self.items(np.dtype(self._order + "i4"), 1)[0])

    def items(self, kind: np.dtype[Any], count: int) -> NDArray[Any]:
        found: NDArray[Any] = np.frombuffer(self._raw, kind, count, self._at)
        self._at += count * kind.itemsize
        return found
