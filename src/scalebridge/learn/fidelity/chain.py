"""All levels of one output as one Gaussian process that knows the runs of all of them, for many draws at once.

``f_k = rho_k f_(k-1) + g_k`` with independent g: the covariance of two levels is ``sum_k a b g_k`` over the terms that
both have, with a and b the products of the factors above. The runs of the levels may stand anywhere (Kennedy and
O'Hagan, Biometrika 87 (2000) 1-13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from scalebridge.learn.fidelity.terms import Terms

if TYPE_CHECKING:
    from torch import Tensor

# Added to the runs' variances: rounding, in scaled outputs and as a part of the variance.
JITTER, ROUNDING = 1e-8, 1e-11


@dataclass(frozen=True)
class Chain:
    """The levels of one output in scaled coordinates; ``s`` draws of equal weight.

    Args:
        terms: of each level, cheapest first.
        points: scaled inputs of each level's runs ``[b_k, d]``.
        factor: Cholesky factor ``[s, b, b]`` of the covariance of all runs with noise.
        coefficients: ``[s, b]``, of the mean.
    """

    terms: tuple[Terms, ...]
    points: tuple[Tensor, ...]
    factor: Tensor
    coefficients: Tensor

    def prior(self, x: Tensor, i: int, z: Tensor, j: int) -> Tensor:
        """Covariance ``[s, n, k]`` of level i at x with level j at z, before any run."""
        shares = zip(_products(self.terms, i), _products(self.terms, j), strict=False)
        parts = [(a * b)[:, None, None] * t.cross(x, z) for t, (a, b) in zip(self.terms, shares, strict=False)]
        return torch.stack(parts).sum(0)

    def variance(self, x: Tensor, i: int) -> Tensor:
        """Variance ``[s, n]`` of level i at x, before any run."""
        shares = _products(self.terms, i)
        parts = [a.square()[:, None] * t.diagonal(x) for a, t in zip(shares, self.terms, strict=False)]
        return torch.stack(parts).sum(0)

    def white(self, x: Tensor, i: int) -> Tensor:
        """``factor^-1`` times the covariance of all runs with level i at x, ``[s, b, n]``."""
        cross = self._with_runs(x, i).transpose(1, 2)
        white: Tensor = torch.linalg.solve_triangular(self.factor, cross, upper=False)
        return white

    def mean(self, x: Tensor, i: int) -> Tensor:
        """Mean ``[s, n]`` of level i."""
        return (self._with_runs(x, i) @ self.coefficients[..., None])[..., 0]

    def apply(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Mean ``[s, n]`` of level i and its derivative ``[s, n, d]``, level by level."""
        value, slope = torch.zeros(()), torch.zeros(())
        pieces = self.coefficients.split([len(p) for p in self.points], dim=1)
        for k in range(i + 1):
            above = range(k, len(self.points))
            shares = [_products(self.terms, j)[k][:, None] * pieces[j] for j in above]
            added = self.terms[k].apply(x, torch.cat([self.points[j] for j in above]), torch.cat(shares, dim=1))
            rho = self.terms[k].rho
            value, slope = rho[:, None] * value + added[0], rho[:, None, None] * slope + added[1]
        return value, slope

    def _with_runs(self, x: Tensor, i: int) -> Tensor:
        return torch.cat([self.prior(x, i, z, j) for j, z in enumerate(self.points)], dim=2)


def conditioned(
    terms: tuple[Terms, ...], points: tuple[Tensor, ...], values: tuple[Tensor, ...], nugget: tuple[Tensor, ...]
) -> Chain:
    """The chain of these terms that knows scaled ``values [b_k]`` with the noise's variance ``[b_k]``."""
    bare = Chain(terms, points, torch.empty(0), torch.empty(0))
    joint = torch.cat([bare._with_runs(x, i) for i, x in enumerate(points)], dim=1)
    joint = joint + torch.diag(torch.cat(nugget)) + rounding(joint)
    factor = torch.linalg.cholesky(joint)
    known = torch.cat(values)[None, :, None].expand(len(joint), -1, 1)
    return Chain(terms, points, factor, torch.cholesky_solve(known, factor)[..., 0])


def rounding(joint: Tensor) -> Tensor:
    """What rounding asks for on the diagonal of ``joint [s, b, b]``."""
    size = joint.diagonal(dim1=1, dim2=2)
    return torch.diag_embed(JITTER + ROUNDING * size.mean(1, keepdim=True).expand_as(size))


def _products(terms: tuple[Terms, ...], i: int) -> list[Tensor]:
    """By what each term up to level i is multiplied in level i, ``[s]`` each."""
    shares = [torch.ones_like(terms[0].variance)]
    for k in range(i, 0, -1):
        shares.insert(0, shares[0] * terms[k].rho)
    return shares
