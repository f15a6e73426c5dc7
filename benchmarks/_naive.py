"""What others do: learn until the surrogate's own two deviations are within the tolerance, then believe it."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._two_scale import Problem
from scalebridge.bridge import placement
from scalebridge.bridge.question import Question
from scalebridge.bridge.sensitivity import Refused
from scalebridge.bridge.session import Session
from scalebridge.bridge.solve import _open
from scalebridge.bridge.stage import Stage, evaluate
from scalebridge.bridge.start import begin
from scalebridge.learn import GaussianProcess

BUDGET = 80


def two_deviations(problem: Problem, truth: float, rtol: float, choice: str, seed: int) -> dict[str, Any]:
    """Learn one run at a time by ``choice`` (``goal``, ``deviation`` or ``random``) until 2 std <= tolerance."""
    question = Question((problem.qoi,), rtol, None, 0.95, "report", BUDGET, seed)
    session = _open(question, problem.macro, problem.micro, None, None, "none")
    template = GaussianProcess(session.coupling.inputs, session.coupling.outputs, session.coupling.structure)
    rng = np.random.default_rng(seed)
    surrogate = begin(session, template)
    stage: Stage | None = None
    while not isinstance(surrogate, Refused):
        found = evaluate(session, surrogate, None if stage is None else stage.solution.restart)
        if isinstance(found, Refused):
            break
        stage = found
        std = stage.posterior.functional(stage.weights[problem.qoi]).std
        if 2 * std <= rtol * abs(stage.value(problem.qoi)) or session.left < 1:
            break
        row = _chosen(session, stage, choice, rng)
        x = stage.solution.states[row : row + 1]
        runs = session.run(x, "learn", [choice])
        session.data = session.data.plus(x, runs)
        surrogate = template.fit(session.data.x, session.data.y, session.data.noise_std)
    if stage is None:
        return _result(False, np.nan, np.inf, truth, rtol, session)
    value, std = stage.value(problem.qoi), stage.posterior.functional(stage.weights[problem.qoi]).std
    return _result(2 * std <= rtol * abs(value), value, 2 * std, truth, rtol, session)


def _chosen(session: Session, stage: Stage, choice: str, rng: np.random.Generator) -> int:
    if choice == "random":
        return int(rng.integers(len(stage.solution.states)))
    if choice == "deviation":
        return int(np.argmax(placement._deviation_scores(stage)))
    rows, _ = placement.choose(session, stage, 1, np.zeros((0, session.coupling.inputs.size)))
    return int(rows[0])


def _result(done: bool, value: float, half: float, truth: float, rtol: float, session: Session) -> dict[str, Any]:
    error = abs(value - truth)
    return {
        "converged": bool(done),
        "covers": bool(error <= half),
        "runs": session.micro_runs,
        "half_width": float(half / (rtol * abs(truth))) if np.isfinite(half) else None,
        "error": float(error / (rtol * abs(truth))),
        "error_over_half_width": float(error / half) if np.isfinite(half) and half > 0 else None,
    }
