"""Covariances between the outputs of a model at two sets of points.

A response that derives from a potential is a Gaussian process on the potential observed through its
gradient: ``Cov(f(x), f(z)) = d2 k(x, z) / dx dz'``, which makes every tangent symmetric
(Solak et al. 2003). An odd response adds the mirrored term: ``k(x - z) - k(x + z)`` for the outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from scalebridge.learn.radial import PROFILES

if TYPE_CHECKING:
    from torch import Tensor


class Kernel(Protocol):
    """Covariance of unit variance between outputs; ``scale [d]`` holds the inverse squared lengths."""

    def cross(self, x: Tensor, z: Tensor, scale: Tensor) -> Tensor:
        """Covariance ``[n, m, k, m]`` between ``x [n, d]`` and ``z [k, d]``."""

    def blocks(self, x: Tensor, scale: Tensor) -> Tensor:
        """Covariance ``[n, m, m]`` between the outputs at each point of ``x [n, d]``."""

    def dot(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> Tensor:
        """``cross(x, z) @ coefficients [k, m]``, ``[n, m]``, without forming the covariance."""

    def apply(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """The same with its derivative in x, ``[n, m, d]``."""


@dataclass(frozen=True)
class GradientKernel:
    """Outputs are the gradient of a potential, which is even where ``odd`` says the response is odd."""

    profile: str
    odd: bool

    def cross(self, x: Tensor, z: Tensor, scale: Tensor) -> Tensor:
        """See `Kernel.cross`; here ``m = d``."""
        total = torch.zeros((), dtype=x.dtype)
        for sign, delta in _differences(x, z, self.odd):
            total = total + sign * self._hessian(delta, scale)
        return total.permute(0, 2, 1, 3)

    def blocks(self, x: Tensor, scale: Tensor) -> Tensor:
        """See `Kernel.blocks`."""
        total = self._hessian(torch.zeros_like(x), scale)
        return total - self._hessian(2 * x, scale) if self.odd else total

    def apply(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """See `Kernel.apply`; the derivative is symmetric."""
        value, slope = torch.zeros_like(x), torch.zeros(*x.shape, x.shape[1], dtype=x.dtype)
        v, lx, (k, d) = coefficients * scale, x * scale, z.shape
        for sign, at in _mirrors(z, self.odd):
            # With u = lx - lz the sums over runs are products of matrices: nothing of size n k d is formed.
            lz = at * scale
            _, h1, h2, h3 = PROFILES[self.profile](_squares(x, at, lx, lz))
            c = lx @ coefficients.T - (lz * coefficients).sum(1)
            bent, twice = h2 * c, h3 * c
            value += sign * (-2 * h1 @ v - 4 * (lx * bent.sum(1)[:, None] - bent @ lz))
            outer = lx[:, :, None] * (h2 @ v)[:, None, :]
            outer -= (h2 @ (lz[:, :, None] * v[:, None, :]).reshape(k, d * d)).reshape(-1, d, d)
            mixed = lx[:, :, None] * (0.5 * twice.sum(1)[:, None] * lx - twice @ lz)[:, None, :]
            square = (twice @ (lz[:, :, None] * lz[:, None, :]).reshape(k, d * d)).reshape(-1, d, d)
            slope += sign * (
                -4 * (outer + outer.transpose(1, 2))
                - 8 * (mixed + mixed.transpose(1, 2) + square)
                - 4 * bent.sum(1)[:, None, None] * torch.diag(scale)
            )
        return value, slope

    def dot(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> Tensor:
        """See `Kernel.dot`."""
        value, v, lx = torch.zeros_like(x), coefficients * scale, x * scale
        for sign, at in _mirrors(z, self.odd):
            lz = at * scale
            _, h1, h2, _ = PROFILES[self.profile](_squares(x, at, lx, lz))
            bent = h2 * (lx @ coefficients.T - (lz * coefficients).sum(1))
            value += sign * (-2 * h1 @ v - 4 * (lx * bent.sum(1)[:, None] - bent @ lz))
        return value

    def _hessian(self, delta: Tensor, scale: Tensor) -> Tensor:
        """``-2 h' L - 4 h'' (L delta)(L delta)'`` for ``delta [..., d]``."""
        u = delta * scale
        _, h1, h2, _ = PROFILES[self.profile]((u * delta).sum(-1))
        return -2 * h1[..., None, None] * torch.diag(scale) - 4 * h2[..., None, None] * (
            u[..., :, None] * u[..., None, :]
        )


@dataclass(frozen=True)
class SeparableKernel:
    """Independent outputs with one covariance of the inputs between them."""

    profile: str
    odd: bool
    outputs: int

    def cross(self, x: Tensor, z: Tensor, scale: Tensor) -> Tensor:
        """See `Kernel.cross`."""
        total = torch.zeros((), dtype=x.dtype)
        for sign, delta in _differences(x, z, self.odd):
            total = total + sign * PROFILES[self.profile]((delta * delta * scale).sum(-1))[0]
        return torch.einsum("nk,ab->nakb", total, torch.eye(self.outputs, dtype=x.dtype))

    def blocks(self, x: Tensor, scale: Tensor) -> Tensor:
        """See `Kernel.blocks`."""
        variance = torch.ones(len(x), dtype=x.dtype)
        if self.odd:
            variance = variance - PROFILES[self.profile]((4 * x * x * scale).sum(-1))[0]
        return variance[:, None, None] * torch.eye(self.outputs, dtype=x.dtype)

    def dot(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> Tensor:
        """See `Kernel.dot`."""
        value = torch.zeros(len(x), self.outputs, dtype=x.dtype)
        for sign, delta in _differences(x, z, self.odd):
            value += sign * PROFILES[self.profile]((delta * delta * scale).sum(-1))[0] @ coefficients
        return value

    def apply(self, x: Tensor, z: Tensor, scale: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """See `Kernel.apply`."""
        m = self.outputs
        value, slope = torch.zeros(len(x), m, dtype=x.dtype), torch.zeros(len(x), m, x.shape[1], dtype=x.dtype)
        for sign, delta in _differences(x, z, self.odd):
            h, h1, _, _ = PROFILES[self.profile]((delta * delta * scale).sum(-1))
            value += sign * h @ coefficients
            slope += sign * torch.einsum("nkd,km->nmd", 2 * h1[..., None] * delta * scale, coefficients)
        return value, slope


def _differences(x: Tensor, z: Tensor, odd: bool) -> Iterator[tuple[int, Tensor]]:
    yield 1, x[:, None, :] - z[None, :, :]
    if odd:
        yield -1, x[:, None, :] + z[None, :, :]


def _mirrors(z: Tensor, odd: bool) -> Iterator[tuple[int, Tensor]]:
    yield 1, z
    if odd:
        yield -1, -z


def _squares(x: Tensor, z: Tensor, lx: Tensor, lz: Tensor) -> Tensor:
    """Squared scaled distances ``[n, k]``; ``lx``, ``lz`` are the points times the scale."""
    return ((lx * x).sum(1)[:, None] + (lz * z).sum(1) - 2 * lx @ z.T).clamp_min(0.0)
