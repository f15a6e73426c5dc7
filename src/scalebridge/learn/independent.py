"""Independent outputs, each a Gaussian process of its own that knows its runs or what stands for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from scalebridge.learn.evidence import correlation, squared
from scalebridge.learn.radial import PROFILES

if TYPE_CHECKING:
    from torch import Tensor

# Points that are answered at once.
CHUNK = 4096


@dataclass(frozen=True)
class Process:
    """One output: covariance ``variance h - (root k)'(root k)`` with ``k = variance h(points, x)``, mean ``k'c``.

    Args:
        profile: name of the radial profile h.
        log_lengths: ``[d]``.
        variance: of the process.
        points: scaled inputs of the runs, or of what stands for them ``[k, d]``.
        root: ``[r, k]``.
        coefficients: ``[k]``.
    """

    profile: str
    log_lengths: Tensor
    variance: float
    points: Tensor
    root: Tensor
    coefficients: Tensor

    def widened(self, factor: float) -> Process:
        """The same mean, its deviation larger by a factor."""
        square = factor**2
        return replace(
            self,
            variance=self.variance * square,
            root=self.root / factor,
            coefficients=self.coefficients / square,
        )

    def between(self, x: Tensor, z: Tensor) -> Tensor:
        """Prior covariance ``[n, k]``."""
        return self.variance * correlation(x, z, self.log_lengths, self.profile)

    def white(self, x: Tensor) -> Tensor:
        """``root k`` at ``x [n, d]``, ``[r, n]``."""
        return self.root @ self.between(self.points, x)

    def spread(self, x: Tensor) -> Tensor:
        """Posterior variance ``[n]``."""
        return torch.cat([(self.variance - self.white(part).square().sum(0)).clamp_min(0.0) for part in x.split(CHUNK)])

    def mean(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[n]`` and its derivative ``[n, d]``."""
        parts = [self._mean(part) for part in x.split(CHUNK)]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def _mean(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scale = (-self.log_lengths).exp()
        h, slope, _, _ = PROFILES[self.profile](squared(x * scale, self.points * scale))
        c = self.variance * self.coefficients
        weighted = slope * c
        return h @ c, 2 * scale**2 * (x * weighted.sum(1, keepdim=True) - weighted @ self.points)


@dataclass(frozen=True)
class Independent:
    """A `Conditional` of independent outputs, ``[m]`` processes."""

    processes: tuple[Process, ...]

    def prior_blocks(self, x: Tensor) -> Tensor:
        """See `Conditional.prior_blocks`."""
        variance = torch.tensor([p.variance for p in self.processes], dtype=x.dtype)
        return torch.diag(variance).expand(len(x), -1, -1).clone()

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """See `Conditional.prior_dot`."""
        return torch.stack([p.between(x, z) @ w for p, w in zip(self.processes, weights.T, strict=True)], dim=1)

    def whitened(self, x: Tensor) -> Tensor:
        """See `Conditional.whitened`; the rows of one output are zero for the others."""
        white = [p.white(x) for p in self.processes]
        answer = x.new_zeros(sum(len(w) for w in white), len(x), len(white))
        first = 0
        for a, w in enumerate(white):
            answer[first : first + len(w), :, a] = w
            first += len(w)
        return answer

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """See `Conditional.cross`."""
        answer = -torch.einsum("rna,rkb->nakb", wx, wz)
        for a, p in enumerate(self.processes):
            answer[:, a, :, a] += p.between(x, z)
        return answer

    def mean(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""
        parts = [p.mean(x) for p in self.processes]
        return torch.stack([p[0] for p in parts], dim=1), torch.stack([p[1] for p in parts], dim=1)


def conditioned(profile: str, log_lengths: Tensor, variance: float, x: Tensor, value: Tensor, noise: Tensor) -> Process:
    """A process that knows ``value [b]`` at ``x [b, d]`` with the noise's variance ``[b]``."""
    known = variance * correlation(x, x, log_lengths, profile) + torch.diag(noise)
    factor = torch.linalg.cholesky(known)
    root = torch.linalg.solve_triangular(factor, torch.eye(len(x), dtype=x.dtype), upper=False)
    coefficients = torch.cholesky_solve(value[:, None], factor)[:, 0]
    return Process(profile, log_lengths, variance, x, root, coefficients)
