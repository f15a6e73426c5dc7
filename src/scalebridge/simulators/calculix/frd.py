"""Results at nodes (``.frd``), in text or binary: the mesh and its fields, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.calculix.frd_lines import Lines, read_elements, read_nodes, read_values
from scalebridge.simulators.calculix.units import field_units

Ints = NDArray[np.int64]
# Numbers of the elements in the file: meshio's type, and the file's nodes in the order of that type.
_ELEMENTS: dict[int, tuple[str, tuple[int, ...]]] = {
    1: ("hexahedron", tuple(range(8))),
    2: ("wedge", tuple(range(6))),
    3: ("tetra", tuple(range(4))),
    4: ("hexahedron20", (*range(12), 16, 17, 18, 19, 12, 13, 14, 15)),
    5: ("wedge15", (*range(9), 12, 13, 14, 9, 10, 11)),
    6: ("tetra10", tuple(range(10))),
    7: ("triangle", tuple(range(3))),
    8: ("triangle6", tuple(range(6))),
    9: ("quad", tuple(range(4))),
    10: ("quad8", tuple(range(8))),
    11: ("line", (0, 1)),
    12: ("line3", (0, 1, 2)),
}


# What a block is of: eigenmodes, complex modes and buckling modes have a number in the place of the time that is none.
_MODES = ("2", "3", "4")


@dataclass(frozen=True, eq=False)
class ResultStep:
    """Fields of one increment.

    Args:
        step: number in the file.
        time: total time; the frequency of an eigenmode, the factor of a buckling mode.
        fields: by the names of the file, such as ``DISP``, ``STRESS``, ``TOSTRAIN``, ``NDTEMP``; ``_`` for a hyphen.
    """

    step: int
    time: float
    fields: Mapping[str, Field]


@dataclass(frozen=True, eq=False)
class Results:
    """What a ``.frd`` holds.

    Args:
        mesh: points, and cells with the tags ``number`` and ``material``, which is 0 where the file has its name.
        steps: in the order of the file.
        node_numbers: ``[p]``, the numbers of the points in CalculiX.
    """

    mesh: Mesh
    steps: tuple[ResultStep, ...]
    node_numbers: Ints

    @property
    def last(self) -> Mapping[str, Field]:
        """Fields of the last step; empty where there is none."""
        return self.steps[-1].fields if self.steps else {}


@dataclass(frozen=True, eq=False)
class _Block:
    """One field as it stands in the file."""

    name: str
    step: int
    time: float
    is_mode: bool
    numbers: Ints
    values: Floats
    at: int


def read_frd(path: str | Path, system: str | None = None) -> Results:
    """Read a ``.frd``.

    Args:
        path: of the file.
        system: units of the deck: "m, kg, s" (N, Pa), "mm, t, s" (N, MPa), or None where nobody said them; the fields
            then have the unit 1.

    A node that the file gives no value in a field holds NaN; a NaN that stands in the file is refused.

    Raises:
        InputError: a missing file, an unknown system of units; a damaged file, with the line or byte.
    """
    units = field_units(system)
    with Lines(Path(path)) as lines:
        numbers, points, cells, blocks = _read(lines)
        mesh = _mesh(lines, numbers, points, cells, units["length"])
        fields = [(b, _field(lines, b, numbers, mesh, units)) for b in blocks]
    steps: dict[tuple[int, float], dict[str, Field]] = {}
    for block, field in fields:
        steps.setdefault((block.step, block.time), {})[field.name] = field
    return Results(mesh, tuple(ResultStep(*key, found) for key, found in steps.items()), numbers)


def _read(lines: Lines) -> tuple[Ints, Floats, list[tuple[Ints, int]], list[_Block]]:
    numbers, points = np.zeros(0, dtype=np.int64), np.zeros((0, 3))
    cells: list[tuple[Ints, int]] = []
    blocks: list[_Block] = []
    for text in lines:
        key = text[:6].strip()
        if key == "2C":
            numbers, points = read_nodes(lines, text)
        elif key == "3C":
            cells += read_elements(lines, text, {k: len(order) for k, (_, order) in _ELEMENTS.items()})
        elif key in ("100C", "100CL") or text.startswith("  100C"):
            blocks.append(_block(lines, text))
    if not len(numbers):
        raise InputError(
            f"'{lines.path}' holds no nodes: the deck asks for no results at nodes (*NODE FILE, *EL FILE), or the file "
            "was cut off."
        )
    return numbers, points, cells, blocks


def _block(lines: Lines, head: str) -> _Block:
    at = lines.at
    is_mode = head[56:58].strip() in _MODES
    time, step = lines.number(head[12:24], "the time"), lines.whole(head[58:63], "the step")
    if not math.isfinite(time):
        raise lines.broken("the time of a result is not finite")
    name, components = _named(lines)
    if not name.isidentifier() or not 1 <= components <= 100:
        raise lines.broken(f"a result is called '{name[:20]}' and has {components} components")
    numbers, values = read_values(lines, head, components)
    return _Block(name, step, time, is_mode, numbers, values, at)


def _named(lines: Lines) -> tuple[str, int]:
    """The name of a result and its number of stored components, from the lines -4 and -5."""
    text = lines.following("the name of a result")
    if not text.startswith(" -4"):
        raise lines.broken("the name of a result was expected")
    name, n_listed = text[3:15].strip(), lines.whole(text[13:18], "the number of components")
    stored = 0
    for _ in range(n_listed):
        listed = lines.following("a component")
        if not listed.startswith(" -5"):
            raise lines.broken("a component of a result was expected")
        # The last column marks what is computed from the others and not stored.
        stored += not listed[33:38].strip().startswith("1")
    return name.split()[0].replace("-", "_") if name.split() else "", stored


def _mesh(lines: Lines, numbers: Ints, points: Floats, cells: list[tuple[Ints, int]], unit: str) -> Mesh:
    blocks = []
    for rows, kind in cells:
        name, order = _ELEMENTS[kind]
        nodes = rows_of(numbers, rows[:, 2:][:, list(order)])
        if (nodes < 0).any():
            raise lines.broken(
                f"the element {int(rows[np.argmax((nodes < 0).any(1)), 0])} has a node that is not there"
            )
        blocks.append(CellBlock(name, nodes, {"number": rows[:, 0], "material": rows[:, 1]}))
    if not np.isfinite(points).all():
        raise lines.broken("a node has coordinates that are no numbers")
    return Mesh(points, tuple(blocks), unit, name=lines.path.stem)


def _field(lines: Lines, block: _Block, numbers: Ints, mesh: Mesh, units: Mapping[str, str]) -> Field:
    rows = rows_of(numbers, block.numbers)
    if (rows < 0).any():
        missing = int(block.numbers[np.argmax(rows < 0)])
        raise lines.broken(f"the result {block.name} has a value at node {missing}, which is not there", block.at)
    if not np.isfinite(block.values).all():
        node = int(block.numbers[np.argmax(~np.isfinite(block.values).all(1))])
        raise lines.broken(f"the result {block.name} has a value at node {node} that is no finite number", block.at)
    values: Floats = np.full((mesh.n_points, block.values.shape[1]), np.nan)
    values[rows] = block.values
    shaped: Any = values[:, 0] if values.shape[1] == 1 else values
    return Field(
        block.name, units.get(block.name, "1"), shaped, "points", mesh, time=None if block.is_mode else block.time
    )


def rows_of(numbers: Ints, wanted: Ints) -> Ints:
    """Rows of ``numbers`` that hold ``wanted``, any shape; -1 where none does."""
    order = np.argsort(numbers, kind="stable")
    at = np.searchsorted(numbers, wanted, sorter=order)
    rows = order[np.minimum(at, len(numbers) - 1)]
    found: Ints = np.where(numbers[rows] == wanted, rows, -1)
    return found
