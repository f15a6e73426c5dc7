"""PLY files of points, ASCII or binary: the element ``vertex`` (G. Turk, The PLY polygon file format, 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.headers import identifier
from scalebridge.data.readers.opening import check_cells
from scalebridge.data.source import File, Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

LONGEST_HEADER = 100_000
_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class _Header:
    format: str
    count: int
    properties: tuple[tuple[str, str], ...]
    end: int


def read_ply(path: Path, file: File) -> Dataset:
    """The vertices of a PLY file, one column per property.

    Raises:
        InputError: no PLY file, damaged, cut off, lists at vertices, values that are not finite.
    """
    owner = f"The point cloud '{path}'"
    content = path.read_bytes()
    header = _header(content, owner)
    check_cells(header.count, len(header.properties), path, "point cloud")
    values = _ascii(content, header, owner) if header.format == "ascii" else _binary(content, header, owner)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = (int(k) for k in bad[0])
        raise InputError(
            f"{owner} holds {values[row, column]} at point {row + 1}, property '{header.properties[column][0]}'; "
            "values must be finite."
        )
    names = [identifier(name) for name, _ in header.properties]
    if len(set(names)) < len(names):
        raise InputError(f"{owner} has two properties of one name among {', '.join(names)}; rename one.")
    columns = {name: values[:, k] for k, name in enumerate(names)}
    source = Source((file,), "points", {}, (), tuple(names))
    return Dataset(Space([Variable(name) for name in names]), columns, name=path.name, source=source)


def _header(content: bytes, owner: str) -> _Header:
    if not content.startswith(b"ply"):
        raise InputError(f"{owner} does not start with 'ply'; it is no PLY file.")
    end = content.find(b"end_header", 0, LONGEST_HEADER)
    stop = content.find(b"\n", end)
    if end < 0 or stop < 0:
        raise InputError(f"{owner} has no end of its header; it may be cut off.")
    kind, count, properties, element = "", -1, [], ""
    for line in content[:end].decode("ascii", "replace").splitlines()[1:]:
        words = line.split() or ["comment"]
        if words[0] == "format" and len(words) > 1:
            kind = words[1]
        elif words[0] == "element" and len(words) == 3:
            element = words[1]
            if element == "vertex" and words[2].isdigit() and len(words[2]) < 12:
                count = int(words[2])
            elif count < 0:
                raise InputError(f"{owner} holds '{line[:40]}' before its vertices; export points alone.")
        elif words[0] == "property" and element == "vertex":
            if len(words) != 3 or words[1] not in _TYPES:
                raise InputError(f"{owner} has the property '{line[:40]}' at its vertices, which is no number.")
            properties.append((words[2], _TYPES[words[1]]))
    if kind not in _ORDERS or count < 1 or not properties:
        raise InputError(f"{owner} has the format '{kind}', {max(count, 0)} vertices and {len(properties)} properties.")
    return _Header(kind, count, tuple(properties), stop + 1)


def _ascii(content: bytes, header: _Header, owner: str) -> NDArray[np.float64]:
    lines = content[header.end :].splitlines()[: header.count]
    width = len(header.properties)
    if len(lines) < header.count:
        raise InputError(f"{owner} promises {header.count} points and holds {len(lines)}; it is cut off.")
    rows = [line.split() for line in lines]
    for i, row in enumerate(rows):
        if len(row) != width:
            raise InputError(f"{owner} has {len(row)} values at point {i + 1}, and {width} properties.")
    try:
        return np.array(rows, dtype=np.bytes_).astype(np.float64).reshape(header.count, width)
    except ValueError as error:
        raise InputError(f"{owner} holds text among its numbers ({error}).") from error


def _binary(content: bytes, header: _Header, owner: str) -> NDArray[np.float64]:
    order = _ORDERS[header.format]
    row = np.dtype([(f"p{k}", order + kind) for k, (_, kind) in enumerate(header.properties)])
    have = (len(content) - header.end) // row.itemsize
    if have < header.count:
        raise InputError(f"{owner} promises {header.count} points and holds {have}; it is cut off.")
    table = np.frombuffer(content, row, header.count, header.end)
    return np.stack([table[name].astype(np.float64) for name in row.names or ()], axis=1)
