"""Load paths: an RVE followed step by step, with the memory of its laws, and with restart from the last step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.composite import Memory
from scalebridge.micro.rve.control import Load
from scalebridge.micro.rve.equilibrium import NewtonOutcome
from scalebridge.micro.rve.homogenise import Homogeniser, hill_mandel

# A step that fails is cut in half, and its halves again, at most this often.
HALVINGS = 8


@dataclass(frozen=True)
class Standing:
    """Where an RVE stands between two steps of a path, one row.

    Args:
        state: the balanced state.
        stress: ``[1, g]``, its mean stress.
        memory: internal variables of the laws.
        time: in s.
    """

    state: Vector
    stress: Tensor
    memory: Memory
    time: float


@dataclass(frozen=True)
class Step:
    """One step of a path that was followed.

    Args:
        standing: at its end.
        tangent: ``[1, g, g]``, consistent with the last substep; ``None`` where it was not asked for.
        hill_mandel: ``[1]``.
        outcome: of Newton's method, all substeps.
        substeps: how many it took.
        reason: empty, or why the step failed; the standing is then that of the last substep in equilibrium.
    """

    standing: Standing
    tangent: Tensor | None
    hill_mandel: Tensor
    outcome: NewtonOutcome
    substeps: int
    reason: str


def virgin(homogeniser: Homogeniser) -> Standing:
    """Return where a path begins: no load, the memory of the virgin material, time zero."""
    eq = homogeniser.equilibrium(1)
    state = homogeniser.at_rest(1)
    return Standing(state, torch.zeros_like(state.macro), homogeniser.composite.memory0(1, eq.points), 0.0)


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
    """Take one step to ``load`` at ``time``; where Newton's method fails, in halves from the last substep that held."""
    before, standing, share, size, taken = start, start, 0.0, 1.0, 0
    spent: NewtonOutcome | None = None
    reason = ""
    while share < 1.0:
        target = min(1.0, share + size)
        # The last substep is the load itself, not a sum of shares.
        part = load if target == 1.0 else _between(start, load, target)
        found, outcome = _substep(homogeniser, part, start.time + target * (time - start.time), standing)
        spent = outcome.after(spent)
        taken += 1
        if found is not None:
            before, standing, share = standing, found, target
        elif size <= 0.5**HALVINGS:
            reason = (
                f"equilibrium not found: Newton stopped at a relative residual of {float(outcome.relative[0]):.1e} "
                f"(tolerance {homogeniser.control.tolerance:.0e}) at {share:.3g} of the step to time {time:g} s, "
                f"after {taken} substeps; the path is kept up to there"
            )
            break
        else:
            size *= 0.5
    assert spent is not None
    return _closed(homogeniser, standing, load, before, spent, taken, reason, tangent)


def _substep(
    homogeniser: Homogeniser, load: Load, time: float, start: Standing
) -> tuple[Standing | None, NewtonOutcome]:
    eq = homogeniser.equilibrium(1)
    memory = Memory(start.memory.states, time - start.time)
    state = homogeniser.at_rest(1).copy_(start.state)
    guess = homogeniser.elastic_step(load, start.state.macro, start.stress)
    state.macro.copy_(torch.where(load.free.bool(), state.macro + guess.macro, load.measure))
    state.field.add_(guess.field)
    outcome = eq.newton(state, load, memory)
    if not bool(outcome.converged.all()):
        return None, outcome
    eq.evaluate(state, load, memory)
    advanced = homogeniser.composite.advanced(eq.strain, memory)
    return Standing(state, eq.mean(eq.stress), advanced, time), outcome


def _closed(
    homogeniser: Homogeniser,
    standing: Standing,
    load: Load,
    before: Standing,
    outcome: NewtonOutcome,
    substeps: int,
    reason: str,
    tangent: bool,
) -> Step:
    eq = homogeniser.equilibrium(1)
    # The memory at the end is where the next step begins; stress and tangent belong to the one that led here.
    memory = Memory(before.memory.states, standing.time - before.time)
    eq.evaluate(standing.state, load, memory)
    hill = hill_mandel(eq, standing.state, homogeniser.rest)
    found: Tensor | None = None
    if tangent and not reason:
        unit, stress = homogeniser.macro_response(standing.state, load, memory)
        found = unit.tangent
        standing = Standing(standing.state, stress, standing.memory, standing.time)
    return Step(standing, found, hill, outcome, substeps, reason)


def _between(start: Standing, load: Load, share: float) -> Load:
    measure = start.state.macro + share * (load.measure - start.state.macro)
    return Load(measure, start.stress + share * (load.stress - start.stress), load.free)
