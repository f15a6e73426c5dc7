"""The tally of one solve: every micro run and macro solve, in order, with its reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scalebridge.bridge.closures import FirstStatesAsked
from scalebridge.bridge.coupling import Coupling
from scalebridge.bridge.progress import Listener, Progress
from scalebridge.bridge.question import Question
from scalebridge.campaign import Campaign
from scalebridge.errors import ScaleBridgeError
from scalebridge.models import Closure, MacroModel, MacroSolution, Runs, failed_solution
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class MicroRun:
    """One row the micro model was asked for, in the macro problem's units."""

    id: int
    key: str
    phase: str
    why: str
    status: str
    reason: str
    cost_s: float
    replicate: int
    reused: bool
    x: tuple[float, ...]
    y: tuple[float, ...] | None
    predicted: tuple[float, ...] | None


@dataclass(frozen=True)
class Data:
    """Runs a surrogate may learn from: ``x [b, d]``, ``y [b, m]``, ``noise_std [b, m]``."""

    x: Floats
    y: Floats
    noise_std: Floats

    def __len__(self) -> int:
        return len(self.x)

    def plus(self, x: Floats, runs: Runs) -> Data:
        """With the rows that succeeded added."""
        ok = runs.ok
        noise = np.zeros_like(runs.values) if runs.noise_std is None else runs.noise_std
        return Data(
            np.concatenate([self.x, x[ok]]),
            np.concatenate([self.y, runs.values[ok]]),
            np.concatenate([self.noise_std, noise[ok]]),
        )


@dataclass
class Session:
    """Counts and records what one solve does; decides nothing."""

    question: Question
    coupling: Coupling
    campaign: Campaign
    listener: Listener
    macro: MacroModel
    audit_stream: np.random.Generator
    other_stream: np.random.Generator
    data: Data
    runs: list[MicroRun] = field(default_factory=list)
    path: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    macro_solves: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def micro_runs(self) -> int:
        """Rows asked for, failed and verification rows included; a row asked for again counts once."""
        return len(self.runs)

    @property
    def left(self) -> int:
        """Micro runs left in the budget."""
        return self.question.budget - self.micro_runs

    @property
    def why_unanswered(self) -> str:
        """The reason of the last verification run without an answer; empty where there is none."""
        return next((r.reason for r in reversed(self.runs) if r.phase == "verify" and r.status != "ok"), "")

    @property
    def noisy(self) -> bool:
        """Whether the micro model declares noise of its own."""
        return bool(self.data.noise_std.any())

    def solve(self, closure: Closure, start: Any) -> MacroSolution:
        """Solve the macro problem; an exception of a user's macro model becomes a reason."""
        self.macro_solves += 1
        try:
            solution = self.macro.solve(closure, start)
        except (FirstStatesAsked, ScaleBridgeError):
            raise
        except Exception as error:
            empty = np.zeros((0, self.coupling.inputs.size))
            return failed_solution(empty, f"the macro model raised {type(error).__name__}: {error}")
        return _checked(solution, self.question.qois, self.coupling.inputs.size)

    def run(
        self,
        x: Floats,
        phase: str,
        why: Sequence[str],
        predicted: Floats | None = None,
        replicate: int = 0,
        campaign: Campaign | None = None,
    ) -> Runs:
        """Run the micro model at macro states ``x [b, d]``; the answer is in the macro problem's units."""
        campaign = campaign or self.campaign
        at = len(campaign.records)
        raw = campaign.run(self.coupling.to_micro(x), phase=phase, why=list(why), replicate=replicate)
        runs = self.coupling.from_micro(raw)
        known = {r.key for r in self.runs}
        for i, record in enumerate(campaign.records[at : at + len(x)]):
            if record.key in known:
                continue
            known.add(record.key)
            ok = runs.status[i] == "ok"
            self.runs.append(
                MicroRun(
                    len(self.runs) + 1,
                    record.key,
                    phase,
                    why[i],
                    str(runs.status[i]),
                    runs.reason[i],
                    float(runs.cost_s[i]),
                    replicate,
                    record.reused,
                    tuple(map(float, x[i])),
                    tuple(map(float, runs.values[i])) if ok else None,
                    None if predicted is None else tuple(map(float, predicted[i])),
                )
            )
        return runs

    def run_afresh(self, x: Floats, phase: str, why: Sequence[str], predicted: Floats | None) -> Runs:
        """As `run`, but never with an answer the surrogate has seen: a noisy model is asked for new replicates."""
        if not self.noisy:
            return self.run(x, phase, why, predicted)
        count = {tuple(map(float, row)): 1 for row in self.data.x}
        for r in self.runs:
            count[r.x] = max(count.get(r.x, 0), r.replicate + 1)
        replicates = []
        for row in x:
            state = tuple(map(float, row))
            replicates.append(count.get(state, 0))
            count[state] = replicates[-1] + 1
        parts: list[Runs] = []
        order: list[int] = []
        for k in sorted(set(replicates)):
            rows = [i for i, r in enumerate(replicates) if r == k]
            known = None if predicted is None else predicted[rows]
            parts.append(self.run(x[rows], phase, [why[i] for i in rows], known, replicate=k))
            order += rows
        return Runs.join(parts).take(np.argsort(order))

    def tell(self, phase: str, message: str, value: float | None, half: float | None, tolerance: float | None) -> None:
        """Report progress; the fraction is the share of the tolerance reached, on a logarithmic scale."""
        fraction = 0.05
        if value is not None and half and tolerance and np.isfinite(half):
            # From a relative half-width of one down to the tolerance, errors fall about geometrically.
            span = np.log(max(abs(value), 2 * tolerance) / tolerance)
            fraction = float(np.clip(1 - np.log(half / tolerance) / span, 0.05, 0.97))
        fraction = 1.0 if phase == "done" else fraction
        self.listener(Progress(self.micro_runs, phase, value, half, tolerance, message, fraction))

    def note(self, text: str) -> None:
        """Keep a sentence for the answer, once."""
        if text not in self.notes:
            self.notes.append(text)


def _checked(solution: MacroSolution, qois: Sequence[str], d: int) -> MacroSolution:
    """Turn a solution that breaks the contract into one that was not found, with the reason."""
    if not solution.converged:
        return replace(solution, reason=solution.reason or "the macro model did not converge and gave no reason")
    states = np.asarray(solution.states, dtype=np.float64)
    if states.ndim != 2 or states.shape[1] != d or not np.isfinite(states).all():
        return failed_solution(
            np.zeros((0, d)),
            f"the macro model returned states of shape {states.shape}, or not finite; they are [n, {d}]",
        )
    for qoi in qois:
        if qoi in solution.qois and not np.isfinite(solution.qois[qoi]):
            return failed_solution(states, f"the macro model returned {qoi} = {solution.qois[qoi]}")
    return solution
