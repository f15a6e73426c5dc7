"""Equilibrium of a softening composite: the tangent at frozen damage, accelerated by Anderson's mixing."""

from __future__ import annotations

import math
from collections import deque

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.composite import Memory
from scalebridge.micro.rve.control import Load
from scalebridge.micro.rve.equilibrium import Balance, Equilibrium, NewtonOutcome

# Pairs of changes that are mixed, and iterations at most.
DEPTH = 5
LIMIT = 60
# Residual of the linear systems relative to the force out of balance.
FORCING = 0.03
# The smallest residual must have fallen by half within so many iterations.
PATIENCE = 15
# A residual this much above the smallest one so far: what was learnt is dropped.
GROWTH = 10.0


def settle(eq: Equilibrium, state: Vector, load: Load, memory: Memory, least: Tensor) -> NewtonOutcome:
    """Balance ``state``, one row, in place: staggered between displacement and damage until both rest.

    One iteration is a solve with the stiffness at frozen damage, symmetric and positive definite, and an update of the
    averaged strain and of damage: ``x + f(x)``. The fixed point is found with f mixed over the last iterations. It is
    met when the stress *at the damage that belongs to it* is balanced, so that both conditions hold together.
    Rows of this kind do not come in batches. ``least``, and how work arrays are left, as `Equilibrium.newton` has them.
    Source: Anderson 1965; Walker and Ni 2011, algorithm AA.
    """
    balance = eq.evaluate(state, load, memory)
    cg = torch.zeros_like(balance.residual, dtype=torch.int64)
    changes: deque[tuple[Vector, Vector]] = deque(maxlen=DEPTH)
    last: tuple[Vector, Vector] | None = None
    smallest, halved, count = float("inf"), 0, 0
    while not _rests(eq, balance, least) and count < LIMIT and count - halved < PATIENCE:
        residual = float(balance.residual)
        if not math.isfinite(residual):
            break
        if residual > GROWTH * smallest:
            changes.clear()
        if residual < 0.5 * smallest:
            smallest, halved = residual, count
        eq.linearise(memory)
        step = state.like()
        outcome = eq.solve_step(step, FORCING * balance.residual)
        cg, count = cg + outcome.iterations, count + 1
        if last is not None:
            changes.append((_minus(state, last[0]), _minus(step, last[1])))
        last = (state.like().copy_(state), state.like().copy_(step))
        _mix(eq, step, changes)
        state.add_(step, torch.ones_like(balance.residual))
        balance = eq.evaluate(state, load, memory)
    rests = torch.tensor([_rests(eq, balance, least)], device=cg.device)
    relative = balance.relative_to(least / eq.control.tolerance)
    return NewtonOutcome(rests, relative, torch.full_like(cg, count), cg)


def _rests(eq: Equilibrium, balance: Balance, least: Tensor) -> bool:
    return bool(balance.met(eq.control.tolerance) | (balance.residual <= least))


def _mix(eq: Equilibrium, step: Vector, changes: deque[tuple[Vector, Vector]]) -> None:
    """Turn the step f into the mixed one in place: f less the combination of changes that makes f smallest."""
    if not changes:
        return
    steps = [of_step for _, of_step in changes]
    gram = torch.stack([torch.stack([_dot(eq, a, b) for b in steps]) for a in steps])
    pushed = torch.stack([_dot(eq, a, step) for a in steps])
    # On the CPU, the only place with a solver for systems of any rank.
    gamma = torch.linalg.lstsq(gram.cpu(), pushed[:, None].cpu(), driver="gelsd").solution[:, 0].to(gram.device)
    for weight, (of_state, of_step) in zip(gamma, changes, strict=True):
        step.add_(of_state, -weight[None]).add_(of_step, -weight[None])


def _dot(eq: Equilibrium, a: Vector, b: Vector) -> Tensor:
    voxels = eq.composite.grid.voxels
    return (a.field.double() * b.field.double()).sum() + voxels * (a.macro * b.macro).sum()


def _minus(a: Vector, b: Vector) -> Vector:
    return Vector(a.field - b.field, a.macro - b.macro)
