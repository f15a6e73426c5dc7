"""Newton's method with line search, step limit and load stepping."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scalebridge.macro.discrete import Discrete, Local
from scalebridge.models.closure import Closure
from scalebridge.quantities import Floats

ROUNDING = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class NewtonOptions:
    """How a discrete problem is solved.

    Args:
        tolerance: of the residual's norm, relative to the norm of what the cells add to it.
        accepted: relative residual that is still taken for a solution where round-off in the closure stops Newton.
        iterations: per load step.
        smallest_step: of the load factor; below it the load cannot be carried.
        reach: largest change of a state in a correction, in units of the largest state.
    """

    tolerance: float = 1e-10
    accepted: float = 1e-7
    iterations: int = 30
    smallest_step: float = 1 / 128
    reach: float = 3.0


@dataclass(frozen=True, eq=False)
class Factor:
    """The factorised tangent of the free degrees of freedom."""

    lu: Any
    stable: bool

    def solve(self, b: Floats, transposed: bool = False) -> Floats:
        """Return ``K^-1 b``, or ``K^-T b``."""
        solution: Floats = self.lu.solve(b, trans="T" if transposed else "N")
        return solution


@dataclass(frozen=True, eq=False)
class Step:
    """Where one load step ended.

    Args:
        at: the last evaluated field.
        factor: the load factor it is for.
        failure: None where it converged, else "not finite", "singular" or "stalled".
        unstable: the tangent was not positive definite on the way.
        residual: relative norm.
        iterations: spent.
    """

    at: Local
    factor: float
    failure: str | None
    unstable: bool
    residual: float
    iterations: int


def factorised(discrete: Discrete, cell_matrices: Floats) -> Factor | None:
    """Factorise the tangent; None where it is singular."""
    import warnings

    from scipy.sparse.linalg import MatrixRankWarning, splu

    matrix = discrete.assemble(cell_matrices)
    if matrix.shape[0] == 0:
        return Factor(_Nothing(), True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)
        try:
            lu = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        except RuntimeError:
            return None
    # Without row interchanges, a negative pivot means that the symmetric part is not positive definite.
    pivots = lu.U.diagonal()
    if not np.isfinite(pivots).all():
        return None
    stable = not (np.array_equal(lu.perm_r, lu.perm_c) and (pivots < 0).any())
    return Factor(lu, stable)


class _Nothing:
    """The inverse of a matrix of no rows."""

    def solve(self, b: Floats, trans: str = "N") -> Floats:
        return b


def continued(discrete: Discrete, closure: Closure, start: Floats | None, options: NewtonOptions) -> Step:
    """Solve at full load: at once from ``start``, else in load steps from the reference field."""
    if start is not None:
        step = load_step(discrete, closure, discrete.evaluate(closure, start), 1.0, 1.0, options)
        if step.failure is None:
            return step
    return climbed(discrete, closure, options)


def climbed(discrete: Discrete, closure: Closure, options: NewtonOptions, size: float = 1.0) -> Step:
    """Raise the load from zero by steps of ``size``, halved where Newton fails and doubled where it is quick."""
    reached = Step(discrete.evaluate(closure, discrete.reference), 0.0, None, False, 0.0, 0)
    if not reached.at.finite:
        return replace(reached, failure="not finite")
    while reached.factor < 1.0:
        aim = min(1.0, reached.factor + size)
        step = load_step(discrete, closure, reached.at, reached.factor, aim, options)
        if step.failure is None:
            reached = step
            size = 2 * size if step.iterations <= 8 else size
            continue
        size /= 2
        if size < options.smallest_step:
            return replace(step, at=step.at if step.at.finite else reached.at, factor=reached.factor)
    return reached


def load_step(
    discrete: Discrete, closure: Closure, at: Local, before: float, factor: float, options: NewtonOptions
) -> Step:
    """Go from an evaluated field to equilibrium at a load factor.

    The first step carries the prescribed values along the tangent; the further ones correct, each shortened until
    the residual falls and no state moves further than ``options.reach`` allows.
    """
    prescribed = discrete.reference + factor * (discrete.target - discrete.reference)
    increment = np.zeros(discrete.size)
    increment[discrete.fixed] = (prescribed - at.u)[discrete.fixed]
    unstable, residual = False, np.inf
    first = bool(np.any(increment)) or before != factor
    for iteration in range(options.iterations):
        if not at.finite:
            return Step(at, factor, "not finite", unstable, residual, iteration)
        force = at.internal - factor * discrete.load
        residual = _relative(discrete, at, force, factor)
        if residual <= options.tolerance and not np.any(increment):
            return Step(at, factor, None, unstable, residual, iteration)
        matrices = discrete.cell_matrices(at)
        if not np.any(increment) and _is_rounding(discrete, matrices, at, force):
            return Step(at, factor, None, unstable, 0.0, iteration)
        tangent = factorised(discrete, matrices)
        if tangent is None:
            return Step(at, factor, "singular", True, residual, iteration)
        unstable = unstable or not tangent.stable
        known = force + discrete.times(matrices, increment)
        step = increment.copy()
        step[discrete.free] = -tangent.solve(known[discrete.free])
        if not np.isfinite(step).all():
            return Step(at, factor, "singular", True, residual, iteration)
        if first:
            following: Local | None = discrete.evaluate(closure, at.u + step)
        else:
            following = _searched(discrete, closure, at, step, factor, options, residual)
        increment, first = np.zeros(discrete.size), False
        if following is None:
            failure = None if residual <= options.accepted else "stalled"
            return Step(at, factor, failure, unstable, residual, iteration)
        at = following
    return Step(at, factor, "stalled", unstable, residual, options.iterations)


def _relative(discrete: Discrete, at: Local, force: Floats, factor: float) -> float:
    scale = np.linalg.norm(at.size) + np.linalg.norm(factor * discrete.load)
    return float(np.linalg.norm(force[discrete.free]) / scale) if scale > 0 else 0.0


def _is_rounding(discrete: Discrete, matrices: Floats, at: Local, force: Floats) -> bool:
    """Whether the residual is rounding of the field; a body at one temperature has no flux to compare it with."""
    rounded = ROUNDING * np.linalg.norm(discrete.times(np.abs(matrices), np.abs(at.u)))
    return bool(np.linalg.norm(force[discrete.free]) <= rounded)


def _limit(discrete: Discrete, at: Local, step: Floats, options: NewtonOptions) -> float:
    """Return the part of a correction that keeps the change of every state within reach."""
    change = float(np.abs(discrete.states(step)).max())
    allowed = options.reach * float(np.abs(discrete.states(at.u)).max())
    return min(1.0, allowed / change) if allowed > 0 and change > allowed else 1.0


def _searched(
    discrete: Discrete,
    closure: Closure,
    at: Local,
    step: Floats,
    factor: float,
    options: NewtonOptions,
    residual: float,
) -> Local | None:
    """Shorten the step until the residual of the free degrees of freedom falls; None where it does not."""
    free = discrete.free
    now = np.linalg.norm((at.internal - factor * discrete.load)[free])
    length = _limit(discrete, at, step, options)
    # Near round-off a long search only repeats the closure's noise.
    for _ in range(2 if residual <= options.accepted else 10):
        trial = discrete.evaluate(closure, at.u + length * step)
        left = np.linalg.norm((trial.internal - factor * discrete.load)[free]) if trial.finite else np.inf
        if left <= (1 - 1e-4 * length) * now:
            return trial
        length /= 2
    return None
