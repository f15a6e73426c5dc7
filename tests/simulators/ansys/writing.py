"""Small files of our own making: an archive, and a result file whose every number is known."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def record(items: ArrayLike, kind: str = "i4", order: str = "<", flags: int | None = None) -> bytes:
    """One plain record."""
    known = {"i4": 1 << 31, "i2": 3 << 30, "f8": 0, "f4": 1 << 30}
    body = np.asarray(items, dtype=order + kind).tobytes()
    body += bytes(-len(body) % 4)
    n = len(body) // 4
    return packed(body, known[kind] if flags is None else flags, order) if n else packed(b"", 0, order)


def packed(body: bytes, flags: int, order: str = "<") -> bytes:
    """A record of bytes that are packed already."""
    return struct.pack(f"{order}iI", len(body) // 4, flags) + body + struct.pack(f"{order}i", len(body) // 4)


def result_file(
    path: Path,
    *,
    units: int = 0,
    order: str = "<",
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
    analysis: int = 0,
    imaginary: bool = False,
    degrees: tuple[int, ...] = (1, 2, 3),
    values: Any = None,
    euler: tuple[float, float, float] = (0.0, 0.0, 0.0),
    stress: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
) -> Path:
    """One SOLID185, a cube of edge 1 with the nodes 11 to 18, in one result set."""
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    numbers = list(range(11, 19))
    if values is None:
        values = np.arange(8 * len(degrees), dtype=float).reshape(8, -1)

    standard = [0] * 100
    standard[0], standard[1], standard[4] = 12, -1, units
    out = bytearray(record(standard, order=order))
    head_at = len(out) // 4
    out += bytes(4 * 83)  # the result header, written last
    place = {}

    def put(name: str, content: bytes) -> int:
        place[name] = len(out) // 4
        out.extend(content)
        return place[name]

    put("nodes", record(numbers, order=order))
    put("sets", bytes(4 * 7))
    put("times", record([0.25, 0.0], "f8", order))
    put("steps", record([1, 2, 3, 0, 0, 0], order=order))
    put("geometry", bytes(4 * 83))
    put("types", record([4], order=order))
    kind = [0] * 200
    kind[0], kind[1], kind[60], kind[93] = 1, 185, 8, 8
    out += record(kind, order=order)
    put("points", b"".join(record([n, *xyz, *angles], "f8", order) for n, xyz in zip(numbers, corners, strict=True)))
    put("elements", record([5, 0], order=order))
    out += record([7, 1, 3, 2, 0, 0, 0, 0, 41, 0, *numbers], order=order)
    solution_at = put("solution", bytes(4 * 203))
    put("nodal", record(np.asarray(values).ravel(), "f8", order))
    put("results", record([5, 0], order=order))
    table_at = put("table", bytes(4 * 28))
    put("stress", record(np.tile(stress, 8), "f4", order))  # 11 numbers a node in old files, else 6
    put("euler", record(euler, "f4", order))

    def fill(at: int, items: dict[int, int], n: int) -> None:
        table = [0] * n
        for k, v in items.items():
            table[k] = v
        content = record(table, order=order)
        out[4 * at : 4 * at + len(content)] = content

    fill(place["sets"], {0: solution_at}, 4)
    entries = {0: 12, 1: 18, 2: 8, 3: 2, 4: len(degrees), 6: 1, 7: analysis, 8: 1}
    entries |= {19: units, 39: int(len(stress) == 6), 48: 8}
    entries |= {10: place["sets"], 11: place["times"], 12: place["steps"], 14: place["nodes"], 15: place["geometry"]}
    fill(head_at, entries, 80)
    fill(place["geometry"], {1: 1, 3: 8, 4: 1, 20: place["types"], 26: place["points"], 28: place["elements"]}, 80)
    fill(
        solution_at,
        {1: 1, 2: 8, 18: int(imaginary), 19: len(degrees), 104: place["nodal"] - solution_at}
        | {118: place["results"] - solution_at}
        | {20 + k: d for k, d in enumerate(degrees)},
        200,
    )
    assert table_at == place["results"] + 5
    fill(table_at, {2: place["stress"] - table_at, 9: place["euler"] - table_at}, 25)
    path.write_bytes(bytes(out))
    return path


def _row(*numbers: int) -> str:
    return "".join(f"{number:9d}" for number in numbers)


BRICK = _row(1, 1, 1, 1, 0, 0, 0, 0, 8, 0, 31, 1, 2, 3, 4, 5, 6, 7, 8)
BRICK_AS_WEDGE = _row(2, 1, 1, 1, 0, 0, 0, 0, 8, 0, 32, 1, 2, 3, 3, 5, 6, 7, 7)
ARCHIVE = f"""/COM,of our own making
/TITLE,two bricks, one of them a wedge
/UNITS,MPA
ET,        1,185
KEYOP,       1, 2,        3
ET,2,SHELL181
MPTEMP,R5.0, 2, 1,  20.0    , 120.0    ,
MPDATA,R5.0, 2,EX  ,       1, 1, 2.0E+05    , 1.9E+05    ,
MP,NUXY,1,0.3
R,4,0.5,0.25
NBLOCK,6,SOLID,         9,         9
(3i9,6e21.13e3)
        1        0        0
        2        0        0 1.0000000000000E+000
        3        0        0 1.0000000000000E+000 1.0000000000000E+000
        4        0        0 0.0000000000000E+000 1.0000000000000E+000
        5        0        0 0.0000000000000E+000 0.0000000000000E+000 1.0000000000000E+000
        6        0        0 1.0000000000000E+000 0.0000000000000E+000 1.0000000000000E+000
        7        0        0 1.0000000000000E+000 1.0000000000000E+000 1.0000000000000E+000
        8        0        0 0.0000000000000E+000 1.0000000000000E+000 1.0000000000000E+000
       19        0        0-2.5000000000000E-001 1.5000000000000-101 1.0000000000000E+000
N,R5.3,LOC,       -1,
EBLOCK,19,SOLID,         2,         2
(19i9)
{BRICK}
{BRICK_AS_WEDGE}
       -1
EBLOCK,10,,,1
(15i9)
       33        2        4        1        0        1        2        3        4
       -1
CMBLOCK,BASE    ,NODE,       2  ! users node component definition
(8i10)
         1        -4
CMBLOCK,PART,ELEM,       2
(8i10)
        31       -32
RLBLOCK,       1,       5,       8,       7
(2i8,6g16.9)
(7g16.9)
       5       8  1.00000000      2.00000000      3.00000000      4.00000000      5.00000000      6.00000000
  7.00000000      8.00000000
FINISH
"""
