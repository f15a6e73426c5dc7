"""The homogeneous isotropic reference medium that preconditions the discrete equilibrium."""

from __future__ import annotations

import torch
from torch import Tensor

from scalebridge.micro.rve.rotated import symbol


class ReferenceMedium:
    """Exact inverse of the discrete equilibrium of a homogeneous isotropic medium, by two-dimensional FFT.

    Its Poisson's ratio matters (the phases' own when they agree); a common factor of its moduli does not.

    Args:
        lame: lambda and mu in Pa.
        b: rows of a batch.
        shape: ``(ny, nx)``.
        device: where the arrays live.
    """

    def __init__(self, lame: tuple[float, float], b: int, shape: tuple[int, int], device: torch.device) -> None:
        ny, nx = shape
        self.lame = lame
        self.shape = shape
        # One real 2 x 2 matrix per frequency.
        self.inverse = _inverse(lame, shape, device)
        # Written out for real and imaginary part: a broadcast last axis of two is not vectorised.
        self._inverse = self.inverse[..., None].expand(*self.inverse.shape, 2).contiguous()
        spectrum = (b, 2, ny, nx // 2 + 1)
        self._force = torch.zeros(spectrum, dtype=torch.complex128, device=device)
        self._solution = torch.zeros(spectrum, dtype=torch.complex128, device=device)

    def solve(self, force: Tensor, out: Tensor) -> Tensor:
        """Write the displacement ``[b, 2, ny, nx]`` under the nodal ``force [b, 2, ny, nx]`` to ``out``."""
        torch.fft.rfft2(force, out=self._force)
        given, found = torch.view_as_real(self._force), torch.view_as_real(self._solution)
        torch.mul(self._inverse[0], given[:, :1], out=found)
        found.addcmul_(self._inverse[1], given[:, 1:])
        torch.fft.irfft2(self._solution, s=self.shape, out=out)
        return out

    def stress_norm(self, stress: Tensor) -> Tensor:
        """Root mean square of ``stress [b, 3, ny, nx]`` in the reference's compliance, ``[b]``.

        In this norm the residual of equilibrium is the part of the stress that is out of balance.
        """
        lam, mu = self.lame
        trace = stress[:, 0] + stress[:, 1]
        squares = (stress * stress).sum(1) - trace * trace * (lam / (2.0 * (lam + mu)))
        return (squares.mean((-2, -1)) / (2.0 * mu)).sqrt()


def _inverse(lame: tuple[float, float], shape: tuple[int, int], device: torch.device) -> Tensor:
    lam, mu = lame
    dx, dy = symbol(shape, device)
    square = dx * dx + dy * dy
    null = square == 0.0
    square = square.masked_fill(null, 1.0)
    bend = (lam + mu) / (lam + 2.0 * mu) / square
    matrix = torch.stack(
        [torch.stack([1.0 - bend * dx * dx, -bend * dx * dy]), torch.stack([-bend * dx * dy, 1.0 - bend * dy * dy])]
    )
    return (matrix / (mu * square)).masked_fill(null, 0.0)
