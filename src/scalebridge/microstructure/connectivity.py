"""Which parts of a phase hang together through faces of voxels, and whether they carry flow across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError

Axis = Literal["x", "y", "z"]
Edge = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Connected:
    """Labels without the isolated parts of one phase.

    Attributes:
        labels: ``[*grid]``, the isolated parts given to another phase.
        removed: share of the phase that was isolated, in [0, 1).
        clusters: number of isolated parts.
        axes: directions along which the phase that remains connects opposite faces.
    """

    labels: NDArray[np.integer[Any]]
    removed: float
    clusters: int
    axes: tuple[Axis, ...]

    def describe(self) -> str:
        """Say in one sentence what was removed."""
        return (
            f"{self.removed:.2%} of the phase was removed, in {self.clusters} isolated parts; "
            f"the rest connects opposite faces along {', '.join(self.axes)}."
        )


def percolates(labels: ArrayLike, phase: int, axis: Axis, periodic: bool = False) -> bool:
    """Say whether a phase connects the two faces across ``axis`` through faces of voxels.

    Args:
        labels: ``[ny, nx]`` or ``[nz, ny, nx]``.
        phase: the label.
        axis: ``"x"`` is the last axis of the grid.
        periodic: whether the image is repeated, as an FFT solver does: then the phase must connect to its own image
            (a path that winds around the cell), which is less where the faces do not match, and more where a path
            leaves by a side.

    Raises:
        InputError: labels that are no integers, an unknown axis, or a phase without voxels.
    """
    image = _checked(labels, phase)
    if axis not in _axes(image.ndim):
        raise InputError(f"The axis '{axis}' is none of an image of {image.ndim} dimensions; give one of xyz.")
    parts, count = _parts(image == phase)
    carried = _winding(parts, count) if periodic else _spanning(parts)
    return bool(carried[axis])


def connected(labels: ArrayLike, phase: int, periodic: bool = False, fill: int | None = None) -> Connected:
    """Remove the parts of a phase that connect no two opposite faces, and tell how much that was.

    A conduction or flow problem in the phase alone is singular in isolated parts, and they carry nothing.

    Args:
        labels: ``[ny, nx]`` or ``[nz, ny, nx]``.
        phase: the label of the phase that conducts.
        periodic: see `percolates`.
        fill: label for what is removed; with two labels the other one by default.

    Raises:
        InputError: as `percolates`; a phase that connects no faces at all; more than two labels and no ``fill``.
    """
    image = _checked(labels, phase)
    other = _fill(image, phase, fill)
    parts, count = _parts(image == phase)
    carried = _winding(parts, count) if periodic else _spanning(parts)
    kept = np.zeros(count + 1, dtype=bool)
    for found in carried.values():
        kept[list(found)] = True
    if not kept.any():
        raise InputError(
            f"Phase {phase} connects no two opposite faces of the image ({count} parts): nothing flows through it; "
            "check the phase, or take a larger or finer image."
        )
    isolated = (parts > 0) & ~kept[parts]
    cleaned = np.where(isolated, np.array(other, dtype=image.dtype), image)
    axes = tuple(axis for axis, found in carried.items() if found)
    total = int((parts > 0).sum())
    return Connected(cleaned, float(isolated.sum()) / total, int((~kept[1:]).sum()), axes)


def _checked(labels: ArrayLike, phase: int) -> NDArray[np.integer[Any]]:
    image = np.asarray(labels)
    if image.ndim not in (2, 3) or image.size == 0:
        raise ShapeError(f"The labels have the shape {image.shape}; [ny, nx] or [nz, ny, nx] is needed, not empty.")
    if image.dtype == np.bool_:
        image = image.astype(np.uint8)
    if not np.issubdtype(image.dtype, np.integer):
        raise InputError(f"The labels are {image.dtype}; integers are needed, so segment the image first.")
    if not np.any(image == phase):
        raise InputError(f"Phase {phase} has no voxel; the labels are {', '.join(map(str, np.unique(image)[:8]))}.")
    return image


def _fill(image: NDArray[Any], phase: int, fill: int | None) -> int:
    others = [int(k) for k in np.unique(image) if k != phase]
    if fill is not None:
        if fill == phase:
            raise InputError(f"What is removed from phase {phase} cannot be filled with phase {phase} itself.")
        return fill
    if len(others) > 1:
        raise InputError(
            f"The image has the labels {others} beside phase {phase}; say by fill= which one to fill with."
        )
    return others[0] if others else phase


def _axes(dim: int) -> tuple[Axis, ...]:
    """Directions in the order of the axes of the grid."""
    return ("y", "x") if dim == 2 else ("z", "y", "x")


def _parts(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the parts of a mask from 1, the image not repeated."""
    from scipy.ndimage import label

    found: tuple[NDArray[np.int32], int] = label(mask)
    return found


def _spanning(parts: NDArray[np.int32]) -> dict[Axis, set[int]]:
    """Parts that touch both faces, by direction."""
    carried = {}
    for k, axis in enumerate(_axes(parts.ndim)):
        near, far = np.unique(np.take(parts, 0, k)), np.unique(np.take(parts, -1, k))
        carried[axis] = {int(part) for part in np.intersect1d(near, far) if part}
    return carried


def _edges(parts: NDArray[np.int32]) -> list[Edge]:
    """Pairs of parts (or a part and itself) that meet across a periodic face: ``(part, next part, axis)``."""
    edges = []
    for k in range(parts.ndim):
        pairs = np.stack([np.take(parts, -1, k).ravel(), np.take(parts, 0, k).ravel()], axis=1)
        pairs = np.unique(pairs[(pairs > 0).all(axis=1)], axis=0)
        edges += [(int(a), int(b), k) for a, b in pairs]
    return edges


def _winding(parts: NDArray[np.int32], count: int) -> dict[Axis, set[int]]:
    """Parts of clusters that meet their own image, by direction.

    Each part of a cluster gets the cell that it lies in, seen from the first one; a link that leads to another cell
    than the part has is a path around the torus (Newman and Ziff, Phys. Rev. E 64 (2001) 016706, section II.D).
    """
    links = _links(parts, count)
    cell: dict[int, NDArray[np.int64]] = {}
    carried: dict[Axis, set[int]] = {axis: set() for axis in _axes(parts.ndim)}
    for first in range(1, count + 1):
        if first in cell or not links[first]:
            continue
        cell[first] = np.zeros(parts.ndim, dtype=np.int64)
        members, winds = [first], np.zeros(parts.ndim, dtype=bool)
        for part in members:
            for other, k, step in links[part]:
                there = cell[part].copy()
                there[k] += step
                if other not in cell:
                    cell[other] = there
                    members.append(other)
                else:
                    winds |= there != cell[other]
        for k, axis in enumerate(_axes(parts.ndim)):
            if winds[k]:
                carried[axis].update(members)
    return carried


def _links(parts: NDArray[np.int32], count: int) -> list[list[tuple[int, int, int]]]:
    links: list[list[tuple[int, int, int]]] = [[] for _ in range(count + 1)]
    for a, b, k in _edges(parts):
        links[a].append((b, k, 1))
        links[b].append((a, k, -1))
    return links
