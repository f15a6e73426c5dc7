"""Verification: random states, residuals against the frozen surrogate, and tests of what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.bridge.draws import Draws, draw
from scalebridge.bridge.interval import Round
from scalebridge.bridge.sensitivity import Refused, check_sensitivity
from scalebridge.bridge.session import Session
from scalebridge.bridge.stage import Stage
from scalebridge.errors import InputError
from scalebridge.quantities import Floats

DRAWS = 8
# A response may deviate from its mirror image by this share before the symmetry counts as broken.
SYMMETRY_SHARE = 0.02


@dataclass(frozen=True)
class Audit:
    """One verification round: frozen with the surrogate, states and weights it was drawn with.

    Args:
        stage: what was verified.
        draws: the states drawn.
        residuals: ``[m, outputs]`` at the rows drawn, against ``stage``'s surrogate, which had not seen them;
            stored once, never computed again after a refit. Zero where there was no answer.
        answered: ``[m]``, which rows drawn have an answer.
        rounds: q -> the round of that quantity.
    """

    stage: Stage
    draws: Draws
    residuals: Floats
    answered: NDArray[np.bool_]
    rounds: Mapping[str, Round]


def check_assumptions(session: Session, stage: Stage, first: bool) -> Refused | None:
    """Tests that cost no micro run: the solver's own error and the sensitivity."""
    again = session.solve(stage.closure, stage.solution.restart)
    if not again.converged:
        return Refused(f"the macro problem was not solved again from its own solution: {again.reason}")
    for qoi in session.question.qois:
        moved = abs(again.qois[qoi] - stage.value(qoi))
        # What rounding moves where q is a small difference of large parts is not the solver's.
        rounding = 1e-9 * float(stage.magnitude[qoi].sum())
        allowed = max(session.question.scale(stage.value(qoi)) / 20, rounding)
        if moved > allowed:
            return Refused(
                f"solving the macro problem again from its own solution moved '{qoi}' by {moved:.3g}, more than a "
                f"twentieth of the tolerance ({allowed:.3g}); tighten the macro solver"
            )
        stated = again.stated_error(qoi)
        if stated > allowed:
            return Refused(
                f"the macro solver states an error of {stated:.3g} in '{qoi}' from incomplete iteration, more than a "
                f"twentieth of the tolerance ({allowed:.3g}); tighten the macro solver"
            )
    if stage.solution.sensitivity is None:
        return None
    weights = dict(stage.weights)
    fields = 2 if first else 1
    return check_sensitivity(session.solve, stage.closure, stage.solution, weights, session.other_stream, fields)


def audit(session: Session, stage: Stage, number: int) -> Audit:
    """Draw, run and take residuals; the runs then become training data."""
    draws = draw(stage.probability, stage.order, DRAWS, session.audit_stream)
    noise = np.square(session.data.noise_std).mean(0)
    # One answer serves two draws of a deterministic model; noise is drawn anew, or the surrogate has seen it.
    rows, inverse = (draws.rows, np.arange(len(draws.rows))) if session.noisy else _distinct(draws.rows)
    x = stage.solution.states[rows]
    why = [f"verification round {number}: drawn at random, " + _odds(draws, int(i)) for i in rows]
    predicted = stage.values[rows]
    runs = session.run_afresh(x, "verify", why, predicted)
    residuals = np.where(runs.ok[:, None], runs.values - predicted, 0.0)[inverse]
    lost = ~runs.ok[inverse]
    rounds = {}
    for qoi, w in stage.weights.items():
        weighted = (w[draws.rows] * residuals).sum(1)
        # States taken whole are drawn without chance, but not without noise.
        own = float((w[draws.rows[~draws.drawn]] ** 2 @ noise).sum())
        rounds[qoi] = Round(
            stage.value(qoi),
            draws.estimate(weighted),
            draws.n_drawn,
            draws.predicted_variance(stage.deviation[qoi] ** 2) + own,
            draws.observed_variance(weighted) + own,
            _non_response(session, stage, draws, w, lost),
            _surprise(weighted, stage.deviation[qoi][draws.rows]),
        )
    session.data = session.data.plus(x, runs)
    return Audit(stage, draws, residuals, ~lost, rounds)


def check_repeat(session: Session, result: Audit) -> Refused | None:
    """Ask one run again: another answer to the same question is history, branches or undeclared noise."""
    answered = _answered(result)
    return None if answered is None else _check_repeat(session, *_largest_not_last(session, *answered))


def _check_repeat(session: Session, x: Floats, y: Floats) -> Refused | None:
    if session.left < 1:
        return None
    runs = session.run(x[None], "check", ["the same input again: does the model answer the same?"], replicate=1)
    if not runs.ok[0]:
        return None
    declared = np.zeros_like(y) if runs.noise_std is None else runs.noise_std[0]
    level = np.sqrt(np.mean(session.data.y**2, axis=0)) + 1e-300
    allowed = 4.5 * np.sqrt(2) * declared + 1e-6 * level
    gap = np.abs(runs.values[0] - y)
    if (gap <= allowed).all():
        return None
    worst = int(np.argmax(gap / allowed))
    name = session.coupling.outputs.component_names[worst]
    if declared.any():
        return Refused(
            f"the noise of the micro model exceeds what it declared: the same input gave {name} = {y[worst]:.6g} "
            f"and then {runs.values[0][worst]:.6g}, with a declared deviation of {declared[worst]:.3g}; "
            "declare a larger one"
        )
    return Refused(
        f"the same input gave different outputs ({name} = {y[worst]:.6g}, then {runs.values[0][worst]:.6g}): "
        "the micro model has hidden history or noise; declare noise_std or a history-dependent model"
    )


