"""Willot's rotated scheme: one point per voxel, trilinear hexahedra with reduced integration (HEX8R).

The derivative along an axis is the difference along it of the averages over the others; in 2-D these are the
central differences along the diagonals of a pixel, rotated by 45 degrees. The discrete problem is a minimisation
and needs no filter. On even axes it has hourglass modes, which strain nothing and load nothing.
Source: F. Willot, C. R. Mecanique 343 (2015) 232-245; Schneider, Merkert, Kabel, IJNME 109 (2017) 1461-1489.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from scalebridge.micro.rve.discretisations.multilinear import Multilinear

if TYPE_CHECKING:
    import torch

    from scalebridge.micro.rve.grid import Grid


@final
class Rotated(Multilinear):
    """Multilinear elements with one point in the middle of each voxel; arguments as in `Discretisation`."""

    def __init__(self, grid: Grid, b: int, c: int, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(grid, b, c, device, dtype, abscissae=(0.5,))
