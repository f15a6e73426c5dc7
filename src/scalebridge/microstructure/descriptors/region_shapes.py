"""Connected regions of a phase - voids, cracks, precipitates, grains - by size, shape and orientation.

Shape comes from second moments, each pixel a square of its own: an ellipse of the same moments has the semi-axes
2 sqrt(lambda) in 2-D and sqrt(5 lambda) in 3-D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked, checked_spacing, slab_ranges

ELONGATED = 3.0
"""Ratio of the longest to the shortest axis from which a region is called elongated."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions, one per row, in the order of their labels.

    Attributes:
        labels: region of every pixel, ``[*grid]``, 0 for none.
        size: area or volume, ``[n]``.
        diameter: of the disc or ball of the same size, ``[n]``.
        centre: centroid ``[n, d]`` in the order of the axes (row, column), in the unit of the spacing, where the
            centre of the first pixel is 0.
        axes: full axes of the ellipse of the same moments, falling, ``[n, d]``.
        direction: unit vector along the longest axis, ``[n, d]``, in the order of the axes; its last component >= 0.
        whole: regions that touch neither the edge of the image nor of the field of view, ``[n]``.
        seen: area or volume of the field of view.
    """

    labels: NDArray[np.int32]
    size: Floats
    diameter: Floats
    centre: Floats
    axes: Floats
    direction: Floats
    whole: NDArray[np.bool_]
    seen: float

    def __len__(self) -> int:
        return len(self.size)

    @property
    def elongation(self) -> Floats:
        """Longest over shortest axis, ``[n]``; 1 for a disc."""
        return np.asarray(self.axes[:, 0] / self.axes[:, -1])

    @property
    def elongated(self) -> NDArray[np.bool_]:
        """Which are elongated, as cracks are, and not compact, as pores are: `ELONGATED`."""
        return np.asarray(self.elongation >= ELONGATED)

    @property
    def angle(self) -> Floats:
        """Angle of the longest axis from x (the last axis) in degrees, ``[n]``, in (-90, 90], counter-clockwise.

        Raises:
            InputError: three dimensions, where one angle tells no direction.
        """
        if self.direction.shape[1] != 2:
            raise InputError("One angle tells no direction in 3-D; use direction, the unit vectors.")
        # Rows count downwards.
        angle = np.degrees(np.arctan2(-self.direction[:, 0], self.direction[:, 1]))
        return np.asarray(np.where(angle <= -90.0, 90.0, angle))

    @property
    def fraction(self) -> float:
        """Share of the field of view that the regions hold."""
        return float(self.size.sum() / self.seen)


def regions(
    phase: ArrayLike,
    inside: ArrayLike | None = None,
    spacing: float = 1.0,
    smallest: int = 1,
    by_corners: bool = True,
) -> Regions:
    """Return the connected regions of a phase.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
        spacing: edge of a pixel.
        smallest: regions of fewer pixels are left out.
        by_corners: whether pixels that meet at a corner only hang together (8 or 26 neighbours instead of 4 or 6).

    Raises:
        InputError: as `masks.checked`.
    """
    from scipy.ndimage import generate_binary_structure, label

    mask, visible = checked(phase, inside)
    shown = mask if visible is None else mask & visible
    parts, count = label(shown, generate_binary_structure(mask.ndim, mask.ndim if by_corners else 1), output=np.int32)
    if smallest > 1 and count:
        kept = np.bincount(parts.ravel(), minlength=count + 1) >= smallest
        kept[0] = False
        parts = np.where(kept, np.cumsum(kept), 0)[parts].astype(np.int32)
    return measured(parts, visible, spacing)


def measured(labels: NDArray[np.int32], inside: Mask | None = None, spacing: float = 1.0) -> Regions:
    """Measure regions that are told apart already, such as grains or fibres.

    Args:
        labels: a whole number per region, ``[ny, nx]`` or ``[nz, ny, nx]``, 0 for none.
        inside: the pixels that count; all when ``None``.
        spacing: edge of a pixel.

    Raises:
        ShapeError: another number of dimensions.
        InputError: a spacing that is not positive.
    """
    if labels.ndim not in (2, 3):
        raise ShapeError(f"The labels have the shape {labels.shape}; [ny, nx] or [nz, ny, nx] is needed.")
    edge = checked_spacing(spacing)
    shown = labels if inside is None else np.where(inside, labels, 0)
    count, first, second = _moments(shown)
    dim = labels.ndim
    held = count > 0
    held[0] = False
    centre = first[held] / count[held, None]
    spread = second[held] / count[held, None, None] - centre[:, :, None] * centre[:, None, :] + np.eye(dim) / 12
    value, vector = np.linalg.eigh(spread)
    axes = 2 * np.sqrt((4.0 if dim == 2 else 5.0) * value[:, ::-1])
    longest = vector[:, :, -1]
    longest = np.where(_last_negative(longest)[:, None], -longest, longest)
    size = count[held].astype(np.float64)
    diameter = 2 * np.sqrt(size / np.pi) if dim == 2 else np.cbrt(6 * size / np.pi)
    seen = float(labels.size if inside is None else inside.sum())
    cut = np.zeros(len(held), dtype=bool)
    cut[_touching(shown, inside)] = True
    return Regions(
        shown, size * edge**dim, diameter * edge, centre * edge, axes * edge, longest, ~cut[held], seen * edge**dim
    )


def _last_negative(vector: Floats) -> NDArray[np.bool_]:
    last = vector[:, -1]
    flat = np.abs(last) < 1e-12
    # Straight up or down: the first component decides, so that one direction has one vector.
    return np.asarray(np.where(flat, vector[:, 0] > 0, last < 0))


def _moments(labels: NDArray[np.int32]) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Pixels ``[n + 1]`` and sums of places ``[n + 1, d]`` and of their products ``[n + 1, d, d]`` by label."""
    n, dim = int(labels.max(initial=0)) + 1, labels.ndim
    count = np.zeros(n, dtype=np.int64)
    first, second = np.zeros((n, dim)), np.zeros((n, dim, dim))
    for part in slab_ranges(labels.shape):
        slab = labels[part]
        places = np.nonzero(slab)
        which = slab[places]
        count += np.bincount(which, minlength=n)
        x = [place.astype(np.float64) for place in places]
        x[0] += part.start
        for i in range(dim):
            first[:, i] += np.bincount(which, weights=x[i], minlength=n)
            for j in range(i, dim):
                second[:, i, j] += np.bincount(which, weights=x[i] * x[j], minlength=n)
    second = np.where(np.tri(dim, k=-1, dtype=bool), second.swapaxes(1, 2), second)
    return count, first, second


def _touching(labels: NDArray[np.int32], inside: Mask | None) -> NDArray[np.int32]:
    """Labels at the edge of the image, or beside a pixel outside of the field of view."""
    faces = [np.take(labels, end, axis).ravel() for axis in range(labels.ndim) for end in (0, -1)]
    if inside is not None:
        for axis in range(labels.ndim):
            one, other = np.moveaxis(labels, axis, 0), np.moveaxis(inside, axis, 0)
            faces += [one[1:][~other[:-1]], one[:-1][~other[1:]]]
    return np.unique(np.concatenate(faces))
