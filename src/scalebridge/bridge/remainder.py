"""The part of the error that the first-order estimate leaves: no micro run, at most one macro solve a round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scalebridge.bridge.audit import Audit
from scalebridge.bridge.closures import ScaledClosure
from scalebridge.bridge.session import Session
from scalebridge.bridge.stage import Stage
from scalebridge.quantities import Floats

# The remainder is itself an estimate.
SAFETY = 2.0
# A factor this near to one is left to the remainder of the refit.
NEGLIGIBLE = 1e-3


def refit_remainder(result: Audit, best: Stage, qoi: str) -> float:
    """``|q(best) - q(f_k) - sum w_k (best - f_k)|`` with the best surrogate in place of the truth.

    That is the error of the estimate of round k, had the best surrogate been the truth.
    """
    old = result.stage
    change = best.closure(old.solution.states).values - old.values
    first_order = float((old.weights[qoi] * change).sum())
    return abs(best.value(qoi) - old.value(qoi) - first_order)


def scaled_remainder(session: Session, result: Audit) -> dict[str, float]:
    """The same with the surrogate times the factor that the residuals ask for.

    A surrogate that stays wrong by a factor however often it is refitted moves little from round to
    round; its residuals still say by how much it is wrong.
    """
    stage = result.stage
    values = stage.values[result.draws.rows]
    factor = float((values * result.residuals).sum() / ((values**2).sum() + 1e-300))
    qois = session.question.qois
    shift = {q: factor * float((stage.weights[q] * stage.values).sum()) for q in qois}
    if abs(factor) < NEGLIGIBLE:
        return dict.fromkeys(qois, 0.0)
    solution = session.solve(ScaledClosure(stage.closure, 1 + factor), stage.solution.restart)
    if not solution.converged:
        # What could not be measured is bounded by the whole correction.
        return {q: abs(shift[q]) for q in qois}
    return {q: abs(solution.qois[q] - stage.value(q) - shift[q]) for q in qois}


def pooled_remainder(
    results: Sequence[Audit], scaled: Sequence[dict[str, float]], best: Stage, qoi: str, weights: Floats
) -> float:
    """``2 sum omega_k rem_k`` over the rounds, with the weights ``[k]`` of their pooling."""
    each = [max(refit_remainder(r, best, qoi), s[qoi]) for r, s in zip(results, scaled, strict=True)]
    return SAFETY * float(np.dot(weights, each))
