"""A Gaussian process over all outputs jointly, on the potential where the response has one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.errors import InputError
from scalebridge.learn.gaussian_posterior import Conditioned, GaussianPosterior
from scalebridge.learn.kernels import GradientKernel, Kernel, SeparableKernel
from scalebridge.learn.learner import Data, Learner, one_of
from scalebridge.learn.priors import Prior, fit_linear, fit_power_law
from scalebridge.learn.radial import PROFILES
from scalebridge.models import Structure
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Fitted:
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


@dataclass(frozen=True)
class GaussianProcess(Learner[Fitted]):
    """Exact Gaussian process with a parametric prior mean; see `scalebridge.models.Surrogate`.

    Args:
        inputs, outputs, margin: as in `Learner`.
        structure: ``potential`` learns the potential through its gradient (needs ``m = d``);
            ``even`` makes the response odd.
        profile: ``"matern72"`` or ``"squared_exponential"``.

    Raises:
        InputError: a potential with ``m != d``, non-finite or misshapen data, no data.
    """

    structure: Structure = field(default_factory=Structure)
    profile: str = "matern72"

    name = "gaussian_process"

    def _check_options(self) -> None:
        one_of(self.title, "profile", self.profile, tuple(PROFILES))
        if self.structure.potential and self.inputs.size != self.outputs.size:
            raise InputError(
                f"A potential was declared for {self.inputs.size} inputs and {self.outputs.size} outputs; "
                "the gradient of a potential has as many components as the inputs."
            )

    def _learn(self, data: Data) -> Fitted:
        """Condition on the runs, lengths by maximum posterior; their jacobians are not used."""
        return _fit(self, data.x, data.y, data.noise_std)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        f = self.state
        at = x / f.extent
        value, slope = f.prior(at)
        c = f.conditioned
        dv, ds = c.kernel.apply(torch.from_numpy(at), c.points, c.scale, f.coefficients)
        return (value + dv.numpy()) * f.units, (slope + ds.numpy()) * f.units[:, None] / f.extent

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``."""
        f = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        return GaussianPosterior(self.predict(x)[0], torch.from_numpy(x / f.extent), f.conditioned, f.units, bounds)


def _fit(made: GaussianProcess, x: Floats, y: Floats, noise: Floats) -> Fitted:
    extent = np.abs(x).max(0) if made.structure.even else np.maximum(np.ptp(x, axis=0), 1e-9 * np.abs(x).max(0))
    extent = np.maximum(extent, 1e-3 * extent.max()) + 1e-300
    units = _output_units(made, y, extent)
    at, value, noise_scaled = x / extent, y / units, noise / units
    prior = _prior(made, at, value)
    kernel: Kernel = (
        GradientKernel(made.profile, made.structure.even)
        if made.structure.potential
        else SeparableKernel(made.profile, made.structure.even, y.shape[1])
    )
    points = torch.from_numpy(at)
    residual = torch.from_numpy(value - prior(at)[0]).reshape(-1)
    nugget = torch.from_numpy(noise_scaled**2).reshape(-1)
    theta = _maximum_posterior(kernel, points, residual, nugget, _expected(made, residual, x.shape[1]), made.fitted)
    scale = (-2 * theta[:-1]).exp()
    variance = float((2 * theta[-1]).exp())
    covariance = _covariance(kernel, points, scale, variance, nugget)
    factor = torch.linalg.cholesky(covariance)
    coefficients = torch.cholesky_solve(residual[:, None], factor).reshape(len(x), -1)
    conditioned = Conditioned(kernel, scale, variance, points, factor)
    return Fitted(extent, units, prior, conditioned, variance * coefficients, theta[:-1].numpy())


def _output_units(made: GaussianProcess, y: Floats, extent: Floats) -> Floats:
    if made.structure.potential:
        # Scaling x by `extent` scales the gradient by its inverse: one unit of energy for all components.
        energy = np.sqrt(np.mean((y * extent) ** 2)) + 1e-300
        units: Floats = energy / extent
        return units
    spread = np.sqrt(np.mean(y**2, axis=0)) if made.structure.even else y.std(0)
    floored: Floats = np.maximum(spread, 1e-9 * np.abs(y).max()) + 1e-300
    return floored


def _prior(made: GaussianProcess, at: Floats, value: Floats) -> Prior:
    if made.structure.potential and made.structure.even:
        return fit_power_law(at, value)
    law = fit_linear(at, value, made.structure.even)
    return law.symmetric(at, value) if made.structure.potential else law


def _expected(made: GaussianProcess, residual: Tensor, d: int) -> Tensor:
    # A prior mean with many parameters leaves little of a few runs: a deviation fitted on them is too small.
    level = float(residual.square().mean().sqrt()) + 0.3 / len(residual) * made.outputs.size
    return torch.cat([torch.zeros(d, dtype=torch.float64), torch.tensor([np.log(level)], dtype=torch.float64)])


def _covariance(kernel: Kernel, points: Tensor, scale: Tensor, variance: Tensor | float, nugget: Tensor) -> Tensor:
    cross = kernel.cross(points, points, scale)
    size = len(points) * cross.shape[1]
    # Rounding and the tolerance of micro solvers: a relative error of 1e-4 of the unexplained part.
    floor = variance * 1e-8 * scale.max().clamp_min(1.0) + 1e-12
    return variance * cross.reshape(size, size) + torch.diag(nugget + floor)


def _maximum_posterior(
    kernel: Kernel, points: Tensor, residual: Tensor, nugget: Tensor, centre: Tensor, earlier: Fitted | None
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
