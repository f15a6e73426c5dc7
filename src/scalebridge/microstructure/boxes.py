"""Boxes cut out of a volume, and how its phases scatter among them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.volume import Volume


@dataclass(frozen=True, eq=False)
class Scatter:
    """How the volume fractions of boxes of one size scatter.

    Attributes:
        size: voxels on a side.
        whole: fraction of each phase in the whole volume, ``[phases]``.
        fractions: of each box, ``[boxes, phases]``.
        std: their standard deviation, ``[phases]``: what one box does not know of the volume.
        correlation_length: side in voxels of the cube that counts as one independent draw, by phase ``[phases]``
            (the cube root of Matheron's integral range; Kanit et al. 2003): Var = f (1 - f) A / V.
    """

    size: int
    whole: NDArray[np.float64]
    fractions: NDArray[np.float64]
    std: NDArray[np.float64]
    correlation_length: NDArray[np.float64]

    def boxes_needed(self, precision: float = 0.02) -> int:
        """Return how many boxes know every fraction to this relative deviation, by their mean.

        Raises:
            InputError: a precision that is not positive.
        """
        if not (np.isfinite(precision) and precision > 0):
            raise InputError(f"The precision of the fraction is {precision}; it must be positive, as in 0.02.")
        held = self.whole > 0
        return max(1, int(np.ceil(((self.std[held] / (precision * self.whole[held])) ** 2).max())))

    def describe(self) -> str:
        """Say in one sentence how much one box knows."""
        told = ", ".join(f"{f:.4f} ± {s:.4f}" for f, s in zip(self.whole, self.std, strict=True))
        return (
            f"{len(self.fractions)} boxes of {self.size} voxels on a side know the fractions to {told} (one deviation)."
        )


def subvolumes(volume: Volume, size: int, count: int | None = None, seed: int = 0) -> list[Volume]:
    """Cut cubes out of a volume; views, nothing is copied.

    Args:
        volume: grey values or labels.
        size: voxels on a side.
        count: so many cubes at random places, which may overlap; ``None`` for a grid of cubes that do not.
        seed: of the random places.

    Raises:
        InputError: a size that does not fit, or a count below 1.
    """
    if not 1 <= size <= min(volume.shape):
        raise InputError(
            f"A cube of {size} voxels was asked for in the volume '{volume.source}' of {volume.shape} voxels; its size "
            f"may go from 1 to {min(volume.shape)}."
        )
    if count is None:
        # What the grid leaves over is shared between both sides.
        steps = [range((n % size) // 2, n - size + 1, size) for n in volume.shape]
        return [volume.crop(corner, size) for corner in itertools.product(*steps)]
    if count < 1:
        raise InputError(f"{count} cubes were asked for; at least 1 is needed.")
    room = [n - size + 1 for n in volume.shape]
    corners = np.random.default_rng(seed).integers(0, room, (count, 3))
    return [volume.crop([int(k) for k in corner], size) for corner in corners]


def scatter(volume: Volume, size: int, count: int | None = None, seed: int = 0) -> Scatter:
    """Return how the fractions of the phases scatter among cubes of ``size`` voxels.

    With cubes that overlap (``count``) the deviation is underestimated where they share much of the volume; so it is
    with few cubes. Args and errors as `subvolumes`, and of `Volume.labels`.

    Raises:
        InputError: also fewer than two cubes: one has no scatter.
    """
    labels = Volume(volume.labels(), volume.voxel_size, volume.source)
    whole = labels.fractions
    boxes = subvolumes(labels, size, count, seed)
    if len(boxes) < 2:
        raise InputError(
            f"One cube of {size} voxels fits into the volume '{volume.source}' of {volume.shape} voxels, and one has "
            "no scatter; take a smaller size."
        )
    found = np.array([np.bincount(box.values.ravel(), minlength=len(whole)) / box.values.size for box in boxes])
    std = found.std(axis=0, ddof=1)
    spread = np.where(whole * (1 - whole) > 0, whole * (1 - whole), 1.0)
    return Scatter(size, whole, found, std, np.cbrt(std**2 * size**3 / spread))
