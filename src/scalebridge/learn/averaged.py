"""Gaussian processes of one output each, averaged over their covariances and the parameters of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.learn.covariance import Covariance
from scalebridge.learn.hyperparameters import IMPOSSIBLE, Objective, Peak, draws, peak
from scalebridge.learn.radial import PROFILES
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor

# What is known beforehand of logarithms, for runs in a box of size one with outputs of unit deviation.
LENGTH, ALONE = (1.5, 2.5), (0.0, 2.0)
SIZE, SLOPE, NOISE = (1.5, 2.5), (0.0, 1.0), (-7.0, 3.0)
# Standard deviation of the level, in those of the outputs.
LEVEL = 4.0
# Rounding, and the tolerance of what made the runs, as a part of the variance.
FLOOR, ROUNDING = 1e-10, 1e-13
# The evidence of a covariance counts by this root: none of them is the true one.
TEMPER = 3.0
# Points at which the variance averaged over the draws is compared with that of one covariance.
PROBES = 128


@dataclass(frozen=True)
class Form:
    """A covariance whose parameters are not yet known.

    Args:
        profile: name of the radial profile.
        additive: with a sum over single inputs, of lengths of its own.
        odd: whether the response is.
        noisy: whether a noise is among the parameters.
        dim: number of inputs.
    """

    profile: str
    additive: bool
    odd: bool
    noisy: bool
    dim: int

    @property
    def prior(self) -> tuple[Floats, Floats]:
        """Centre and width ``[p]`` of the normal prior of the parameters."""
        kinds = [LENGTH] * self.dim + [SIZE, SLOPE] + ([ALONE] * self.dim + [SLOPE]) * self.additive
        pairs = np.array(kinds + [NOISE] * self.noisy)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    @property
    def start(self) -> Floats:
        """Where to begin: lengths that grow with the number of inputs, as distances do."""
        theta = self.prior[0]
        theta[: self.dim] = 0.5 * np.log(self.dim)
        return theta

    def made(self, theta: Tensor) -> tuple[Covariance, Tensor]:
        """The covariance of ``theta [p]`` and its variance of noise."""
        d, none = self.dim, torch.zeros((), dtype=theta.dtype)
        apart, size = theta[d + 2 : 2 * d + 2], theta[d + 2 + d : 2 * d + 3]
        level = none if self.odd else none + LEVEL**2
        made = Covariance(
            self.profile,
            self.odd,
            (-2 * theta[:d]).exp(),
            (2 * theta[d]).exp(),
            (-2 * apart).exp() if self.additive else torch.ones(d, dtype=theta.dtype),
            (2 * size[0]).exp() if self.additive else none,
            (2 * theta[d + 1]).exp(),
            level,
        )
        return made, (2 * theta[-1]).exp() if self.noisy else none


@dataclass(frozen=True)
class Member:
    """One covariance with the coefficients ``[b]`` of its mean."""

    covariance: Covariance
    coefficients: Tensor


@dataclass(frozen=True)
class Output:
    """What is known of one output: members of equal weight, and one covariance that stands for theirs.

    Args:
        members: the mean is the average of theirs.
        lead: a covariance whose variance given the runs is, on average, that of the members.
        factor: Cholesky factor ``[b, b]`` of the runs' covariance by ``lead``, with noise.
        noise: variance of what was learned as unexplained.
        peaks: most probable parameters of each form, where a later fit begins.
    """

    members: tuple[Member, ...]
    lead: Covariance
    factor: Tensor
    noise: float
    peaks: tuple[Floats, ...]

    def whitened(self, x: Tensor, points: Tensor) -> Tensor:
        """``factor^-1 lead(points, x)``, ``[b, n]``."""
        white: Tensor = torch.linalg.solve_triangular(self.factor, self.lead.between(points, x), upper=False)
        return white

    def spread(self, x: Tensor, points: Tensor) -> Tensor:
        """Deviations ``[M, n]`` of the members' means from their average, over the root of M."""
        means = torch.stack([m.covariance.dot(x, points, m.coefficients) for m in self.members])
        apart: Tensor = (means - means.mean(0)) / np.sqrt(len(means))
        return apart


