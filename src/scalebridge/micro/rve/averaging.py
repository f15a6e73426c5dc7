"""Averaging of a field over a length on the periodic cell: the implicit gradient (Helmholtz) equation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from scalebridge.errors import InputError, ShapeError

if TYPE_CHECKING:
    from torch import Tensor

    from scalebridge.micro.rve.grid import Grid


class HelmholtzAverage:
    """Solve ``e - length^2 laplace(e) = e_local`` on the periodic grid, exactly and in one pair of FFTs.

    The Laplacian is the second-order difference of a voxel and its 2 d neighbours. Its inverse is an average:
    weights are positive and add up to one, so the mean is preserved and ``e`` never leaves the range of
    ``e_local`` - which the Laplacian of trigonometric interpolation does not keep at the jumps between voxels,
    and damage driven by a strain below the smallest one would be an artefact. The operator is its own adjoint.
    Error of order (voxel / length)^2: let the length span two voxels or more.

    Source: Peerlings, de Borst, Brekelmans and de Vree 1996 (implicit gradient enhancement).

    Args:
        grid: voxels and their spacing.
        length: internal length, in the unit of ``grid.spacing``; 0 changes nothing.
        device: where the fields live.
        dtype: ``torch.float64`` or ``torch.float32``.

    Raises:
        InputError: a length that is negative or not finite.
    """

    def __init__(self, grid: Grid, length: float, device: torch.device | str, dtype: torch.dtype) -> None:
        if not (math.isfinite(length) and length >= 0.0):
            raise InputError(f"The averaging length is {length}; it must be zero or a positive finite number.")
        self.grid = grid
        self.length = float(length)
        symbol = torch.ones(grid.half, dtype=torch.float64)
        for axis, (n, h) in enumerate(zip(grid.shape, grid.spacing, strict=True)):
            waves = torch.arange(grid.half[axis], dtype=torch.float64)
            rise = (2.0 * length / h * torch.sin(math.pi * waves / n)) ** 2
            symbol += rise.reshape([-1 if a == axis else 1 for a in range(grid.dim)])
        self._inverse = (1.0 / symbol).to(device=device, dtype=dtype)

    def __call__(self, field: Tensor) -> Tensor:
        """Return the average ``[b, *grid]`` of ``field [b, *grid]``, in its unit; differentiable.

        Raises:
            ShapeError: a field on another grid.
        """
        if field.ndim != self.grid.dim + 1 or field.shape[1:] != self.grid.shape:
            raise ShapeError(
                f"The field to average has shape {list(field.shape)}; it must be [b, *grid] = "
                f"[b, {', '.join(map(str, self.grid.shape))}]."
            )
        axes = self.grid.axes
        spectrum = torch.fft.rfftn(field, dim=axes) * self._inverse
        average: Tensor = torch.fft.irfftn(spectrum, s=self.grid.shape, dim=axes)
        return average
