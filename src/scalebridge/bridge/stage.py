"""One surrogate, the macro solution it gives, and what its posterior says of the error in q."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.bridge.closures import SurrogateClosure
from scalebridge.bridge.draws import probabilities
from scalebridge.bridge.sensitivity import Refused, difference_sensitivity
from scalebridge.bridge.session import Session
from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import MacroSolution, Posterior, Surrogate
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Stage:
    """A surrogate solved with.

    Args:
        surrogate: fitted.
        closure: its mean as a closure.
        solution: of the macro problem with that closure.
        values: ``[n, m]``, the closure at the states of the solution.
        weights: q -> ``[n, m]``, sensitivity of each quantity.
        posterior: at the states.
        deviation: q -> ``[n]``, ``s_i``, posterior deviation of ``w_i . f(x_i)``, a run's own noise included.
        magnitude: q -> ``[n]``, ``a_i = sum_j |w_ij| scale_j``.
        probability: ``[n]``, of a verification draw.
        order: ``[n]``, combined deviation in units of the tolerances, by which draws are ordered.
    """

    surrogate: Surrogate
    closure: SurrogateClosure
    solution: MacroSolution
    values: Floats
    weights: Mapping[str, Floats]
    posterior: Posterior
    deviation: Mapping[str, Floats]
    magnitude: Mapping[str, Floats]
    probability: Floats
    order: Floats

    def value(self, qoi: str) -> float:
        """Value of a quantity with the surrogate's mean."""
        return float(self.solution.qois[qoi])


def evaluate(session: Session, surrogate: Surrogate, start: Any) -> Stage | Refused:
    """Solve the macro problem with a surrogate's mean and weigh its states."""
    closure = SurrogateClosure(surrogate, session.coupling.inputs)
    solution = session.solve(closure, start)
    if not solution.converged and start is not None:
        solution = session.solve(closure, None)
    if not solution.converged:
        return Refused(f"the macro problem was not solved: {solution.reason}", solution.states)
    qois = session.question.qois
    for qoi in qois:
        if qoi not in solution.qois:
            raise InputError(f"The macro problem has no quantity of interest '{qoi}'{did_you_mean(qoi, solution.qois)}")
    weights = _weights(session, closure, solution)
    if isinstance(weights, Refused):
        return weights
    states = np.asarray(solution.states, dtype=np.float64)
    posterior = surrogate.posterior(states)
    values = closure(states).values
    noise = np.square(session.data.noise_std).mean(0)
    deviation, magnitude = {}, {}
    level = np.sqrt(np.mean(values**2, axis=0)) + 1e-300
    blocks = posterior.blocks
    for qoi, w in weights.items():
        own = np.einsum("ni,nij,nj->n", w, blocks, w) + (w**2) @ noise
        deviation[qoi] = np.sqrt(np.maximum(own, 0.0))
        magnitude[qoi] = np.abs(w) @ level
    unit = {q: session.question.scale(solution.qois[q]) for q in qois}
    order = np.sqrt(np.sum([(deviation[q] / unit[q]) ** 2 for q in qois], axis=0))
    plain = np.sum([magnitude[q] / unit[q] for q in qois], axis=0)
    p = probabilities(order, plain)
    return Stage(surrogate, closure, solution, values, weights, posterior, deviation, magnitude, p, order)


def _weights(session: Session, closure: SurrogateClosure, solution: MacroSolution) -> dict[str, Floats] | Refused:
    qois = session.question.qois
    if solution.sensitivity is None:
        return difference_sensitivity(session.solve, closure, solution, qois)
    weights = {q: np.asarray(solution.sensitivity(q), dtype=np.float64) for q in qois}
    shape = (len(solution.states), session.coupling.outputs.size)
    for qoi, w in weights.items():
        if w.shape != shape:
            return Refused(f"the sensitivity of '{qoi}' has shape {w.shape}; it must be {shape}, one row a state")
        if not w.any():
            return Refused(
                f"the sensitivity of '{qoi}' is zero everywhere; the quantity does not depend on the closure"
            )
    return weights
