"""Meshes of tetrahedra to labels at points of a grid, all at once."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.formats.loaded import damaged

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Corners of each element in meshio's order, cut into tetrahedra.
_CUTS: dict[str, list[list[int]]] = {
    "tetra": [[0, 1, 2, 3]],
    "pyramid": [[0, 1, 2, 4], [0, 2, 3, 4]],
    "wedge": [[0, 1, 2, 5], [0, 1, 5, 4], [0, 4, 5, 3]],
    "hexahedron": [[0, 1, 2, 6], [0, 2, 3, 6], [0, 3, 7, 6], [0, 7, 4, 6], [0, 4, 5, 6], [0, 5, 1, 6]],
}
_CURVED = {
    "tetra10": "tetra",
    "pyramid13": "pyramid",
    "pyramid14": "pyramid",
    "wedge15": "wedge",
    "wedge18": "wedge",
    "hexahedron20": "hexahedron",
    "hexahedron27": "hexahedron",
}
TOLERANCE = 1e-9
"""Relative size of the overlap that keeps points on a shared face from falling between two elements."""

# Few enough to stay in the cache: 3.4 times as fast as batches of two million.
_PAIRS = 1 << 17


@dataclass(frozen=True, eq=False)
class Tetrahedra:
    """Elements with a phase each.

    Args:
        corners: ``[t, 4, 3]``, components x, y, z.
        phase: ``[t]``, index into ``phases``.
        phases: names.
    """

    corners: Floats
    phase: Ints
    phases: tuple[str, ...]


def tetrahedra(source: Any, name: str) -> Tetrahedra:
    """Return the elements of a mesh, physical groups as phases in the order of their numbers.

    Args:
        source: a path that meshio reads, or a mesh of meshio's kind.
        name: what messages call it.

    Raises:
        InputError: unreadable, no solid elements, coordinates that are not finite, or elements without volume.
    """
    mesh = _read(source) if isinstance(source, Path) else source
    points = np.asarray(mesh.points, dtype=np.float64)
    groups = mesh.cell_data.get("gmsh:physical") or mesh.cell_data.get("gmsh:geometrical")
    corners, tags = [], []
    for k, block in enumerate(mesh.cells):
        kind = _CURVED.get(block.type, block.type)
        if kind not in _CUTS or len(block.data) == 0:
            continue
        cut = np.array(_CUTS[kind])
        corners.append(points[np.asarray(block.data)[:, cut]].reshape(-1, 4, 3))
        tag = np.asarray(groups[k], dtype=np.int64) if groups else np.zeros(len(block.data), dtype=np.int64)
        tags.append(np.repeat(tag, len(cut)))
    if not corners:
        kinds = ", ".join(sorted({block.type for block in mesh.cells})) or "none"
        raise InputError(
            f"The mesh '{name}' has no solid elements (elements: {kinds}); give tetrahedra or hexahedra, in Gmsh with "
            "a physical volume per phase."
        )
    found = np.concatenate(corners)
    if not np.isfinite(found).all():
        raise InputError(f"The mesh '{name}' has coordinates that are not finite; mesh it again.")
    numbers, phase = np.unique(np.concatenate(tags), return_inverse=True)
    named = {int(value[0]): str(key) for key, value in (mesh.field_data or {}).items() if int(value[1]) == 3}
    return _sound(found, phase, tuple(named.get(int(n), f"group {n}") for n in numbers), name)


def fill(mesh: Tetrahedra, axes: tuple[Floats, Floats, Floats]) -> Ints:
    """Return the phase at every point of a grid ``[nz, ny, nx]``, -1 where there is no element.

    Args:
        mesh: the elements.
        axes: evenly spaced coordinates along z, y, x, rising.
    """
    shape = tuple(len(axis) for axis in axes)
    labels = np.full(shape, -1, dtype=np.int64)
    corners = mesh.corners[..., ::-1]
    slack = TOLERANCE * max(float(np.ptp(corners[..., k])) for k in range(3))
    first = np.stack([np.searchsorted(axes[k], corners[..., k].min(1) - slack) for k in range(3)], axis=1)
    last = np.stack([np.searchsorted(axes[k], corners[..., k].max(1) + slack) for k in range(3)], axis=1)
    sizes = np.maximum(last - first, 0)
    inverse = np.linalg.inv(np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2))
    for element, index in candidates(first, sizes):
        place = np.stack([axes[k][index[:, k]] for k in range(3)], axis=1)
        weights = np.einsum("pij,pj->pi", inverse[element], place - corners[element, 0])
        inside = (weights.min(axis=1) >= -TOLERANCE) & (weights.sum(axis=1) <= 1 + TOLERANCE)
        labels[tuple(index[inside].T)] = mesh.phase[element[inside]]
    return labels


def candidates(first: Ints, sizes: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield every point of every box as ``(box [p], index [p, d])``, in batches of limited memory.

    Args:
        first: lowest index of each box, ``[t, d]``.
        sizes: points along each axis, ``[t, d]``.
    """
    counts = sizes.prod(axis=1)
    order = np.flatnonzero(counts)
    ends = np.cumsum(counts[order])
    start = 0
    while start < len(order):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PAIRS)))
        part = order[start:stop]
        box = np.repeat(part, counts[part])
        local = np.arange(len(box)) - np.repeat(np.cumsum(counts[part]) - counts[part], counts[part])
        index = np.empty((len(box), first.shape[1]), dtype=np.int64)
        for k in range(first.shape[1] - 1, -1, -1):
            local, index[:, k] = np.divmod(local, sizes[box, k])
        yield box, index + first[box]
        start = stop


def _read(path: Path) -> Any:
    import meshio

    try:
        # Its reader prints empty lines.
        with contextlib.redirect_stdout(io.StringIO()):
            return meshio.read(path)
    # On some damaged files meshio exits, as a program does.
    except (Exception, SystemExit) as error:
        raise damaged(path, "a mesh", Exception(str(error) or type(error).__name__)) from None


def _sound(corners: Floats, phase: Ints, phases: tuple[str, ...], name: str) -> Tetrahedra:
    edges = corners[:, 1:] - corners[:, :1]
    volume = np.abs(np.linalg.det(edges))
    size = np.abs(edges).max(axis=(1, 2))
    solid = volume > 1e-12 * size**3
    if not solid.any():
        raise InputError(f"The mesh '{name}' has no element with a volume; it is flat, so give a solid mesh.")
    return Tetrahedra(corners[solid], phase[solid], phases)
