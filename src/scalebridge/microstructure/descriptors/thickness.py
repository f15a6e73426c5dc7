r"""Local thickness and granulometry: how wide the places of a phase are.

The local thickness of a point is the diameter of the largest ball within the phase that holds it (Hildebrand and
Rueegsegger, J. Microsc. 185 (1997) 67); the share of the phase below a thickness is its granulometry, the pore-size
distribution of an opening (Matheron 1975; Serra 1982). A ball of radius r about x lies in the phase where the distance
at x is at least r; the union of such balls is a dilation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.dilation import dilated
from scalebridge.microstructure.descriptors.distance_maps import squared_distances
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked, checked_spacing, slab_ranges

STEP = 1.05
"""Ratio of successive radii where none are given: thicknesses are rounded down, by half of this step on average."""


@dataclass(frozen=True, eq=False)
class Granulometry:
    """Sizes of a phase.

    Attributes:
        size: diameters of balls, ascending, ``[n]``.
        share: share of the phase that balls of this diameter or more cover, ``[n]``, falling.
        mean: mean local thickness.
        std: standard deviation of the local thickness over the phase.
        largest: diameter of the largest ball.
    """

    size: Floats
    share: Floats
    mean: float
    std: float
    largest: float


def local_thickness(
    phase: ArrayLike, inside: ArrayLike | None = None, radii: int | Sequence[float] | None = 25
) -> NDArray[np.float32]:
    """Return the diameter in pixels of the largest ball of the phase that holds each pixel, ``[*grid]``, 0 elsewhere.

    Beyond the image and the field of view the phase is taken to go on.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
        radii: radii of the balls in pixels, or how many to take, spread by equal ratios up to the largest that fits;
            ``None`` for as many as ratios of `STEP` need.

    Raises:
        InputError: as `masks.checked`; radii that are not positive.
    """
    mask, visible = checked(phase, inside)
    number, balls = _largest_balls(mask, visible, radii)
    return np.asarray((2 * balls).astype(np.float32)[number])


def granulometry(
    phase: ArrayLike,
    inside: ArrayLike | None = None,
    spacing: float = 1.0,
    radii: int | Sequence[float] | None = 25,
) -> Granulometry:
    """Return the size distribution of a phase from its local thickness; args and errors as `local_thickness`.

    Raises:
        InputError: also a phase without pixels.
    """
    edge = checked_spacing(spacing)
    mask, visible = checked(phase, inside)
    number, balls = _largest_balls(mask, visible, radii)
    slabs = [np.bincount(number[part].ravel(), minlength=balls.size) for part in slab_ranges(number.shape)]
    count = np.sum(slabs, axis=0)[1:]
    total = float(count.sum())
    if not total:
        raise InputError("The phase has no pixel inside of the field of view that a ball reaches, hence no sizes.")
    size = 2 * edge * balls[1:]
    share = np.cumsum(count[::-1])[::-1] / total
    mean = float(size @ count / total)
    std = float(np.sqrt((size - mean) ** 2 @ count / total))
    held = count > 0
    return Granulometry(size[held], share[held], mean, std, float(size[held][-1]))


def opened(phase: Mask, radius: float) -> Mask:
    """Return the places of a phase that a ball of this radius in pixels reaches, ``[*grid]``."""
    core = squared_distances(phase, max(1, math.ceil(radius))) >= math.ceil(radius**2)
    return dilated(core, radius) if core.any() else core


def _largest_balls(
    mask: Mask, visible: Mask | None, radii: int | Sequence[float] | None
) -> tuple[NDArray[np.integer[Any]], Floats]:
    """Number of the largest ball that holds each pixel ``[*grid]``, 0 for none, and the radius of each ``[1 + n]``."""
    # What is not seen is no wall.
    squares = squared_distances(mask if visible is None else mask | ~visible)
    if visible is not None:
        squares = np.where(visible, squares, 0).astype(squares.dtype)
    balls = _radii(radii, float(np.sqrt(squares.max())))
    found = np.zeros(mask.shape, dtype=np.min_scalar_type(balls.size))
    for k, radius in enumerate(balls, start=1):
        core = squares >= math.ceil(radius**2)
        if not core.any():
            break
        np.copyto(found, found.dtype.type(k), where=dilated(core, radius))
    np.copyto(found, found.dtype.type(0), where=~mask if visible is None else ~(mask & visible))
    return found, np.concatenate([[0.0], balls])


def _radii(radii: int | Sequence[float] | None, largest: float) -> Floats:
    """Rising, so that larger balls overwrite smaller ones."""
    if radii is None:
        radii = 1 + math.ceil(math.log(max(largest, 1.0)) / math.log(STEP))
    if isinstance(radii, int):
        if radii < 1:
            raise InputError(f"{radii} sizes were asked for; give at least 1.")
        return np.unique(np.geomspace(1.0, max(largest, 1.0), radii))
    given = np.unique(np.asarray(radii, dtype=np.float64))
    if given.ndim != 1 or given.size == 0 or not np.isfinite(given).all() or given[0] <= 0:
        raise InputError(f"The radii are {radii!r}; give positive numbers of pixels.")
    return given
