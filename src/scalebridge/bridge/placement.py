"""Where to run the micro model next: the visited states that reduce the error in q most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.bridge.session import Session
from scalebridge.bridge.stage import Stage
from scalebridge.quantities import Floats

# The first runs are placed at the largest deviation: a variance fitted on a few runs is not to be trusted.
RUNS_BEFORE_GOALS = 3
# Placement looks at this many of the most promising states, so that large meshes stay cheap.
MOST_CANDIDATES = 400


def choose(session: Session, stage: Stage, count: int, tried: Floats) -> tuple[NDArray[np.int64], str]:
    """Indices of the states to run next, at most ``count``, and why, in words.

    Args:
        session: the tally; its data decides whether the posterior is to be trusted already.
        stage: what the posterior says now.
        count: most runs wanted.
        tried: ``[t, d]``, states where a run failed; they are not asked for again.
    """
    allowed = _not_tried(stage.solution.states, tried)
    exploring = len(session.data) < session.coupling.inputs.size + 1 + RUNS_BEFORE_GOALS
    if exploring:
        scores = _deviation_scores(stage) * allowed
        why = "largest deviation of the surrogate among the visited states"
    else:
        scores = stage.order * allowed
        why = "reduces the error of the quantity of interest most"
    if not (scores > 0).any():
        return np.zeros(0, dtype=np.int64), why
    candidates = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    candidates = candidates[scores[candidates] > 0]
    noise = np.sqrt(np.square(session.data.noise_std).mean(0))
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        given = np.array(chosen, dtype=np.int64)
        gain = np.zeros(len(candidates))
        for qoi, w in stage.weights.items():
            unit = session.question.scale(stage.value(qoi))
            gain += stage.posterior.reduction(w / unit, candidates, noise, given)
        if exploring:
            gain = scores[candidates] * _distance(stage, candidates, given)
        gain[np.isin(candidates, given)] = -1.0
        if gain.max() <= 0:
            break
        chosen.append(int(candidates[int(np.argmax(gain))]))
    return np.array(chosen, dtype=np.int64), why


def _deviation_scores(stage: Stage) -> Floats:
    level = np.sqrt(np.mean(stage.values**2, axis=0)) + 1e-300
    scores: Floats = np.sqrt(np.sum((stage.posterior.std / level.max()) ** 2, axis=1))
    return scores


def _distance(stage: Stage, candidates: NDArray[np.int64], given: NDArray[np.int64]) -> Floats:
    """Distance to the states already chosen, so that a batch does not huddle."""
    if len(given) == 0:
        return np.ones(len(candidates))
    x = stage.solution.states
    extent = np.ptp(x, axis=0).max() + 1e-300
    gaps = np.linalg.norm(x[candidates][:, None] - x[given][None], axis=2).min(1)
    distance: Floats = gaps / extent
    return distance


def _not_tried(states: Floats, tried: Floats) -> NDArray[np.bool_]:
    if len(tried) == 0:
        return np.ones(len(states), dtype=bool)
    size = np.abs(states).max() + 1e-300
    gap = np.abs(states[:, None] - tried[None]).max(2).min(1)
    allowed: NDArray[np.bool_] = gap > 1e-6 * size
    return allowed
