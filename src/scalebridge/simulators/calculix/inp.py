"""Input decks read: nodes, elements and sets as a mesh, ``*INCLUDE`` followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.mesh import Mesh
from scalebridge.errors import InputError
from scalebridge.simulators.calculix.frd import rows_of
from scalebridge.simulators.calculix.text import fortran_number, opened, text_lines

Ints = NDArray[np.int64]
_DEEPEST = 16
# Dimension and number of nodes of an element: meshio's type; its nodes stand in the same order.
_CELLS = {
    (3, 4): "tetra",
    (3, 6): "wedge",
    (3, 8): "hexahedron",
    (3, 10): "tetra10",
    (3, 15): "wedge15",
    (3, 20): "hexahedron20",
    (2, 3): "triangle",
    (2, 4): "quad",
    (2, 6): "triangle6",
    (2, 8): "quad8",
    (1, 2): "line",
    (1, 3): "line3",
}
_KINDS = (
    (3, re.compile(r"(?:D?C3D|F3D)(\d+)[A-Z]*")),
    (2, re.compile(r"(?:DC|C)?(?:PE|PS|AX|2D)(\d+)[A-Z]*|(?:DS|S|M3D)(\d+)[A-Z]*")),
    (1, re.compile(r"(?:D?T[23]D)(\d)|B\d(\d)R?")),
)
# No cells: springs, masses, contacts, couplings, networks, elements of users.
_NO_CELLS = re.compile(r"SPRING.*|DASHPOT.*|MASS|GAPUNI|DCOUP3D|D|U.*")


@dataclass(frozen=True)
class Card:
    """A keyword with its parameters, and where it stands.

    Args:
        name: in capitals, without the star.
        parameters: in capitals, values as they stand.
        path: of the file.
        line: number of the line.
    """

    name: str
    parameters: dict[str, str]
    path: Path
    line: int

    def broken(self, line: int, why: str) -> InputError:
        """The error of a line below this card."""
        return InputError(f"'{self.path}', line {line}, under *{self.name}: {why}; mend the deck.")


@dataclass(frozen=True, eq=False)
class _Model:
    """What is read so far; sets hold numbers, ranges ``(first, last, step)`` and names of other sets."""

    nodes: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    elements: dict[int, tuple[str, list[int]]] = field(default_factory=dict)
    sets: dict[str, dict[str, list[int | str | tuple[int, int, int]]]] = field(
        default_factory=lambda: {"NSET": {}, "ELSET": {}}
    )


def read_inp(path: str | Path, unit: str = "1") -> Mesh:
    """Read the mesh of a deck: cells with the tag ``number``, node sets and element sets by their names in capitals.

    Args:
        path: of the deck; files that it includes are looked for beside it.
        unit: of the coordinates; a deck does not say it.

    Springs, masses, contacts and the like are left out. Nodes that CalculiX would generate (``*NGEN``) are not made.

    Raises:
        InputError: a missing file; a line that is none of a deck; an element with a node that is not there, or that
            stands there twice (several parts of Abaqus); an instance that is moved.
        UnitError: a unit that is no length.
    """
    model = _Model()
    for card, data in _cards(Path(path)):
        _READ.get(card.name, _skip)(model, card, data)
    return _mesh(model, Path(path), unit)


def _cards(path: Path) -> Iterator[tuple[Card, Iterator[tuple[int, list[str]]]]]:
    """Each card with its data lines, split at commas."""
    card: Card | None = None
    data: list[tuple[int, list[str]]] = []
    for file, at, text in _lines(path, 0):
        if text.startswith("*"):
            if card is not None:
                yield card, iter(data)
            card, data = _card(file, at, text), []
        elif card is None:
            raise InputError(f"'{file}', line {at}: data stand before the first keyword; mend the deck.")
        elif card.name in _READ:
            data.append((at, [w.strip() for w in text.split(",")]))
    if card is None:
        raise InputError(f"The deck '{path}' holds no keyword; give a CalculiX or Abaqus input file.")
    yield card, iter(data)


def _lines(path: Path, depth: int) -> Iterator[tuple[Path, int, str]]:
    """Lines without comments, keywords joined with their continuations, included files in place."""
    if depth > _DEEPEST:
        raise InputError(f"The deck '{path}' includes itself, or files more than {_DEEPEST} deep; mend *INCLUDE.")
    joined = ""
    with opened(path, "The deck") as file:
        for at, raw in text_lines(file, path):
            text = joined + raw.strip()
            if not text or text.startswith("**"):
                continue
            joined = text if text.startswith("*") and text.endswith(",") and len(text) < 4096 else ""
            if joined:
                continue
            if text.upper().startswith("*INCLUDE"):
                card = _card(path, at, text)
                if not card.parameters.get("INPUT"):
                    raise InputError(f"'{path}', line {at}: *INCLUDE names no file; write *INCLUDE, INPUT=file.inp.")
                yield from _lines(path.parent / card.parameters["INPUT"], depth + 1)
            else:
                yield path, at, text


def _card(path: Path, at: int, text: str) -> Card:
    words = text[1:].split(",")
    pairs = (w.partition("=") for w in words[1:] if w.strip())
    parameters = {k.strip().upper(): v.strip().strip('"') for k, _, v in pairs}
    return Card(" ".join(words[0].upper().split()), parameters, path, at)


Data = Iterator[tuple[int, list[str]]]


def _skip(model: _Model, card: Card, data: Data) -> None:
    """Nothing of a mesh."""


def _nodes(model: _Model, card: Card, data: Data) -> None:
    named = _named_set(model, card, "NSET")
    for at, words in data:
        number = _whole(card, at, words[0])
        try:
            point = [fortran_number(w) if w else 0.0 for w in words[1:4]]
        except ValueError:
            raise card.broken(at, f"the node {number} has a coordinate that is no number") from None
        if not np.isfinite(point).all():
            raise card.broken(at, f"the node {number} has a coordinate that is not finite")
        x, y, z = (*point, 0.0, 0.0, 0.0)[:3]
        model.nodes[number] = (x, y, z)
        if named is not None:
            named.append(number)


def _elements(model: _Model, card: Card, data: Data) -> None:
    kind = card.parameters.get("TYPE", "").upper()
    cell, n_nodes = _cell(card, kind)
    named = _named_set(model, card, "ELSET")
    for at, words in data:
        entries = [w for w in words if w]
        while len(entries) < 1 + n_nodes and n_nodes:
            following = next(data, None)
            if following is None:
                raise card.broken(at, f"the element {entries[0]} has {len(entries) - 1} nodes, not {n_nodes}")
            entries += [w for w in following[1] if w]
        numbers = [_whole(card, at, w) for w in entries]
        if not n_nodes or not numbers:
            continue
        if len(numbers) != 1 + n_nodes:
            raise card.broken(at, f"the element {numbers[0]} has {len(numbers) - 1} nodes, not {n_nodes}")
        if numbers[0] in model.elements:
            raise card.broken(at, f"the element {numbers[0]} stands there twice, as in a deck of several parts")
        model.elements[numbers[0]] = (cell, numbers[1:])
        if named is not None:
            named.append(numbers[0])


def _cell(card: Card, kind: str) -> tuple[str, int]:
    """meshio's type of an element and its number of nodes; 0 where it is no cell."""
    for dimension, pattern in _KINDS:
        match = pattern.fullmatch(kind)
        digits = next((g for g in match.groups() if g), "") if match else ""
        # A beam's name ends in its number of nodes less one.
        n_nodes = int(digits[:4] or 0) + (1 if kind.startswith("B") and digits else 0)
        if (dimension, n_nodes) in _CELLS:
            return _CELLS[dimension, n_nodes], n_nodes
    if _NO_CELLS.fullmatch(kind):
        return "", 0
    raise card.broken(card.line, f"elements of the type '{kind[:20]}' are not known, as C3D20R, CPE6 or S8 are")


