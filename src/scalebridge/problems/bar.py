"""A one-dimensional macro problem with an unknown closure: the smallest complete `MacroModel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.models import Closure, MacroSolution, failed_solution
from scalebridge.quantities import Floats, Space, Variable

Profile = float | Callable[[Floats], Floats]
End = tuple[str, float]
QOIS = ("flow", "mean_temperature", "end_value")
# Residual, relative to the forces, at which a search that finds nothing better counts as the end.
ACCEPTED = 1e-7
_GAUSS = np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])
_WEIGHT = np.array([5.0, 8.0, 5.0]) / 18.0


@dataclass(frozen=True)
class Bar:
    """Conduction or elasticity along x: ``-(A p)' = s``, with p the closure's flux along the gradient of u.

    P1 elements, Newton's method with a line search, load stepping where that fails, exact adjoint.
    The closure maps the gradient to the flux (one state per element) or, with ``closure="conductivity"``,
    the temperature to the conductivity (three states per element). An elastic bar is the same problem under
    other names: give ``variables=(Variable("strain"), Variable("stress", "Pa"))``.

    Quantities of interest: ``flow``, A p at the left end (the right end if the left is ``("flow", ...)``);
    ``mean_temperature``, the mean of u over the length; ``end_value``, u at the right end.

    Args:
        n_elements: at least 1.
        length: m.
        area: A in m^2, a number or a function of x ``[n] -> [n]``.
        source: s per unit length, the same.
        left: ``("value", u)`` or ``("flow", A p)`` at x = 0.
        right: the same at x = length.
        closure: ``"flux"`` or ``"conductivity"``.
        variables: what the closure takes and gives, one component each; ``None`` for conduction.
        load_steps: most steps in which the load is brought on after Newton's method failed in one.

    Raises:
        InputError: no end with a value, an unknown kind of end or closure, an area that is not positive.
    """

    n_elements: int = 32
    length: float = 1.0
    area: Profile = 1.0
    source: Profile = 0.0
    left: End = ("value", 0.0)
    right: End = ("value", 1.0)
    closure: str = "flux"
    variables: tuple[Variable, Variable] | None = None
    load_steps: int = 16

    def __post_init__(self) -> None:
        for side, end in (("left", self.left), ("right", self.right)):
            if end[0] not in ("value", "flow"):
                raise InputError(f"The bar's {side} end is {end}{did_you_mean(end[0], ('value', 'flow'))}")
        if self.left[0] == self.right[0] == "flow":
            raise InputError("The bar has a flow at both ends, which leaves u undetermined; give one end a value.")
        if self.closure not in ("flux", "conductivity"):
            raise InputError(
                f"The bar's closure is '{self.closure}'{did_you_mean(self.closure, ('flux', 'conductivity'))}"
            )
        if self.n_elements < 1 or not self.length > 0:
            raise InputError(f"The bar has n_elements = {self.n_elements}, length = {self.length}; both be positive.")
        area = _profile(self.area, self._points)
        if not (np.isfinite(area).all() and (area > 0).all()):
            raise InputError(f"The bar's area falls to {area.min()} somewhere; it must be positive all along.")

    @property
    def closure_inputs(self) -> Space:
        """The gradient (K/m), or the temperature (K)."""
        if self.variables is not None:
            return Space([self.variables[0]])
        return Space([Variable("gradient", "K/m", (1,)) if self.closure == "flux" else Variable("temperature", "K")])

    @property
    def closure_outputs(self) -> Space:
        """The flux along the gradient (W/m^2), or the conductivity (W/(m K))."""
        if self.variables is not None:
            return Space([self.variables[1]])
        return Space(
            [Variable("flux", "W/m^2", (1,)) if self.closure == "flux" else Variable("conductivity", "W/(m*K)")]
        )

    @property
    def nodes(self) -> Floats:
        """Coordinates of the nodes ``[n_elements + 1]``."""
        return np.linspace(0.0, self.length, self.n_elements + 1)

    @property
    def smallest_area(self) -> float:
        """The smallest of the elements' mean areas, m^2."""
        return float(np.min(_profile(self.area, self._points) @ _WEIGHT))

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure; ``start`` is the ``restart`` of an earlier solution (u at the nodes)."""
        guess = None if start is None else np.asarray(start, dtype=np.float64)
        if guess is not None and guess.shape == (self.n_elements + 1,) and np.isfinite(guess).all():
            found = _newton(self, closure, guess)
            if isinstance(found, _State):
                return _solution(self, found)
        steps = 1
        while True:
            found = self._load(closure, steps)
            if isinstance(found, _State):
                return _solution(self, found)
            if steps >= self.load_steps:
                return failed_solution(np.zeros((0, 1)), found)
            steps *= 4

    def _load(self, closure: Closure, steps: int) -> _State | str:
        u = np.zeros(self.n_elements + 1)
        found: _State | str = "no step was taken"
        for k in range(1, steps + 1):
            part = self._scaled(k / steps)
            # Each end moved along a straight line: exact for a linear bar under end values.
            u = part._lift(u)
            found = _newton(part, closure, u)
            if isinstance(found, str):
                return f"{found} (at {k} of {steps} load steps)"
            u = found.u
        return found

    def _scaled(self, factor: float) -> Bar:
        if factor == 1.0:
            return self
        source = self.source
        return replace(
            self,
            source=(lambda x: factor * _profile(source, x)),
            left=(self.left[0], factor * self.left[1]),
            right=(self.right[0], factor * self.right[1]),
        )

    def _lift(self, u: Floats) -> Floats:
        a = self.left[1] - u[0] if self.left[0] == "value" else None
        b = self.right[1] - u[-1] if self.right[0] == "value" else None
        first = a if a is not None else b
        last = b if b is not None else a
        assert first is not None and last is not None
        return u + np.linspace(first, last, len(u))

    @property
    def _h(self) -> float:
        return self.length / self.n_elements

    @property
    def _points(self) -> Floats:
        points: Floats = (np.arange(self.n_elements)[:, None] + _GAUSS) * self._h
        return points

    @property
    def _free(self) -> slice:
        return slice(1 if self.left[0] == "value" else 0, self.n_elements + (0 if self.right[0] == "value" else 1))

    def _load_vector(self) -> Floats:
        weighted = _WEIGHT * self._h * _profile(self.source, self._points)
        load = np.zeros(self.n_elements + 1)
        load[:-1] += weighted @ (1 - _GAUSS)
        load[1:] += weighted @ _GAUSS
        if self.left[0] == "flow":
            load[0] -= self.left[1]
        if self.right[0] == "flow":
            load[-1] += self.right[1]
        return load


@dataclass(frozen=True)
class _State:
    """The bar at nodal values u: flux integrals per element and their derivatives."""

    u: Floats
    states: Floats
    # Integral of A p over each element, and its derivatives by the two nodal values and by the closure's values.
    force: Floats
    by_nodes: Floats
    by_values: Floats
    residual: Floats
    scale: float
    flux: Floats


def _profile(profile: Profile, x: Floats) -> Floats:
    if callable(profile):
        return np.broadcast_to(np.asarray(profile(x.ravel()), dtype=np.float64), (x.size,)).reshape(x.shape)
    return np.full(x.shape, float(profile))


def _evaluate(bar: Bar, closure: Closure, u: Floats) -> _State | str:
    h, n = bar._h, bar.n_elements
    gradient = np.diff(u) / h
    volume = _WEIGHT * h * _profile(bar.area, bar._points)
    if bar.closure == "flux":
        states, weight = gradient[:, None], volume.sum(axis=1, keepdims=True)
    else:
        states, weight = (u[:-1, None] * (1 - _GAUSS) + u[1:, None] * _GAUSS).reshape(-1, 1), volume
    answer = closure(states)
    y, dy = answer.values.reshape(n, -1), answer.tangent.reshape(n, -1)
    if not (np.isfinite(y).all() and np.isfinite(dy).all()):
        return "the closure gave a value or tangent that is not finite"
    by_gradient = np.array([-1.0, 1.0]) / h
    if bar.closure == "flux":
        flux, by_nodes, by_values = y, (weight * dy) * by_gradient, weight
    else:
        flux, by_values = y * gradient[:, None], weight * gradient[:, None]
        shape = np.stack([1 - _GAUSS, _GAUSS], axis=1)
        by_nodes = (weight * y).sum(axis=1)[:, None] * by_gradient + (by_values * dy) @ shape
    force = (weight * flux).sum(axis=1)
    load = bar._load_vector()
    residual = -load
    residual[:-1] -= force / h
    residual[1:] += force / h
    scale = float(np.max(np.abs(force)) / h + np.max(np.abs(load)))
    return _State(u, states, force, by_nodes, by_values, residual, scale, flux)


def _banded(bar: Bar, by_nodes: Floats) -> Floats:
    # Rows of the stiffness: element e pulls node e by -force/h and node e+1 by +force/h.
    banded = np.zeros((3, bar.n_elements + 1))
    left, right = by_nodes.T / bar._h
    banded[1, :-1] -= left
    banded[0, 1:] -= right
    banded[2, :-1] += left
    banded[1, 1:] += right
    return banded


def _linear(bar: Bar, by_nodes: Floats, rhs: Floats, *, transposed: bool = False) -> Floats:
    from scipy.linalg import solve_banded

    free, solved = bar._free, np.zeros(bar.n_elements + 1)
    matrix = _banded(bar, by_nodes)[:, free].copy()
    if not matrix.shape[1]:
        return solved
    matrix[0, 0] = matrix[2, -1] = 0.0
    if transposed:
        matrix = np.stack([np.roll(matrix[2], 1), matrix[1], np.roll(matrix[0], -1)])
    solved[free] = solve_banded((1, 1), matrix, rhs[free], check_finite=False)
    return solved


def _newton(bar: Bar, closure: Closure, u: Floats, max_steps: int = 60) -> _State | str:
    # A trial far from the solution may overflow; it is then rejected by its residual.
    with np.errstate(over="ignore", invalid="ignore"):
        return _iterate(bar, closure, u, max_steps)


def _iterate(bar: Bar, closure: Closure, u: Floats, max_steps: int) -> _State | str:
    free = bar._free
    state = _evaluate(bar, closure, u)
    for _ in range(max_steps):
        if isinstance(state, str):
            return state
        norm = float(np.linalg.norm(state.residual[free]))
        if norm <= 1e-12 * state.scale * np.sqrt(bar.n_elements):
            return state
        try:
            step = _linear(bar, state.by_nodes, -state.residual)
        except np.linalg.LinAlgError:
            return "the stiffness of the bar became singular"
        better = _line_search(bar, closure, state, step, norm <= ACCEPTED * state.scale)
        if better is None:
            # No step gets below the closure's own rounding; what is left is told as the algebraic error.
            return state if norm <= ACCEPTED * state.scale else "the line search of Newton's method found no descent"
        state = better
    return f"Newton's method did not converge in {max_steps} steps"


def _line_search(bar: Bar, closure: Closure, state: _State, step: Floats, last_digits: bool) -> _State | None:
    first = _merit(bar, state)
    # Within the last digits of the closure only the full step is worth a try.
    for k in range(1 if last_digits else 30):
        trial = _evaluate(bar, closure, state.u + 0.5**k * step)
        if isinstance(trial, _State) and _merit(bar, trial) < (1 - 0.1 * 0.5**k) * first:
            return trial
    return None


def _merit(bar: Bar, state: _State) -> float:
    """Size of the residual seen through a linear bar of the same areas.

    The plain norm weighs what happens at single nodes by 1/h^2 and stops Newton's method at every kink.
    """
    if not np.isfinite(state.residual).all():
        return np.inf
    volume = (_WEIGHT * bar._h * _profile(bar.area, bar._points)).sum(axis=1, keepdims=True)
    seen = _linear(bar, volume * np.array([-1.0, 1.0]) / bar._h, state.residual)
    return float(np.linalg.norm(seen))


def _solution(bar: Bar, state: _State) -> MacroSolution:
    u, n = state.u, bar.n_elements
    trapezium = np.full(n + 1, 1.0 / n)
    trapezium[[0, -1]] *= 0.5
    at_left = bar.left[0] == "value"
    # The reaction at the held end balances the residual there: A p = -R at the left end, +R at the right.
    flow = -state.residual[0] if at_left else state.residual[-1]
    qois = {"flow": float(flow), "mean_temperature": float(trapezium @ u), "end_value": float(u[-1])}

    explicit: dict[str, tuple[Floats, Floats]] = {
        "flow": _flow_slopes(bar, state, 0 if at_left else n - 1),
        "mean_temperature": (trapezium, np.zeros(n)),
        "end_value": (np.eye(n + 1)[-1], np.zeros(n)),
    }

    def adjoint(qoi: str) -> Floats:
        return _linear(bar, state.by_nodes, explicit[qoi][0], transposed=True)

    def sensitivity(qoi: str) -> Floats:
        if qoi not in QOIS:
            raise InputError(f"The bar has no quantity of interest '{qoi}'{did_you_mean(qoi, QOIS)}")
        total = explicit[qoi][1] - np.diff(adjoint(qoi)) / bar._h
        sensitive: Floats = (total[:, None] * state.by_values).reshape(-1, 1)
        return sensitive

    fields: Mapping[str, Any] = {"x": bar.nodes, "value": u, "flux": state.flux}
    left_over = {qoi: abs(float(adjoint(qoi) @ state.residual)) for qoi in QOIS}
    return MacroSolution(qois, state.states, sensitivity, fields, restart=u, algebraic_error=left_over)


def _flow_slopes(bar: Bar, state: _State, element: int) -> tuple[Floats, Floats]:
    """Derivatives of the flow through the end in ``element`` by the nodal values and by the elements' forces."""
    by_u, by_force = np.zeros(bar.n_elements + 1), np.zeros(bar.n_elements)
    by_force[element] = 1 / bar._h
    by_u[element : element + 2] = state.by_nodes[element] / bar._h
    return by_u, by_force
