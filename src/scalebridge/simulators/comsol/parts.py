"""What a text export of COMSOL is made of: a header behind ``%``, then rows, or sections with rows."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import CellBlock
from scalebridge.data.units_in_text import unit_from_text
from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.quantities.units import registry
from scalebridge.simulators.comsol.columns import COORDINATES, Column, column, split_header
from scalebridge.simulators.comsol.numbers import numbers

_KEY = re.compile(r"^\s*\"?([A-Za-z][A-Za-z ]{0,30}?)\"?\s*[:,]\s*(.*)$")
_KEYS = {"Model", "Version", "Date", "Dimension", "Nodes", "Elements", "Expressions", "Description", "Length unit"}
_KEYS |= {"Table", "Entities", "Evaluations", "Descriptions"}
_SECTION = re.compile(r"^\s*(Coordinates|Elements|Data|Grid)\b\s*(.*)$")
_CELLS = {2: "line", 3: "triangle", 4: "tetra"}
_LONGEST_LINE = 1 << 24


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of an export; see `Export`."""

    header: Mapping[str, str]
    points: Floats
    coordinates: tuple[str, ...]
    length_unit: str
    columns: tuple[Column, ...]
    values: NDArray[Any]
    cells: CellBlock | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Section:
    """Rows under a title behind ``%``: their numbers and the line (from 1) at which they start."""

    title: str
    values: NDArray[Any]
    line: int


def read_parts(path: str | Path, what: str) -> Parts:
    """The parts of a file.

    Raises:
        InputError: no rows, a damaged line, a header that does not fit its columns.
    """
    owner = f"The {what} '{path}'"
    header: dict[str, str] = {}
    with open(path, "rb") as file:
        sections = list(_sections(_Lines(file, owner), header))
    if not sections:
        raise InputError(f"{owner} holds no rows of numbers; export it again from COMSOL (with data, as text).")
    unit = unit_from_text(header.get("Length unit", "")) if header.get("Length unit") else "1"
    if any(_SECTION.match(s.title) for s in sections):
        found = _sectionwise(sections, header, owner)
    else:
        found = _spreadsheet(sections, header, owner)
    if found.length_unit != "1":  # stands in the names of the columns
        if header.get("Length unit") and unit != found.length_unit:
            raise InputError(
                f"{owner} has its places in '{found.length_unit}' and the length unit '{header['Length unit'][:40]}'; "
                "export it again."
            )
        unit = found.length_unit
    notes = tuple(
        f"the unit of '{c.text}' is not known to us and is taken as '1'" for c in found.columns if not c.known_unit
    )
    if found.points.shape[1] and (unit or "1") == "1":
        notes += ("the file does not state the unit of its coordinates",)
    return replace(found, length_unit=unit or "1", notes=notes)


class _Lines:
    """Lines with their number, and one that can be handed back."""

    def __init__(self, file: Iterable[bytes], owner: str) -> None:
        self._file: Any = file
        self.number, self.owner = 0, owner

    def __iter__(self) -> Iterator[bytes]:
        while line := self._file.readline(_LONGEST_LINE):
            self.number += 1
            if len(line) >= _LONGEST_LINE:
                raise InputError(f"{self.owner} has a line {self.number} of more than 16 MiB; it is no export.")
            yield line.removeprefix(codecs.BOM_UTF8).strip()


def _sections(lines: _Lines, header: dict[str, str]) -> Iterator[_Section]:
    """Rows between the lines behind ``%``, each under its title; fills the header on the way."""
    title, source, follows = "", iter(lines), False
    pending: bytes | None = None
    while True:
        line = pending if pending is not None else next(source, None)
        pending = None
        if line is None:
            return
        if not line:
            continue
        if line.startswith((b"%", b'"%')):
            said = _said(line)
            if not _is_key(said, header):
                # Behind '% Data' its expression may stand in a line of its own.
                title = f"{title} ({said})" if follows and _SECTION.match(title) else said
                follows = True
            continue
        start, follows = lines.number, False
        stop: list[bytes] = []
        rows = _rows(line, source, stop)
        try:
            values = _ragged(rows) if _word(title) == "Grid" else numbers(rows)
        except ValueError as error:
            row, why = error.args if len(error.args) == 2 else (0, str(error))
            raise InputError(
                f"{lines.owner} has in line {start + int(row)} {why}; it may be damaged or cut off, or written with "
                "a comma for the decimal point: export it again."
            ) from None
        yield _Section(title, values, start)
        pending = stop[0] if stop else None


