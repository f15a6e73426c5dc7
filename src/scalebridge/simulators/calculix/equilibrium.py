"""Newton's method whose linear analyses are CalculiX's.

At a field with stresses ``f(e)`` CalculiX solves ``K d = F - F_int(f(e))``, with the mean of the law's tangents in a
cell for its stiffness, and ``d`` is added. Where ``d`` vanishes, the stresses of the law are in balance in
CalculiX's own integration, whatever the stiffness was. The size of ``d`` in terms of strain measures the residual
(the natural monotonicity test, Deuflhard, *Newton Methods for Nonlinear Problems*, 2004, section 3.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats
from scalebridge.simulators.calculix.acceleration import History
from scalebridge.simulators.calculix.linear import AnalysisFailed, Change, LinearBody


class Options(Protocol):
    """How the equations are solved; `scalebridge.macro.newton.NewtonOptions` is one."""

    tolerance: float
    accepted: float
    iterations: int
    smallest_step: float
    reach: float


@dataclass(frozen=True, eq=False)
class Response:
    """A law's answer on a field.

    Args:
        stress: ``[e, q, 3]``.
        tangent: ``[e, q, 3, 3]``.
        inside: ``[e, q]``.
    """

    stress: Floats
    tangent: Floats
    inside: NDArray[np.bool_]

    @property
    def finite(self) -> bool:
        """Whether all of it are numbers."""
        return bool(np.isfinite(self.stress).all() and np.isfinite(self.tangent).all())


Law = Callable[[Floats], Response]


@dataclass(frozen=True, eq=False)
class Balance:
    """A field and the law's answer on it.

    Args:
        u: ``[n, 2]``.
        strain: ``[e, q, 3]``, Mandel.
        response: the law's.
        factor: load factor that it is for.
        failure: None where it is in balance, else the reason.
        size: of the last change, relative to the strains.
        reaction: ``[n, 2]``, as CalculiX printed it last.
    """

    u: Floats
    strain: Floats
    response: Response
    factor: float
    failure: str | None = None
    size: float = 0.0
    reaction: Floats | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be balanced.

    Args:
        body: in CalculiX.
        load: ``[n, 2]`` at full load.
        target: ``[n_fixed]``, prescribed displacements at full load.
        options: of the iteration.
        exact: strains and displacements are made to agree beyond the digits that CalculiX prints.
    """

    body: LinearBody
    load: Floats
    target: Floats
    options: Any
    exact: bool = True

    def at_rest(self, law: Law) -> Balance:
        """The body without load."""
        mesh = self.body.mesh
        strain = np.zeros((*mesh.weights.shape, 3))
        return Balance(np.zeros_like(mesh.points), strain, law(strain), 0.0)

    def norm(self, strain: Floats) -> float:
        """Root of the mean square of strains ``[e, q, 3]``."""
        weights = self.body.mesh.weights
        return float(np.sqrt((weights * (strain**2).sum(-1)).sum() / weights.sum()))

    def history(self, at: Balance) -> History:
        """What accelerates the corrections; nothing where they are Newton's own."""
        tangent = at.response.tangent
        symmetric = np.allclose(tangent, np.swapaxes(tangent, 2, 3), rtol=1e-9, atol=1e-12 * np.abs(tangent).max())
        depth = 0 if tangent.shape[1] == 1 and symmetric else _DEPTH
        return History(np.sqrt(self.body.mesh.weights), depth)

    def towards(self, law_tangent: Floats, at: Balance, factor: float) -> Change:
        """What CalculiX changes at a field, on the way to a load factor."""
        tangent = law_tangent.mean(1)
        symmetric = (tangent + tangent.transpose(0, 2, 1)) / 2
        left = factor * self.target - at.u.ravel()[self.body.fixed]
        return self.body.change(symmetric, at.response.stress, factor * self.load, left)


def balanced(problem: Problem, law: Law, start: Balance | None) -> Balance:
    """Go to full load: at once from ``start`` where given, else in load steps from rest."""
    if start is not None:
        found = load_step(problem, law, replace(start, response=law(start.strain)), 1.0)
        if found.failure is None:
            return found
    return climbed(problem, law)


def climbed(problem: Problem, law: Law, size: float = 1.0) -> Balance:
    """Raise the load from zero in steps, halved where one fails and doubled after one that succeeds."""
    reached = problem.at_rest(law)
    if not reached.response.finite:
        return replace(reached, failure=_NOT_FINITE)
    while reached.factor < 1.0:
        aim = min(1.0, reached.factor + size)
        found = load_step(problem, law, reached, aim)
        if found.failure is None:
            reached, size = found, 2 * size
            continue
        size /= 2
        if size < problem.options.smallest_step:
            return replace(reached, failure=found.failure, size=found.size)
    return reached


