"""A Gaussian process: on the potential where the response has one, else averaged over covariances, output by output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.errors import InputError
from scalebridge.learn.averaged import Averaged, Form, Output, Search, learn_outputs
from scalebridge.learn.gaussian_posterior import Conditioned, GaussianPosterior
from scalebridge.learn.kernels import GradientKernel, Kernel
from scalebridge.learn.learner import Data, Learner, least, one_of
from scalebridge.learn.priors import Prior, fit_linear, fit_power_law
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.scaling import Scaling
from scalebridge.models import Structure
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor


# Profiles that "auto" also takes with a sum over single inputs.
SMOOTH = ("squared_exponential", "matern72")


@dataclass(frozen=True)
class FittedPotential:
    """What fitting finds where the response has a potential.

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
class Fitted:
    """What fitting finds where the response has no potential.

    Args:
        centre, extent: ``[d]``; scaled inputs are ``(x - centre) / extent``.
        level, units: ``[m]``; outputs are ``level + units * scaled``.
        averaged: the process in scaled coordinates.
    """

    centre: Floats
    extent: Floats
    level: Floats
    units: Floats
    averaged: Averaged


@dataclass(frozen=True)
class GaussianProcess(Learner["Fitted | FittedPotential"]):
    """Exact Gaussian process; see `scalebridge.models.Surrogate`.

    Without a potential the outputs are learned one by one. Covariances are weighed by their (tempered) evidence and
    the mean and the variance are averages over draws of their parameters: intervals hold with few runs too, because
    lengths that the runs leave open stay open. A linear trend is part of the process and as uncertain as the runs
    leave it. With a potential there is a parametric prior mean and the most probable lengths are taken.

    Args:
        inputs, outputs, margin: as in `Learner`.
        structure: ``potential`` learns the potential through its gradient (needs ``m = d``);
            ``even`` makes the response odd.
        profile: ``"auto"``, ``"squared_exponential"``, ``"matern72"`` or ``"matern52"``. ``"auto"`` weighs all three,
            and the two smoother ones with a sum over single inputs beside; for a potential it is ``"matern72"``.
        noise: ``"learned"`` adds a noise that the runs do not declare, and says it as scatter of the response;
            ``"declared"`` trusts ``noise_std``, zero where there is none; ``"auto"`` learns it where none is declared
            and rows are repeated or there are 5 d + 10 of them, fewer of which cannot tell it from the response.
        lengths: ``"each"`` output has parameters of its own, or all are ``"shared"``. Not for a potential.
        average: how many draws of the parameters; 0 takes the most probable ones for true, which is quick and too
            sure. Not for a potential.
        restarts: further searches for the most probable parameters, from random starts. Not for a potential.
        seed: of starts and draws.

    Raises:
        InputError: a potential with ``m != d`` or a noise to be learned, non-finite or misshapen data, no data.
    """

    structure: Structure = field(default_factory=Structure)
    profile: str = "matern72"
    noise: str = field(default="auto", kw_only=True)
    lengths: str = field(default="each", kw_only=True)
    average: int = field(default=8, kw_only=True)
    restarts: int = field(default=0, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    name = "gaussian_process"
    version = "2"

    def _check_options(self) -> None:
        one_of(self.title, "profile", self.profile, ("auto", *PROFILES))
        one_of(self.title, "noise", self.noise, ("auto", "declared", "learned"))
        one_of(self.title, "lengths", self.lengths, ("each", "shared"))
        for option in ("average", "restarts", "seed"):
            least(self.title, option, getattr(self, option), 0)
        if self.structure.potential and self.inputs.size != self.outputs.size:
            raise InputError(
                f"A potential was declared for {self.inputs.size} inputs and {self.outputs.size} outputs; "
                "the gradient of a potential has as many components as the inputs."
            )
        if self.structure.potential and self.noise == "learned":
            raise InputError(
                f"{self.title} got noise = 'learned' with a potential, whose noise is the declared one; give "
                "noise = 'declared' and noise_std with the runs."
            )

    def _learn(self, data: Data) -> Fitted | FittedPotential:
        """Condition on the runs; their jacobians are not used."""
        if self.structure.potential:
            earlier = self.fitted if isinstance(self.fitted, FittedPotential) else None
            return _fit_potential(self, earlier, data.x, data.y, data.noise_std)
        return _averaged(self, data)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        f = self.state
        if isinstance(f, Fitted):
            at = torch.from_numpy((x - f.centre) / f.extent)
            values, slopes = f.averaged.apply(at)
            return f.level + values.numpy() * f.units, slopes.numpy() * f.units[:, None] / f.extent
        scaled = x / f.extent
        value, slope = f.prior(scaled)
        c = f.conditioned
        dv, ds = c.kernel.apply(torch.from_numpy(scaled), c.points, c.scale, f.coefficients)
        return (value + dv.numpy()) * f.units, (slope + ds.numpy()) * f.units[:, None] / f.extent

    def posterior(self, x: Floats) -> GaussianPosterior:
        """Joint posterior at ``x [n, d]``; a noise that was learned is part of it, a declared one is not."""
        f = self.state
        x = self.inputs.check(x, self.title)
        bounds = (self.outputs.lower, self.outputs.upper)
        if isinstance(f, FittedPotential):
            return GaussianPosterior(self.predict(x)[0], torch.from_numpy(x / f.extent), f.conditioned, f.units, bounds)
        at = torch.from_numpy((x - f.centre) / f.extent)
        mean = np.clip(f.level + f.averaged.mean(at).numpy() * f.units, *bounds)
        scatter = np.array([output.noise for output in f.averaged.outputs]) * f.units**2
        residual = np.tile(scatter, (len(x), 1)) if scatter.any() else None
        return GaussianPosterior(mean, at, f.averaged, f.units, bounds, residual)


def _averaged(made: GaussianProcess, data: Data) -> Fitted:
    odd, d = made.structure.even, data.x.shape[1]
    centre, extent = _box(data.x, odd)
    level, units = _spread(data.y, odd)
    points = torch.from_numpy((data.x - centre) / extent)
    values = torch.from_numpy((data.y - level) / units)
    nugget = torch.from_numpy((data.noise_std / units) ** 2)
    auto, noisy = made.profile == "auto", _noisy(made.noise, data)
    sums = [(profile, True) for profile in SMOOTH]
    kinds = [*((profile, False) for profile in PROFILES), *sums] if auto else [(made.profile, False)]
    forms = tuple(Form(p, alone, odd, noisy, d) for p, alone in kinds if d > 1 or not alone)
    search = Search(forms, made.average, auto, made.restarts, made.seed)
    m = data.y.shape[1]
    known = made.fitted.averaged.outputs if isinstance(made.fitted, Fitted) else None
    outputs: list[Output] = []
    for group in [[a] for a in range(m)] if made.lengths == "each" else [list(range(m))]:
        earlier = None if known is None else [known[a] for a in group]
        outputs += learn_outputs(search, points, values[:, group], nugget[:, group], earlier)
    return Fitted(centre, extent, level, units, Averaged(points, tuple(outputs)))


def _noisy(option: str, data: Data) -> bool:
    if option != "auto":
        return option == "learned"
    b, d = data.x.shape
    return not data.noise_std.any() and (b >= 5 * d + 10 or len(np.unique(data.x, axis=0)) < b)


def _box(x: Floats, odd: bool) -> tuple[Floats, Floats]:
    """Centre and extent of each input; one that never changed keeps its own size as extent, or one if it is zero."""
    size = np.abs(x).max(axis=0)
    centre = np.zeros_like(size) if odd else 0.5 * (x.min(axis=0) + x.max(axis=0))
    width = size if odd else np.ptp(x, axis=0)
    return centre, np.where(width > 1e-12 * size, width, np.where(size > 0, size, 1.0))


def _spread(y: Floats, odd: bool) -> tuple[Floats, Floats]:
    """Level and unit of each output."""
    if odd:
        root = np.sqrt(np.mean(y**2, axis=0))
        return np.zeros_like(root), np.where(root > 0, root, 1.0)
    scaling = Scaling.of(y)
    return scaling.centre, scaling.width


def _fit_potential(
    made: GaussianProcess, earlier: FittedPotential | None, x: Floats, y: Floats, noise: Floats
) -> FittedPotential:
    extent = np.abs(x).max(0) if made.structure.even else np.maximum(np.ptp(x, axis=0), 1e-9 * np.abs(x).max(0))
    extent = np.maximum(extent, 1e-3 * extent.max()) + 1e-300
    # Scaling x by `extent` scales the gradient by its inverse: one unit of energy for all components.
    units = (np.sqrt(np.mean((y * extent) ** 2)) + 1e-300) / extent
    at, value, noise_scaled = x / extent, y / units, noise / units
    prior = _prior(made, at, value)
    kernel: Kernel = GradientKernel("matern72" if made.profile == "auto" else made.profile, made.structure.even)
    points = torch.from_numpy(at)
    residual = torch.from_numpy(value - prior(at)[0]).reshape(-1)
    nugget = torch.from_numpy(noise_scaled**2).reshape(-1)
    theta = _maximum_posterior(kernel, points, residual, nugget, _expected(made, residual, x.shape[1]), earlier)
    scale = (-2 * theta[:-1]).exp()
    variance = float((2 * theta[-1]).exp())
    covariance = _covariance(kernel, points, scale, variance, nugget)
    factor = torch.linalg.cholesky(covariance)
    coefficients = torch.cholesky_solve(residual[:, None], factor).reshape(len(x), -1)
    conditioned = Conditioned(kernel, scale, variance, points, factor)
    return FittedPotential(extent, units, prior, conditioned, variance * coefficients, theta[:-1].numpy())


def _prior(made: GaussianProcess, at: Floats, value: Floats) -> Prior:
    return fit_power_law(at, value) if made.structure.even else fit_linear(at, value, False).symmetric(at, value)


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
    kernel: Kernel, points: Tensor, residual: Tensor, nugget: Tensor, centre: Tensor, earlier: FittedPotential | None
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