def _members(model: _Model, card: Card, data: Data) -> None:
    role = card.name
    named = _named_set(model, card, role)
    if named is None:
        raise card.broken(card.line, f"the set has no name; write *{role}, {role}=NAME")
    for at, words in data:
        entries = [w for w in words if w]
        if "GENERATE" in card.parameters:
            numbers = [_whole(card, at, w) for w in entries]
            if len(numbers) not in (2, 3) or (len(numbers) == 3 and numbers[2] < 1):
                raise card.broken(at, "a range is first, last, step")
            named.append((numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 1))
        else:
            named += [_whole(card, at, w) if w.lstrip("+-").isdigit() else w.strip('"').upper() for w in entries]


def _named_set(model: _Model, card: Card, role: str) -> list[int | str | tuple[int, int, int]] | None:
    name = card.parameters.get(role, "").upper()
    return model.sets[role].setdefault(name, []) if name else None


def _instance(model: _Model, card: Card, data: Data) -> None:
    for at, _ in data:
        raise card.broken(at, "the instance is moved, and parts are read where they were drawn; write a flat deck")


def _whole(card: Card, at: int, word: str) -> int:
    try:
        value = int(word)
    except ValueError:
        raise card.broken(at, f"'{word[:30]}' is no whole number") from None
    if not -(2**62) < value < 2**62:
        raise card.broken(at, f"the number {word[:30]} is out of range")
    return value


