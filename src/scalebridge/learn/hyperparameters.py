"""Parameters of a covariance by their posterior: the most probable ones, their evidence, and draws of them.

An interval that takes the most probable lengths for the true ones is too narrow where the runs are few; the draws say
by how much. Theory: Rasmussen and Williams 2006, section 5.2; MacKay 1992 for the evidence by a normal approximation;
Neal 2011 for the moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scalebridge.quantities import Floats

Objective = Callable[[Floats], tuple[float, Floats]]

# Loss of parameters that have none: a covariance that cannot be factorised.
IMPOSSIBLE = 1e10
# Another end of a search is looked at where its loss is no higher than the least one by this.
BESIDE = 15.0
# Steps of a move and their size, in units of the posterior's deviation: about a quarter of its period in all.
STEPS, SIZE = 8, 0.3


@dataclass(frozen=True)
class Peak:
    """Probable parameters and the posterior around them.

    Args:
        theta: ``[p]``.
        spread: ``[p, p]``, so that ``theta + spread z`` with standard normal z is near the posterior.
        evidence: logarithm of the probability of the runs, to a constant.
    """

    theta: Floats
    spread: Floats
    evidence: float


def peaks(
    objective: Objective, centre: Floats, width: Floats, starts: Sequence[Floats], steps: int = 200
) -> list[Peak]:
    """Find where parameters are probable by L-BFGS, and the curvature there by differences.

    Args:
        objective: minus the log posterior and its gradient, for a prior normal around ``centre`` by ``width``.
        centre, width: ``[p]``.
        starts: where to begin.
        steps: at most, of each search.

    Returns:
        The different ends of the searches, the most probable one first; none that is out of the question beside it.
    """
    from scipy.optimize import minimize

    reach = list(zip(centre - 4 * width, centre + 4 * width, strict=True))
    ends = [
        minimize(objective, s, jac=True, method="L-BFGS-B", bounds=reach, options={"maxiter": steps}) for s in starts
    ]
    ends.sort(key=lambda end: float(end.fun))
    found: list[Peak] = []
    for end in ends:
        near = (np.linalg.solve(known.spread, end.x - known.theta) for known in found)
        if end.fun <= ends[0].fun + BESIDE and not any(away @ away < len(centre) for away in near):
            found.append(_peak(objective, width, np.asarray(end.x), float(end.fun)))
    return found


def _peak(objective: Objective, width: Floats, theta: Floats, loss: float) -> Peak:
    slope, step = objective(theta)[1], 1e-3
    rows = [(objective(theta + e)[1] - slope) / step for e in step * np.eye(len(theta))]
    values, vectors = np.linalg.eigh(0.5 * (np.stack(rows) + np.stack(rows).T))
    # No direction is wider than the widest prior.
    values = np.maximum(values, 1 / np.max(width) ** 2)
    evidence = -loss - 0.5 * float(np.log(values).sum()) - float(np.log(width).sum())
    return Peak(theta, vectors / np.sqrt(values), evidence)


def draws(objective: Objective, around: Peak, count: int, moves: int, rng: np.random.Generator) -> list[Floats]:
    """Draws from the posterior: of the normal law at its peak, each then moved by Hamiltonian dynamics.

    Args:
        objective: as in `peak`.
        around: the peak.
        count: how many.
        moves: of each; with none the draws are of the normal law, drawn in where that reaches too far.
        rng: source of randomness.
    """
    return [_one(objective, around, moves, rng) for _ in range(count)]


def _one(objective: Objective, around: Peak, moves: int, rng: np.random.Generator) -> Floats:
    size = len(around.theta)
    least = objective(around.theta)[0]
    z = rng.standard_normal(size)
    loss, slope = objective(around.theta + around.spread @ z)
    # A draw of p parameters lies p/2 below the peak, give or take the root of that.
    while loss > least + 0.5 * size + 2.5 * np.sqrt(size) and np.abs(z).max() > 1e-3:
        z = 0.7 * z
        loss, slope = objective(around.theta + around.spread @ z)
    for _ in range(moves):
        z, loss, slope = _moved(objective, around, z, loss, slope, rng)
    drawn: Floats = around.theta + around.spread @ z
    return drawn


def _moved(
    objective: Objective, around: Peak, z: Floats, loss: float, slope: Floats, rng: np.random.Generator
) -> tuple[Floats, float, Floats]:
    momentum = rng.standard_normal(len(z))
    size, level = SIZE * rng.uniform(0.7, 1.3), rng.random()
    energy = loss + 0.5 * float(momentum @ momentum)
    at, force, new = z, around.spread.T @ slope, loss
    gradient = slope
    for _ in range(STEPS):
        momentum = momentum - 0.5 * size * force
        at = at + size * momentum
        new, gradient = objective(around.theta + around.spread @ at)
        if new >= IMPOSSIBLE:
            return z, loss, slope
        force = around.spread.T @ gradient
        momentum = momentum - 0.5 * size * force
    accepted = np.log(level) < energy - new - 0.5 * float(momentum @ momentum)
    return (at, new, gradient) if accepted else (z, loss, slope)