# Fields that an accelerated correction looks back to.
_DEPTH = 10
# A relative change after which the printed digits no longer limit what is added.
_NEAR = 1e-3
_NOT_FINITE = "the closure answered with values that are not finite"


def load_step(problem: Problem, law: Law, at: Balance, factor: float) -> Balance:
    """Go from a field to balance at a load factor."""
    options = problem.options
    at = replace(at, failure=None)
    if not at.response.finite:
        return replace(at, failure=_NOT_FINITE)
    # On the way to full load a field only has to be near.
    full, history = factor == 1.0, problem.history(at)
    exact, tolerance = problem.exact and full, options.tolerance if full else max(options.tolerance, _NEAR)
    iterations = options.iterations * (3 if history.depth else 1)
    try:
        change = problem.towards(at.response.tangent, at, factor)
        for iteration in range(iterations):
            size = _relative(problem, at, change)
            if exact and size <= _NEAR:
                # Strains and displacements were printed to seven digits each; what follows is too small to lose any.
                at, exact = _agreed(problem, law, _moved(problem, law, at, change, 1.0, factor)), False
                change, history = problem.towards(at.response.tangent, at, factor), history.forgotten()
                continue
            if size <= tolerance:
                return _moved(problem, law, at, change, 1.0, factor, size)
            if iteration:
                history = history.with_entry(at.u, at.strain, change)
            moved = _accelerated(problem, law, at, change, factor, history) if history.ready else None
            if moved is None:
                history = history.forgotten() if history.ready else history
                moved = _searched(problem, law, at, change, factor, free=iteration == 0)
            if moved is None:
                stalled = f"Newton's method stalls at a relative change of {size:.1g}"
                return replace(at, failure=None if size <= options.accepted else stalled, size=size, factor=factor)
            at, change = moved
    except AnalysisFailed as error:
        return replace(at, failure=str(error))
    return replace(at, failure=f"Newton's method does not converge in {iterations} iterations")


def _accelerated(
    problem: Problem, law: Law, at: Balance, change: Change, factor: float, history: History
) -> tuple[Balance, Change] | None:
    """Make the best change of the history; None where what follows it is no smaller."""
    trial = _moved(problem, law, at, history.improved(change), 1.0, factor)
    if trial.failure is not None:
        return None
    following = problem.towards(trial.response.tangent, trial, factor)
    return (trial, following) if problem.norm(following.strain) <= 0.9 * problem.norm(change.strain) else None


def _relative(problem: Problem, at: Balance, change: Change) -> float:
    whole = problem.norm(at.strain + change.strain)
    if whole == 0:
        # A body that moves as a whole, or not at all, has no strain to compare with.
        return 0.0 if problem.norm(change.strain) == 0 else np.inf
    return problem.norm(change.strain) / whole


def _moved(
    problem: Problem, law: Law, at: Balance, change: Change, length: float, factor: float, size: float = np.inf
) -> Balance:
    strain, u = at.strain + length * change.strain, at.u + length * change.u
    if length == 1.0:
        # Prescribed to the last digit, whatever was printed.
        u.ravel()[problem.body.fixed] = factor * problem.target
    response = law(strain)
    failure = None if response.finite else _NOT_FINITE
    return Balance(u, strain, response, factor, failure, size, change.reaction)


def _agreed(problem: Problem, law: Law, at: Balance) -> Balance:
    """The field with the strains of its displacements."""
    strain = problem.body.strains(at.u, at.strain)
    return replace(at, strain=strain, response=law(strain))


def _searched(
    problem: Problem, law: Law, at: Balance, change: Change, factor: float, free: bool
) -> tuple[Balance, Change] | None:
    """Shorten a change until what CalculiX would change after it is smaller; None where it never is."""
    now, length = problem.norm(change.strain), _limit(problem, at, change, free)
    for _ in range(8):
        trial = _moved(problem, law, at, change, length, factor)
        if trial.failure is None:
            following = problem.towards(trial.response.tangent, trial, factor)
            # The first change carries the load; those that follow have to fall.
            if free or problem.norm(following.strain) <= (1 - length / 4) * now:
                return trial, following
        length /= 2
        free = False
    return None


def _limit(problem: Problem, at: Balance, change: Change, free: bool) -> float:
    """The part of a change that keeps the strains within reach."""
    largest, allowed = float(np.abs(change.strain).max()), problem.options.reach * float(np.abs(at.strain).max())
    return 1.0 if free or allowed == 0 or largest <= allowed else allowed / largest
