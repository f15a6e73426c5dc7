"""Tolerance in, interval out: the one entry, and its phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scalebridge.bridge.answer import Answer
from scalebridge.bridge.audit import (
    DRAWS,
    Audit,
    audit,
    check_assumptions,
    check_repeat,
    check_symmetry,
    discretisation,
    explain,
)
from scalebridge.bridge.coupling import connect
from scalebridge.bridge.interval import Pooled, pooled_interval, surprise
from scalebridge.bridge.mesh import MOST_REFINEMENTS, mesh_part, refine
from scalebridge.bridge.placement import choose
from scalebridge.bridge.progress import Listener, listener
from scalebridge.bridge.question import DEFAULT_BUDGET, Question
from scalebridge.bridge.remainder import scaled_remainder
from scalebridge.bridge.sensitivity import Refused
from scalebridge.bridge.session import Data, Session
from scalebridge.bridge.stage import Stage, evaluate
from scalebridge.bridge.start import begin, known_runs, spread_out
from scalebridge.bridge.verdict import Verdict, judge
from scalebridge.campaign import Campaign, Store
from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import MacroModel, Model, Structure, Surrogate
from scalebridge.quantities import Floats

# At most this many runs are made without a look.
RUNS_WITHOUT_LOOK = 15
BATCH = 2
MOST_LOOKS = 20
# A surrogate that leaves the macro problem without a solution is given this many chances to learn there.
MOST_RESCUES = 3


def solve(
    macro: MacroModel,
    micro: Model,
    *,
    qoi: str | Sequence[str],
    rtol: float | None = None,
    atol: float | None = None,
    confidence: float = 0.95,
    surrogate: str | Surrogate = "auto",
    budget: int | None = None,
    mesh: str = "report",
    store: Any = None,
    executor: Any = None,
    timeout: float | None = None,
    seed: int = 0,
    progress: str | Listener = "auto",
) -> Answer:
    """Answer a macro question with a micro model, within a tolerance, with an interval.

    Args:
        macro: a `MacroModel`.
        micro: a `Model` whose inputs and outputs match the macro model's closure by name and kind of unit.
        qoi: name of the quantity of interest, or several names that share the confidence.
        rtol: half-width wanted, relative; 0.01 for one per cent.
        atol: half-width wanted, in the unit of q.
        confidence: of the interval.
        surrogate: ``"auto"`` (a Gaussian process with the declared structure, of logarithms where all is declared
            positive and the macro model starts from states orders of magnitude apart), the name of another, a surrogate
            to fit, or an earlier answer's ``surrogate`` to go on with.
        budget: most micro runs.
        mesh: ``"report"`` speaks of q on the given mesh; ``"include"`` refines until the mesh takes
            at most half of the tolerance and counts it in.
        store: directory that keeps every run and from which a later solve resumes; ``None``: in memory.
        executor: where micro runs are made; see `scalebridge.campaign`.
        timeout: seconds after which a micro run is ended and counts as failed; ``None``: never.
        seed: of every random stream.
        progress: ``"auto"``, ``"none"`` or a function of one `Progress`.

    Returns:
        An `Answer`, also where the question could not be answered: then ``converged`` is False, the
        interval is ``(-inf, inf)`` or wide, and ``reason`` says why.

    Raises:
        InputError: bad input.
    """
    names = (qoi,) if isinstance(qoi, str) else tuple(qoi)
    if not names:
        raise InputError("No quantity of interest was given; name one of the macro problem's.")
    _check_names(macro, names)
    question = Question(names, rtol, atol, confidence, mesh, DEFAULT_BUDGET if budget is None else budget, seed)
    session = _open(question, macro, micro, store, executor, progress, timeout)
    try:
        state = _run(session, _template(session, surrogate))
    finally:
        session.campaign.close()
        if session.campaign.store is not store:
            session.campaign.store.close()
    return Answer.of(session, state.stage, state.audits, state.verdict, state.reason, state.surrogate)


# States this far apart, as a ratio, are learned by their logarithms: a power law over decades has no one length.
FAR_APART = 30.0
# Runs further apart than this hold values that are zero but for rounding, whose logarithms say nothing.
WIDEST = 1e9


@dataclass
class _State:
    """Where a solve stands."""

    stage: Stage | None = None
    surrogate: Surrogate | None = None
    audits: list[Audit] = field(default_factory=list)
    scaled: list[dict[str, float]] = field(default_factory=list)
    micro_parts: Any = None
    verdict: Verdict | None = None
    since_look: int = 0
    tried: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    meshed: int = 0
    rescues: int = 0
    reason: str = ""


def _check_names(macro: MacroModel, names: Sequence[str]) -> None:
    """Refuse an unknown quantity before any run, where the macro model says which ones it has."""
    offered = getattr(macro, "quantities", None)
    for name in names:
        if isinstance(offered, Mapping) and name not in offered:
            raise InputError(f"The macro problem has no quantity of interest '{name}'{did_you_mean(name, offered)}")


def _open(
    question: Question,
    macro: MacroModel,
    micro: Model,
    store: Any,
    executor: Any,
    progress: str | Listener,
    timeout: float | None = None,
) -> Session:
    coupling = connect(macro, micro)
    ledger = store if isinstance(store, Store) else Store(store)
    campaign = Campaign(micro, store=ledger, executor=executor, timeout=timeout, seed=question.seed)
    audit_seed, other_seed = np.random.SeedSequence(question.seed).spawn(2)
    d, m = coupling.inputs.size, coupling.outputs.size
    return Session(
        question,
        coupling,
        campaign,
        listener(progress),
        macro,
        np.random.default_rng(audit_seed),
        np.random.default_rng(other_seed),
        Data(np.zeros((0, d)), np.zeros((0, m)), np.zeros((0, m))),
    )


def _template(session: Session, surrogate: str | Surrogate) -> Surrogate:
    if surrogate == "auto":
        from scalebridge.learn import GaussianProcess

        spaces = session.coupling.inputs, session.coupling.outputs
        # What is too sure costs a look, verified as it is; what is too wide costs runs at every look.
        made: Surrogate = GaussianProcess(*spaces, session.coupling.structure, trend="fitted")
        return _of_logarithms(made) if _starts_far_apart(session) else made
    if isinstance(surrogate, str):
        from scalebridge.learn.candidates import built

        return built(surrogate, session.coupling.inputs, session.coupling.outputs, session.coupling.structure)
    if not hasattr(surrogate, "posterior"):
        raise InputError(
            f"surrogate = {surrogate!r}; give 'auto', a name such as 'sparse_gaussian_process', a surrogate such as "
            "scalebridge.learn.GaussianProcess(...), or an earlier answer's surrogate."
        )
    for side in ("inputs", "outputs"):
        mine, wanted = getattr(surrogate, side).component_names, getattr(session.coupling, side).component_names
        if mine != wanted:
            raise InputError(
                f"The surrogate given has the {side} {', '.join(mine)}, the macro problem's closure has "
                f"{', '.join(wanted)}; give a surrogate of the same material and problem type."
            )
    return surrogate


def _starts_far_apart(session: Session) -> bool:
    """Whether all is declared positive, and the states that the macro model starts from orders of magnitude apart."""
    inputs, outputs = session.coupling.inputs, session.coupling.outputs
    if session.coupling.structure != Structure() or not (inputs.lower >= 0).all() or not (outputs.lower >= 0).all():
        return False
    named = getattr(session.macro, "start_states", None)
    ends = np.stack([inputs.lower, inputs.upper]) if named is None or not len(named) else np.asarray(named)
    low, high = ends.min(axis=0), ends.max(axis=0)
    return bool(((low > 0) & np.isfinite(high) & (high >= FAR_APART * low)).all())


def _of_logarithms(surrogate: Surrogate) -> Surrogate:
    """A surrogate to which power laws are planes, and whose answers stay positive where the runs do."""
    from scalebridge.learn import Transformed
    from scalebridge.learn.transforms import ScalingLaw

    made: Surrogate = Transformed(surrogate, (ScalingLaw(span=WIDEST, required=False),))
    return made


def _run(session: Session, template: Surrogate) -> _State:
    """The loop: solve, then verify or learn, until the interval is narrow enough or nothing more may be spent."""
    state = _State(tried=np.zeros((0, session.coupling.inputs.size)))
    begun = begin(session, template)
    if isinstance(begun, Refused):
        return _refuse(state, explain(session, begun))
    state.surrogate = begun
    verified = False
    while True:
        stage = evaluate(session, state.surrogate, _restart(state))
        if isinstance(stage, Refused):
            if _rescue(session, state, stage):
                continue
            return _refuse(state, explain(session, stage))
        state.stage = stage
        if verified:
            _look(session, state)
            if state.verdict is not None and state.verdict.converged:
                return state
        verified = False
        stop = _nothing_left(session, state)
        if stop:
            state.reason = stop if state.verdict is None else f"{state.verdict.reason}; {stop}"
            return state
        if not _ready(session, state) and _learn(session, state):
            continue
        if state.meshed < MOST_REFINEMENTS and not state.audits and refine(session, stage):
            state.meshed += 1
            _trace(session, state, "mesh", f"refined to {len(stage.solution.states)} states or more")
            continue
        refused = _verify(session, state, template)
        if refused is not None:
            return _refuse(state, refused)
        verified = True


def _restart(state: _State) -> Any:
    return None if state.stage is None else state.stage.solution.restart


def _refuse(state: _State, refused: Refused) -> _State:
    state.reason, state.verdict = refused.reason, None
    return state


def _look(session: Session, state: _State) -> None:
    """Examine the interval after a round."""
    assert state.stage is not None
    mesh = {q: _mesh(session, state.stage, q) for q in session.question.qois}
    state.verdict = judge(
        session.question, state.audits, state.scaled, state.stage, state.micro_parts, mesh, session.why_unanswered
    )
    first = state.verdict.quantities[session.question.qois[0]]
    _trace(session, state, "verify", "verified", (first.low, first.high))
    state.reason = state.verdict.reason


def _mesh(session: Session, stage: Stage, qoi: str) -> float | None:
    return mesh_part(session, stage, qoi) if session.question.mesh == "include" else None


def _nothing_left(session: Session, state: _State) -> str:
    """Why the loop must end without an answer, or an empty text."""
    if state.audits and not np.isfinite(max(r.bound for r in state.audits[-1].rounds.values())):
        return (
            "a verification run has no answer even after retries, and the micro model's outputs declare no bounds "
            f"that would limit what it hides; declare bounds or mend the model (its reason: {session.why_unanswered})"
        )
    if session.left < _reserve(state):
        looked = "" if state.audits else " before the first verification"
        return f"the budget of {session.question.budget} micro runs was spent{looked}; give a larger budget"
    if len(state.audits) >= MOST_LOOKS:
        return f"{MOST_LOOKS} verification rounds did not reach the tolerance; ask for a wider one"
    return ""


def _reserve(state: _State) -> int:
    """Runs kept for one verification round with its checks."""
    return DRAWS + (0 if state.audits else 2)


def _ready(session: Session, state: _State) -> bool:
    """Whether the posterior says that one more round would meet the tolerance, or it is time for a look."""
    stage = state.stage
    assert stage is not None
    if session.left <= _reserve(state):
        return True
    if state.since_look >= RUNS_WITHOUT_LOOK:
        return True
    warm = session.micro_runs == 0
    if not warm and not state.audits and len(session.data) < session.coupling.inputs.size + 2:
        return False
    half, wanted = _predicted(session, state)
    _trace(session, state, "learn", "learning where it matters", expected_half_width=half)
    return half <= wanted


def _predicted(session: Session, state: _State) -> tuple[float, float]:
    """Half-width expected after one more round, and half-width allowed, of the worst quantity."""
    stage = state.stage
    assert stage is not None
    worst = (0.0, 1.0)
    for qoi in session.question.qois:
        value = stage.value(qoi)
        v = _expected_variance(stage, qoi)
        rounds = [a.rounds[qoi] for a in state.audits]
        # Where earlier rounds saw more spread than expected, the next one will too.
        excess = surprise(rounds)
        spread = max([excess, *(r.observed / r.predicted for r in rounds[-2:] if r.predicted > 0)])
        pooled: Pooled = pooled_interval(
            np.array([*(r.estimate for r in rounds), value]),
            np.array([*(r.predicted for r in rounds), v]),
            np.array([*(r.variance(excess) for r in rounds), v * spread]),
            np.array([*(r.n_drawn for r in rounds), DRAWS]),
            np.array([*(r.bound for r in rounds), 0.0]),
            session.question.alpha,
        )
        allowed = session.question.scale(value) - _fixed_parts(state, qoi, value, session)
        if pooled.half_width / max(allowed, 1e-300) >= worst[0] / worst[1]:
            worst = (pooled.half_width, max(allowed, 1e-300))
    return worst


def _expected_variance(stage: Stage, qoi: str) -> float:
    kept = stage.probability > 0
    return float((stage.deviation[qoi][kept] ** 2 / stage.probability[kept]).sum()) / DRAWS


def _fixed_parts(state: _State, qoi: str, value: float, session: Session) -> float:
    """Parts of the half-width that more micro runs do not reduce."""
    micro = 0.0 if state.micro_parts is None else float(state.micro_parts[qoi])
    mesh = 0.0
    if session.question.mesh == "include" and state.verdict is not None:
        mesh = state.verdict.quantities[qoi].parts["mesh"] or 0.0
    return min(micro + mesh, 0.9 * session.question.scale(value))


def _rescue(session: Session, state: _State, failure: Refused) -> bool:
    """Learn where the macro problem had no solution: a poor surrogate may be why. False where that is used up."""
    room = session.left - _reserve(state)
    if state.rescues >= MOST_RESCUES or failure.states is None or len(failure.states) == 0 or room < 1:
        return False
    state.rescues += 1
    x = spread_out(failure.states, min(session.coupling.inputs.size + 1, room))
    # An iteration that runs away ends far from anything the problem visits.
    reach = 2 * np.abs(session.data.x).max() / (np.abs(x).max() + 1e-300)
    x = x * min(1.0, reach) if session.coupling.structure.even else x[session.coupling.inputs.inside(x)]
    if len(x) == 0 or not np.isfinite(x).all():
        return False
    runs = session.run_afresh(x, "learn", ["where the surrogate left the macro problem unsolved"] * len(x), None)
    session.data = session.data.plus(x, runs)
    state.since_look += len(x)
    state.surrogate = _refitted(session, state)
    return bool(runs.ok.any())


def _refitted(session: Session, state: _State) -> Surrogate:
    assert state.surrogate is not None
    return state.surrogate.fit(session.data.x, session.data.y, session.data.noise_std)


def _learn(session: Session, state: _State) -> bool:
    """Run the micro model where it matters and refit; False where there is nothing to learn from."""
    stage = state.stage
    assert stage is not None
    count = min(BATCH, session.left - _reserve(state), RUNS_WITHOUT_LOOK - state.since_look)
    rows, why = choose(session, stage, count, state.tried)
    if len(rows) == 0:
        return False
    x = stage.solution.states[rows]
    runs = session.run_afresh(x, "learn", [why] * len(rows), stage.values[rows])
    session.data = session.data.plus(x, runs)
    state.tried = np.concatenate([state.tried, x[~runs.ok]])
    state.since_look += len(rows)
    if runs.ok.any():
        state.surrogate = _refitted(session, state)
    return True


def _verify(session: Session, state: _State, template: Surrogate) -> Refused | None:
    """One round: checks, draws, runs; the runs then become training data."""
    stage = state.stage
    assert stage is not None
    first = not state.audits
    refused = check_assumptions(session, stage, first)
    if refused is not None:
        return refused
    result = audit(session, stage, len(state.audits) + 1)
    state.audits.append(result)
    state.scaled.append(scaled_remainder(session, result))
    state.since_look = 0
    if first:
        refused = check_repeat(session, result)
        if refused is None and known_runs(template) is None:
            refused = check_symmetry(session, result)
        if refused is not None:
            return refused
        state.micro_parts = discretisation(session, result, session.question.confidence)
    state.surrogate = _refitted(session, state)
    return None


def _trace(
    session: Session,
    state: _State,
    phase: str,
    message: str,
    interval: tuple[float, float] | None = None,
    expected_half_width: float | None = None,
) -> None:
    """Keep a step of the path and tell the listener; only a look has an interval, before it one is expected."""
    assert state.stage is not None
    qoi = session.question.qois[0]
    value, half = state.stage.value(qoi), expected_half_width
    low, high = interval or (None, None)
    if interval is not None and np.isfinite(interval).all():
        value, half = 0.5 * (interval[0] + interval[1]), 0.5 * (interval[1] - interval[0])
    session.path.append(
        {
            "micro_runs": session.micro_runs,
            "macro_solves": session.macro_solves,
            "phase": phase,
            "value": value,
            "low": low,
            "high": high,
            "expected_half_width": expected_half_width,
            "note": message,
        }
    )
    session.tell(phase, message, value, half, session.question.scale(value))