def _said(line: bytes) -> str:
    """What stands behind ``%``, quotes and all."""
    text = line.decode("utf-8", "replace")
    quote = '"' if text.startswith('"') else ""
    return quote + text[len(quote) :].lstrip("%").strip()


def _word(title: str) -> str:
    """``Coordinates``, ``Elements``, ``Data``, ``Grid``, or nothing of a title that starts no section."""
    found = _SECTION.match(title)
    return found[1] if found else ""


def _rows(first: bytes, source: Iterator[bytes], stop: list[bytes]) -> Iterator[bytes]:
    yield first
    for line in source:
        if line.startswith((b"%", b'"%')):
            stop.append(line)
            return
        if line:
            yield line


def _ragged(rows: Iterable[bytes]) -> NDArray[Any]:
    """The axes of a grid: one row each, of any length."""
    axes = [np.asarray(numbers([row])[0]) for row in rows]
    held = np.empty(len(axes), dtype=object)
    held[:] = axes
    return held


def _is_key(said: str, header: dict[str, str]) -> bool:
    """Whether a line is one of the header as ``Version: ...``, which is noted."""
    found = _KEY.match(said)
    if not found or found[1] not in _KEYS:
        return False
    header[found[1]] = found[2].strip().strip('"')
    return True


def _dimension(header: Mapping[str, str]) -> int | None:
    text = header.get("Dimension", "")
    return int(text) if text in ("0", "1", "2", "3") else None


def _spreadsheet(sections: list[_Section], header: Mapping[str, str], owner: str) -> Parts:
    names, values = _table(sections, owner)
    columns = [column(name) for name in names]
    n = _n_coordinates(columns, header)
    points = values[:, :n]
    if np.iscomplexobj(points):
        if (points.imag != 0).any():
            raise InputError(f"{owner} has complex coordinates; export the real part of them.")
        points = points.real
    coordinates = tuple(c.name for c in columns[:n])
    units = {c.unit for c in columns[:n]}
    if len(units) > 1:
        raise InputError(f"{owner} has its places in several units: {', '.join(sorted(units))}; export them in one.")
    unit = units.pop() if units else "1"
    return Parts(
        header, np.asarray(points, dtype=np.float64), coordinates, unit, tuple(columns[n:]), values[:, n:], None, ()
    )


def _table(sections: list[_Section], owner: str) -> tuple[list[str], NDArray[Any]]:
    """Names and values ``[n, c]``: sections of one title under each other, single columns side by side."""
    first = sections[0]
    width = first.values.shape[1]
    if len({section.title for section in sections}) > 1:
        if any(section.values.shape != (len(first.values), 1) for section in sections):
            other = next(s for s in sections if s.title != first.title or s.values.shape[1] != width)
            raise InputError(
                f"{owner} has '{other.title[:80]}' over the rows from line {other.line} on and '{first.title[:80]}' "
                "over those before; export one thing into one file."
            )
        return [section.title for section in sections], np.hstack([section.values for section in sections])
    for section in sections[1:]:
        if section.values.shape[1] != width:
            raise InputError(
                f"{owner} has {section.values.shape[1]} numbers in line {section.line} and {width} before; "
                "export one thing into one file."
            )
    names = split_header(first.title, width) if first.title else [f"column_{k + 1}" for k in range(width)]
    if names is None:
        raise InputError(
            f"{owner} has {width} numbers in a row and the header '{first.title[:120]}', which has not as many "
            "columns; export it again with its header."
        )
    return names, np.concatenate([section.values for section in sections])


def _n_coordinates(columns: list[Column], header: Mapping[str, str]) -> int:
    """How many of the first columns are places: as many as the header says, else those named so."""
    if "Table" in header:
        return 0
    dimension, expressions = _dimension(header), header.get("Expressions", "")
    before = len(columns) - int(expressions) if expressions.isdecimal() and len(expressions) < 9 else 0
    # Cut planes and lines call their places cpl1x, cpl1y, cln1x.
    if 1 <= before <= 3 and dimension == before and all(not c.step and _is_length(c) for c in columns[:before]):
        return before
    leading = 0
    while leading < min(len(columns), 3) and _is_place(columns[leading]):
        if columns[leading].name in [c.name for c in columns[:leading]]:
            break
        leading += 1
    # Cut points have no dimension and lie in space; global values have no unit of length either.
    if dimension == 0 and "Length unit" in header:
        return leading
    return leading if dimension is None else min(leading, dimension)