def check_symmetry(session: Session, result: Audit) -> Refused | None:
    """Where an odd response was declared, run the mirror image of a verified state."""
    answered = _answered(result)
    return None if answered is None else _check_mirror(session, *_largest(*answered))


def explain(session: Session, failure: Refused) -> Refused:
    """Why the macro problem has no solution: an assumption that the largest run known breaks, or the failure itself."""
    if len(session.data) == 0:
        return failure
    known = session.data.x, session.data.y
    return (
        _check_repeat(session, *_largest_not_last(session, *known))
        or _check_mirror(session, *_largest(*known))
        or failure
    )


def _check_mirror(session: Session, x: Floats, y: Floats) -> Refused | None:
    """Run ``-x [d]`` and compare with ``-y [m]``, where an odd response was declared."""
    if not session.coupling.structure.even or session.left < 1:
        return None
    runs = session.run(-x[None], "check", ["mirror image of a known state: is the response odd, as declared?"])
    if not runs.ok[0]:
        return None
    noise = 0.0 if runs.noise_std is None else 6 * float(np.linalg.norm(runs.noise_std[0]))
    gap = float(np.linalg.norm(runs.values[0] + y))
    if gap <= SYMMETRY_SHARE * float(np.linalg.norm(y)) + noise:
        session.data = session.data.plus(-x[None], runs)
        return None
    share = gap / (float(np.linalg.norm(y)) + 1e-300)
    return Refused(
        f"the declared symmetry is broken: the response to the mirror image of a state differs from the mirrored "
        f"response by {100 * share:.3g} %; declare Structure(even=False)"
    )


def discretisation(session: Session, result: Audit, confidence: float) -> Mapping[str, float] | None:
    """What the micro model's own discretisation adds to each quantity, from its finer version at four states."""
    try:
        finer = getattr(session.coupling.micro, "finer", None)
    except InputError as error:
        session.note(f"The discretisation error of the micro model is not known: {error}")
        return None
    if finer is None:
        return None
    from scipy.stats import t

    from scalebridge.campaign import Campaign

    answered = np.flatnonzero(result.answered)
    take = session.other_stream.permutation(answered)[: min(4, session.left)]
    if len(take) < 2:
        return None
    rows = result.draws.rows[take]
    states, place = np.unique(rows, return_inverse=True)
    campaign = Campaign(finer, store=session.campaign.store, seed=session.question.seed)
    why = ["the finer version of the micro model at a verified state: its discretisation error"] * len(states)
    x = result.stage.solution.states[states]
    runs = session.run(x, "finer", why, campaign=campaign)
    if not runs.ok.all():
        session.note(f"The finer micro model failed: {runs.reason[int(np.argmin(runs.ok))]}")
        return None
    coarse = result.stage.values[rows] + result.residuals[take]
    gap = runs.values[place] - coarse
    parts = {}
    for qoi, w in result.stage.weights.items():
        y = len(result.draws.rows) * result.draws.factor[take] * (w[rows] * gap).sum(1)
        spread = float(t.ppf(0.5 + confidence / 2, len(take) - 1)) * y.std(ddof=1) / np.sqrt(len(take))
        parts[qoi] = abs(float(y.mean())) + float(spread)
    return parts


def _distinct(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    distinct, inverse = np.unique(rows, return_inverse=True)
    return distinct, inverse


def _odds(draws: Draws, row: int) -> str:
    p = float(draws.probability[row])
    return "taken whole (its share is too large to leave to chance)" if p == 0 else f"with probability {p:.3g} a draw"


def _surprise(weighted: Floats, deviation: Floats) -> float:
    known = deviation > 0
    return float(np.mean((weighted[known] / deviation[known]) ** 2)) if known.any() else 0.0


def _non_response(session: Session, stage: Stage, draws: Draws, w: Floats, lost: NDArray[np.bool_]) -> float:
    """Half-width that rows without an answer add, from the declared bounds of the outputs."""
    if not lost.any():
        return 0.0
    low, high = session.coupling.outputs.lower, session.coupling.outputs.upper
    rows = draws.rows[lost]
    values = stage.values[rows]
    worst = np.maximum(np.abs(high - values), np.abs(values - low))
    return float((draws.factor[lost] * (np.abs(w[rows]) * worst).sum(1)).sum())


def _answered(result: Audit) -> tuple[Floats, Floats] | None:
    """The verified states ``[a, d]`` and their responses ``[a, m]``, if there are any."""
    answered = np.flatnonzero(result.answered)
    if len(answered) == 0:
        return None
    rows = result.draws.rows[answered]
    return result.stage.solution.states[rows], result.stage.values[rows] + result.residuals[answered]


def _largest(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The state ``[d]`` with the largest response, and that response ``[m]``."""
    best = int(np.argmax(np.linalg.norm(y, axis=1)))
    return x[best], y[best]


def _largest_not_last(session: Session, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The same among states that were not run last: a model with a path answers alike twice in a row."""
    last = session.runs[-1].x if session.runs else None
    apart = np.array([tuple(map(float, row)) != last for row in x])
    return _largest(x[apart], y[apart]) if apart.any() else _largest(x, y)
