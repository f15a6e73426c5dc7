"""What the maximisers of an evidence share: a correlation with cheap derivatives, priors of its parameters, a search.

Inputs and outputs are scaled to unit deviation. The parameters of one process are the logarithms of ``d`` lengths,
of its deviation and of the noise's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.learn.learner import least
from scalebridge.learn.radial import PROFILES
from scalebridge.learn.spread import same_rows, unknown
from scalebridge.quantities import Floats

# The least noise that is learned, relative to the outputs' deviation: below it a covariance cannot be factorised.
LEAST_NOISE = 1e-3
# Added to the diagonal of a correlation without noise.
JITTER = 1e-8
# What stands for the loss where a covariance has no factor.
WALL = 1e10
# Rows that a first exact search may use.
FIRST_ROWS = 300


class _Correlation(torch.autograd.Function):
    """``h(|a - b|^2)`` with its derivative by hand: of the ways there, one matrix alone is kept for the way back."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, profile: str) -> Tensor:
        value, slope, _, _ = PROFILES[profile](squared(a, b))
        ctx.save_for_backward(a, b, slope)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        a, b, slope = ctx.saved_tensors
        g = 2 * gradients[0] * slope
        return a * g.sum(1, keepdim=True) - g @ b, b * g.sum(0)[:, None] - g.T @ a, None


def squared(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances ``[n, k]`` of ``a [n, d]`` and ``b [k, d]``."""
    apart: Tensor = torch.addmm(a.square().sum(1)[:, None] + b.square().sum(1)[None, :], a, b.T, alpha=-2)
    return apart.clamp_min_(0.0)


def correlation(x: Tensor, z: Tensor, log_lengths: Tensor, profile: str) -> Tensor:
    """``h(|x - z|^2)`` of the scaled distance ``[n, k]``; differentiable once, in all arguments."""
    scale = (-log_lengths).exp()
    answer: Tensor = _Correlation.apply(x * scale, z * scale, profile)  # type: ignore[no-untyped-call]
    return answer


@dataclass(frozen=True)
class Hyperprior:
    """Independent normal laws of the logarithms, and the box that is searched.

    Args:
        centre, width: ``[p]``.
        low, high: ``[p]``.
    """

    centre: Floats
    width: Floats
    low: Floats
    high: Floats

    @staticmethod
    def one(centre: float, width: float, low: float, high: float) -> Hyperprior:
        """Of a single parameter."""
        return Hyperprior(*(np.array([v]) for v in (centre, width, low, high)))

    @staticmethod
    def joined(*parts: Hyperprior) -> Hyperprior:
        """One of all their parameters, in this order."""
        return Hyperprior(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("centre", "width", "low", "high")))

    def of(self, which: NDArray[np.int64]) -> Hyperprior:
        """Of some of the parameters."""
        return Hyperprior(self.centre[which], self.width[which], self.low[which], self.high[which])


def lengths_prior(d: int) -> Hyperprior:
    """Of ``d`` log lengths: the distance of two points grows as the root of d, and so do the lengths in question."""
    centre = np.full(d, 0.5 * np.log(d))
    return Hyperprior(centre, np.full(d, 1.0), np.full(d, np.log(0.05)), centre + 4.2)


def process_prior(d: int) -> Hyperprior:
    """Of ``d`` log lengths, a log deviation and a log noise."""
    noise = Hyperprior.one(np.log(0.1), 1.5, np.log(LEAST_NOISE), np.log(2.0))
    return Hyperprior.joined(lengths_prior(d), deviation_prior(), noise)


def deviation_prior() -> Hyperprior:
    """Of a log deviation."""
    return Hyperprior.one(0.0, 1.0, -5.0, 7.0)


def few_rows(x: Floats) -> float:
    """Factor on every deviation, for lengths that were found from few different rows of ``x [b, d]``.

    That of a variance found from as many rows fewer as there are lengths, though never from less than two thirds.
    """
    b = int(same_rows(x).max()) + 1
    return unknown(max(b - x.shape[1], -(-2 * b // 3)))


def whole(title: str, name: str, value: float, lowest: int) -> None:
    """Raise `InputError` unless an option is a whole number of at least ``lowest``."""
    least(title, name, value, lowest)
    if value != int(value):
        raise InputError(f"{title} got {name} = {value!r}; give a whole number of at least {lowest}.")


def minimise(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, prior: Hyperprior, iterations: int
) -> tuple[Floats, float]:
    """The parameters ``[p]`` of the least ``loss + prior.loss`` that L-BFGS finds in the prior's box, and that loss.

    Args:
        loss: of the parameters, with its gradient.
        start: ``[p]``, where the search begins.
        prior: of the parameters.
        iterations: at most.
    """
    from scipy.optimize import minimize

    def objective(values: Floats) -> tuple[float, Floats]:
        value, gradient = loss(values)
        apart = (values - prior.centre) / prior.width
        return value + 0.5 * float(apart @ apart), gradient + apart / prior.width

    found = minimize(
        objective,
        np.clip(start, prior.low, prior.high),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(prior.low, prior.high, strict=True)),
        options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 1e-7},
    )
    best: Floats = found.x
    return best, float(found.fun)


def differentiated(loss: Callable[[Tensor], Tensor | None]) -> Callable[[Floats], tuple[float, Floats]]:
    """A loss in tensors as one in arrays with its gradient; None (no factor exists) is a wall."""

    def objective(values: Floats) -> tuple[float, Floats]:
        theta = torch.from_numpy(values.copy()).requires_grad_(True)
        value = loss(theta)
        if value is None:
            return WALL, np.zeros_like(values)
        (gradient,) = torch.autograd.grad(value, theta)
        return float(value.detach()), gradient.numpy()

    return objective


def normal_loss(covariance: Tensor, value: Tensor) -> Tensor | None:
    """Minus the log density of ``value [b]`` under a normal law of zero mean; None where there is no factor."""
    factor, info = torch.linalg.cholesky_ex(covariance)
    if int(info):
        return None
    white = torch.linalg.solve_triangular(factor, value[:, None], upper=False)
    constant = 0.5 * len(value) * float(np.log(2 * np.pi))
    loss: Tensor = 0.5 * white.square().sum() + factor.diagonal().log().sum() + constant
    return loss


def covariance(x: Tensor, theta: Tensor, noise: Tensor, profile: str) -> Tensor:
    """Of one process at ``x [b, d]`` with learned noise and the declared variance ``noise [b]``."""
    own = (2 * theta[-2]).exp() * correlation(x, x, theta[:-2], profile)
    return own + torch.diag(noise + (2 * theta[-1]).exp())


def exact_search(x: Tensor, value: Tensor, noise: Tensor, profile: str, seed: int = 0, iterations: int = 60) -> Floats:
    """Parameters ``[d + 2]`` of the most probable exact process on ``x [b, d]``, ``value [b]``, variance ``noise [b]``.

    Of many rows some are drawn; two starts, smooth and less so, since a short length and noise explain the same.
    """
    if len(x) > FIRST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(x), FIRST_ROWS, replace=False))
        x, value, noise = x[rows], value[rows], noise[rows]
    d = x.shape[1]
    prior = process_prior(d)
    loss = differentiated(lambda theta: normal_loss(covariance(x, theta, noise, profile), value))
    starts = [prior.centre, prior.centre + np.concatenate([np.full(d, 1.0), [0.0, np.log(3.0)]])]
    found = [minimise(loss, start, prior, iterations) for start in starts]
    return min(found, key=lambda pair: pair[1])[0]
