"""Willot's rotated scheme in plane strain: one strain per pixel from the displacements of its corners.

The derivative along each diagonal of a pixel is a central difference; strains follow by rotation
by 45 degrees. It equals bilinear quadrilaterals with one integration point (HEX8R in 3-D), so the discrete
problem is a minimisation and needs no filter. Source: F. Willot, C. R. Mecanique 343 (2015) 232-245.

Displacements ``[b, 2, ny, nx]`` are periodic fluctuations in units of the pixel; component 0 and axis 1 of
the strain run along the columns (the last axis), component 1 and axis 2 along the rows. The corner
``(i, j)`` is the first of pixel ``(i, j)``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The stencil works with g = (2 e11, 2 e22, 2 sqrt2 * (sqrt2 e12)), which needs sums and differences only.
STRAIN_FACTORS = (0.5, 0.5, 0.5 / math.sqrt(2.0))


class RotatedStencil:
    """Gradient and divergence on a periodic grid, with work arrays kept between calls.

    Fresh temporaries of this size would be mapped and page-faulted at every operation.

    Args:
        b: rows of a batch.
        shape: ``(ny, nx)``.
        device: where the arrays live.
    """

    def __init__(self, b: int, shape: tuple[int, int], device: torch.device) -> None:
        ny, nx = shape
        self.shape = shape
        self._padded = torch.zeros((b, 2, ny + 1, nx + 1), dtype=torch.float64, device=device)
        self._diagonals = torch.zeros((b, 2, 2, ny, nx), dtype=torch.float64, device=device)
        self._fluxes = torch.zeros((b, 2, 2, ny + 1, nx + 1), dtype=torch.float64, device=device)
        self._sum = torch.zeros((b, ny, nx), dtype=torch.float64, device=device)

    def gradient(self, u: Tensor, out: Tensor) -> Tensor:
        """Write ``g [b, 3, ny, nx]`` of ``u [b, 2, ny, nx]`` to ``out``; strain = STRAIN_FACTORS * g."""
        padded, (first, second) = self._padded, self._diagonals.unbind(1)
        padded[..., :-1, :-1] = u
        padded[..., -1, :-1] = u[..., 0, :]
        padded[..., :-1, -1] = u[..., :, 0]
        padded[..., -1, -1] = u[..., 0, 0]
        torch.sub(padded[..., 1:, 1:], padded[..., :-1, :-1], out=first)
        torch.sub(padded[..., :-1, 1:], padded[..., 1:, :-1], out=second)
        torch.add(first[:, 0], second[:, 0], out=out[:, 0])
        torch.sub(first[:, 1], second[:, 1], out=out[:, 1])
        torch.sub(first[:, 0], second[:, 0], out=out[:, 2])
        torch.add(first[:, 1], second[:, 1], out=self._sum)
        out[:, 2] += self._sum
        return out

    def divergence(self, t: Tensor, out: Tensor) -> Tensor:
        """Write the adjoint of `gradient`, ``[b, 2, ny, nx]`` of ``t [b, 3, ny, nx]``, to ``out``.

        With ``t = STRAIN_FACTORS * stress`` it is the nodal force (minus the divergence of the stress).
        """
        first, second = self._fluxes.unbind(1)
        torch.add(t[:, 0], t[:, 2], out=first[:, 0, 1:, 1:])
        torch.add(t[:, 2], t[:, 1], out=first[:, 1, 1:, 1:])
        torch.sub(t[:, 0], t[:, 2], out=second[:, 0, 1:, 1:])
        torch.sub(t[:, 2], t[:, 1], out=second[:, 1, 1:, 1:])
        self._fluxes[..., 0, 1:] = self._fluxes[..., -1, 1:]
        self._fluxes[..., :, 0] = self._fluxes[..., :, -1]
        torch.sub(first[..., :-1, :-1], first[..., 1:, 1:], out=out)
        out += second[..., 1:, :-1]
        out -= second[..., :-1, 1:]
        return out


def symbol(shape: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Fourier symbols of d/dx and d/dy up to one common phase, each ``[ny, nx//2 + 1]``, real.

    Both vanish at zero frequency and, where ny and nx are even, at the double Nyquist frequency: the
    checkerboard (hourglass) displacement, which strains no pixel.
    """
    ny, nx = shape
    half_y = math.pi * torch.fft.fftfreq(ny, dtype=torch.float64, device=device)[:, None]
    half_x = math.pi * torch.fft.rfftfreq(nx, dtype=torch.float64, device=device)[None, :]
    # sin(pi/2) * cos(pi/2) is 6e-17 in floating point; the null modes must be exact to be left out.
    cos_y, cos_x = _cosine(half_y), _cosine(half_x)
    return 2.0 * torch.sin(half_x) * cos_y, 2.0 * cos_x * torch.sin(half_y)


def _cosine(angle: Tensor) -> Tensor:
    cosine = torch.cos(angle)
    return cosine.masked_fill(cosine.abs() < 1e-14, 0.0)
