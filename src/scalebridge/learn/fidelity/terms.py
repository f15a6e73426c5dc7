"""What one level adds to a multiple of the level below, for many draws of its parameters at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from scalebridge.learn.radial import PROFILES

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Terms:
    """``f = rho (f below) + g`` with g a process of covariance ``variance h(|x - z|) + slope x.z + level``.

    The trend and the offset are part of the process, so that their own uncertainty is told.

    Args:
        profiles: names in `scalebridge.learn.radial`.
        profile: which of them h is, ``[s]``.
        scale: inverse squared lengths ``[s, d]``.
        variance, slope: ``[s]``.
        level: variance of the offset.
        rho: ``[s]``; zero for the cheapest level.
    """

    profiles: tuple[str, ...]
    profile: Tensor
    scale: Tensor
    variance: Tensor
    slope: Tensor
    level: float
    rho: Tensor

    def __len__(self) -> int:
        return len(self.rho)

    def rows(self, chosen: Tensor) -> Terms:
        """Some of the draws."""
        parts = {name: getattr(self, name)[chosen] for name in ("profile", "scale", "variance", "slope", "rho")}
        return replace(self, **parts)

    def cross(self, x: Tensor, z: Tensor) -> Tensor:
        """Covariance of g ``[s, n, k]`` between ``x [n, d]`` and ``z [k, d]``."""
        trend: Tensor = self.slope[:, None, None] * (x @ z.T) + self.level
        return self.variance[:, None, None] * self._profile(x, z, 0) + trend

    def diagonal(self, x: Tensor) -> Tensor:
        """Variance of g ``[s, n]``."""
        return self.variance[:, None] + self.slope[:, None] * x.square().sum(1) + self.level

    def apply(self, x: Tensor, z: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """``cross(x, z) @ coefficients [s, k]``, ``[s, n]``, and its derivative ``[s, n, d]``."""
        value = (self.cross(x, z) @ coefficients[..., None])[..., 0]
        pull = 2 * self.variance[:, None, None] * self._profile(x, z, 1) * coefficients[:, None, :]
        slope = self.scale[:, None, :] * (pull.sum(2)[..., None] * x - pull @ z)
        return value, slope + (self.slope[:, None] * (coefficients @ z))[:, None, :]

    def _profile(self, x: Tensor, z: Tensor, order: int) -> Tensor:
        """``h`` or its derivative in the squared distance, ``[s, n, k]``."""
        root = self.scale.sqrt()[:, None, :]
        a, b = x * root, z * root
        apart = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None, :] - 2 * (a @ b.transpose(1, 2))
        apart = apart.clamp_min(0.0)
        if len(self.profiles) == 1:
            return PROFILES[self.profiles[0]](apart)[order]
        out = torch.empty_like(apart)
        for index, name in enumerate(self.profiles):
            own = self.profile == index
            out[own] = PROFILES[name](apart[own])[order]
        return out


def joined(parts: list[Terms]) -> Terms:
    """Draws of several profiles, one profile each, as one."""
    names = tuple(part.profiles[0] for part in parts)
    which = torch.cat([torch.full((len(part),), i) for i, part in enumerate(parts)])
    together = {
        name: torch.cat([getattr(part, name) for part in parts]) for name in ("scale", "variance", "slope", "rho")
    }
    return Terms(names, which, level=parts[0].level, **together)
