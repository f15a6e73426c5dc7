"""The conformance suite of a `MacroModel`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models import AdaptiveMacro, Closure, ClosureValue, MacroModel, MacroSolution
from scalebridge.problems.case import direct_closure
from scalebridge.quantities import Floats
from scalebridge.testing.demand import demand, demand_close, demand_members

_MEMBERS = ("closure_inputs", "closure_outputs", "solve")


def check_macro(
    macro: Any,
    closure: Any,
    *,
    rtol: float = 0.01,
    amplitude: float = 1e-4,
    restart_rtol: float = 1e-6,
    seed: int = 0,
) -> None:
    """Check that a macro model keeps its contract; raise `AssertionError` with one sentence where it does not.

    Shapes; states in the same order every time; the same answer again and from ``restart``; a sensitivity that
    predicts what small smooth changes of the closure do (sign and quadrature weight told apart); a closure
    that breaks down answered by an unconverged solution with a reason; a mesh estimate that its elements add
    up to, where there is one.

    Args:
        macro: the macro model.
        closure: a `Closure`, or a `Model` that is then run at every state.
        rtol: of the predicted change of each quantity of interest.
        amplitude: of the change of the closure, relative to its values.
        restart_rtol: how far a restart may move a quantity, relative to its size.
        seed: of the changes.
    """
    demand_members(macro, _MEMBERS, "MacroModel")
    d, m = macro.closure_inputs.size, macro.closure_outputs.size
    sound: Closure = direct_closure(closure) if hasattr(closure, "run") else closure
    recorder = _Recorder(sound, d)
    solution = macro.solve(recorder)
    _check_solution(solution, recorder, d, m)
    _check_again(macro, sound, solution, restart_rtol)
    _check_start_states(macro, d)
    if solution.sensitivity is not None:
        _check_sensitivity(macro, sound, solution, (rtol, amplitude), seed)
    _check_breakdown(macro, sound)
    if isinstance(macro, AdaptiveMacro):
        _check_mesh(macro, sound, solution)


class _Recorder:
    """A closure that remembers the last batch it was asked for."""

    def __init__(self, closure: Closure, d: int) -> None:
        self.closure, self.d = closure, d
        self.asked: list[Floats] = []

    def __call__(self, x: Floats) -> ClosureValue:
        x = np.asarray(x)
        demand(
            x.ndim == 2 and x.shape[1] == self.d,
            f"The macro model asked its closure for states of shape {x.shape}; closure_inputs make it [n, {self.d}].",
        )
        self.asked.append(x.copy())
        return self.closure(x)


class _Changed:
    """A closure plus ``epsilon`` times a smooth function of the states, its tangent included.

    The function is the gradient of a sum of cosines where values and states are as many, so that a tangent
    that was symmetric stays so.
    """

    def __init__(self, closure: Closure, x_scale: Floats, y_scale: float, m: int, rng: np.random.Generator) -> None:
        d = len(x_scale)
        self.closure, self.size = closure, y_scale
        self.directions = rng.standard_normal((3, d)) / x_scale
        self.phases = rng.uniform(0, 2 * np.pi, 3)
        unit = self.directions * float(np.mean(x_scale))
        self.weights = unit if m == d else rng.standard_normal((3, m))
        self.epsilon = 0.0

    def change(self, x: Floats) -> Floats:
        """The function ``[n, m]`` at ``x [n, d]``."""
        change: Floats = self.size * np.sin(x @ self.directions.T + self.phases) @ self.weights
        return change

    def __call__(self, x: Floats) -> ClosureValue:
        answer = self.closure(x)
        slope = np.cos(x @ self.directions.T + self.phases)
        tangent = self.size * np.einsum("nk,km,kd->nmd", slope, self.weights, self.directions)
        return ClosureValue(
            answer.values + self.epsilon * self.change(x), answer.tangent + self.epsilon * tangent, answer.inside
        )


def _check_solution(solution: Any, recorder: _Recorder, d: int, m: int) -> None:
    demand(isinstance(solution, MacroSolution), f"solve returned a {type(solution).__name__}; return MacroSolution.")
    demand(solution.converged, f"The macro model did not converge with the closure given ({solution.reason}).")
    demand(
        isinstance(solution.qois, Mapping) and len(solution.qois) > 0,
        "The solution has no quantity of interest; qois maps names to numbers.",
    )
    for name, value in solution.qois.items():
        demand(bool(np.isfinite(value)), f"The quantity of interest '{name}' is {value}, which is not finite.")
    states = np.asarray(solution.states)
    demand(
        states.ndim == 2 and states.shape[1] == d and len(states) > 0,
        f"states have the shape {states.shape}; give [n, {d}], one row per state of the final solution.",
    )
    asked = np.concatenate(recorder.asked)
    scale = float(np.max(np.abs(asked), initial=1e-300))
    nearest = max(float(np.min(np.max(np.abs(asked - s), axis=1))) for s in states[:: max(1, len(states) // 20)])
    demand(nearest <= 1e-6 * scale, "states hold a state that the closure was never asked for.")
    if solution.sensitivity is None:
        return
    for name in solution.qois:
        weights = np.asarray(solution.sensitivity(name))
        demand(
            weights.shape == (len(states), m),
            f"sensitivity('{name}') has the shape {weights.shape}; give {(len(states), m)}, one row per state.",
        )
        demand(bool(np.isfinite(weights).all()), f"sensitivity('{name}') is not finite.")


def _check_again(macro: MacroModel, closure: Closure, solution: MacroSolution, rtol: float) -> None:
    scale = float(np.max(np.abs(solution.states), initial=1e-300))
    starts = [(None, "when it is solved again")]
    if solution.restart is not None:
        starts.append((solution.restart, "when it is solved from its own restart"))
    for start, how in starts:
        other = macro.solve(closure, start)
        demand(other.converged, f"The macro model does not converge {how} ({other.reason}).")
        demand(
            other.states.shape == solution.states.shape,
            f"The macro model visits {len(other.states)} states, not {len(solution.states)}, {how}.",
        )
        demand_close(
            other.states,
            solution.states,
            max(1e3 * rtol, 1e-4),
            scale,
            f"The macro model asks for its states in another order {how}",
        )
        for name, value in solution.qois.items():
            move = abs(other.qois[name] - value)
            demand(move <= rtol * max(abs(value), 1e-12), f"'{name}' moves by {move:.3g} from {value:.6g} {how}.")


def _check_start_states(macro: Any, d: int) -> None:
    states = getattr(macro, "start_states", None)
    if states is not None:
        shape = np.shape(states)
        demand(len(shape) == 2 and shape[1] == d, f"start_states have the shape {shape}; give [k, {d}].")


def _check_sensitivity(
    macro: MacroModel, closure: Closure, solution: MacroSolution, limits: tuple[float, float], seed: int
) -> None:
    rtol, amplitude = limits
    assert solution.sensitivity is not None
    states, rng = solution.states, np.random.default_rng(seed)
    values = closure(states).values
    x_scale = np.maximum(np.max(np.abs(states), axis=0), 1e-3 * float(np.max(np.abs(states))) + 1e-300)
    y_scale = float(np.sqrt(np.mean(values**2))) or 1.0
    weights = {name: np.asarray(solution.sensitivity(name)) for name in solution.qois}
    ratios: dict[str, list[float]] = {name: [] for name in weights}
    for _ in range(3):
        changed = _Changed(closure, x_scale, y_scale, values.shape[1], rng)
        qois = []
        for sign in (1.0, -1.0):
            changed.epsilon = sign * amplitude
            moved = macro.solve(changed, solution.restart)
            demand(moved.converged, f"The macro model lost convergence under a tiny change ({moved.reason}).")
            qois.append(moved.qois)
        change = changed.change(states)
        for name, w in weights.items():
            real = (qois[0][name] - qois[1][name]) / (2 * amplitude)
            told = float(np.sum(w * change))
            # What is left of q when the solver stops is no sign of a wrong adjoint; the second difference shows it.
            bend = abs(qois[0][name] + qois[1][name] - 2 * solution.qois[name]) / amplitude
            floor = bend + 1e-9 * (abs(solution.qois[name]) / amplitude + float(np.sum(np.abs(w * change))))
            if max(abs(real), abs(told)) > floor / rtol:
                ratios[name].append(real / told if told else np.inf)
            else:
                ratios[name].append(1.0)
    for name, found in ratios.items():
        _judge(name, np.array(found), rtol)


def _judge(name: str, ratios: Floats, rtol: float) -> None:
    if np.all(np.abs(ratios - 1) <= rtol):
        return
    shown = ", ".join(f"{r:.4g}" for r in ratios)
    told = f"sensitivity('{name}') does not predict what a small change of the closure does (real / told: {shown})"
    if np.all(np.abs(ratios + 1) <= rtol):
        raise AssertionError(f"{told}: the sign of the adjoint is wrong.")
    if np.all(np.isfinite(ratios)) and np.ptp(ratios) <= rtol * abs(float(np.mean(ratios))):
        raise AssertionError(f"{told}: a constant ratio, so a quadrature weight or a factor is wrong.")
    raise AssertionError(f"{told}: the adjoint, or the explicit dependence on the closure, is wrong.")


def _check_breakdown(macro: MacroModel, closure: Closure) -> None:
    def broken(x: Floats) -> ClosureValue:
        answer = closure(x)
        return ClosureValue(np.full_like(answer.values, np.nan), answer.tangent, np.zeros(len(x), dtype=np.bool_))

    try:
        solution = macro.solve(broken)
    except Exception as error:
        raise AssertionError(
            f"The macro model raised {type(error).__name__} ({error}) when its closure gave NaN; "
            "return an unconverged solution with a reason."
        ) from error
    demand(not solution.converged, "The macro model calls a solution converged whose closure gave NaN.")
    demand(bool(solution.reason), "The macro model did not converge and gave no reason.")


def _check_mesh(macro: AdaptiveMacro, closure: Closure, solution: MacroSolution) -> None:
    for qoi in solution.qois:
        try:
            estimate = macro.mesh_estimate(solution, closure, qoi)
        except InputError:
            # A model may have no estimate for its kind of element; it then says so.
            return
        demand(bool(np.isfinite(estimate.error)), f"The mesh estimate of '{qoi}' is {estimate.error}.")
        demand(np.ndim(estimate.local) == 1, "The mesh estimate's local part is not one number per element.")
        total, size = float(np.sum(estimate.local)), float(np.sum(np.abs(estimate.local)))
        sentence = f"The mesh estimate of '{qoi}' is not the sum of what its elements add"
        demand_close(total, estimate.error, 1e-6, size + 1e-300, sentence)
    finer = macro.refined(np.abs(estimate.local)).solve(closure)
    demand(finer.converged, f"The refined macro model does not converge ({finer.reason}).")
    demand(len(finer.states) > len(solution.states), "The refined macro model asks for no more states than before.")
