"""Learning the outputs of a Gaussian process: parameters, draws of them, and what is then known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from scalebridge.learn.averaged import Member, Output, Seen
from scalebridge.learn.covariance import Covariance
from scalebridge.learn.forms import Form, bent_floor, floor
from scalebridge.learn.hyperparameters import IMPOSSIBLE, Objective, Peak, draws, peaks
from scalebridge.learn.joint import BentJoint, Joint
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from torch import Tensor

# The evidence of a covariance counts by this root: none of them is the true one.
TEMPER = 3.0
# Points at which the variance averaged over the draws is compared with that of one covariance.
PROBES = 128


@dataclass(frozen=True)
class Search:
    """How outputs are learned: see the options of `scalebridge.learn.GaussianProcess`."""

    forms: tuple[Form, ...]
    average: int
    thorough: bool
    restarts: int
    seed: int


def learn_outputs(
    search: Search, seen: Seen, values: Tensor, nugget: Tensor, earlier: Sequence[Output] | None = None
) -> list[Output]:
    """Learn outputs that share their parameters.

    Args:
        search: how.
        seen: where the runs told what, N numbers of each output.
        values: what they told, scaled ``[N, g]``: values, then slopes.
        nugget: declared variance of their noise ``[N, g]``.
        earlier: the same outputs of an earlier fit, where the search begins.
    """
    rng = np.random.default_rng(search.seed)
    tops: list[Peak] = []
    likely: list[tuple[Form, Objective, Peak]] = []
    for i, form in enumerate(search.forms):
        centre, width = form.prior
        objective = _objective(form, seen, values, nugget)
        starts = form.starts + [centre + 0.5 * width * rng.standard_normal(len(centre)) for _ in range(search.restarts)]
        if earlier is not None and len(earlier[0].peaks) == len(search.forms):
            known = earlier[0].peaks[i]
            # Noises may have come to the parameters since, or gone: they stand last.
            kept = len(known) if len(known) == len(centre) else min(form.size, len(known))
            starts[0][:kept] = known[:kept]
        found = peaks(objective, centre, width, starts)
        likely += [(form, objective, top) for top in found]
        tops.append(found[0])
    thetas: list[tuple[Form, Floats]] = []
    for (form, objective, top), count in zip(
        likely, _shares([top for _, _, top in likely], search.average), strict=True
    ):
        if search.average:
            drawn = draws(objective, top, count, _moves(len(seen), search.thorough), rng)
            thetas += [(form, theta) for theta in drawn]
        elif count:
            thetas.append((form, top.theta))
    form, _, top = max(likely, key=lambda one: one[2].evidence)
    members = [_conditioned(form, theta, seen, values, nugget) for form, theta in thetas]
    lead = _conditioned(form, top.theta, seen, values, nugget)
    told = tuple(top.theta for top in tops)
    return [_output(members, lead, seen, g, told, rng) for g in range(values.shape[1])]


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


def _objective(form: Form, seen: Seen, values: Tensor, nugget: Tensor) -> Objective:
    """Minus the log posterior of the parameters and its gradient."""
    centre, width = form.prior
    groups, points = _groups(nugget), seen.points
    joint_of = BentJoint(form, points, seen.bent) if form.bent else Joint(form, points)

    def objective(theta: Floats) -> tuple[float, Floats]:
        away = (theta - centre) / width
        loss, pull = 0.5 * float(away @ away), torch.zeros(len(seen), len(seen), dtype=points.dtype)
        if not np.isfinite(loss) or np.abs(away).max() > 20:
            return IMPOSSIBLE, np.zeros_like(theta)
        joint, least, gradient_of = joint_of(torch.from_numpy(theta))
        for column, members in groups:
            full = joint.clone()
            full.diagonal().add_(column + least)
            factor, info = torch.linalg.cholesky_ex(full)
            if int(info):
                return IMPOSSIBLE, np.zeros_like(theta)
            solved = torch.cholesky_solve(values[:, members], factor)
            loss += float(0.5 * (values[:, members] * solved).sum() + len(members) * factor.diagonal().log().sum())
            pull.add_(torch.cholesky_inverse(factor), alpha=0.5 * len(members)).addmm_(solved, solved.T, alpha=-0.5)
        gradient = gradient_of(pull).numpy()
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            return IMPOSSIBLE, np.zeros_like(theta)
        return loss, gradient + away / width

    return objective


@dataclass(frozen=True)
class _Conditioned:
    covariance: Covariance
    noise: float
    factors: list[Tensor]
    coefficients: Tensor


def _conditioned(form: Form, theta: Floats, seen: Seen, values: Tensor, nugget: Tensor) -> _Conditioned:
    with torch.no_grad():
        covariance, noise, bent_noise = form.made(torch.from_numpy(theta))
        joint = covariance.joint(seen.points, seen.bent)
        values_least = (noise + floor(covariance)).expand(len(seen.points))
        least = torch.cat([values_least, (bent_noise + bent_floor(covariance)).repeat(len(seen.bent))])
        factors: list[Tensor] = [torch.empty(0)] * values.shape[1]
        for column, members in _groups(nugget):
            factor = torch.linalg.cholesky(joint + torch.diag(column + least))
            for g in members:
                factors[g] = factor
        solved = [torch.cholesky_solve(values[:, g : g + 1], factors[g])[:, 0] for g in range(values.shape[1])]
    return _Conditioned(covariance, float(noise), factors, torch.stack(solved, dim=1))


def _output(
    found: Sequence[_Conditioned], lead: _Conditioned, seen: Seen, g: int, peaks: tuple[Floats, ...],
    rng: np.random.Generator,
) -> Output:  # fmt: skip
    points = seen.points
    low, high = points.min(0).values, points.max(0).values
    probes = low + (high - low) * torch.from_numpy(rng.random((PROBES, points.shape[1])))

    def variance(of: _Conditioned) -> Tensor:
        cross = of.covariance.observed(probes, points, seen.bent).T
        white = torch.linalg.solve_triangular(of.factors[g], cross, upper=False)
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
