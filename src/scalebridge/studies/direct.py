"""Direct FE²: the same macro problem with a micro solve at every state it asks for.

A check of the bridge, and what it is measured against. Affordable on a coarse mesh only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scalebridge.bridge.coupling import Coupling, connect
from scalebridge.errors import InputError
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats

if TYPE_CHECKING:
    from scalebridge.bridge import Answer
    from scalebridge.models import Closure, MacroSolution
    from scalebridge.studies.resolve import Resolved

Tell = Callable[[int, str], None]


@dataclass
class DirectClosure:
    """Answers every state by a run of the micro model; a micro model without jacobian is differenced.

    Args:
        coupling: the micro model in the macro problem's units.
        chunk: rows handed to the micro model at once.
        tell: called with the number of micro runs so far.
        micro_runs: rows asked for; a central difference asks for 2 d rows more at each state.
        calls: how often the macro problem asked.
        failures: reasons of rows that failed.
    """

    coupling: Coupling
    chunk: int = 64
    tell: Tell = lambda _n, _words: None
    micro_runs: int = 0
    calls: int = 0
    failures: list[str] = field(default_factory=list)

    def __call__(self, x: Floats) -> ClosureValue:
        """Run the micro model at ``x [n, d]``."""
        self.calls += 1
        values, tangent = self._batch(x)
        return ClosureValue(values, tangent, np.ones(len(x), dtype=bool))

    def _batch(self, x: Floats) -> tuple[Floats, Floats]:
        parts = [self._rows(x[i : i + self.chunk]) for i in range(0, len(x), self.chunk)]
        values, tangents = zip(*parts, strict=True)
        return np.concatenate(values), np.concatenate(tangents)

    def _rows(self, x: Floats) -> tuple[Floats, Floats]:
        self.micro_runs += len(x)
        self.tell(self.micro_runs, f"direct FE², call {self.calls}")
        runs = self.coupling.from_micro(self.coupling.micro.run(self.coupling.to_micro(x)))
        self.failures += [runs.reason[i] for i in np.flatnonzero(~runs.ok)]
        if runs.jacobian is not None:
            return runs.values, runs.jacobian
        return runs.values, self._differences(x)

    def _differences(self, x: Floats) -> Floats:
        """Central differences ``[n, m, d]`` over steps of 1e-5 of the states' size."""
        d = x.shape[1]
        step = 1e-5 * np.maximum(np.abs(x).max(axis=0), 1e-9)
        moved = np.concatenate([x + sign * step * np.eye(d)[j] for j in range(d) for sign in (1.0, -1.0)])
        self.micro_runs += len(moved)
        runs = self.coupling.from_micro(self.coupling.micro.run(self.coupling.to_micro(moved)))
        self.failures += [runs.reason[i] for i in np.flatnonzero(~runs.ok)]
        both = runs.values.reshape(d, 2, len(x), -1)
        slope: Floats = np.moveaxis((both[:, 0] - both[:, 1]) / (2 * step[:, None, None]), 0, -1)
        return slope


@dataclass(frozen=True)
class Comparison:
    """Direct FE² beside the bridge, on the same mesh.

    Args:
        qoi: the quantity compared.
        unit: of it.
        direct: its value by direct FE².
        value: its value by the bridge on the same mesh.
        interval: of the latter.
        direct_runs: micro runs that direct FE² took.
        micro_runs: micro runs that the bridge took.
        n_states: states of the mesh.
        converged: whether the bridge's answer met its tolerance.
    """

    qoi: str
    unit: str
    direct: float
    value: float
    interval: tuple[float, float]
    direct_runs: int
    micro_runs: int
    n_states: int
    converged: bool

    @property
    def error(self) -> float:
        """Value by the bridge minus value by direct FE²."""
        return self.value - self.direct

    @property
    def covered(self) -> bool:
        """Whether the interval holds the direct value."""
        return self.interval[0] <= self.direct <= self.interval[1]

    def to_dict(self) -> dict[str, Any]:
        """The content as JSON."""
        return {
            "qoi": self.qoi,
            "unit": self.unit,
            "direct": self.direct,
            "value": self.value,
            "error": self.error,
            "relative_error": self.error / abs(self.direct) if self.direct else None,
            "interval": list(self.interval),
            "covered": self.covered,
            "converged": self.converged,
            "direct_runs": self.direct_runs,
            "micro_runs": self.micro_runs,
            "n_states": self.n_states,
        }


def solve_direct(resolved: Resolved, tell: Tell = lambda _n, _words: None) -> tuple[MacroSolution, DirectClosure]:
    """Solve the macro problem of a study by direct FE².

    Raises:
        InputError: the macro problem has no solution with the micro model itself.
    """
    closure = DirectClosure(connect(resolved.macro.model, resolved.micro.model), tell=tell)
    solution = resolved.macro.model.solve(closure)
    if not solution.converged:
        why = closure.failures[0] if closure.failures else solution.reason
        raise InputError(f"Direct FE² found no solution to compare with: {why}")
    return solution, closure


def compare(resolved: Resolved, answer: Answer, tell: Tell = lambda _n, _words: None) -> Comparison:
    """Solve by direct FE² and compare with an answer on the same mesh."""
    solution, closure = solve_direct(resolved, tell)
    return Comparison(
        answer.qoi,
        resolved.macro.units.get(answer.qoi, str(answer.record.get("unit", "1"))),
        float(solution.qois[answer.qoi]),
        answer.value,
        answer.interval,
        closure.micro_runs,
        answer.micro_runs,
        len(solution.states),
        answer.converged,
    )


@dataclass
class CountingClosure:
    """Counts the rows a macro problem asks a closure for."""

    inner: Closure
    rows: int = 0

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]``."""
        self.rows += len(x)
        return self.inner(x)


def direct_runs(resolved: Resolved, answer: Answer) -> int | None:
    """Micro runs that direct FE² would take: the rows a cold solve asks for, on the answer's final mesh.

    Counted on the study's own mesh with the surrogate in place of the micro model, and scaled by the number of
    states, since a finer mesh takes about as many iterations. ``None`` where the answer has no surrogate.
    """
    from scalebridge.bridge.closures import SurrogateClosure

    states = answer.arrays.get("states")
    if answer.surrogate is None or states is None:
        return None
    macro = resolved.macro.model
    closure = CountingClosure(SurrogateClosure(answer.surrogate, macro.closure_inputs))
    solution = macro.solve(closure)
    if not solution.converged or len(solution.states) == 0:
        return None
    return round(closure.rows * len(states) / len(solution.states))
