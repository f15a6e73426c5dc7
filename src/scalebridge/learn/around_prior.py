"""A Gaussian process around a parametric mean that is fitted and taken for true, its most probable lengths too.

Quick, and its mean keeps a macro solver alive. With few runs it is too sure of itself: for potentials, whose mean has
few parameters, and where runs of the model verify what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.learn.gaussian_posterior import Conditioned
from scalebridge.learn.kernels import GradientKernel, Kernel, SeparableKernel
from scalebridge.learn.learner import Data
from scalebridge.learn.priors import Prior, fit_linear, fit_power_law
from scalebridge.models import Structure
from scalebridge.quantities import Floats, Space

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class AroundPrior:
    """What fitting finds.

    Args:
        extent: ``[d]``, factor from scaled inputs to the input's units.
        units: ``[m]``, factor from scaled outputs to the output's units.
        prior: prior mean in scaled coordinates.
        conditioned: the kernel and the runs in scaled coordinates.
        coefficients: ``[b, m]``, of the posterior mean.
        log_lengths: ``[d]``, logarithms of the lengths in scaled coordinates.
    """

    extent: Floats
    units: Floats
    prior: Prior
    conditioned: Conditioned
    coefficients: Tensor
    log_lengths: Floats

    def mean(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean ``[n, m]`` at ``x [n, d]`` and its derivative ``[n, m, d]``."""
        scaled = x / self.extent
        value, slope = self.prior(scaled)
        c = self.conditioned
        dv, ds = c.kernel.apply(torch.from_numpy(scaled), c.points, c.scale, self.coefficients)
        return (value + dv.numpy()) * self.units, (slope + ds.numpy()) * self.units[:, None] / self.extent


def fit_around_prior(
    structure: Structure, profile: str, inputs: Space, data: Data, earlier: AroundPrior | None = None
) -> AroundPrior:
    """Fit the mean by least squares, then lengths and deviation by maximum posterior, begun at an earlier fit's."""
    x, y = data.x, data.y
    extent = _extent(structure, inputs, x)
    units = _units(structure, y, extent)
    at, value, noise = x / extent, y / units, data.noise_std / units
    prior = _prior(structure, at, value)
    kernel: Kernel = (
        GradientKernel(profile, structure.even)
        if structure.potential
        else SeparableKernel(profile, structure.even, y.shape[1])
    )
    points = torch.from_numpy(at)
    residual = torch.from_numpy(value - prior(at)[0]).reshape(-1)
    nugget = torch.from_numpy(noise**2).reshape(-1)
    theta = _maximum_posterior(kernel, points, residual, nugget, _expected(residual, *x.shape), earlier)
    scale = (-2 * theta[:-1]).exp()
    variance = float((2 * theta[-1]).exp())
    factor = torch.linalg.cholesky(_covariance(kernel, points, scale, variance, nugget))
    coefficients = torch.cholesky_solve(residual[:, None], factor).reshape(len(x), -1)
    conditioned = Conditioned(kernel, scale, variance, points, factor)
    return AroundPrior(extent, units, prior, conditioned, variance * coefficients, theta[:-1].numpy())


def _extent(structure: Structure, inputs: Space, x: Floats) -> Floats:
    size = np.abs(x).max(axis=0)
    extent = size if structure.even else np.maximum(np.ptp(x, axis=0), 1e-9 * size)
    if structure.potential or len({v.unit for v in inputs}) == 1:
        # Inputs of one unit: one that hardly moves is not stretched to the size of the others.
        extent = np.maximum(extent, 1e-3 * extent.max())
    # Runs at zero alone tell no extent.
    return np.where(extent > 0, extent, 1.0)


def _units(structure: Structure, y: Floats, extent: Floats) -> Floats:
    if structure.potential:
        # Scaling x by `extent` scales the gradient by its inverse: one unit of energy for all components.
        energy = float(np.sqrt(np.mean((y * extent) ** 2)))
        return (energy if energy > 0 else 1.0) / extent
    spread = np.sqrt(np.mean(y**2, axis=0)) if structure.even else y.std(axis=0)
    floored = np.maximum(spread, 1e-9 * np.abs(y).max())
    return np.where(floored > 0, floored, 1.0)


def _prior(structure: Structure, at: Floats, value: Floats) -> Prior:
    if structure.potential and structure.even:
        return fit_power_law(at, value)
    law = fit_linear(at, value, structure.even)
    return law.symmetric(at, value) if structure.potential else law


def _expected(residual: Tensor, b: int, d: int) -> Tensor:
    # A prior mean with many parameters leaves little of a few runs: a deviation fitted on them is too small.
    level = float(residual.square().mean().sqrt()) + 0.3 / b
    return torch.cat([torch.zeros(d, dtype=torch.float64), torch.tensor([np.log(level)], dtype=torch.float64)])


def _covariance(kernel: Kernel, points: Tensor, scale: Tensor, variance: Tensor | float, nugget: Tensor) -> Tensor:
    cross = kernel.cross(points, points, scale)
    size = len(points) * cross.shape[1]
    # Rounding and the tolerance of micro solvers: a relative error of 1e-4 of the unexplained part.
    floor = variance * 1e-8 * scale.max().clamp_min(1.0) + 1e-12
    return variance * cross.reshape(size, size) + torch.diag(nugget + floor)


def _maximum_posterior(
    kernel: Kernel, points: Tensor, residual: Tensor, nugget: Tensor, centre: Tensor, earlier: AroundPrior | None
) -> Tensor:
    """Log lengths and log deviation by L-BFGS on the log posterior with wide log-normal priors around ``centre``.

    An earlier fit of the same process is where the search begins: a few more runs move it little.
    """
    from scipy.optimize import minimize

    width = torch.ones_like(centre)
    width[-1] = 2.0
    begin = centre.numpy().copy()
    if earlier is not None:
        begin = np.concatenate([earlier.log_lengths, [0.5 * np.log(earlier.conditioned.variance)]])

    def objective(values: Floats) -> tuple[float, Floats]:
        theta = torch.from_numpy(values.copy()).requires_grad_(True)
        covariance = _covariance(kernel, points, (-2 * theta[:-1]).exp(), (2 * theta[-1]).exp(), nugget)
        factor, info = torch.linalg.cholesky_ex(covariance)
        if int(info):
            return 1e10, np.zeros_like(values)
        white = torch.linalg.solve_triangular(factor, residual[:, None], upper=False)
        loss = 0.5 * white.square().sum() + factor.diagonal().log().sum()
        loss = loss + 0.5 * ((theta - centre) / width).square().sum()
        loss.backward()
        return float(loss.detach()), theta.grad.numpy()  # type: ignore[union-attr]

    reach = np.concatenate([np.full(len(centre) - 1, 3.0), [7.0]])
    low, high = centre.numpy() - reach, centre.numpy() + reach
    found = minimize(
        objective,
        np.clip(begin, low, high),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 40 if earlier is None else 12},
    )
    return torch.from_numpy(found.x)
