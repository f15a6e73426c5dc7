"""The contract of a macro problem with an unknown closure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class MacroSolution:
    """A solved macro problem.

    Args:
        qois: name -> value of every quantity of interest.
        states: ``[n, d]``, every state at which the closure was used in the final solution.
        sensitivity: ``qoi -> [n, m]``: the total derivative of q with respect to the closure's value at
            each state, quadrature weights and q's explicit dependence on the closure included:
            ``q(f) - q(g) ~ sum(w * (f - g))``. ``None``: no adjoint.
        fields: what reports draw; see the macro model's own documentation.
        restart: handed back as ``start`` of the next solve.
        converged: False where no solution was found; ``reason`` then says why.
        reason: one sentence where not converged.
        algebraic_error: name -> bound on the error of that quantity from incomplete iteration, where known; one number
            for every quantity alike.
    """

    qois: Mapping[str, float]
    states: Floats
    sensitivity: Callable[[str], Floats] | None
    fields: Mapping[str, Any] | None = None
    restart: Any = None
    converged: bool = True
    reason: str | None = None
    algebraic_error: Mapping[str, float] | float | None = None

    def stated_error(self, qoi: str) -> float:
        """What the solver states of a quantity's error from incomplete iteration; 0 where it states nothing."""
        stated = self.algebraic_error
        if isinstance(stated, Mapping):
            return float(stated.get(qoi, 0.0))
        return 0.0 if stated is None else float(stated)


@dataclass(frozen=True)
class MeshEstimate:
    """An estimate of the error that the macro mesh leaves in a quantity of interest.

    Args:
        error: estimate of ``q(exact) - q(mesh)``, signed, in the unit of q.
        local: ``[n_elements]``, what each element adds to it.
    """

    error: float
    local: Floats


@runtime_checkable
class MacroModel(Protocol):
    """A macro problem that calls a closure. A user's own class of these members is enough.

    Optional member: ``start_states [k, d]``, states to begin with.
    """

    @property
    def closure_inputs(self) -> Space:
        """Space of the states it asks the closure for."""

    @property
    def closure_outputs(self) -> Space:
        """Space of the values it expects."""

    def solve(self, closure: Closure, start: Any = None) -> MacroSolution:
        """Solve with the closure, from ``start`` (an earlier solution's ``restart``) where given."""


@runtime_checkable
class AdaptiveMacro(MacroModel, Protocol):
    """A macro model that estimates its own mesh error and refines itself."""

    def mesh_estimate(self, solution: MacroSolution, closure: Closure, qoi: str) -> MeshEstimate:
        """Estimate the mesh error of ``qoi`` at a solution of this model."""

    def refined(self, local: Floats) -> AdaptiveMacro:
        """Return the problem on a mesh refined where ``local [n_elements]`` is largest."""


def failed_solution(states: Floats, reason: str) -> MacroSolution:
    """Return a solution that was not found, with its reason."""
    return MacroSolution({}, np.asarray(states, dtype=np.float64), None, converged=False, reason=reason)
