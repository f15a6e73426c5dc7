"""The sensitivity of a quantity to the closure: by finite differences where needed, and its check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.bridge.closures import PerturbedClosure, ShiftedClosure
from scalebridge.models import Closure, MacroSolution
from scalebridge.quantities import Floats

Solver = Callable[[Closure, Any], MacroSolution]

# Finite differences row by row cost a macro solve each.
MOST_DIFFERENCES = 400
CHECK_TOLERANCE = 0.05


@dataclass(frozen=True)
class Refused:
    """What ends a solve, with the reason in one sentence.

    Args:
        reason: for people.
        states: ``[n, d]``, the last ones of a macro solve that found no solution, where it tells them.
    """

    reason: str
    states: Floats | None = None


@dataclass(frozen=True)
class WaveField:
    """A smooth bounded field ``scale_j * sum_k M_jk tanh(x_k / extent_k + phase_k)`` with its derivative."""

    scale: Floats
    extent: Floats
    mixing: Floats
    phase: Floats

    def __call__(self, x: Floats) -> tuple[Floats, Floats]:
        """Values ``[n, m]`` and derivative ``[n, m, d]``."""
        wave = np.tanh(x / self.extent + self.phase)
        slope = (1 - wave**2) / self.extent
        values = self.scale * (wave @ self.mixing.T)
        return values, self.scale[None, :, None] * self.mixing[None] * slope[:, None, :]


def check_sensitivity(
    solve: Solver,
    closure: Closure,
    solution: MacroSolution,
    weights: dict[str, Floats],
    rng: np.random.Generator,
    n_fields: int = 2,
) -> Refused | None:
    """Perturb the closure by small smooth fields, re-solve, and compare with ``sum w g``.

    Costs ``n_fields`` macro solves and no micro run. A ratio of -1 is the sign of the adjoint, one and
    the same other ratio for every field a quadrature weight.
    """
    for qoi, w in weights.items():
        if not np.isfinite(w).all():
            return Refused(f"the sensitivity of '{qoi}' is not finite; check the adjoint of the macro model")
    ratios: dict[str, list[float]] = {q: [] for q in weights}
    for field in _telling_fields(closure, solution, weights, rng, n_fields):
        moved = solve(PerturbedClosure(closure, field), solution.restart)
        if not moved.converged:
            return Refused(
                f"the macro problem was not solved again after a change of the closure by 0.1 %: {moved.reason}"
            )
        for qoi, w in weights.items():
            expected = float((w * field(solution.states)[0]).sum())
            actual = moved.qois[qoi] - solution.qois[qoi]
            if abs(expected) > 1e-9 * abs(solution.qois[qoi]):
                ratios[qoi].append(actual / expected)
    for qoi, found in ratios.items():
        refusal = _judge(qoi, found)
        if refusal is not None:
            return refusal
    return None


def _telling_fields(
    closure: Closure, solution: MacroSolution, weights: dict[str, Floats], rng: np.random.Generator, n: int
) -> list[WaveField]:
    """Of random fields, those whose effect cancels least, so that a ratio means something."""
    x = solution.states
    values = closure(x).values
    scale = np.full(values.shape[1], 1e-3 * float(np.sqrt(np.mean(values**2, axis=0)).max()))
    reach: Floats = np.abs(x).max(axis=0)
    extent: Floats = np.maximum(reach, 1e-3 * reach.max()) + 1e-300
    fields = []
    for _ in range(32):
        mixing = rng.standard_normal((values.shape[1], x.shape[1])) / np.sqrt(x.shape[1])
        fields.append(WaveField(scale, extent, mixing, rng.uniform(-1.0, 1.0, size=(x.shape[1],))))

    def clarity(field: WaveField) -> float:
        g = field(x)[0]
        shares = [abs(float((w * g).sum())) / (float(np.abs(w * g).sum()) + 1e-300) for w in weights.values()]
        return min(shares)

    return sorted(fields, key=clarity, reverse=True)[:n]


def _judge(qoi: str, ratios: Sequence[float]) -> Refused | None:
    found = np.array(ratios)
    if len(found) == 0 or np.all(np.abs(found - 1) <= CHECK_TOLERANCE):
        return None
    shown = ", ".join(f"{r:.3g}" for r in found)
    if np.all(np.abs(found + 1) <= CHECK_TOLERANCE):
        return Refused(
            f"the sensitivity of '{qoi}' has the wrong sign: a change of the closure moved it by {shown} times what "
            "the weights say; check the sign of the adjoint"
        )
    middle = float(np.median(found))
    if len(found) > 1 and abs(middle) > 1e-6 and np.all(np.abs(found / middle - 1) <= CHECK_TOLERANCE):
        return Refused(
            f"the sensitivity of '{qoi}' is off by the constant factor {middle:.4g}; check the quadrature weight in it"
        )
    return Refused(
        f"the sensitivity of '{qoi}' is not the derivative of the solution: a change of the closure moved it by "
        f"{shown} times what the weights say; check the adjoint and its explicit dependence on the closure"
    )


def difference_sensitivity(
    solve: Solver, closure: Closure, solution: MacroSolution, qois: Sequence[str]
) -> dict[str, Floats] | Refused:
    """Sensitivities ``[n, m]`` by shifting one row at a time; one macro solve for each."""
    n, m = len(solution.states), closure(solution.states).values.shape[1]
    if n * m > MOST_DIFFERENCES:
        return Refused(
            f"no adjoint: the macro model gives no sensitivity and {n} x {m} finite differences are too many; "
            "give MacroSolution(sensitivity=...), for instance by scalebridge.macro.adjoint(residual)"
        )
    values = closure(solution.states).values
    step = 1e-4 * np.sqrt(np.mean(values**2)) + 1e-300
    weights = {q: np.zeros((n, m)) for q in qois}
    for i in range(n):
        for j in range(m):
            shifted = ShiftedClosure(closure, i, j, step)
            moved = solve(shifted, solution.restart)
            if not moved.converged or not shifted.asked or not _same_rows(shifted.asked[0], solution.states):
                return Refused(
                    "no adjoint: the macro model gives no sensitivity and does not ask its states in one and the same "
                    "row order, so finite differences are not possible; give MacroSolution(sensitivity=...)"
                )
            for q in qois:
                weights[q][i, j] = (moved.qois[q] - solution.qois[q]) / step
    return weights


def _same_rows(asked: Floats, states: Floats) -> bool:
    """Whether the states asked for are those of the solution, row by row; a shift of 1e-4 moves them little."""
    return asked.shape == np.shape(states) and bool(np.abs(asked - states).max() <= 0.01 * np.abs(states).max())
