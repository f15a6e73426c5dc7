"""Moulinec and Suquet's discretisation: trigonometric polynomials collocated at one point per voxel.

Field and gradient live at the same points. Spectrally accurate where the moduli are smooth; it rings at jumps and
does not converge for infinite contrast. At the Nyquist frequency of an even axis the derivative along that axis is
zero: the interpolating polynomial with real values has none there.
Source: H. Moulinec, P. Suquet, Comput. Methods Appl. Mech. Engrg. 157 (1998) 69-94.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, final

import torch

from scalebridge.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor

    from scalebridge.micro.rve.grid import Grid


@final
class MoulinecSuquet:
    """Fourier collocation, one point per voxel; arguments as in `Discretisation`."""

    def __init__(self, grid: Grid, b: int, c: int, device: torch.device, dtype: torch.dtype) -> None:
        self.grid = grid
        self.points = 1
        self._shape = (b, c, *grid.shape)
        complex_ = dtype.to_complex()
        symbols = [1j * k.to(device=device) for k in _frequencies(grid)]
        self._derivatives = [k.to(complex_) for k in symbols]
        self._adjoints = [-k for k in self._derivatives]
        # torch's transforms make temporaries of the size of what they are given: on a CPU, one component at a time.
        self._rows = 1 if device.type == "cpu" else b
        self._spectrum, self._product = (
            torch.zeros((self._rows, *grid.half), dtype=complex_, device=device) for _ in range(2)
        )

    def gradient(self, u: Tensor, out: Tensor) -> Tensor:
        """Write the gradient ``[b, 1, c, d, *grid]`` of ``u [b, c, *grid]`` to ``out``.

        Raises:
            ShapeError: fields that are not of the shape this was made for.
        """
        self._check(u, out)
        axes = self.grid.axes
        for rows, i in self._parts():
            torch.fft.rfftn(u[rows, i], dim=axes, out=self._spectrum)
            for j, derivative in enumerate(self._derivatives):
                torch.mul(self._spectrum, derivative, out=self._product)
                torch.fft.irfftn(self._product, s=self.grid.shape, dim=axes, out=out[rows, 0, i, j])
        return out

    def divergence(self, flux: Tensor, out: Tensor) -> Tensor:
        """Write the adjoint of `gradient`, ``[b, c, *grid]`` of ``flux [b, 1, c, d, *grid]``, to ``out``.

        Raises:
            ShapeError: fields that are not of the shape this was made for.
        """
        self._check(out, flux)
        axes = self.grid.axes
        for rows, i in self._parts():
            self._product.zero_()
            for j, adjoint in enumerate(self._adjoints):
                torch.fft.rfftn(flux[rows, 0, i, j], dim=axes, out=self._spectrum)
                self._product.addcmul_(self._spectrum, adjoint)
            torch.fft.irfftn(self._product, s=self.grid.shape, dim=axes, out=out[rows, i])
        return out

    def metric(self) -> Tensor:
        """Return ``[d, d, *half]``, float64: ``k_j k_l`` with ``k = 2 pi xi / h``, on the CPU."""
        d = self.grid.dim
        k = _frequencies(self.grid)
        metric = torch.empty((d, d, *self.grid.half), dtype=torch.float64)
        for i, j in itertools.product(range(d), repeat=2):
            metric[i, j] = k[i] * k[j]
        return metric

    def _parts(self) -> list[tuple[slice, int]]:
        b, c, *_ = self._shape
        return [(slice(r, r + self._rows), i) for r in range(0, b, self._rows) for i in range(c)]

    def _check(self, field: Tensor, gradient: Tensor) -> None:
        b, c, *shape = self._shape
        wanted = (b, 1, c, self.grid.dim, *shape)
        if tuple(field.shape) != self._shape or tuple(gradient.shape) != wanted:
            raise ShapeError(
                f"A discretisation made for fields {self._shape} and gradients {wanted} was given a field "
                f"{tuple(field.shape)} and a gradient {tuple(gradient.shape)}; make one for these."
            )


def _frequencies(grid: Grid) -> list[Tensor]:
    """Return 2 pi xi / h per direction (x first), each along its own axis of the spectrum, float64."""
    found = []
    for axis, (n, h) in enumerate(zip(grid.shape, grid.spacing, strict=True)):
        frequency = torch.fft.rfftfreq if axis == grid.dim - 1 else torch.fft.fftfreq
        k = (2.0 * math.pi / h) * frequency(n, dtype=torch.float64)
        if n % 2 == 0:
            k[n // 2] = 0.0
        found.append(k.view([-1 if a == axis else 1 for a in range(grid.dim)]))
    return found[::-1]
