"""From a discrete problem and a closure to a `MacroSolution` with its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.discrete import Discrete, Functional, Local, named_values
from scalebridge.macro.newton import Factor, NewtonOptions, Step, climbed, continued, factorised
from scalebridge.models import MacroSolution
from scalebridge.models.closure import Closure
from scalebridge.models.macro import failed_solution
from scalebridge.quantities import Floats


@dataclass(frozen=True, eq=False)
class Restart:
    """Where a next solve may start: the field at the places of its degrees of freedom.

    Args:
        values: ``[n, components]``.
        points: ``[n, dim]``.
    """

    values: Floats
    points: Floats

    def on(self, points: Floats) -> Floats:
        """Return the field ``[n, components]`` at other points: linear between the old ones, nearest outside."""
        if self.points.shape == points.shape and np.array_equal(self.points, points):
            return self.values
        from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

        if points.shape[1] == 1:
            order = np.argsort(self.points[:, 0])
            x, y = self.points[order, 0], self.values[order]
            return np.stack([np.interp(points[:, 0], x, y[:, c]) for c in range(y.shape[1])], axis=1)
        field: Floats = LinearNDInterpolator(self.points, self.values)(points)
        outside = np.isnan(field).any(1)
        if outside.any():
            field[outside] = NearestNDInterpolator(self.points, self.values)(points[outside])
        return field


@dataclass(frozen=True, eq=False)
class Adjoint:
    """Total derivatives of the quantities of interest at a solution."""

    discrete: Discrete
    functionals: Mapping[str, Functional]
    at: Local
    matrices: Floats
    factor: Factor

    def dual(self, functional: Functional) -> Floats:
        """Return the dual field of a quantity of interest ``[n]``."""
        return dual_field(self.discrete, functional, self.at, self.matrices, self.factor)

    def sensitivity(self, qoi: str) -> Floats:
        """Return ``dq/dy [n, m]`` at every state, weights and explicit dependence included."""
        if qoi not in self.functionals:
            raise InputError(
                f"The macro model has no quantity of interest '{qoi}'{did_you_mean(qoi, self.functionals)}"
            )
        functional = self.functionals[qoi]
        local = self.discrete.pairing(self.dual(functional), self.at)
        if functional.values is not None:
            local = local + functional.values
        flat: Floats = np.ascontiguousarray(local.reshape(-1, local.shape[-1]))
        return flat

    def algebraic_error(self) -> dict[str, float]:
        """Return the change of each quantity of interest that the remaining residual can make."""
        force = self.at.internal - self.discrete.load
        force[self.discrete.fixed] = 0.0
        return {name: abs(float(self.dual(f) @ force)) for name, f in self.functionals.items()}


def dual_field(discrete: Discrete, functional: Functional, at: Local, matrices: Floats, factor: Factor) -> Floats:
    """Return ``z [n]``, the weight of the residual in a quantity of interest: ``dq/dy = dq/dy|explicit + z dR/dy``.

    Where a reaction is asked for, z is 1 on the degrees of freedom whose reactions are summed.
    """
    slope = discrete.slope(functional, at, matrices)
    free = discrete.free
    z = np.zeros(discrete.size) if functional.residual is None else functional.residual.copy()
    z[free] -= factor.solve(slope[free], transposed=True)
    return z


def solved(
    discrete: Discrete,
    functionals: Mapping[str, Functional],
    closure: Closure,
    start: Any,
    options: NewtonOptions,
    fields: Callable[[Local], Mapping[str, Any]],
    needs_stability: bool,
) -> MacroSolution:
    """Solve a discrete problem and return its solution, or the reason why there is none."""
    step = continued(discrete, closure, _start_field(discrete, start), options)
    matrices, factor = _tangent(discrete, step)
    if needs_stability and factor is not None and not factor.stable:
        # A long step may have jumped to an equilibrium that is not stable while a stable one exists.
        step = climbed(discrete, closure, options, size=1 / 8)
        matrices, factor = _tangent(discrete, step)
    states = step.at.states.reshape(-1, step.at.states.shape[-1])
    if step.failure is not None:
        return failed_solution(states, _reason(step))
    if factor is None or (needs_stability and not factor.stable):
        return failed_solution(
            states,
            "The load passes a limit point at or before load factor 1: the tangent stiffness there is "
            f"{'singular' if factor is None else 'not positive definite'}, so the equilibrium is not a stable one; "
            "reduce the load.",
        )
    adjoint = Adjoint(discrete, functionals, step.at, matrices, factor)
    restart = Restart(step.at.u.reshape(-1, discrete.components), discrete.space.locations)
    return MacroSolution(
        qois=named_values(functionals, discrete, step.at),
        states=states,
        sensitivity=adjoint.sensitivity,
        fields=fields(step.at),
        restart=restart,
        algebraic_error=adjoint.algebraic_error(),
    )


def _tangent(discrete: Discrete, step: Step) -> tuple[Floats, Factor | None]:
    matrices = discrete.cell_matrices(step.at)
    return matrices, factorised(discrete, matrices) if step.failure is None else None


def _start_field(discrete: Discrete, start: Any) -> Floats | None:
    if start is None:
        return None
    if not isinstance(start, Restart) or start.values.shape[1] != discrete.components:
        raise InputError(
            f"The macro model was started from {type(start).__name__}; "
            "give the `restart` of an earlier solution of the same kind of problem, or None."
        )
    return np.ascontiguousarray(start.on(discrete.space.locations).ravel())


def _reason(step: Step) -> str:
    where = f"near load factor {step.factor:.2g}"
    if step.failure == "not finite":
        return f"The closure answered with values that are not finite {where}, so no equilibrium could be found."
    if step.unstable:
        return (
            f"The load passes a limit point {where}: the tangent stiffness loses its positive definiteness there "
            "and no equilibrium was found beyond; reduce the load."
        )
    return (
        f"Newton's method stalls {where} at a relative residual of {step.residual:.1g}: either the load passes a "
        "limit point there, or the closure's tangent is not the derivative of its values."
    )
