"""Meshes and closed surfaces to voxels, with the share of each phase in them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.solids import fill, tetrahedra
from scalebridge.microstructure.surfaces import closed, inside, read_stl

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Box = tuple[Sequence[float], Sequence[float]]

LARGEST_VOXELS = 2_000_000_000
_POINTS = 1 << 24
_Sampler = Callable[[tuple[Floats, Floats, Floats]], Ints]


@dataclass(frozen=True, eq=False)
class Voxelised:
    """Voxels of a mesh.

    Attributes:
        labels: phase of each voxel ``[nz, ny, nx]``: at its centre, or with sub-voxels the phase of the largest share.
        fractions: share of each phase ``[phases, nz, ny, nx]``; ``None`` without sub-voxels.
        phases: names of the phases, in the order of the labels.
        spacing: edges of a voxel ``(z, y, x)`` in the unit of the mesh.
        origin: first corner ``(z, y, x)`` in the unit of the mesh.
    """

    labels: NDArray[np.uint8]
    fractions: Floats | None
    phases: tuple[str, ...]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]


def voxelise(
    source: Any,
    *,
    shape: int | Sequence[int] | None = None,
    voxel_size: float | None = None,
    subvoxels: int = 1,
    box: Box | None = None,
) -> Voxelised:
    """Sample a mesh or a closed surface on a grid of voxels.

    A solid mesh (``.msh`` and what else meshio reads; tetrahedra, hexahedra, wedges, pyramids) gives one phase per
    physical group, in the order of their numbers, and ``"void"`` last where there is no element. Curved elements are
    taken with straight edges. A closed surface (``.stl``, or triangles ``[t, 3, 3]``) gives ``"outside"`` and
    ``"inside"``.

    Args:
        source: path, mesh of meshio's kind, or triangles.
        shape: voxels ``(nz, ny, nx)``, or one number for all; or
        voxel_size: edge of a voxel in the unit of the mesh, adapted so that whole voxels fill the box.
        subvoxels: samples per axis of a voxel; with more than 1 the shares of the phases are told too.
        box: two opposite corners ``(x, y, z)``; the bounds of the mesh by default.

    Raises:
        InputError: unreadable, no solid elements, a surface that is not closed, a box that holds nothing of it, or
            neither or both of ``shape`` and ``voxel_size``.
    """
    if operator.index(subvoxels) < 1:
        raise InputError(f"{subvoxels} sub-voxels per axis were asked for; at least 1 is needed.")
    sample, phases, bounds, name = _opened(source)
    lower, upper = _checked_box(box if box is not None else (bounds[0], bounds[1]), name)
    grid = _grid(shape, voxel_size, upper - lower, name)
    spacing = (upper - lower)[::-1] / np.array(grid)
    labels = np.empty(grid, dtype=np.uint8)
    fractions = np.empty((len(phases), *grid)) if subvoxels > 1 else None
    step = max(1, _POINTS // (grid[1] * grid[2] * subvoxels**3))
    for start in range(0, grid[0], step):
        part = slice(start, min(start + step, grid[0]))
        axes = _axes(lower[::-1], spacing, grid, part, subvoxels)
        fine = sample(axes)
        fine[fine < 0] = len(phases) - 1
        if fractions is None:
            labels[part] = fine
        else:
            fractions[:, part] = _shares(fine, len(phases), subvoxels)
            labels[part] = fractions[:, part].argmax(axis=0)
    return _named(labels, fractions, phases, spacing, lower[::-1], name)


def _opened(source: Any) -> tuple[_Sampler, tuple[str, ...], Floats, str]:
    """Return what samples the phases (-1: none) at a grid, their names (the last for none), and the bounds."""
    path = Path(source) if isinstance(source, str | Path) else None
    name = str(source) if path else "mesh"
    if path is not None and not path.is_file():
        raise InputError(f"The mesh '{path}' {'is a folder' if path.is_dir() else 'does not exist'}; give a file.")
    if isinstance(source, np.ndarray) or (path is not None and path.suffix.lower() == ".stl"):
        points, faces = closed(read_stl(path) if path else source, name)

        def parity(axes: tuple[Floats, Floats, Floats]) -> Ints:
            return inside(points, faces, axes).astype(np.int64)

        used = points[faces].reshape(-1, 3)
        return parity, ("outside", "inside"), np.stack([used.min(0), used.max(0)]), name
    mesh = tetrahedra(path if path else source, name)
    if len(mesh.phases) > 254:
        raise InputError(f"The mesh '{name}' has {len(mesh.phases)} groups; 254 phases can be told.")
    bounds = np.stack([mesh.corners.min((0, 1)), mesh.corners.max((0, 1))])
    return lambda axes: fill(mesh, axes), (*mesh.phases, "void"), bounds, name


def _checked_box(box: Any, name: str) -> tuple[Floats, Floats]:
    try:
        corners = np.asarray(box, dtype=np.float64)
    except ValueError:
        corners = np.zeros(0)
    if corners.shape != (2, 3) or not np.isfinite(corners).all() or not (corners[1] > corners[0]).all():
        raise InputError(
            f"The box of '{name}' is {box}; give two corners (x, y, z), the first lower in every direction."
        )
    return corners[0], corners[1]


def _grid(
    shape: int | Sequence[int] | None, voxel_size: float | None, extent: Floats, name: str
) -> tuple[int, int, int]:
    if (shape is None) == (voxel_size is None):
        raise InputError(f"To voxelise '{name}' give one of shape= and voxel_size=.")
    if voxel_size is not None:
        if not (math.isfinite(voxel_size) and voxel_size > 0):
            raise InputError(f"The voxel size for '{name}' is {voxel_size}; it must be a positive length.")
        sizes = [max(1, round(float(length) / voxel_size)) for length in extent[::-1]]
    else:
        sizes = [shape] * 3 if isinstance(shape, int) else [operator.index(n) for n in shape or ()]
    if len(sizes) != 3 or min(sizes) < 1 or math.prod(sizes) > LARGEST_VOXELS:
        raise ShapeError(
            f"The mesh '{name}' was to have {' x '.join(map(str, sizes))} voxels; give three positive numbers, in all "
            f"at most {LARGEST_VOXELS // 10**6} million."
        )
    return sizes[0], sizes[1], sizes[2]


def _axes(
    lower: Floats, spacing: Floats, grid: tuple[int, int, int], part: slice, subvoxels: int
) -> tuple[Floats, Floats, Floats]:
    """Coordinates of the samples along z (of the layers ``part``), y, x."""
    z, y, x = (
        lower[k] + spacing[k] * (np.arange(start * subvoxels, stop * subvoxels) + 0.5) / subvoxels
        for k, (start, stop) in enumerate([(part.start, part.stop), (0, grid[1]), (0, grid[2])])
    )
    return z, y, x


def _shares(fine: Ints, phases: int, subvoxels: int) -> Floats:
    blocks = [size for n in fine.shape for size in (n // subvoxels, subvoxels)]
    return np.stack([(fine == k).reshape(blocks).mean(axis=(1, 3, 5)) for k in range(phases)])


def _named(
    labels: NDArray[np.uint8],
    fractions: Floats | None,
    phases: tuple[str, ...],
    spacing: Floats,
    origin: Floats,
    name: str,
) -> Voxelised:
    """Drop the void where the elements fill the box, and refuse a box that holds nothing else."""
    last = len(phases) - 1
    empty = phases[last] == "void"
    none = last if empty else 0
    # Shares tell of bodies thinner than a voxel, which are the largest part of none.
    held = (labels != none).any() if fractions is None else np.delete(fractions, none, axis=0).any()
    if not held:
        raise InputError(f"No sample of the box lies in '{name}'; move the box onto the mesh, or take smaller voxels.")
    if empty and not (labels == last).any() and (fractions is None or not fractions[last].any()):
        phases = phases[:last]
        fractions = None if fractions is None else fractions[:last]
    z, y, x = (float(edge) for edge in spacing)
    oz, oy, ox = (float(edge) for edge in origin)
    return Voxelised(labels, fractions, phases, (z, y, x), (oz, oy, ox))
