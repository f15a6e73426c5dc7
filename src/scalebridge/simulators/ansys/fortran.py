"""Lines of a fixed format, as Fortran writes them: ``(3i9,6e21.13e3)``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats

_PART = re.compile(r"(\d*)([ieg])(\d+)(?:\.\d+)?(?:e\d+)?", re.IGNORECASE)
# Fortran leaves the E out where the exponent has three digits: 1.5-100.
_NO_LETTER = re.compile(rb"(?<=[0-9.])([-+]\d)")
_WIDEST, _MOST = 64, 200


@dataclass(frozen=True)
class Format:
    """A format of whole numbers, then real ones.

    Args:
        text: as it stands in the file.
        kinds: ``"i"`` or ``"f"`` per field.
        widths: characters per field.
    """

    text: str
    kinds: tuple[str, ...]
    widths: tuple[int, ...]

    @property
    def n_whole(self) -> int:
        """Whole numbers of a line."""
        return self.kinds.count("i")

    def read(self, lines: Sequence[bytes]) -> tuple[NDArray[np.int64], Floats]:
        """Whole and real numbers ``[n, i]``, ``[n, f]`` of the lines; 0 where a line ends before.

        Raises:
            ValueError: a field that is no number.
        """
        width = sum(self.widths)
        block = np.frombuffer(b"".join(line[:width].ljust(width) for line in lines), "S1").reshape(-1, width)
        whole, real = [], []
        start = 0
        for kind, size in zip(self.kinds, self.widths, strict=True):
            column = np.ascontiguousarray(block[:, start : start + size]).view(f"S{size}").ravel()
            start += size
            if kind == "i":
                whole.append(_numbers(column, np.int64))
            else:
                real.append(_numbers(column, np.float64))
        n = len(lines)
        wholes = np.stack(whole, axis=1) if whole else np.zeros((n, 0), dtype=np.int64)
        return wholes, np.stack(real, axis=1) if real else np.zeros((n, 0))


def parse_format(text: str) -> Format:
    """A format from its text.

    Raises:
        ValueError: another form, or fields that are none.
    """
    inner = text.strip()
    if not (inner.startswith("(") and inner.endswith(")")) or len(inner) > 200:
        raise ValueError("no Fortran format")
    kinds: list[str] = []
    widths: list[int] = []
    for part in inner[1:-1].split(","):
        found = _PART.fullmatch(part.strip())
        if found is None or len(found[1]) > 3 or len(found[3]) > 3:
            raise ValueError(f"no field '{part.strip()[:20]}'")
        count, width = int(found[1] or 1), int(found[3])
        if not 1 <= count <= _MOST or not 1 <= width <= _WIDEST or len(kinds) + count > _MOST:
            raise ValueError(f"no field '{part.strip()}'")
        kinds += ["i" if found[2] in "iI" else "f"] * count
        widths += [width] * count
    return Format(inner, tuple(kinds), tuple(widths))


def _numbers(column: NDArray[Any], kind: type) -> NDArray[Any]:
    blank = np.char.strip(column) == b""
    filled = np.where(blank, b"0", column)
    try:
        return filled.astype(kind)
    except ValueError:
        if kind is np.int64:
            raise
        return np.array([float(_NO_LETTER.sub(rb"e\1", bytes(v).replace(b"D", b"E"))) for v in filled.tolist()])
