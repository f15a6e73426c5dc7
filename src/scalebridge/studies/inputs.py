r"""The input interval: how uncertain inputs move the answer, beside its own interval and never inside.

An uncertain input (the threshold of a segmentation, the window chosen from an image) gives alternative
micro models. Solving the macro problem anew with a surrogate for each would cost a full study apiece. To
first order the change of q is a sum over the visited states,

.. math:: \Delta q = \sum_i w_i \cdot (f_\text{alt} - f)(x_i),

with the sensitivities w that the answer holds already. It is estimated by stratification with a ratio in
each stratum: the states are split into few groups of equal weight :math:`|w_i \cdot f_i|` in the order of
their norm, one state stands for each, at a place where the micro model was run already (so f costs nothing),
and

.. math:: \Delta q \approx \sum_g \Big(\sum_{i \in g} w_i \cdot f_i\Big)
          \frac{w_g \cdot (f_\text{alt} - f)(x_g)}{w_g \cdot f(x_g)} .

The ratio is exact when an alternative scales the response within a group, which stiffer or softer phases
nearly do; under prescribed displacements it then gives the exact change of a reaction force. What is left out:
the second order, variation of the ratio within a group (on the glass-fibre plate it differs by 2 % between two
groups, where windows differ by 44 %: runs are better spent on more windows than on more states), and that few
windows were tried. The segmentation
moves by one standard deviation either way, and the interval takes 1.96 of them; k windows give the root mean
square of their changes and Student's t with k degrees of freedom. Sources are added in quadrature, as
independent. The runs are counted in the answer, in the phase "input".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.bridge import Answer
from scalebridge.bridge.coupling import connect
from scalebridge.bridge.session import MicroRun
from scalebridge.campaign import Campaign, Store
from scalebridge.models import Model
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.studies.resolve import Resolved

TELL = Callable[[str], None]


@dataclass(frozen=True)
class Representatives:
    """States that stand for groups of the visited states.

    Args:
        x: ``[g, d]``, inputs at which the micro model was run already.
        y: ``[g, m]``, what it answered there.
        w: ``[g, m]``, sensitivity of q at the nearest visited state.
        total: ``[g]``, sum of ``w_i . f(x_i)`` over the group.
    """

    x: Floats
    y: Floats
    w: Floats
    total: Floats

    def change(self, other: Floats) -> float:
        """First-order change of q when the micro model answers ``other [g, m]`` instead."""
        own = np.einsum("gm,gm->g", self.w, self.y)
        moved = np.einsum("gm,gm->g", self.w, other - self.y)
        return float(np.sum(self.total * moved / own))


def representatives(answer: Answer, count: int) -> Representatives | None:
    """Choose ``count`` representatives among the runs of an answer; ``None`` where it holds too little."""
    states, w, f = (answer.arrays.get(name) for name in ("states", "sensitivity", "predicted"))
    runs = [r for r in answer.runs if r.status == "ok" and r.y is not None]
    if states is None or w is None or f is None or not runs:
        return None
    x, y = np.array([r.x for r in runs]), np.array([r.y for r in runs])
    scale = np.std(states, axis=0) + 1e-300
    part = np.einsum("nm,nm->n", w, f)
    order = np.argsort(np.linalg.norm(states, axis=1), kind="stable")
    level = np.cumsum(np.abs(part[order]))
    group = np.zeros(len(states), dtype=np.int64)
    group[order] = np.minimum((count * level / level[-1]).astype(np.int64), count - 1)
    chosen, totals = [], []
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        weight = np.abs(part[rows]) / np.abs(part[rows]).sum()
        centre = weight @ states[rows]
        near = int(np.argmin((((x - centre) / scale) ** 2).sum(axis=1)))
        at = int(rows[np.argmin((((states[rows] - x[near]) / scale) ** 2).sum(axis=1))])
        chosen.append((near, at))
        totals.append(float(part[rows].sum()))
    runs_at, states_at = (np.array(c) for c in zip(*chosen, strict=True))
    found = Representatives(x[runs_at], y[runs_at], w[states_at], np.array(totals))
    own = np.einsum("gm,gm->g", found.w, found.y)
    return found if np.all(np.abs(own) > 1e-12 * np.abs(part).sum() / len(states)) else None


def with_input_interval(answer: Answer, resolved: Resolved, store: Store, tell: TELL) -> Answer:
    """Run the alternatives of the uncertain inputs and return the answer with its input interval.

    Without a usable answer, or where an alternative fails, the interval is left out and a note says so.
    """
    alternatives = resolved.micro.alternatives
    if not alternatives or not math.isfinite(answer.value):
        return answer
    at = representatives(answer, resolved.study.question.input_states)
    if at is None:
        return _noted(answer, "No input interval: the answer holds no sensitivities to carry uncertain inputs with.")
    runs, changes, failed = list(answer.runs), {}, []
    for source, models in alternatives.items():
        deltas = []
        for k, model in enumerate(models, 1):
            tell(f"uncertain inputs: {source} {k} of {len(models)}")
            delta, made = _run(model, at, source, k, len(models), resolved, store, len(runs))
            runs += made
            if delta is None:
                failed.append(f"{source} {k}")
            else:
                deltas.append(delta)
        if deltas:
            changes[source] = np.array(deltas)
    answer = replace(answer, runs=tuple(runs))
    if not changes:
        return _noted(answer, "No input interval: none of the alternative micro models could be run.")
    if failed:
        answer = _noted(answer, f"The input interval leaves out {', '.join(failed)}, whose micro runs failed.")
    return _combined(answer, changes)


def _run(
    model: Model,
    at: Representatives,
    source: str,
    k: int,
    of: int,
    resolved: Resolved,
    store: Store,
    known: int,
) -> tuple[float | None, list[MicroRun]]:
    coupling = connect(resolved.macro.model, model)
    why = f"uncertain input: {source} {k} of {of}, carried to the answer to first order"
    with Campaign(model, store=store, seed=resolved.study.run.seed) as campaign:
        answered = coupling.from_micro(campaign.run(coupling.to_micro(at.x), phase="input", why=why))
        made = [
            MicroRun(
                known + i + 1, r.key, "input", why, r.status, r.reason, r.cost_s, r.replicate, r.reused,
                tuple(map(float, at.x[i])), tuple(map(float, answered.values[i])) if r.status == "ok" else None, None,
            )
            for i, r in enumerate(campaign.records)
        ]  # fmt: skip
    return (at.change(answered.values) if answered.ok.all() else None), made


def _combined(answer: Answer, changes: Mapping[str, Floats]) -> Answer:
    """Turn the changes by source into intervals, and add them in quadrature."""
    reach = {source: _reach(source, deltas) for source, deltas in changes.items()}
    low, high = (math.sqrt(sum(r[side] ** 2 for r in reach.values())) for side in (0, 1))
    value = answer.value
    sources = {source: [value - r[0], value + r[1]] for source, r in reach.items()}
    n = sum(len(d) for d in changes.values())
    note = (
        f"Uncertain inputs were carried to first order from {n} alternative micro models; few alternatives "
        "were tried, so the input interval is an estimate of scale."
    )
    return replace(
        answer,
        input_interval=(value - low, value + high),
        notes=(*answer.notes, note),
        record={**answer.record, "input_sources": sources},
    )


def _reach(source: str, deltas: Floats) -> tuple[float, float]:
    """Reach below and above the value at 95 %."""
    if source == "segmentation":
        return 1.96 * max(0.0, *(-deltas)), 1.96 * max(0.0, *deltas)
    from scipy.stats import t

    reach = float(t.ppf(0.975, len(deltas)) * np.sqrt(np.mean(deltas**2)))
    return reach, reach


def _noted(answer: Answer, note: str) -> Answer:
    notes: Sequence[Any] = (*answer.notes, note)
    return replace(answer, notes=tuple(notes))