def _is_place(one: Column) -> bool:
    """``x``, or ``x (mm)`` with a unit of length."""
    return one.text in COORDINATES or (one.name in COORDINATES and not one.step and one.unit != "1" and _is_length(one))


def _is_length(one: Column) -> bool:
    return one.unit == "1" or registry().Unit(one.unit).is_compatible_with("m")


def _sectionwise(sections: list[_Section], header: Mapping[str, str], owner: str) -> Parts:
    points: Floats | None = None
    cells: CellBlock | None = None
    on_grid = False
    columns: list[Column] = []
    values: list[NDArray[Any]] = []
    for section in sections:
        word = _word(section.title)
        rest = section.title.strip().removeprefix(word).strip()
        if word == "Coordinates" and points is None:
            points = _places(section, owner)
        elif word == "Grid" and points is None:
            points, cells = _grid(section, owner)
            on_grid = True
        elif word == "Elements" and points is not None:
            cells = _elements(section, points, owner)
        elif word == "Data" and points is not None:
            flat = section.values.reshape(-1) if on_grid or section.values.shape[1] == 1 else np.zeros(0)
            if flat.size != len(points):
                raise InputError(
                    f"{owner} has from line {section.line} on {flat.size} values for {len(points)} points; it may be "
                    "cut off: export it again."
                )
            inner = rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest
            described = header.get("Description", "") if header.get("Expressions") == "1" else ""
            columns.append(column(inner or described or f"data_{len(columns) + 1}"))
            values.append(flat)
        else:
            raise InputError(
                f"{owner} has rows under '{section.title[:80]}' from line {section.line} on, which do not belong "
                "there; export it again."
            )
    if points is None:
        raise InputError(f"{owner} has sections, and none of them Coordinates or Grid; export it again.")
    table = np.stack(values, axis=1) if values else np.zeros((len(points), 0))
    names = ("x", "y", "z")[: points.shape[1]]
    return Parts(header, points, names, "1", tuple(columns), table, cells, ())


def _places(section: _Section, owner: str) -> Floats:
    values = section.values
    if np.iscomplexobj(values) or not 1 <= values.shape[1] <= 3 or not np.isfinite(values).all():
        raise InputError(f"{owner} has from line {section.line} on coordinates that are none; export it again.")
    return np.asarray(values, dtype=np.float64)


def _elements(section: _Section, points: Floats, owner: str) -> CellBlock:
    nodes, width, n_points = section.values, section.values.shape[1], len(points)
    sound = not np.iscomplexobj(nodes) and width in _CELLS and bool((nodes == np.floor(nodes)).all())
    if width > points.shape[1] + 1:
        raise InputError(
            f"{owner} has from line {section.line} on elements of {width} points in {points.shape[1]} dimensions, "
            "which are no simplices; export it as a spreadsheet."
        )
    if not sound or (nodes < 1).any() or (nodes > n_points).any():
        raise InputError(
            f"{owner} has from line {section.line} on elements that are no rows of 2, 3 or 4 numbers of points from 1 "
            f"to {n_points}; it may be damaged: export it again."
        )
    return CellBlock(_CELLS[width], nodes.astype(np.int64) - 1)


def _grid(section: _Section, owner: str) -> tuple[Floats, CellBlock | None]:
    """Points of a grid, x fastest, and the cells between them along the axes of more than one value."""
    axes = [np.asarray(axis) for axis in section.values]
    sound = 1 <= len(axes) <= 3 and all(len(a) and not np.iscomplexobj(a) and np.isfinite(a).all() for a in axes)
    if not sound or np.prod([float(len(a)) for a in axes]) > 200e6:
        raise InputError(f"{owner} has from line {section.line} on a grid whose axes are none; export it again.")
    mesh = np.meshgrid(*axes, indexing="ij")
    points = np.stack([m.ravel(order="F") for m in mesh], axis=1)
    shape = [len(a) for a in axes if len(a) > 1]
    if not shape:
        return points, None
    index = np.arange(len(points)).reshape(shape, order="F")
    corners = {1: ((0,), (1,)), 2: ((0, 0), (1, 0), (1, 1), (0, 1))}.get(
        len(shape), tuple((a, b, c) for c in (0, 1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1)))
    )
    slices = [tuple(slice(o, n - 1 + o) for o, n in zip(corner, shape, strict=True)) for corner in corners]
    nodes = np.stack([index[s].ravel() for s in slices], axis=1)
    return points, CellBlock({1: "line", 2: "quad", 3: "hexahedron"}[len(shape)], nodes)
