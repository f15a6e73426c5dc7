"""Gaussian processes of one output each, averaged over their covariances and the parameters of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.learn.covariance import Covariance
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Seen:
    """Where the runs told what, in scaled coordinates.

    Args:
        points: of the values ``[b, d]``.
        bent: of the slopes in all inputs ``[c, d]``, none where runs tell values alone.
    """

    points: Tensor
    bent: Tensor

    def __len__(self) -> int:
        """How many numbers they told of each output, N."""
        return len(self.points) + self.bent.numel()


@dataclass(frozen=True)
class Member:
    """One covariance with the coefficients ``[N]`` of its mean."""

    covariance: Covariance
    coefficients: Tensor

    def mean(self, x: Tensor, seen: Seen) -> Tensor:
        """Mean ``[n]`` at ``x [n, d]``."""
        if len(seen.bent):
            return self.covariance.told(x, seen.points, seen.bent, self.coefficients)[0]
        return self.covariance.dot(x, seen.points, self.coefficients)


@dataclass(frozen=True)
class Output:
    """What is known of one output: members of equal weight, and one covariance that stands for theirs.

    Args:
        members: the mean is the average of theirs.
        lead: a covariance whose variance given the runs is, on average, that of the members.
        factor: Cholesky factor ``[N, N]`` of the runs' covariance by ``lead``, with noise.
        noise: variance of what was learned as unexplained.
        peaks: most probable parameters of each form, where a later fit begins.
    """

    members: tuple[Member, ...]
    lead: Covariance
    factor: Tensor
    noise: float
    peaks: tuple[Floats, ...]

    def whitened(self, x: Tensor, seen: Seen) -> Tensor:
        """``factor^-1 Cov(runs, x)`` by ``lead``, ``[N, n]``."""
        cross = self.lead.observed(x, seen.points, seen.bent).T
        white: Tensor = torch.linalg.solve_triangular(self.factor, cross, upper=False)
        return white

    def spread(self, x: Tensor, seen: Seen) -> Tensor:
        """Deviations ``[M, n]`` of the members' means from their average, over the root of M."""
        means = torch.stack([m.mean(x, seen) for m in self.members])
        apart: Tensor = (means - means.mean(0)) / np.sqrt(len(means))
        return apart


@dataclass(frozen=True)
class Averaged:
    """Independent outputs, each averaged over its members; a `scalebridge.learn.gaussian_posterior.Conditional`.

    Args:
        points: scaled inputs of the runs ``[b, d]``.
        outputs: what is known of each.
        bent: those inputs ``[c, d]`` at which slopes were told.
    """

    points: Tensor
    outputs: tuple[Output, ...]
    bent: Tensor

    @property
    def seen(self) -> Seen:
        """Where the runs told what."""
        return Seen(self.points, self.bent)

    def mean(self, x: Tensor) -> Tensor:
        """Mean ``[n, m]``."""
        return torch.stack([self._mean(o, x) for o in self.outputs], dim=1)

    def _mean(self, output: Output, x: Tensor) -> Tensor:
        return torch.stack([m.mean(x, self.seen) for m in output.members]).mean(0)

    def apply(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""
        values, slopes = [], []
        for output in self.outputs:
            parts = [m.covariance.told(x, self.points, self.bent, m.coefficients) for m in output.members]
            values.append(torch.stack([value for value, _ in parts]).mean(0))
            slopes.append(torch.stack([slope for _, slope in parts]).mean(0))
        return torch.stack(values, dim=1), torch.stack(slopes, dim=1)

    def prior_blocks(self, x: Tensor) -> Tensor:
        """See `Conditional.prior_blocks`; the members' disagreement is what no run has told."""
        variances = [o.lead.diagonal(x) + o.spread(x, self.seen).square().sum(0) for o in self.outputs]
        return torch.diag_embed(torch.stack(variances, dim=1))

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """See `Conditional.prior_dot`."""
        columns = []
        for output, w in zip(self.outputs, weights.T, strict=True):
            apart = output.spread(x, self.seen).T @ (output.spread(z, self.seen) @ w)
            columns.append(output.lead.dot(x, z, w) + apart)
        return torch.stack(columns, dim=1)

    def whitened(self, x: Tensor) -> Tensor:
        """See `Conditional.whitened`; a block of rows for each output."""
        b, m = len(self.seen), len(self.outputs)
        white = torch.zeros(m * b, len(x), m, dtype=x.dtype)
        for a, output in enumerate(self.outputs):
            white[a * b : (a + 1) * b, :, a] = output.whitened(x, self.seen)
        return white

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """See `Conditional.cross`."""
        b, m = len(self.seen), len(self.outputs)
        cross = torch.zeros(len(x), m, len(z), m, dtype=x.dtype)
        for a, output in enumerate(self.outputs):
            rows = slice(a * b, (a + 1) * b)
            apart = output.spread(x, self.seen).T @ output.spread(z, self.seen)
            known = wx[rows, :, a].T @ wz[rows, :, a]
            cross[:, a, :, a] = output.lead.between(x, z) + apart - known
        return cross
