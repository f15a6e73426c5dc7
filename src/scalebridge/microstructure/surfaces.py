"""Closed surfaces of triangles (STL) to what lies inside, by counting crossings along columns of a grid.

A point is inside where a ray meets the surface an odd number of times. Whether a column meets a triangle is decided
edge by edge, by a rule that two triangles evaluate alike for the edge that they share (half-open, ends in a fixed
order): a column through an edge or a corner meets the surface neither twice nor never.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.formats.loaded import damaged
from scalebridge.microstructure.solids import candidates

Floats = NDArray[np.float64]

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> Floats:
    """Return the triangles ``[t, 3, 3]`` (corner, component x y z) of a binary or ASCII file.

    Raises:
        InputError: truncated or foreign.
    """
    data = path.read_bytes()
    if len(data) >= 84:
        count = int.from_bytes(data[80:84], "little")
        if len(data) == 84 + _RECORD.itemsize * count:
            return np.frombuffer(data, _RECORD, count, 84)["corners"].astype(np.float64)
    if not data.lstrip()[:5].lower() == b"solid":
        raise damaged(path, "STL", ValueError(f"its {len(data)} bytes do not fit the number of triangles it states"))
    if b"endsolid" not in data.lower():
        raise damaged(path, "STL", ValueError("'endsolid' is missing"))
    words = re.findall(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", data)
    try:
        corners = np.array(words, dtype="S").astype(np.float64)
        return corners.reshape(-1, 3, 3)
    except ValueError as error:
        raise damaged(path, "STL", error) from None


def closed(triangles: ArrayLike, name: str) -> tuple[Floats, NDArray[np.int64]]:
    """Return the corners ``[n, 3]`` and triangles ``[t, 3]`` of a closed surface.

    Triangles of no extent (two equal corners) are dropped.

    Raises:
        InputError: no triangles, not finite, or edges that an odd number of triangles shares.
    """
    given = np.asarray(triangles, dtype=np.float64)
    if given.ndim != 3 or given.shape[1:] != (3, 3) or len(given) == 0:
        raise InputError(f"The surface '{name}' has no triangles (shape {given.shape}); [t, 3, 3] is needed.")
    if not np.isfinite(given).all():
        raise InputError(f"The surface '{name}' has coordinates that are not finite; export it again.")
    points, index = np.unique(given.reshape(-1, 3), axis=0, return_inverse=True)
    faces = index.reshape(-1, 3).astype(np.int64)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    open_ = unique[counts % 2 == 1]
    if len(faces) == 0 or len(open_):
        place = points[open_[0]].mean(axis=0) if len(open_) else points[0]
        raise InputError(
            f"The surface '{name}' is not closed: {len(open_)} of {len(unique)} edges belong to an odd number of "
            f"triangles, the first near x, y, z = {', '.join(f'{x:.4g}' for x in place)}; close it (fill holes, merge "
            "corners) in the program that made it."
        )
    return points, faces


def inside(points: Floats, faces: NDArray[np.int64], axes: tuple[Floats, Floats, Floats]) -> NDArray[np.bool_]:
    """Say which points of a grid lie inside of a closed surface, ``[nz, ny, nx]``.

    Args:
        points: corners ``[n, 3]``, x y z.
        faces: triangles ``[t, 3]``.
        axes: coordinates along z, y, x, rising.
    """
    along, down, across = axes
    corners = points[faces]
    box = np.stack([np.searchsorted(down, corners[..., 1].min(1)), np.searchsorted(across, corners[..., 0].min(1))], 1)
    end = np.stack(
        [
            np.searchsorted(down, corners[..., 1].max(1), side="right"),
            np.searchsorted(across, corners[..., 0].max(1), side="right"),
        ],
        axis=1,
    )
    crossings = np.zeros((len(along) + 1, len(down), len(across)), dtype=np.uint8)
    for face, index in candidates(box, end - box):
        y, x = down[index[:, 0]], across[index[:, 1]]
        met = _meets(points, faces[face], x, y)
        height = _height(corners[face[met]], x[met], y[met])
        layer = np.searchsorted(along, height)
        np.bitwise_xor.at(crossings, (layer, index[met, 0], index[met, 1]), 1)
    return np.bitwise_xor.accumulate(crossings, axis=0)[:-1].astype(bool)


def _meets(points: Floats, faces: NDArray[np.int64], x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Whether the projections of triangles hold the points, by the parity of edges to the right of the point."""
    met = np.zeros(len(x), dtype=bool)
    for k in range(3):
        # Both triangles at an edge compute with its corners in the same order, hence the same rounding.
        low, high = np.sort(faces[:, [k, (k + 1) % 3]], axis=1).T
        (xa, ya), (xb, yb) = points[low, :2].T, points[high, :2].T
        spans = (ya > y) != (yb > y)
        rise = np.where(spans, yb - ya, 1.0)
        at = np.clip(xa + (y - ya) / rise * (xb - xa), np.minimum(xa, xb), np.maximum(xa, xb))
        met ^= spans & (x < at)
    return met


def _height(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Where columns meet the planes of triangles, kept within the triangle's own heights."""
    origin = corners[:, 0]
    normal = np.cross(corners[:, 1] - origin, corners[:, 2] - origin)
    steep = np.abs(normal[:, 2]) <= 1e-14 * np.abs(normal).max(axis=1)
    slope = normal[:, 0] * (x - origin[:, 0]) + normal[:, 1] * (y - origin[:, 1])
    height = origin[:, 2] - slope / np.where(steep, 1.0, normal[:, 2])
    low, high = corners[..., 2].min(axis=1), corners[..., 2].max(axis=1)
    return np.asarray(np.clip(np.where(steep, (low + high) / 2, height), low, high))
