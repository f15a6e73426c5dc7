"""Step 0: the first runs, from an earlier surrogate, start states, bounds, or what the macro model asks for."""

from __future__ import annotations

import contextlib

import numpy as np

from scalebridge.bridge.closures import FirstStatesAsked, LawClosure, RecordingClosure, SurrogateClosure
from scalebridge.bridge.sensitivity import Refused
from scalebridge.bridge.session import Session
from scalebridge.errors import InputError
from scalebridge.learn.priors import LinearPrior, fit_linear, nearest_definite
from scalebridge.models import MacroSolution, Surrogate
from scalebridge.quantities import Floats

# Rounds of "solve, see where the states go, run there" before the states must have stopped running away.
MOST_EXPANSIONS = 8
GROWTH = 0.5
SMALLEST_SCALE = 1e-2


def begin(session: Session, template: Surrogate) -> Surrogate | Refused:
    """Make the first runs and return a fitted surrogate, or the reason why there is none."""
    known = known_runs(template)
    if known is not None:
        session.data = session.data.__class__(*known)
        return template
    given = start_states(session)
    if given is not None:
        first = _run(session, given, "state the macro problem starts with")
    else:
        first = _from_nothing(session, template)
    if isinstance(first, Refused):
        return first
    return template.fit(session.data.x, session.data.y, session.data.noise_std)


def known_runs(surrogate: Surrogate) -> tuple[Floats, Floats, Floats] | None:
    """The runs a surrogate was fitted on, ``None`` where it is not fitted."""
    try:
        return surrogate.data
    except InputError:
        return None


def start_states(session: Session) -> Floats | None:
    """States ``[k, d]`` the macro model names, else a few inside the bounds, else ``None``."""
    inputs = session.coupling.inputs
    named = getattr(session.macro, "start_states", None)
    if named is not None and len(named):
        return inputs.check(named, "The macro model's start_states")
    low, high = inputs.lower, inputs.upper
    micro_low, micro_high = session.coupling.micro.inputs.lower, session.coupling.micro.inputs.upper
    if not (np.isfinite(low) & np.isfinite(high)).all():
        forth = session.coupling.forth
        low, high = np.full(inputs.size, -np.inf), np.full(inputs.size, np.inf)
        ends = (np.stack([micro_low, micro_high]) - forth.offset) / forth.factor
        low[forth.index], high[forth.index] = ends.min(0), ends.max(0)
    if not (np.isfinite(low) & np.isfinite(high)).all():
        return None
    from scipy.stats import qmc

    count = inputs.size + 2
    unit = qmc.LatinHypercube(inputs.size, rng=np.random.default_rng(session.question.seed)).random(count)
    states: Floats = low + unit * (high - low)
    return states


def _from_nothing(session: Session, template: Surrogate) -> Refused | None:
    """A linear law around the first states asked for, then follow where the solution goes."""
    recorder = RecordingClosure()
    with contextlib.suppress(FirstStatesAsked):
        session.solve(recorder, None)
    if not recorder.asked:
        return Refused("the macro model never called its closure, so there is nothing to learn")
    asked = session.coupling.inputs.check(recorder.asked[0], "The closure")
    centre, d = asked.mean(0), asked.shape[1]
    # Without bounds the only scale at hand is that of the first states; what is too small is rescaled below.
    step = np.maximum(np.ptp(asked, axis=0), 0.01 * np.abs(centre))
    step = np.where(step > 0, step, step.max() if step.max() > 0 else 1e-6)
    points = centre + np.concatenate([np.zeros((1, d)), np.diag(step)])
    if session.coupling.structure.even and not centre.any():
        points = points[1:]
    refused = _run(session, points, "around the first state the macro problem asks for")
    return refused or _follow(session, template)


def _follow(session: Session, template: Surrogate) -> Refused | None:
    """Solve with what is known, run where the solution goes, until it stops going farther."""
    d = session.coupling.inputs.size
    for _ in range(MOST_EXPANSIONS):
        solution = _solve_with_known(session, template)
        if not solution.converged:
            return Refused(f"the macro problem was not solved with its first law: {solution.reason}")
        states = np.asarray(solution.states)
        reach, seen = np.abs(states).max(), np.abs(session.data.x).max() + 1e-300
        if reach <= (1 + GROWTH) * seen:
            return None
        refused = _run(session, spread_out(states, d + 1), "state the macro problem visits with its first law")
        if refused:
            return refused
        # Runs at a far smaller scale only say what the response is at zero.
        kept = np.abs(session.data.x).max(1) >= SMALLEST_SCALE * np.abs(session.data.x).max()
        data = session.data
        session.data = type(data)(data.x[kept], data.y[kept], data.noise_std[kept])
    session.note("The states of the macro problem kept growing while the first runs were placed.")
    return None


def _solve_with_known(session: Session, template: Surrogate) -> MacroSolution:
    """Solve with a surrogate of the runs so far, or with a linear law where that fails or they are too few."""
    data, structure = session.data, session.coupling.structure
    if len(data) > session.coupling.inputs.size + 1:
        surrogate = template.fit(data.x, data.y, data.noise_std)
        solution = session.solve(SurrogateClosure(surrogate, session.coupling.inputs), None)
        if solution.converged:
            return solution
    law = fit_linear(data.x, data.y, structure.even)
    if structure.potential:
        law = LinearPrior(law.offset, nearest_definite(law.slope))
    return session.solve(LawClosure(law), None)


def spread_out(states: Floats, count: int) -> Floats:
    """Farthest points among ``states [n, d]``, the largest first."""
    scaled = states / (np.abs(states).max(0).max() + 1e-300)
    chosen = [int(np.argmax(np.linalg.norm(scaled, axis=1)))]
    while len(chosen) < min(count, len(states)):
        gap = np.linalg.norm(scaled[:, None] - scaled[chosen][None], axis=2).min(1)
        if gap.max() <= 1e-9:
            break
        chosen.append(int(np.argmax(gap)))
    return states[chosen]


def _run(session: Session, x: Floats, why: str) -> Refused | None:
    x = x[: max(session.left, 0)]
    if len(x) == 0:
        return Refused(
            f"the budget of {session.question.budget} micro runs was spent at the start; give a larger budget"
        )
    runs = session.run(x, "start", [why] * len(x))
    session.data = session.data.plus(x, runs)
    if len(session.data) == 0:
        return Refused(f"every one of the first {len(x)} micro runs failed, the first because: {runs.reason[0]}")
    return None
