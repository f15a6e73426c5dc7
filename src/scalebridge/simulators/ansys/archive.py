"""Archives of ANSYS (``.cdb``, CDWRITE; ``ds.dat`` of Workbench) read without ANSYS.

Blocks have fixed columns, told by a Fortran format in the line below their command (Mechanical APDL Command
Reference, NBLOCK, EBLOCK, CMBLOCK, RLBLOCK). Files are read line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import Mesh
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.ansys.blocks import element_block, node_block, real_block, set_block
from scalebridge.simulators.ansys.cells import Elements, cell_blocks, routine_with, rows_of
from scalebridge.simulators.ansys.lines import Lines
from scalebridge.simulators.ansys.units import UnitSystem, named_system

_LARGEST = 1 << 40


@dataclass(frozen=True)
class Property:
    """A material property: one value, or values over temperature.

    Args:
        values: ``[n]`` in the units of the model.
        temperatures: ``[n]`` that they belong to.
    """

    values: tuple[float, ...]
    temperatures: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Archive:
    """The model of an archive.

    Args:
        path: as given.
        mesh: nodes and elements, with the components (CM) as sets.
        nodes: ``[p]`` node numbers of the points.
        types: from number of an element type (ET) to routine number: 185 of SOLID185.
        keyopts: from number of an element type to its key options.
        materials: from number to properties by label (EX, NUXY, DENS, ...).
        real_constants: from number to values.
        title: of /TITLE.
        system: the units of /UNITS; without a name where the file does not say.
        notes: sentences about what was assumed or left out.
    """

    path: str
    mesh: Mesh
    nodes: NDArray[np.int64]
    types: Mapping[int, int]
    keyopts: Mapping[int, Mapping[int, int]]
    materials: Mapping[int, Mapping[str, Property]]
    real_constants: Mapping[int, tuple[float, ...]]
    title: str = ""
    system: UnitSystem = field(default_factory=UnitSystem)
    notes: tuple[str, ...] = ()


@dataclass
class _Read:
    """What has been read so far."""

    nodes: list[NDArray[np.int64]] = field(default_factory=list)
    points: list[Floats] = field(default_factory=list)
    heads: list[NDArray[np.int64]] = field(default_factory=list)  # number, type, material, real, section
    members: list[NDArray[np.int64]] = field(default_factory=list)
    node_sets: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    element_sets: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    types: dict[int, int] = field(default_factory=dict)
    keyopts: dict[int, dict[int, int]] = field(default_factory=dict)
    materials: dict[int, dict[str, Property]] = field(default_factory=dict)
    temperatures: list[float] = field(default_factory=list)
    real_constants: dict[int, tuple[float, ...]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    title: str = ""
    system: UnitSystem = field(default_factory=UnitSystem)


def read_archive(path: str | Path, *, length: str | None = None) -> Archive:
    """An archive of ANSYS, read without ANSYS.

    Args:
        path: a ``.cdb`` file, or a ``ds.dat`` of Workbench.
        length: unit of the coordinates, where the file does not state its units (it does with /UNITS).

    Raises:
        InputError: no such file, no block of nodes in it, a line that is damaged.
        UnitError: ``length`` is no length.
    """
    opened(path, "ANSYS archive", largest=_LARGEST)
    read = _Read()
    with Lines(path, "ANSYS archive") as lines:
        for line in lines:
            _command(line, lines, read)
    if not read.nodes:
        raise InputError(
            f"The ANSYS archive '{path}' has no block of nodes (NBLOCK); write it with CDWRITE,DB in ANSYS."
        )
    return _archive(str(path), read, length)


def _command(line: bytes, lines: Lines, read: _Read) -> None:
    text = line[:400].decode("utf-8", "replace")
    words = [word.strip() for word in text.partition("!")[0].split(",")]
    name = words[0].upper()
    if name == "NBLOCK":
        numbers, points = node_block(lines, words)
        read.nodes.append(numbers)
        read.points.append(points)
    elif name == "EBLOCK":
        heads, members = element_block(lines, words)
        read.heads.append(heads)
        read.members.append(members)
    elif name == "CMBLOCK":
        label, is_node, members = set_block(lines, words)
        (read.node_sets if is_node else read.element_sets)[label] = members
    elif name == "RLBLOCK":
        read.real_constants |= real_block(lines, words)
    elif name == "/TITLE":
        read.title = text.partition(",")[2].strip()
    elif name[:5] in _PLAIN:
        try:
            _PLAIN[name[:5]]([read.parameters.get(word.lower(), word) for word in words], read)
        except (ValueError, IndexError, OverflowError):
            read.notes.append(f"line {lines.number}: the command {name} says something else than numbers; left out")


def _element_type(words: list[str], read: _Read) -> None:
    digits = "".join(c for c in words[2] if c.isdigit())
    read.types[int(words[1])] = int(digits)
    for k, value in enumerate(words[3:], start=1):
        if value:
            read.keyopts.setdefault(int(words[1]), {})[k] = int(float(value))


def _keyopt(words: list[str], read: _Read) -> None:
    read.keyopts.setdefault(int(words[1]), {})[int(words[2])] = int(float(words[3]))


def _temperatures(words: list[str], read: _Read) -> None:
    """``MPTEMP,R5.0,n,STLOC,T1,...`` of CDWRITE, or ``MPTEMP,STLOC,T1,...``; without entries the table is empty."""
    shift = 3 if len(words) > 1 and words[1].upper().startswith("R5") else 1
    entries = words[shift:]
    start = int(entries[0] or 1) if entries else 1
    read.temperatures = [*read.temperatures[: start - 1], *(float(v) for v in entries[1:] if v)]


def _property(words: list[str], read: _Read) -> None:
    """``MPDATA,Lab,MAT,STLOC,C1,...``; CDWRITE puts ``R5.0,n`` or ``UNBL`` in front of ``Lab``."""
    shift = 3 if words[1].upper().startswith("R5") else 2 if words[1].upper().startswith("UNBL") else 1
    label, material, start = words[shift].upper(), int(words[shift + 1]), int(words[shift + 2] or 1)
    values = tuple(float(v) for v in words[shift + 3 :] if v)
    table = read.materials.setdefault(material, {})
    before = table[label].values[: start - 1] if start > 1 and label in table else ()
    found = (*before, *values)
    temperatures = tuple(read.temperatures[: len(found)]) if len(found) > 1 else ()
    table[label] = Property(found, temperatures if len(temperatures) == len(found) else ())


def _one_property(words: list[str], read: _Read) -> None:
    """``MP,Lab,MAT,C0,C1,...``: a constant; of a polynomial in temperature nothing is kept."""
    label, material = words[1].upper(), int(words[2])
    if any(float(word or 0) != 0 for word in words[4:]):
        read.materials.get(material, {}).pop(label, None)
        read.notes.append(f"{label} of material {material} is a polynomial in temperature (MP); left out")
        return
    read.materials.setdefault(material, {})[label] = Property((float(words[3]),))


def _real_constants(words: list[str], read: _Read) -> None:
    read.real_constants[int(words[1])] = tuple(float(v or 0) for v in words[2:])


def _units(words: list[str], read: _Read) -> None:
    read.system = named_system(words[1])


def _parameter(words: list[str], read: _Read) -> None:
    if words[2].replace(".", "", 1).isdigit():
        read.parameters[words[1].lower()] = words[2]


# By the first letters, as ANSYS takes them.
_PLAIN = {
    "ET": _element_type,
    "KEYO": _keyopt,
    "KEYOP": _keyopt,
    "MPTEM": _temperatures,
    "MPDAT": _property,
    "MP": _one_property,
    "R": _real_constants,
    "/UNIT": _units,
    "*SET": _parameter,
}


def _archive(path: str, read: _Read, length: str | None) -> Archive:
    nodes, points = np.concatenate(read.nodes), np.concatenate(read.points)
    # A node that is given again lies where it was given last.
    _, last = np.unique(nodes[::-1], return_index=True)
    kept = np.sort(len(nodes) - 1 - last)
    nodes, points = nodes[kept], points[kept]
    heads = np.concatenate(read.heads) if read.heads else np.zeros((0, 5), dtype=np.int64)
    members = np.concatenate(read.members) if read.members else np.zeros((0, 20), dtype=np.int64)
    routines = {t: routine_with(r, read.keyopts.get(t, {}).get(1, 0)) for t, r in read.types.items()}
    routine = np.array([routines.get(t, 0) for t in heads[:, 1].tolist()], dtype=np.int64)
    tags = {"material": heads[:, 2], "type": heads[:, 1], "real": heads[:, 3], "section": heads[:, 4]}
    blocks, elements, notes = cell_blocks(Elements(heads[:, 0], routine, members, tags), nodes)
    notes = (*read.notes[:20], *notes)
    cell_of = heads[:, 0][elements]
    point_sets = {k: _known(rows_of(nodes, v)) for k, v in read.node_sets.items()}
    cell_sets = {k: _known(rows_of(cell_of, v)) for k, v in read.element_sets.items()}
    unit = read.system.length if read.system.name else (length or "1")
    if not read.system.name:
        notes += ("the file does not state its units (no /UNITS in it): lengths have the unit '1' unless it is given",)
    elif length not in (None, read.system.length):
        raise InputError(f"'{path}' states its units ({read.system.name}); leave length='{length}' out.")
    return Archive(
        path,
        Mesh(points, blocks, unit, point_sets, cell_sets, Path(path).name),
        nodes,
        read.types,
        read.keyopts,
        read.materials,
        read.real_constants,
        read.title,
        read.system,
        notes,
    )


def _known(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(rows[rows >= 0])
