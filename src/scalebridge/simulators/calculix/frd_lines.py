"""The blocks of a ``.frd``: nodes, elements and values, each in short text, long text or binary."""

from __future__ import annotations

import os
from array import array
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.calculix.text import check_file, fortran_number

Ints = NDArray[np.int64]
_LONGEST = 4096
# The last number of a head: width of the node numbers in text, or the width of binary numbers.
_SHORT, _LONG, _BINARY, _DOUBLE = 0, 1, 2, 3


class Lines:
    """Lines of a file that may hold binary blocks; knows where it is for the sentence of an error."""

    def __init__(self, path: Path) -> None:
        check_file(path, "CalculiX's results")
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115
        self._size = os.fstat(self._file.fileno()).st_size
        self.path, self.at = path, 0

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(_LONGEST)
        if not raw:
            raise StopIteration
        self.at += 1
        if len(raw) == _LONGEST and not raw.endswith(b"\n"):
            raise self.broken("the line is too long")
        return raw.decode("ascii", errors="replace").rstrip("\r\n")

    def following(self, what: str) -> str:
        """The next line; an error where the file ends."""
        try:
            return next(self)
        except StopIteration:
            raise self.broken(f"the file ends where {what} was expected") from None

    def binary(self, count: int, kind: Any) -> NDArray[Any]:
        """``count`` records of a NumPy type, which the rest of the file has to hold."""
        kind = np.dtype(kind)
        left = self._size - self._file.tell()
        if count < 0 or count * kind.itemsize > left:
            raise self.broken(f"{count} binary records are announced and {left} bytes are left")
        raw = self._file.read(count * kind.itemsize)
        if len(raw) != count * kind.itemsize:
            raise self.broken("a binary block is cut off")
        return np.frombuffer(raw, dtype=kind)

    def whole(self, text: str, what: str) -> int:
        """A whole number."""
        try:
            value = int(text)
        except ValueError:
            raise self.broken(f"{what} '{text.strip()[:20]}' is no whole number") from None
        if not -(2**31) <= value < 2**31:
            raise self.broken(f"{what} {text.strip()[:20]} is out of range")
        return value

    def number(self, text: str, what: str) -> float:
        """A number as Fortran prints it."""
        try:
            return fortran_number(text)
        except ValueError:
            raise self.broken(f"{what} '{text.strip()[:20]}' is no number") from None

    def broken(self, why: str, at: int | None = None) -> InputError:
        """The error of a damaged file."""
        where = f"'{self.path}', line {self.at if at is None else at} (byte {self._file.tell()})"
        return InputError(f"{where}: {why}; the file is damaged or was cut off, run CalculiX again.")


def read_nodes(lines: Lines, head: str) -> tuple[Ints, Floats]:
    """Numbers ``[p]`` and coordinates ``[p, 3]``."""
    return _rows(lines, head, 3, np.float64, "a node")


def read_values(lines: Lines, head: str, components: int) -> tuple[Ints, Floats]:
    """Numbers of nodes ``[n]`` and values ``[n, components]``."""
    return _rows(lines, head, components, np.float32, "a value")


def _rows(lines: Lines, head: str, components: int, binary: Any, what: str) -> tuple[Ints, Floats]:
    form = _form(lines, head)
    if form in (_BINARY, _DOUBLE):
        exact = np.float64 if form == _DOUBLE else binary
        count = lines.whole(head[24:36], "the number of nodes")
        record = lines.binary(count, [("number", "<i4"), ("values", np.dtype(exact).newbyteorder("<"), (components,))])
        return record["number"].astype(np.int64), record["values"].astype(np.float64).reshape(-1, components)
    width = 5 if form == _SHORT else 10
    numbers, values = array("q"), array("d")
    for text in lines:
        if text.startswith(" -1"):
            _complete(lines, numbers, values, components, what)
            numbers.append(lines.whole(text[3 : 3 + width], "the number of a node"))
        elif text.startswith(" -3"):
            _complete(lines, numbers, values, components, what)
            return np.array(numbers, dtype=np.int64), np.array(values).reshape(-1, components)
        elif not (text.startswith(" -2") and numbers):
            raise lines.broken(f"{what} was expected")
        row = text[3 + width :]
        values.extend([lines.number(row[i : i + 12], what) for i in range(0, len(row.rstrip()), 12)])
    raise lines.broken("the file ends inside a block")


def _complete(lines: Lines, numbers: Any, values: Any, components: int, what: str) -> None:
    if len(values) != components * len(numbers):
        raise lines.broken(f"{what} has {len(values) - components * (len(numbers) - 1)} numbers, not {components}")


def read_elements(lines: Lines, head: str, n_nodes: dict[int, int]) -> list[tuple[Ints, int]]:
    """Runs of elements of one type: ``[e, 2 + nodes]`` (number, material, nodes) and the number of the type."""
    form = _form(lines, head)
    found = _binary(lines, head, n_nodes) if form in (_BINARY, _DOUBLE) else _text(lines, form, n_nodes)
    runs: list[tuple[list[list[int]], int]] = []
    for kind, row in found:
        if not runs or runs[-1][1] != kind:
            runs.append(([], kind))
        runs[-1][0].append(row)
    return [(np.array(rows, dtype=np.int64), kind) for rows, kind in runs]


def _known(lines: Lines, kind: int, n_nodes: dict[int, int]) -> int:
    if kind not in n_nodes:
        raise lines.broken(f"an element has the type {kind}, which is not known")
    return kind


def _text(lines: Lines, form: int, n_nodes: dict[int, int]) -> list[tuple[int, list[int]]]:
    width = 5 if form == _SHORT else 10
    found: list[tuple[int, list[int]]] = []
    for text in lines:
        if text.startswith((" -1", " -3")) and found and len(found[-1][1]) != 2 + n_nodes[found[-1][0]]:
            raise lines.broken(f"the element {found[-1][1][0]} has {len(found[-1][1]) - 2} nodes")
        if text.startswith(" -3"):
            return found
        if text.startswith(" -1"):
            number, rest = lines.whole(text[3 : 3 + width], "the number of an element"), text[3 + width :]
            kind = _known(lines, lines.whole(rest[:5], "the type of an element"), n_nodes)
            # Materials of fluids stand there by their names.
            name = rest[10:].strip()[:1].isalpha()
            found.append((kind, [number, 0 if name else lines.whole(rest[10:15], "the material of an element")]))
        elif text.startswith(" -2") and found:
            row = text[3:].rstrip()
            found[-1][1].extend(lines.whole(row[i : i + width], "a node") for i in range(0, len(row), width))
        else:
            raise lines.broken("an element was expected")
    raise lines.broken("the file ends inside the elements")


def _binary(lines: Lines, head: str, n_nodes: dict[int, int]) -> list[tuple[int, list[int]]]:
    found = []
    for _ in range(lines.whole(head[24:36], "the number of elements")):
        number, kind, _, material = lines.binary(4, "<i4").tolist()
        nodes = lines.binary(n_nodes[_known(lines, kind, n_nodes)], "<i4").tolist()
        found.append((kind, [number, material, *nodes]))
    return found


def _form(lines: Lines, head: str) -> int:
    form = lines.whole(head[73:75], "the format of a block")
    if form not in (_SHORT, _LONG, _BINARY, _DOUBLE):
        raise lines.broken(f"a block has the format {form}; 0 to 3 are known")
    return form
