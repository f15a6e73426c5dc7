"""Pore networks of four text files, ``NAME_node1.dat``, ``_node2``, ``_link1``, ``_link2`` (Statoil format).

Units are SI (m, m^3). Pores and throats after P. H. Valvatne and M. J. Blunt, Water Resources Research 40 (2004),
W07406.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.dataset import Dataset
from scalebridge.data.frames import Frame
from scalebridge.data.readers.opening import opened
from scalebridge.data.source import Source
from scalebridge.errors import InputError
from scalebridge.quantities import Space, Variable

PARTS = ("node1", "node2", "link1", "link2")
_NAME = re.compile(r"(?P<prefix>.*)_(node|link)[12]\.dat", re.IGNORECASE)
# Throats to the reservoirs: -1 at the inlet (x = 0), 0 at the outlet.
INLET, OUTLET = -1, 0

Floats = NDArray[np.float64]


def prefix_of(path: Path) -> Path | None:
    """What the names of a network's four files start with, or ``None`` if there are none."""
    match = _NAME.fullmatch(path.name)
    prefix = path.with_name(match["prefix"]) if match else path
    return prefix if prefix.with_name(f"{prefix.name}_node1.dat").is_file() else None


def read_statoil(prefix: Path) -> Dataset:
    """Pores with places, volumes and radii, and the throats between them.

    Throats to the reservoirs are no edges: their number is in the columns ``inlet`` and ``outlet`` of the pores.

    Raises:
        InputError: a file that is missing, cut off, or does not fit the others.
    """
    paths = [prefix.with_name(f"{prefix.name}_{part}.dat") for part in PARTS]
    files = tuple(opened(path, "pore network") for path in paths)
    pores, extent = _places(paths[0])
    volumes = _table(paths[1], 5, len(pores))
    links = _table(paths[2], 6, None, skip=1)
    sizes = _table(paths[3], 8, len(links))
    _check_numbers(pores[:, 0], paths[0])
    ends = links[:, 1:3]
    bad = np.flatnonzero(((ends < INLET) | (ends > len(pores))).any(axis=1))
    if len(bad):
        raise InputError(
            f"The pore network '{paths[2]}' joins pores {ends[bad[0], 0]:g} and {ends[bad[0], 1]:g} in row "
            f"{bad[0] + 2}; pores are 1 to {len(pores)}."
        )
    inner = (ends >= 1).all(axis=1)
    reservoirs = {
        name: _count(ends[(ends == code).any(axis=1)], len(pores))
        for name, code in (("inlet", INLET), ("outlet", OUTLET))
    }
    edges = Dataset(
        Space(
            [Variable("source"), Variable("target")]
            + [Variable(n, "m") for n in ("radius", "length", "throat_length")]
            + [Variable("shape_factor"), Variable("volume", "m^3")]
        ),
        {
            "source": ends[inner, 0] - 1,
            "target": ends[inner, 1] - 1,
            "radius": links[inner, 3],
            "length": links[inner, 5],
            "throat_length": sizes[inner, 5],
            "shape_factor": links[inner, 4],
            "volume": sizes[inner, 6],
        },
        name=f"{prefix.name} throats",
        source=Source(files[2:], "graph", {"format": "Statoil"}),
    )
    notes = (
        f"The network fills a box of {extent[0]:g} x {extent[1]:g} x {extent[2]:g} m.",
        f"{int((~inner).sum())} throats lead to the reservoirs; they are counted in the columns inlet and outlet.",
    )
    return Dataset(
        Space(
            [Variable(axis, "m") for axis in "xyz"]
            + [Variable("volume", "m^3"), Variable("radius", "m"), Variable("shape_factor")]
            + [Variable("inlet"), Variable("outlet")]
        ),
        {
            **{axis: pores[:, k] for k, axis in enumerate("xyz", 1)},
            "volume": volumes[:, 1],
            "radius": volumes[:, 2],
            "shape_factor": volumes[:, 3],
            **reservoirs,
        },
        name=prefix.name,
        coordinates=Frame(("x", "y", "z"), "network", "m"),
        edges=edges,
        source=Source(files, "graph", {"format": "Statoil"}, notes),
    )


def _places(path: Path) -> tuple[Floats, tuple[float, ...]]:
    """Number and place of each pore ``[n, 4]`` and the edges of the box; the lists of neighbours are left out."""
    lines = _lines(path)
    head = _numbers(lines[0], path, 1)
    if len(head) != 4 or head[0] != len(lines) - 1:
        raise InputError(
            f"The pore network '{path}' promises {head[0]:g} pores in its first row and holds {len(lines) - 1}; it may "
            "be cut off."
        )
    rows = [_numbers(line.split()[:4], path, i) for i, line in enumerate(lines[1:], 2)]
    return _regular(rows, 4, path, 2), tuple(head[1:])


def _table(path: Path, width: int, count: int | None, skip: int = 0) -> Floats:
    lines = _lines(path)
    expected = int(_numbers(lines[0], path, 1)[0]) if skip else count
    rows = [_numbers(line, path, i) for i, line in enumerate(lines[skip:], skip + 1)]
    if len(rows) != expected:
        raise InputError(
            f"The pore network '{path}' holds {len(rows)} rows, and {expected} belong to it; it may be cut off."
        )
    return _regular(rows, width, path, skip + 1)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeError:
        raise InputError(f"The pore network '{path}' is no plain text; it may be damaged.") from None
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise InputError(f"The pore network '{path}' holds nothing but blanks.")
    return lines


def _numbers(line: str | list[str], path: Path, row: int) -> list[float]:
    words = line.split() if isinstance(line, str) else line
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all():
        raise InputError(f"The pore network '{path}' holds '{' '.join(words)[:40]}' in row {row}; give finite numbers.")
    return values


def _regular(rows: list[list[float]], width: int, path: Path, first: int) -> Floats:
    for i, row in enumerate(rows):
        if len(row) != width:
            raise InputError(
                f"The pore network '{path}' has {len(row)} numbers in row {first + i}; {width} belong there."
            )
    return np.array(rows, dtype=np.float64).reshape(-1, width)


def _check_numbers(numbers: Floats, path: Path) -> None:
    bad = np.flatnonzero(numbers != np.arange(1, len(numbers) + 1))
    if len(bad):
        raise InputError(f"The pore network '{path}' numbers the pore in row {bad[0] + 2} as {numbers[bad[0]]:g}.")


def _count(ends: Floats, n: int) -> Floats:
    inside = ends.max(axis=1).astype(np.int64) - 1 if len(ends) else np.zeros(0, dtype=np.int64)
    return np.bincount(inside[inside >= 0], minlength=n).astype(np.float64)
