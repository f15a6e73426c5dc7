"""Legacy VTK files in text, as OpenFOAM writes sampled lines and, before v1906, surfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import CellBlock, Mesh
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.cell_shapes import Indices
from scalebridge.simulators.openfoam.components import SHAPES, shaped
from scalebridge.simulators.openfoam.foam_file import FoamFile

# Name, values, location and mesh of a field.
Found = tuple[str, Floats, str, Mesh]
_CELLS = {"VERTICES": {1: "vertex"}, "LINES": {2: "line"}, "POLYGONS": {3: "triangle", 4: "quad"}}


def read_legacy_vtk(path: Path) -> list[Found]:
    """Read the fields of ``DATASET POLYDATA`` in text.

    Raises:
        InputError: it is missing, another kind of file, or damaged.
    """
    file = FoamFile(path)
    words = _Words(file)
    points = np.zeros((0, 3))
    cells: list[CellBlock] = []
    attributes: list[tuple[str, Floats, str]] = []
    order = np.zeros(0, dtype=np.int64)
    # Until then it speaks of the file, such as of its time.
    location, wanted = "file", 0
    while word := words.next_word():
        if word == "POINTS":
            n = words.whole()
            words.next_word()
            points = words.numbers(3 * n).reshape(n, 3)
            if not np.isfinite(points).all():
                file.fail("a point has a coordinate that is no finite number")
        elif word in _CELLS:
            cells, order = _blocks(words, word, len(points))
        elif word in ("POINT_DATA", "CELL_DATA"):
            location, wanted = ("points", len(points)) if word == "POINT_DATA" else ("cells", len(order))
            if words.whole() != wanted:
                file.fail(f"its {word} are not for its {wanted} {location}")
        elif word == "FIELD":
            words.next_word()
            for _ in range(words.whole()):
                found = _attribute(words, location, wanted)
                attributes += [found] if location != "file" else []
    if not cells and len(points):
        steps = np.arange(len(points))
        line = len(points) > 1
        nodes = np.column_stack([steps[:-1], steps[1:]]) if line else steps[:, None]
        cells, order = [CellBlock("line" if line else "vertex", nodes)], np.arange(len(nodes))
    mesh = Mesh(points, tuple(cells), name=path.stem)
    # Surfaces have VTK's order of components since v1906; sets, and surfaces of older releases, have OpenFOAM's.
    surface = any(block.type not in ("line", "vertex") for block in cells)
    arranged = _shaped_as_vtk if surface and words.title != b"sampleSurface" else shaped
    return [(name, arranged(rows[order] if at == "cells" else rows), at, mesh) for name, rows, at in attributes]


def _shaped_as_vtk(rows: Floats) -> Floats:
    """Components in VTK's order, which is ours."""
    return rows.reshape(len(rows), *SHAPES[rows.shape[1]])


def _attribute(words: _Words, location: str, wanted: int) -> tuple[str, Floats, str]:
    name, width, size = words.next_word(), words.whole(), words.whole()
    words.next_word()
    if location != "file" and (width not in SHAPES or size != wanted):
        words.file.fail(f"the field '{name[:40]}' has {size} values of {width} components for {wanted} {location}")
    return name, words.numbers(width * size).reshape(size, width), location


def _blocks(words: _Words, kind: str, n_points: int) -> tuple[list[CellBlock], Indices]:
    """Blocks of cells and the number in the file of each."""
    n, total = words.whole(), words.whole()
    numbers = words.numbers(total, whole=True)
    rows: dict[int, list[Indices]] = {}
    places: dict[int, list[int]] = {}
    at = 0
    for i in range(n):
        k = int(numbers[at]) if at < total else 0
        corners = numbers[at + 1 : at + 1 + k]
        if k < 1 or len(corners) != k or corners.min() < 0 or corners.max() >= n_points:
            words.file.fail(f"row {i} of its {kind} has corners that are not there")
        rows.setdefault(k, []).append(corners)
        places.setdefault(k, []).append(i)
        at += 1 + k
    if kind == "LINES" and any(k != 2 for k in rows):
        segments = [np.column_stack([c[:-1], c[1:]]) for some in rows.values() for c in some if len(c) > 1]
        block = (
            CellBlock("line", np.concatenate(segments))
            if segments
            else CellBlock("vertex", np.zeros((0, 1), dtype=np.int64))
        )
        return [block], np.arange(len(block))
    names = _CELLS[kind]
    blocks = [CellBlock(names.get(k, "polygon"), np.array(some)) for k, some in rows.items()]
    order = [i for some in places.values() for i in some]
    return blocks, np.array(order, dtype=np.int64)


class _Words:
    """Blank-separated words of a file from a position on; no brackets and comments here."""

    def __init__(self, file: FoamFile) -> None:
        self.file = file
        lines = file.data.split(b"\n", 4)
        kinds = [line.strip() for line in lines[2:4]]
        if len(lines) < 5 or not lines[0].startswith(b"# vtk DataFile") or kinds[0] != b"ASCII":
            file.fail("it is no legacy VTK file in text", 0)
        if kinds[1] != b"DATASET POLYDATA":
            file.fail("its dataset is no POLYDATA", 0)
        file.position = len(file.data) - len(lines[4])
        self.title = lines[1].strip()

    def next_word(self) -> str:
        """The next word; empty at the end."""
        data, at = self.file.data, self.file.position
        while at < len(data) and data[at] in b" \t\r\n":
            at += 1
        end = at
        while end < len(data) and data[end] not in b" \t\r\n":
            end += 1
        self.file.position = end
        return data[at:end].decode(errors="replace")

    def whole(self) -> int:
        """A number of things."""
        word = self.next_word()
        if not (word.isascii() and word.isdigit() and len(word) < 19):
            self.file.fail(f"'{word[:40]}' stands where a number of entries must")
        return int(word)

    def numbers(self, n: int, whole: bool = False) -> NDArray[Any]:
        """``n`` numbers."""
        if n > len(self.file.data) - self.file.position:
            self.file.fail(f"it claims {n} numbers, more than it has bytes")
        start, at = self.file.position, self.file.position
        for _ in range(n):
            if not self.next_word():
                self.file.fail(f"{n} numbers must stand there", at)
        found = self.file.numbers(start, self.file.position, whole)
        if len(found) != n:
            self.file.fail(f"{n} numbers must stand there", at)
        return found
