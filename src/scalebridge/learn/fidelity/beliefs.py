"""What is known of a level's parameters before its runs, and how well a set of them explains these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.fidelity.chain import rounding
from scalebridge.learn.fidelity.terms import Terms

# A set of parameters whose covariance cannot be factorised.
IMPOSSIBLE = 1e6


@dataclass(frozen=True)
class Below:
    """The level below at the runs of this one: means ``[s, b]`` and covariances ``[s, b, b]`` of ``s`` draws."""

    mean: Tensor
    covariance: Tensor

    def rows(self, chosen: Tensor) -> Below:
        """Some of the draws."""
        return Below(self.mean[chosen], self.covariance[chosen])

    def averaged(self) -> Below:
        """One normal law with the mean and the covariance of all draws."""
        mean = self.mean.mean(0, keepdim=True)
        apart = self.mean - mean
        return Below(mean, self.covariance.mean(0, keepdim=True) + (apart.T @ apart / len(apart))[None])


@dataclass(frozen=True)
class Beliefs:
    """Normal laws (centre, width) of logarithms, for runs in a box of size one and outputs of unit deviation.

    Args:
        profiles: covariances that are taken as equally likely.
        length: of one input; the square root of their number is put on top, as distances grow with it.
        deviation: of the smooth part.
        trend: deviation of the linear part's slopes, or None where there is none.
        rho: deviation of the factor of the level below from one, or None for the cheapest.
        level: variance of the offset.
        full: up to so many runs the log likelihood counts in full.
        doubt: else ``b / (b + doubt d)`` of it counts with ``b`` runs of ``d`` inputs, at least as much as of those. No
            covariance is the true one, and with few runs a likelihood that counts in full makes intervals too narrow
            (P. Gruenwald, T. van Ommen, Bayesian Analysis 12 (2017) 1069-1103).
    """

    profiles: tuple[str, ...]
    length: tuple[float, float]
    deviation: tuple[float, float]
    trend: tuple[float, float] | None = None
    rho: tuple[float, float] | None = None
    level: float = 9.0
    full: int = 5
    doubt: float = 10.0

    def count(self, d: int) -> int:
        """Number of parameters, rho itself apart."""
        return d + 1 + (self.trend is not None) + (self.rho is not None)


# The cheapest level, or the only one.
FIRST = Beliefs(("squared_exponential", "matern52"), (0.0, 2.0), (1.0, 1.0), full=0)
# What a level adds to the one below: smoother than these, of any size down to a thousandth of them.
ADDED = Beliefs(
    ("squared_exponential",),
    (float(np.log(2.0)), 1.0),
    (float(np.log(0.1)), 2.0),
    (float(np.log(0.15)), 2.0),
    (float(np.log(0.5)), 1.5),
)


@dataclass(frozen=True)
class Evidence:
    """The runs of one level with the beliefs of its parameters, one profile.

    Parameters ``z [s, p]`` are in widths of the beliefs from their centres: normal with deviation one beforehand.

    Args:
        beliefs: of the level.
        profile: name of the covariance.
        x: scaled inputs ``[b, d]``.
        y: scaled outputs ``[b]``.
        nugget: variance of their noise ``[b]``.
    """

    beliefs: Beliefs
    profile: str
    x: Tensor
    y: Tensor
    nugget: Tensor

    @property
    def weight(self) -> float:
        """The power of the likelihood."""
        b, d = self.x.shape
        return max(min(1.0, self.beliefs.full / b), b / (b + self.beliefs.doubt * d))

    def terms(self, z: Tensor, rho: Tensor) -> Terms:
        """The terms of parameters ``z [s, p]`` and factors ``rho [s]``."""
        beliefs, d = self.beliefs, self.x.shape[1]
        lengths = beliefs.length[0] + 0.5 * np.log(d) + beliefs.length[1] * z[:, :d]
        size = beliefs.deviation[0] + beliefs.deviation[1] * z[:, d]
        slope = torch.zeros_like(size)
        if beliefs.trend is not None:
            slope = (2 * (beliefs.trend[0] + beliefs.trend[1] * z[:, d + 1])).exp()
        which = torch.zeros(len(z), dtype=torch.int64)
        scale = (-2 * lengths).exp()
        return Terms((self.profile,), which, scale, (2 * size).exp(), slope, beliefs.level, rho)

    def apart(self, z: Tensor) -> Tensor:
        """Variance of rho about one ``[s]``."""
        assert self.beliefs.rho is not None
        return (2 * (self.beliefs.rho[0] + self.beliefs.rho[1] * z[:, -1])).exp()

    def own(self, z: Tensor) -> Tensor:
        """Covariance ``[s, b, b]`` of what the level adds, with noise."""
        joint = self.terms(z, torch.zeros(len(z), dtype=z.dtype)).cross(self.x, self.x)
        return joint + torch.diag(self.nugget) + rounding(joint)

    def loss(self, z: Tensor, below: Below | None) -> Tensor:
        """Minus the weighted log likelihood ``[s]``, rho integrated out as if the level below were its mean."""
        joint, left = self.own(z), self.y.expand(len(z), -1)
        if below is not None:
            outer = below.mean[:, :, None] * below.mean[:, None, :]
            joint = joint + below.covariance + self.apart(z)[:, None, None] * outer
            left = left - below.mean
        return self.weight * misfit(joint, left)

    def factors(self, z: Tensor, below: Below, normal: Tensor) -> tuple[Tensor, Tensor]:
        """A factor of the level below for each draw ``[s]``, and what its choice adds to the draw's log weight.

        It is drawn by ``normal [s]`` from its law given the parameters, which takes the level below as known but for
        a covariance; the weight makes good for that.
        """
        own, prior = self.own(z), self.apart(z)
        factor, _ = torch.linalg.cholesky_ex(own + below.covariance)
        both = torch.stack([below.mean, self.y - below.mean], dim=2)
        white = torch.linalg.solve_triangular(factor, both, upper=False)
        precision = white[..., 0].square().sum(1) + 1 / prior
        off = (white[..., 0] * white[..., 1]).sum(1) / precision + normal / precision.sqrt()
        rho = 1 + off
        joint = own + rho.square()[:, None, None] * below.covariance
        likelihood = -self.weight * misfit(joint, self.y - rho[:, None] * below.mean)
        prior_density = -0.5 * off.square() / prior - 0.5 * prior.log()
        drawn_density = -0.5 * normal.square() + 0.5 * precision.log()
        told = torch.nan_to_num(likelihood + prior_density - drawn_density, nan=-IMPOSSIBLE)
        return rho.nan_to_num(nan=1.0), told


def misfit(joint: Tensor, left: Tensor) -> Tensor:
    """Minus the log density ``[s]`` of ``left [s, b]`` under covariances ``[s, b, b]``, a constant left out."""
    factor, info = torch.linalg.cholesky_ex(joint)
    white = torch.linalg.solve_triangular(factor, left[..., None], upper=False)[..., 0]
    value = 0.5 * white.square().sum(1) + factor.diagonal(dim1=1, dim2=2).log().sum(1)
    return torch.where(info > 0, torch.full_like(value, IMPOSSIBLE), torch.nan_to_num(value, nan=IMPOSSIBLE))
