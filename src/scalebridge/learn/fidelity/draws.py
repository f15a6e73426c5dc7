"""Draws of a level's parameters from what its runs say about them, by importance sampling.

Half of the proposals are from the beliefs, half from a normal law at the most probable parameters; with a handful of
runs the former serve, with many the latter. The level below comes with draws of its own, each of which is met by
several proposals: what the runs of a level say about the levels below is kept in the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.fidelity.beliefs import Beliefs, Below, Evidence
from scalebridge.learn.fidelity.terms import Terms, joined
from scalebridge.quantities import Floats

# Proposals of each kind, fewer where a covariance takes long.
PROPOSALS, FEWEST, WORK = 2048, 64, 1.8e6
# Numbers of one temporary array at most.
ROOM = 4e6
# How far the search for the most probable parameters may go, in widths of the beliefs.
REACH = 4.0
# The normal law at the peak is this much wider than the curvature there says, and no wider than this in all.
WIDER, WIDEST = 1.15, 1.5


@dataclass(frozen=True)
class Drawn:
    """``s`` draws of equal weight.

    Args:
        terms: of the level.
        parent: the draw of the level below that each goes with ``[s]``.
        effective: how many draws of equal weight the proposals were worth.
    """

    terms: Terms
    parent: Tensor
    effective: float


@dataclass(frozen=True)
class _Proposals:
    terms: Terms
    parent: Tensor
    log_weight: Tensor


def draw(
    beliefs: Beliefs, x: Tensor, y: Tensor, nugget: Tensor, below: Below | None, count: int, rng: np.random.Generator
) -> Drawn:
    """Draw ``count`` sets of parameters of a level.

    Args:
        beliefs: what is known of them.
        x, y, nugget: the runs: scaled inputs ``[b, d]``, outputs ``[b]``, variance of the noise ``[b]``.
        below: the level below at these, or None for the cheapest.
        count: of draws.
        rng: source of all chance.
    """
    each = [_proposed(Evidence(beliefs, name, x, y, nugget), below, rng) for name in beliefs.profiles]
    log_weight = torch.cat([p.log_weight for p in each]).numpy()
    weight = np.exp(log_weight - log_weight.max())
    # Truncated: a single proposal must not stand for all (Ionides, J. Comput. Graph. Stat. 17 (2008)).
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))
    weight /= weight.sum()
    places = (np.arange(count) + rng.random()) / count
    chosen = torch.from_numpy(np.minimum(np.searchsorted(np.cumsum(weight), places), len(weight) - 1))
    parents = torch.cat([p.parent for p in each])
    return Drawn(joined([p.terms for p in each]).rows(chosen), parents[chosen], float(1 / np.sum(weight**2)))


def _proposed(evidence: Evidence, below: Below | None, rng: np.random.Generator) -> _Proposals:
    count = int(np.clip(WORK / len(evidence.y) ** 2, FEWEST, PROPOSALS))
    size = evidence.beliefs.count(evidence.x.shape[1])
    wide = torch.from_numpy(rng.standard_normal((count, size)))
    parent = torch.arange(count) % (1 if below is None else len(below.mean))
    pieces = torch.arange(2 * count).split(max(1, int(ROOM / len(evidence.y) ** 2)))

    def loss(z: Tensor, parent: Tensor) -> Tensor:
        each = [p[p < len(z)] for p in pieces if p[0] < len(z)]
        return torch.cat([evidence.loss(z[p], None if below is None else below.rows(parent[p])) for p in each])

    first = loss(wide, parent) + 0.5 * wide.square().sum(1)
    centre, root = _peak(evidence, None if below is None else below.averaged(), wide[int(first.argmin())].numpy())
    near = centre + torch.from_numpy(rng.standard_normal((count, size))) @ root.T
    z, parent = torch.cat([wide, near]), torch.cat([parent, parent])
    prior = -0.5 * z.square().sum(1)
    at_peak = -0.5 * torch.linalg.solve(root, (z - centre).T).square().sum(0) - torch.linalg.slogdet(root)[1]
    log_weight = prior - torch.logaddexp(prior, at_peak)
    if below is None:
        return _Proposals(evidence.terms(z, torch.zeros_like(prior)), parent, log_weight - loss(z, parent))
    normal = torch.from_numpy(rng.standard_normal(len(z)))
    drawn = [evidence.factors(z[p], below.rows(parent[p]), normal[p]) for p in pieces]
    rho, told = (torch.cat(part) for part in zip(*drawn, strict=True))
    return _Proposals(evidence.terms(z, rho), parent, log_weight + told)


def _peak(evidence: Evidence, below: Below | None, start: Floats) -> tuple[Tensor, Tensor]:
    """The most probable parameters ``[p]`` and a root ``[p, p]`` of the covariance of the normal law there."""
    from scipy.optimize import minimize

    def objective(z: Tensor) -> Tensor:
        return evidence.loss(z[None], below)[0] + 0.5 * z.square().sum()

    def with_gradient(values: Floats) -> tuple[float, Floats]:
        z = torch.from_numpy(values.copy()).requires_grad_(True)
        loss = objective(z)
        loss.backward()
        assert z.grad is not None
        return float(loss.detach()), np.nan_to_num(z.grad.numpy())

    bounds = [(-REACH, REACH)] * len(start)
    start = np.clip(start, -REACH, REACH)
    found = minimize(with_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
    centre = torch.from_numpy(np.asarray(found.x, dtype=np.float64))
    curvature = torch.autograd.functional.hessian(objective, centre)
    values, vectors = torch.linalg.eigh(torch.nan_to_num(0.5 * (curvature + curvature.T)))
    return centre, vectors * (WIDER / values.clamp_min(WIDEST**-2).sqrt())