@dataclass(frozen=True)
class Averaged:
    """Independent outputs, each averaged over its members; a `scalebridge.learn.gaussian_posterior.Conditional`."""

    points: Tensor
    outputs: tuple[Output, ...]

    def mean(self, x: Tensor) -> Tensor:
        """Mean ``[n, m]``."""
        return torch.stack([self._mean(o, x) for o in self.outputs], dim=1)

    def _mean(self, output: Output, x: Tensor) -> Tensor:
        means = [m.covariance.dot(x, self.points, m.coefficients) for m in output.members]
        return torch.stack(means).mean(0)

    def apply(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[n, m]`` and its derivative ``[n, m, d]``."""
        values, slopes = [], []
        for output in self.outputs:
            parts = [m.covariance.apply(x, self.points, m.coefficients) for m in output.members]
            values.append(torch.stack([value for value, _ in parts]).mean(0))
            slopes.append(torch.stack([slope for _, slope in parts]).mean(0))
        return torch.stack(values, dim=1), torch.stack(slopes, dim=1)

    def prior_blocks(self, x: Tensor) -> Tensor:
        """See `Conditional.prior_blocks`; the members' disagreement is what no run has told."""
        variances = [o.lead.diagonal(x) + o.spread(x, self.points).square().sum(0) for o in self.outputs]
        return torch.diag_embed(torch.stack(variances, dim=1))

    def prior_dot(self, x: Tensor, z: Tensor, weights: Tensor) -> Tensor:
        """See `Conditional.prior_dot`."""
        columns = []
        for output, w in zip(self.outputs, weights.T, strict=True):
            apart = output.spread(x, self.points).T @ (output.spread(z, self.points) @ w)
            columns.append(output.lead.dot(x, z, w) + apart)
        return torch.stack(columns, dim=1)

    def whitened(self, x: Tensor) -> Tensor:
        """See `Conditional.whitened`; a block of rows for each output."""
        b, m = len(self.points), len(self.outputs)
        white = torch.zeros(m * b, len(x), m, dtype=x.dtype)
        for a, output in enumerate(self.outputs):
            white[a * b : (a + 1) * b, :, a] = output.whitened(x, self.points)
        return white

    def cross(self, x: Tensor, z: Tensor, wx: Tensor, wz: Tensor) -> Tensor:
        """See `Conditional.cross`."""
        b, m = len(self.points), len(self.outputs)
        cross = torch.zeros(len(x), m, len(z), m, dtype=x.dtype)
        for a, output in enumerate(self.outputs):
            rows = slice(a * b, (a + 1) * b)
            apart = output.spread(x, self.points).T @ output.spread(z, self.points)
            known = wx[rows, :, a].T @ wz[rows, :, a]
            cross[:, a, :, a] = output.lead.between(x, z) + apart - known
        return cross


@dataclass(frozen=True)
class Search:
    """How outputs are learned: see the options of `scalebridge.learn.GaussianProcess`."""

    forms: tuple[Form, ...]
    average: int
    thorough: bool
    restarts: int
    seed: int


def learn_outputs(
    search: Search, points: Tensor, values: Tensor, nugget: Tensor, earlier: Sequence[Output] | None = None
) -> list[Output]:
    """Learn outputs that share their parameters.

    Args:
        search: how.
        points: scaled inputs ``[b, d]``.
        values: scaled outputs ``[b, g]``.
        nugget: declared variance of their noise ``[b, g]``.
        earlier: the same outputs of an earlier fit, where the search begins.
    """
    rng = np.random.default_rng(search.seed)
    peaks, objectives = [], []
    for i, form in enumerate(search.forms):
        centre, width = form.prior
        objective = _objective(form, points, values, nugget)
        starts = [form.start] + [
            centre + 0.5 * width * rng.standard_normal(len(centre)) for _ in range(search.restarts)
        ]
        if earlier is not None and len(earlier[0].peaks) == len(search.forms):
            # A noise may have come to the parameters since, or gone: it stands last.
            known = earlier[0].peaks[i]
            starts[0] = np.concatenate([known, form.start[len(known) :]])[: len(centre)]
        peaks.append(peak(objective, centre, width, starts))
        objectives.append(objective)
    thetas = [
        (form, theta)
        for form, top, objective, count in zip(
            search.forms, peaks, objectives, _shares(peaks, search.average), strict=True
        )
        for theta in (
            draws(objective, top, count, _moves(len(points), search.thorough), rng)
            if search.average
            else [top.theta] * count
        )
    ]
    best = int(np.argmax([p.evidence for p in peaks]))
    found = [_conditioned(form, theta, points, values, nugget) for form, theta in thetas]
    lead = _conditioned(search.forms[best], peaks[best].theta, points, values, nugget)
    told = tuple(p.theta for p in peaks)
    return [_output(found, lead, points, g, told, rng) for g in range(values.shape[1])]


def _shares(peaks: Sequence[Peak], count: int) -> list[int]:
    """How many of ``count`` draws each form gets, by its tempered evidence; without draws the best form alone."""
    evidence = np.array([p.evidence for p in peaks])
    if count == 0:
        return [int(i == np.argmax(evidence)) for i in range(len(peaks))]
    share = np.exp((evidence - evidence.max()) / TEMPER)
    ends = np.cumsum(share / share.sum()) * count
    edges = np.round(np.concatenate([[0.0], ends])).astype(int)
    return [int(n) for n in np.diff(edges)]


def _moves(runs: int, thorough: bool) -> int:
    """With more runs a move costs more and the posterior is closer to the normal law that the draws are of."""
    if runs <= (120 if thorough else 24):
        return 3
    return int(thorough and runs <= 300)


class Joint:
    """The runs' covariance with its derivative in the parameters, squared differences kept between calls."""

    def __init__(self, form: Form, points: Tensor) -> None:
        self.form, self.runs = form, len(points)
        self.trend = (points @ points.T).reshape(-1)
        across = [(1.0, points[:, None, :] - points[None, :, :])]
        if form.odd:
            across.append((-1.0, points[:, None, :] + points[None, :, :]))
        self.apart = [(sign, delta.square().reshape(-1, form.dim).T.contiguous()) for sign, delta in across]

    def __call__(self, theta: Tensor) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
        """Covariance ``[b, b]`` without noise, what stands on its diagonal, and ``A -> sum(A dK/dtheta)``, ``[p]``."""
        made, noise = self.form.made(theta)
        profile, d = PROFILES[made.profile], self.form.dim
        whole, single = torch.zeros_like(self.trend), torch.zeros_like(self.trend)
        slopes, bends = [], []
        for sign, squared in self.apart:
            h, h1, _, _ = profile(made.scale @ squared)
            whole += sign * h
            slopes.append(sign * h1)
            if self.form.additive:
                h, h1, _, _ = profile(made.alone[:, None] * squared)
                single += sign / d * h.sum(0)
                bends.append(sign / d * h1)
        joint = made.variance * whole + made.alone_variance * single + made.slope * self.trend + made.level

        def gradient(pull: Tensor) -> Tensor:
            a, out = pull.reshape(-1), torch.zeros_like(theta)
            jitter = pull.trace() * FLOOR
            for (_, squared), h1 in zip(self.apart, slopes, strict=True):
                out[:d] -= 2 * made.scale * made.variance * (squared @ (a * h1))
            out[d] = 2 * made.variance * (a @ whole + jitter)
            out[d + 1] = 2 * made.slope * (a @ self.trend)
            if self.form.additive:
                for (_, squared), h1 in zip(self.apart, bends, strict=True):
                    out[d + 2 : 2 * d + 2] -= 2 * made.alone * made.alone_variance * ((squared * h1) @ a)
                out[2 * d + 2] = 2 * made.alone_variance * (a @ single + jitter)
            if self.form.noisy:
                out[-1] = 2 * noise * pull.trace()
            return out

        return joint.reshape(self.runs, self.runs), noise + _floor(made), gradient


def _groups(nugget: Tensor) -> list[tuple[Tensor, list[int]]]:
    """Columns of equal noise ``[b]`` with the outputs that have it."""
    groups: list[tuple[Tensor, list[int]]] = []
    for g, column in enumerate(nugget.T):
        for known, members in groups:
            if torch.equal(known, column):
                members.append(g)
                break
        else:
            groups.append((column, [g]))
    return groups


def _objective(form: Form, points: Tensor, values: Tensor, nugget: Tensor) -> Objective:
    """Minus the log posterior of the parameters and its gradient."""
    centre, width = form.prior
    groups, joint_of = _groups(nugget), Joint(form, points)

    def objective(theta: Floats) -> tuple[float, Floats]:
        away = (theta - centre) / width
        loss, pull = 0.5 * float(away @ away), torch.zeros(len(points), len(points), dtype=points.dtype)
        if not np.isfinite(loss) or np.abs(away).max() > 20:
            return IMPOSSIBLE, np.zeros_like(theta)
        joint, floor, gradient_of = joint_of(torch.from_numpy(theta))
        for column, members in groups:
            full = joint.clone()
            full.diagonal().add_(column + floor)
            factor, info = torch.linalg.cholesky_ex(full)
            if int(info):
                return IMPOSSIBLE, np.zeros_like(theta)
            solved = torch.cholesky_solve(values[:, members], factor)
            loss += float(0.5 * (values[:, members] * solved).sum() + len(members) * factor.diagonal().log().sum())
            pull += 0.5 * (len(members) * torch.cholesky_inverse(factor) - solved @ solved.T)
        gradient = gradient_of(pull).numpy()
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            return IMPOSSIBLE, np.zeros_like(theta)
        return loss, gradient + away / width

    return objective


def _floor(covariance: Covariance) -> Tensor:
    return FLOOR * covariance.total + ROUNDING * covariance.level


@dataclass(frozen=True)
class _Conditioned:
    covariance: Covariance
    noise: float
    factors: list[Tensor]
    coefficients: Tensor


def _conditioned(form: Form, theta: Floats, points: Tensor, values: Tensor, nugget: Tensor) -> _Conditioned:
    with torch.no_grad():
        covariance, noise = form.made(torch.from_numpy(theta))
        joint = covariance.between(points, points)
        factors: list[Tensor] = [torch.empty(0)] * values.shape[1]
        for column, members in _groups(nugget):
            factor = torch.linalg.cholesky(joint + torch.diag(column + noise + _floor(covariance)))
            for g in members:
                factors[g] = factor
        solved = [torch.cholesky_solve(values[:, g : g + 1], factors[g])[:, 0] for g in range(values.shape[1])]
    return _Conditioned(covariance, float(noise), factors, torch.stack(solved, dim=1))


def _output(
    found: Sequence[_Conditioned], lead: _Conditioned, points: Tensor, g: int, peaks: tuple[Floats, ...],
    rng: np.random.Generator,
) -> Output:  # fmt: skip
    low, high = points.min(0).values, points.max(0).values
    probes = low + (high - low) * torch.from_numpy(rng.random((PROBES, points.shape[1])))

    def variance(of: _Conditioned) -> Tensor:
        white = torch.linalg.solve_triangular(of.factors[g], of.covariance.between(points, probes), upper=False)
        left: Tensor = of.covariance.diagonal(probes) - white.square().sum(0)
        return left.clamp_min(0)

    own = variance(lead)
    mean = torch.stack([variance(c) for c in found]).mean(0)
    grown = float((mean.mean() / own.mean().clamp_min(1e-300)).clamp(1.0, 1e6)) if float(own.mean()) > 0 else 1.0
    c = lead.covariance
    wider = replace(
        c,
        variance=grown * c.variance,
        alone_variance=grown * c.alone_variance,
        slope=grown * c.slope,
        level=grown * c.level,
    )
    members = tuple(Member(of.covariance, of.coefficients[:, g]) for of in found)
    noise = float(np.mean([of.noise for of in found]))
    return Output(members, wider, np.sqrt(grown) * lead.factors[g], noise, peaks)
