"""Load paths: an RVE followed step by step, with the memory of its laws, and with restart from the last step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.composite import Memory
from scalebridge.micro.rve.control import Load
from scalebridge.micro.rve.equilibrium import NewtonOutcome
from scalebridge.micro.rve.fast import UnitResponses
from scalebridge.micro.rve.homogenise import Homogeniser, hill_mandel
from scalebridge.micro.rve.staggered import settle
from scalebridge.micro.rve.volume import turned_out, volume_doubts

# A step that fails is cut in half, and its halves again, at most this often.
HALVINGS = 8
# A softening point that keeps less of its stiffness over a substep has jumped: the substep is halved.
LEAST_KEPT = 0.5
SOFTENED = (
    " (the load passes its peak, or the material snaps back: prescribe a strain, or take a smaller cell or a longer "
    "length)"
)
# A residual this many roundings of the elastic change of stress is balance.
CANCELLED = 64.0
# The next step begins with at most this many times the last one's departure from elasticity.
FARTHEST = 4.0


@dataclass(frozen=True)
class Trend:
    """How the last substep departed from an elastic one; the next departs from it in proportion at first.

    Args:
        push: ``[1, g]``, the elastic change of the mean measure that its load asked for.
        beyond: its change of state less the elastic one.
    """

    push: Tensor
    beyond: Vector

    def share(self, push: Tensor) -> Tensor:
        """How much of the departure to expect ``[1]`` under another push: none where the load turns back."""
        square = (self.push * self.push).sum(1)
        along = (self.push * push).sum(1)
        return torch.where(square > 0.0, along / square, 0.0).clamp(0.0, FARTHEST)


@dataclass(frozen=True)
class Standing:
    """Where an RVE stands between two steps of a path, one row.

    Args:
        state: the balanced state.
        stress: ``[1, g]``, its mean stress.
        memory: internal variables of the laws.
        time: in s.
        trend: of the substep that led here.
    """

    state: Vector
    stress: Tensor
    memory: Memory
    time: float
    trend: Trend


@dataclass(frozen=True)
class Step:
    """One step of a path that was followed.

    Args:
        standing: at its end.
        tangent: ``[1, g, g]``, consistent with the last substep; ``None`` where it was not asked for.
        hill_mandel: ``[1]``.
        outcome: of Newton's method, all substeps; the iterations of the tangent included.
        substeps: how many it took.
        reason: empty, or why the step failed; the standing is then that of the last substep in equilibrium.
    """

    standing: Standing
    tangent: Tensor | None
    hill_mandel: Tensor
    outcome: NewtonOutcome
    substeps: int
    reason: str


@dataclass(frozen=True)
class _Substep:
    """A substep that was tried: where it led, or why it did not hold."""

    standing: Standing | None
    hill_mandel: Tensor
    outcome: NewtonOutcome
    reason: str


def virgin(homogeniser: Homogeniser) -> Standing:
    """Return where a path begins: no load, the memory of the virgin material, time zero."""
    eq = homogeniser.equilibrium(1)
    state, still = homogeniser.at_rest(1), homogeniser.at_rest(1).zero_()
    none = torch.zeros_like(state.macro)
    return Standing(state, none, homogeniser.composite.memory0(1, eq.points), 0.0, Trend(none, still))


def follow(
    homogeniser: Homogeniser,
    load: Load,
    time: list[float],
    start: Standing,
    tangent: bool,
    done: Callable[[Step], None],
) -> Standing:
    """Follow the rows of ``load`` one after another from ``start``; return the last standing in equilibrium.

    Args:
        homogeniser: the solver.
        load: one row per step.
        time: at the end of each step, in s.
        start: where to begin.
        tangent: whether to find the consistent tangent of each step.
        done: called with each step; a step that failed is the last.
    """
    standing = start
    for k, t in enumerate(time):
        step = advance(homogeniser, load.row(k), t, standing, tangent)
        standing = step.standing
        done(step)
        if step.reason:
            break
    return standing


def advance(homogeniser: Homogeniser, load: Load, time: float, start: Standing, tangent: bool) -> Step:
    """Take one step to ``load`` at ``time``.

    A substep that fails is halved and tried again from the last one that held; after two that hold the next is twice
    as long.
    """
    if homogeniser.composite.kinematics.kind == "finite strain" and (reason := turned_out(load)):
        return Step(start, None, start.stress.new_zeros(1), _untried(start), 0, reason)
    before, standing, share, size, smallest = start, start, 0.0, 1.0, 0.5**HALVINGS
    taken, held = 0, 0
    hill = start.stress.new_zeros(1)
    spent: NewtonOutcome | None = None
    reason = ""
    while share < 1.0 and not reason:
        target = min(1.0, share + size)
        # The last substep is the load itself, not a sum of shares.
        part = load if target == 1.0 else _between(start, load, target)
        tried = _substep(homogeniser, part, start.time + target * (time - start.time), standing)
        spent = tried.outcome.after(spent)
        taken += 1
        if tried.standing is not None:
            before, standing, share, hill = standing, tried.standing, target, tried.hill_mandel
            held += 1
            size, held = (2.0 * size, 0) if held == 2 else (size, held)
        elif size <= smallest:
            reason = f"{tried.reason} at {share:.3g} of the load, after {taken} substeps"
        else:
            size, held = 0.5 * size, 0
    assert spent is not None
    if not tangent or reason:
        return Step(standing, None, hill, spent, taken, reason)
    unit, standing = _unit_responses(homogeniser, standing, load, before)
    if not bool(unit.converged.all() & torch.isfinite(standing.stress).all()):
        reason = (
            f"the tangent was not found at time {time:g} s: its systems did not converge, or the state is not stable"
        )
        return Step(start, None, hill, spent, taken, reason)
    return Step(standing, unit.tangent, hill, replace(spent, cg=spent.cg + unit.cg.sum(1)), taken, "")


def _untried(start: Standing) -> NewtonOutcome:
    none = torch.zeros_like(start.stress[:, 0], dtype=torch.int64)
    return NewtonOutcome(none.bool(), torch.full_like(start.stress[:, 0], torch.inf), none, none)


def _substep(homogeniser: Homogeniser, load: Load, time: float, start: Standing) -> _Substep:
    eq, composite = homogeniser.equilibrium(1), homogeniser.composite
    memory = Memory(start.memory.states, time - start.time)
    state = homogeniser.at_rest(1).copy_(start.state)
    elastic = homogeniser.elastic_step(load, start.state.macro, start.stress)
    state.add_(elastic, torch.ones_like(start.stress[:, 0])).add_(start.trend.beyond, start.trend.share(elastic.macro))
    state.macro.copy_(torch.where(load.free.bool(), state.macro, load.measure))
    least = _cancelled(homogeniser, elastic.macro)
    outcome = settle(eq, state, load, memory, least) if composite.softens else eq.newton(state, load, memory, least)
    # Either leaves measure and stress of the state it found in the work arrays.
    hill = hill_mandel(eq, state, homogeniser.rest)
    if reason := _failure(homogeniser, state, outcome, memory):
        return _Substep(None, hill, outcome, reason)
    advanced = composite.advanced(eq.strain, memory)
    beyond = Vector(state.field - start.state.field - elastic.field, state.macro - start.state.macro - elastic.macro)
    return _Substep(
        Standing(state, eq.mean(eq.stress), advanced, time, Trend(elastic.macro, beyond)), hill, outcome, ""
    )


def _cancelled(homogeniser: Homogeniser, push: Tensor) -> Tensor:
    """What rounding leaves of the residual ``[1]`` where the elastic change ``push [1, g]`` takes a stress away."""
    stress = push @ homogeniser.localisation.tangent[0].mT
    eps = torch.finfo(homogeniser.composite.dtype).eps
    return CANCELLED * eps * homogeniser.equilibrium(1).reference.stress_norm(stress[:, None, :, None])


def _failure(homogeniser: Homogeniser, state: Vector, outcome: NewtonOutcome, memory: Memory) -> str:
    """Return why a substep does not hold; empty where it does."""
    composite, tolerance = homogeniser.composite, homogeniser.control.tolerance
    strain = homogeniser.equilibrium(1).strain
    if not bool(outcome.converged.all()):
        how = "displacement and damage did not settle" if composite.softens else "Newton stopped"
        reason = f"equilibrium not found: {how} at a relative residual of {float(outcome.relative[0]):.1e}"
        hint = SOFTENED if composite.softens else ""
        if composite.kinematics.kind == "finite strain" and homogeniser.discretisation != "hexahedra":
            hint = " (discretisation='hexahedra' does not hourglass and goes further)"
        return f"{reason} (tolerance {tolerance:.0e}){hint}"
    if composite.softens and composite.kept_stiffness(strain, memory) < LEAST_KEPT:
        return f"the material breaks at once: a voxel loses more than half of its stiffness{SOFTENED}"
    return volume_doubts(strain, state.macro)[0] if composite.kinematics.kind == "finite strain" else ""


def _unit_responses(
    homogeniser: Homogeniser, standing: Standing, load: Load, before: Standing
) -> tuple[UnitResponses, Standing]:
    """Linearise the substep from ``before``; return also the standing with a mean stress free of the residual."""
    # The memory at the end is where the next step begins; stress and tangent belong to the one that led here.
    memory = Memory(before.memory.states, standing.time - before.time)
    unit, stress = homogeniser.macro_response(standing.state, load, memory)
    return unit, Standing(standing.state, stress, standing.memory, standing.time, standing.trend)


def _between(start: Standing, load: Load, share: float) -> Load:
    measure = start.state.macro + share * (load.measure - start.state.macro)
    return Load(measure, start.stress + share * (load.stress - start.stress), load.free)
