"""A two-scale problem with its answer, and the answer by direct coupling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.models import Closure, ClosureValue, MacroModel, MacroSolution, Model, Runs
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Case:
    """A two-scale problem.

    Args:
        micro: the micro model.
        macro: the macro problem that asks for it.
        exact: quantity of interest -> exact answer of the continuous problem, where one is known.
        on_mesh: the same for the macro problem on its own mesh.
    """

    micro: Model
    macro: MacroModel
    exact: Mapping[str, float]
    on_mesh: Mapping[str, float]

    def direct(self) -> MacroSolution:
        """Solve with the micro model itself at every state and iteration (FE²)."""
        return self.macro.solve(direct_closure(self.micro))


def direct_closure(model: Model, step: float = 1e-6) -> Closure:
    """Return a closure that runs ``model`` at every state, in the model's own units.

    The tangent is the model's jacobian, or a central difference of relative ``step`` where it gives none.
    Rows that fail become NaN, which every macro model answers by an unconverged solution.
    """

    def closure(x: Floats) -> ClosureValue:
        runs = model.run(x)
        tangent = runs.jacobian
        if tangent is None:
            tangent = differences(lambda z: model.run(z).values, x, step)
        return ClosureValue(runs.values, tangent, np.ones(len(x), dtype=np.bool_))

    return closure


def differences(function: Callable[[Floats], Floats], x: Floats, step: float = 1e-6) -> Floats:
    """Central differences ``[b, m, d]`` of ``[b, d] -> [b, m]``, of a step relative to each column's size."""
    columns = []
    for j in range(x.shape[1]):
        h = step * max(float(np.max(np.abs(x[:, j]), initial=0.0)), 1e-6)
        shift = np.zeros(x.shape[1])
        shift[j] = h
        columns.append((function(x + shift) - function(x - shift)) / (2 * h))
    return np.stack(columns, axis=2)


def analytic_runs(x: Floats, respond: Callable[[Floats], tuple[Floats, Floats]]) -> Runs:
    """Run a closed form on the finite rows of ``x [b, d]``; the others fail with their reason.

    Args:
        x: inputs.
        respond: maps ``[b, d]`` to values ``[b, m]`` and jacobian ``[b, m, d]``.
    """
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(x).all(axis=1), dtype=np.bool_)
    values, jacobian = respond(np.where(finite[:, None], x, 0.0))
    values, jacobian = np.where(finite[:, None], values, np.nan), np.where(finite[:, None, None], jacobian, np.nan)
    status = np.where(finite, "ok", "failed")
    return Runs(values, status, tuple("" if k else "the input is not finite" for k in finite), jacobian=jacobian)
