r"""Local thickness and granulometry: how wide the places of a phase are.

The local thickness of a point is the diameter of the largest ball within the phase that holds it (Hildebrand and
Rueegsegger, J. Microsc. 185 (1997) 67); the share of the phase below a thickness is its granulometry, the pore-size
distribution of an opening (Matheron 1975; Serra 1982). A ball of radius r about x lies in the phase where the distance
at x is at least r; the union of such balls is a dilation, hence another distance map, needed to the distance r only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.distance_maps import dilated, squared_distances
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked, checked_spacing


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
    phase: ArrayLike, inside: ArrayLike | None = None, radii: int | Sequence[float] = 25
) -> NDArray[np.float32]:
    """Return the diameter in pixels of the largest ball of the phase that holds each pixel, ``[*grid]``, 0 elsewhere.

    Beyond the image and the field of view the phase is taken to go on.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
        radii: radii of the balls in pixels, or how many to take, spread by equal ratios up to the largest that fits.

    Raises:
        InputError: as `masks.checked`; radii that are not positive.
    """
    mask, visible = checked(phase, inside)
    # What is not seen is no wall.
    squares = squared_distances(mask if visible is None else mask | ~visible)
    if visible is not None:
        squares = np.where(visible, squares, 0)
    found = np.zeros(mask.shape, dtype=np.float32)
    for radius in _radii(radii, float(np.sqrt(squares.max()))):
        core = squares >= radius**2
        if core.any():
            found[dilated(core, radius)] = 2 * radius
    found[~mask if visible is None else ~(mask & visible)] = 0.0
    return found


def granulometry(
    phase: ArrayLike,
    inside: ArrayLike | None = None,
    spacing: float = 1.0,
    radii: int | Sequence[float] = 25,
) -> Granulometry:
    """Return the size distribution of a phase from its local thickness; args and errors as `local_thickness`.

    Raises:
        InputError: also a phase without pixels.
    """
    edge = checked_spacing(spacing)
    thickness = local_thickness(phase, inside, radii)
    held = thickness[thickness > 0]
    if held.size == 0:
        raise InputError("The phase has no pixel inside of the field of view, hence no sizes.")
    size, count = np.unique(held, return_counts=True)
    share = np.cumsum(count[::-1])[::-1] / held.size
    sizes = size.astype(np.float64)
    mean = float(sizes @ count / held.size)
    std = float(np.sqrt((sizes - mean) ** 2 @ count / held.size))
    return Granulometry(sizes * edge, share, mean * edge, std * edge, float(sizes[-1]) * edge)


def opened(phase: Mask, radius: float) -> Mask:
    """Return the places of a phase that a ball of this radius in pixels reaches, ``[*grid]``."""
    core = squared_distances(phase, max(1, int(np.ceil(radius)))) >= radius**2
    return dilated(core, radius) if core.any() else core


def _radii(radii: int | Sequence[float], largest: float) -> Floats:
    """Rising, so that larger balls overwrite smaller ones."""
    if isinstance(radii, int):
        if radii < 1:
            raise InputError(f"{radii} sizes were asked for; give at least 1.")
        return np.unique(np.geomspace(1.0, max(largest, 1.0), radii))
    given = np.unique(np.asarray(radii, dtype=np.float64))
    if given.ndim != 1 or given.size == 0 or not np.isfinite(given).all() or given[0] <= 0:
        raise InputError(f"The radii are {radii!r}; give positive numbers of pixels.")
    return given
