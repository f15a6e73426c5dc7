"""The periodic grid of voxels of an RVE."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """Voxels of a periodic cell; ``(ny, nx)`` or ``(nz, ny, nx)``: x, direction 1, runs along the last axis.

    Args:
        shape: voxels along each axis; any numbers, odd, even or 1.
        spacing: edge of a voxel along each axis, in the order of ``shape``; only ratios matter to effective
            properties.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @property
    def dim(self) -> int:
        """2 or 3."""
        return len(self.shape)

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def half(self) -> tuple[int, ...]:
        """Shape of the spectrum of a real field."""
        return (*self.shape[:-1], self.shape[-1] // 2 + 1)

    @property
    def axes(self) -> tuple[int, ...]:
        """Trailing axes of a field, for torch."""
        return tuple(range(-self.dim, 0))
