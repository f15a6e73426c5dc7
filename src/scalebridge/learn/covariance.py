"""The covariance of one output: smooth in all inputs together, a sum over single inputs, a linear trend, a level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from scalebridge.learn.radial import PROFILES

if TYPE_CHECKING:
    from torch import Tensor

# Rows of one block of points: temporaries of all inputs apart stay small.
ROWS = 1024


@dataclass(frozen=True)
class Covariance:
    """``k(x, z) = v h(|x - z|) + a/d sum_i h(|x_i - z_i|) + b x.z + level``, lengths apart for both.

    The trend is part of the process (a proper form of universal kriging), so that its own uncertainty is told. The
    sum over single inputs learns from few runs what acts alone (Duvenaud, Nickisch and Rasmussen 2011). Where the
    response is odd, ``h(x - z) - h(x + z)`` stands for ``h(x - z)`` and there is no level.

    Args:
        profile: name of ``h`` in `scalebridge.learn.radial`.
        odd: whether the response is.
        scale: inverse squared lengths ``[d]``.
        variance: v, a number.
        alone: inverse squared lengths ``[d]`` of the sum over single inputs.
        alone_variance: a, a number; zero leaves that sum out.
        slope: b, a number.
        level: a number.
    """

    profile: str
    odd: bool
    scale: Tensor
    variance: Tensor
    alone: Tensor
    alone_variance: Tensor
    slope: Tensor
    level: Tensor

    @property
    def additive(self) -> bool:
        """Whether there is a sum over single inputs."""
        return bool(self.alone_variance > 0)

    @property
    def total(self) -> Tensor:
        """Variance of what is smooth."""
        return self.variance + self.alone_variance

    def between(self, x: Tensor, z: Tensor) -> Tensor:
        """Covariance ``[n, k]`` of ``x [n, d]`` with ``z [k, d]``."""
        total = self.slope * (x @ z.T) + self.level
        root = self.scale.sqrt()
        for sign, mirrored in self._mirrors(z):
            total = total + sign * self.variance * self._h(squares(x * root, mirrored * root))
            if self.additive:
                apart = (x[:, None, :] - mirrored[None, :, :]).square() * self.alone
                total = total + sign * self.alone_variance / len(self.scale) * self._h(apart).sum(-1)
        return total

    def diagonal(self, x: Tensor) -> Tensor:
        """Variance ``[n]`` at each point."""
        total = self.slope * x.square().sum(1) + self.level + self.total
        if self.odd:
            total = total - self.variance * self._h(4 * (x.square() @ self.scale))
            if self.additive:
                mean = self._h(4 * x.square() * self.alone).mean(1)
                total = total - self.alone_variance * mean
        return total

    def dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """``between(x, z) @ weights`` for ``weights [k]`` or ``[k, q]``, in blocks of rows."""
        return torch.cat([self.between(rows, z) @ weights for rows in x.split(ROWS)])

    def apply(self, x: Tensor, z: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """``between(x, z) @ coefficients`` for ``coefficients [k]``, ``[n]``, and its derivative ``[n, d]``."""
        parts = [self._applied(rows, z, coefficients) for rows in x.split(ROWS)]
        return torch.cat([value for value, _ in parts]), torch.cat([slope for _, slope in parts])

    def _applied(self, x: Tensor, z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        trend = self.slope * (c @ z)
        value, slope = x @ trend + self.level * c.sum(), trend.expand_as(x)
        root = self.scale.sqrt()
        for sign, mirrored in self._mirrors(z):
            h, h1, _, _ = PROFILES[self.profile](squares(x * root, mirrored * root))
            value = value + sign * self.variance * (h @ c)
            pull = x * (h1 @ c)[:, None] - h1 @ (c[:, None] * mirrored)
            slope = slope + 2 * sign * self.variance * self.scale * pull
            if self.additive:
                delta = x[:, None, :] - mirrored[None, :, :]
                h, h1, _, _ = PROFILES[self.profile](delta.square() * self.alone)
                factor = sign * self.alone_variance / len(self.scale)
                value = value + factor * torch.einsum("nkd,k->n", h, c)
                slope = slope + 2 * factor * self.alone * torch.einsum("nkd,k->nd", h1 * delta, c)
        return value, slope

    @property
    def bend(self) -> Tensor:
        """Variance ``[d]`` of the slopes of what is smooth, the sum over single inputs left out."""
        return -2 * self.variance * self._profile(torch.zeros_like(self.variance))[1] * self.scale

    def observed(self, x: Tensor, points: Tensor, bent: Tensor) -> Tensor:
        """Covariance ``[n, b + c d]`` of values at ``x`` with those at ``points [b, d]`` and slopes at ``bent [c, d]``.

        Slopes are those in all inputs at one point, then at the next (Solak et al. 2003). A sum over single inputs has
        no part in them.
        """
        values = self.between(x, points)
        return torch.cat([values, self._sloped(x, bent)], dim=1) if len(bent) else values

    def joint(self, points: Tensor, bent: Tensor) -> Tensor:
        """Covariance ``[b + c d, b + c d]`` of the values at ``points [b, d]`` and the slopes at ``bent [c, d]``."""
        values = self.observed(points, points, bent)
        if not len(bent):
            return values
        return torch.cat([values, torch.cat([values[:, len(points) :].T, self._bent(bent)], dim=1)])

    def told(self, x: Tensor, points: Tensor, bent: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """``observed(x, points, bent) @ coefficients``, ``[n]``, and its derivative ``[n, d]``."""
        value, slope = self.apply(x, points, coefficients[: len(points)])
        if not len(bent):
            return value, slope
        parts = [self._told(rows, bent, coefficients[len(points) :].reshape(bent.shape)) for rows in x.split(ROWS)]
        return value + torch.cat([v for v, _ in parts]), slope + torch.cat([s for _, s in parts])

    def _sloped(self, x: Tensor, bent: Tensor) -> Tensor:
        total = self.slope * x[:, None, :].expand(-1, len(bent), -1)
        for _, mirrored in self._mirrors(bent):
            delta = x[:, None, :] - mirrored
            h1 = self._profile(delta.square() @ self.scale)[1]
            # The mirrored term changes its sign twice: as a part of the covariance and in the derivative.
            total = total - 2 * self.variance * h1[..., None] * delta * self.scale
        return total.reshape(len(x), -1)

    def _bent(self, bent: Tensor) -> Tensor:
        eye = torch.eye(bent.shape[1], dtype=bent.dtype)
        total = (self.slope * eye).expand(len(bent), len(bent), -1, -1)
        for _, mirrored in self._mirrors(bent):
            delta = bent[:, None, :] - mirrored
            u = delta * self.scale
            _, h1, h2, _ = self._profile((u * delta).sum(-1))
            curved = 4 * h2[..., None, None] * u[..., :, None] * u[..., None, :]
            total = total - self.variance * (2 * h1[..., None, None] * eye * self.scale + curved)
        return total.permute(0, 2, 1, 3).reshape(bent.numel(), bent.numel())

    def _told(self, x: Tensor, bent: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        trend = self.slope * c.sum(0)
        value, slope, root = x @ trend, trend.expand_as(x), self.scale.sqrt()
        for _, mirrored in self._mirrors(bent):
            _, h1, h2, _ = self._profile(squares(x * root, mirrored * root))
            along = (x * self.scale) @ c.T - (mirrored * self.scale * c).sum(1)
            value = value - 2 * self.variance * (h1 * along).sum(1)
            pull = h2 * along
            across = x * pull.sum(1)[:, None] - pull @ mirrored
            slope = slope - self.variance * self.scale * (2 * h1 @ c + 4 * across)
        return value, slope

    def _profile(self, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return PROFILES[self.profile](s)

    def _h(self, s: Tensor) -> Tensor:
        return PROFILES[self.profile](s)[0]

    def _mirrors(self, z: Tensor) -> Iterator[tuple[int, Tensor]]:
        yield 1, z
        if self.odd:
            yield -1, -z


def squares(x: Tensor, z: Tensor) -> Tensor:
    """Squared distances ``[n, k]`` of ``x [n, d]`` and ``z [k, d]``."""
    apart = x.square().sum(1)[:, None] + z.square().sum(1)[None, :] - 2 * (x @ z.T)
    return apart.clamp_min(0.0)