_READ = {"NODE": _nodes, "ELEMENT": _elements, "NSET": _members, "ELSET": _members, "INSTANCE": _instance}


def _mesh(model: _Model, path: Path, unit: str) -> Mesh:
    if not model.nodes:
        raise InputError(f"The deck '{path}' and the files it includes hold no *NODE; give a deck with a mesh.")
    nodes = np.fromiter(model.nodes, dtype=np.int64)
    elements = np.fromiter(model.elements, dtype=np.int64)
    runs: list[tuple[str, list[int], list[list[int]]]] = []
    for number, (cell, members) in model.elements.items():
        if not runs or runs[-1][0] != cell:
            runs.append((cell, [], []))
        runs[-1][1].append(number)
        runs[-1][2].append(members)
    blocks = []
    for cell, numbers, cells in runs:
        rows = rows_of(nodes, np.array(cells, dtype=np.int64))
        if (rows < 0).any():
            bad = numbers[int(np.argmax((rows < 0).any(1)))]
            raise InputError(f"The element {bad} of the deck '{path}' has a node that is not there; mend the deck.")
        # Ends first, then the middle.
        order = [0, 2, 1] if cell == "line3" else list(range(rows.shape[1]))
        blocks.append(CellBlock(cell, rows[:, order], {"number": np.array(numbers, dtype=np.int64)}))
    point_sets = {name: _resolved(model, "NSET", name, nodes) for name in model.sets["NSET"]}
    cell_sets = {name: _resolved(model, "ELSET", name, elements) for name in model.sets["ELSET"]}
    return Mesh(np.array(list(model.nodes.values())), tuple(blocks), unit, point_sets, cell_sets, path.stem)


def _resolved(model: _Model, role: str, name: str, numbers: Ints) -> Ints:
    """Rows of a set's members, those of sets inside it included; numbers that are no member of the mesh left out."""
    chosen = np.zeros(len(numbers), dtype=np.bool_)
    seen, left = set(), [name]
    while left:
        current = left.pop()
        if current in seen:
            continue
        seen.add(current)
        entries = model.sets[role].get(current, [])
        single = np.array([e for e in entries if isinstance(e, int)], dtype=np.int64)
        chosen |= np.isin(numbers, single)
        for entry in entries:
            if isinstance(entry, tuple):
                first, last, step = entry
                chosen |= (numbers >= first) & (numbers <= last) & ((numbers - first) % step == 0)
            elif isinstance(entry, str):
                left.append(entry)
    return np.flatnonzero(chosen)
