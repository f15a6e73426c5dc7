"""Derivatives of effective quantities by the implicit function theorem: no graph goes through a solver.

Effective tangent: ``C_ij = <(e_i + B u_i) . C (e_j + B u_j)>`` is stationary in the fluctuations u, so its
derivative is that of the laws alone, with the fields held: no further solve. Mean stress: one solve per row with
the tangent at the solution, which is its own adjoint. Thermal stress: one solve, for the fluctuation under one
kelvin, which the value takes as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from scalebridge.errors import InputError
from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.control import Load
from scalebridge.micro.rve.expansion import ThermalResponse, thermal_field
from scalebridge.micro.rve.homogenise import Homogeniser
from scalebridge.micro.rve.moments import Moments, Strains
from scalebridge.micro.rve.parametrised import CHUNK, Parametrised

if TYPE_CHECKING:
    from scalebridge.micro.rve.equilibrium import Equilibrium
    from scalebridge.micro.rve.fast import UnitResponses
    from scalebridge.micro.rve.model import RVE

# A solve begins at the last one's fluctuations where the load differs from its load by less than this part of it.
NEAR = 0.3


def tangent_of(rve: RVE, values: Mapping[str, Tensor]) -> Tensor:
    """Effective tangent at rest ``[g, g]``, differentiable by ``values``; see `Parametrised`."""
    found: Tensor = _Tangent.apply(rve, tuple(values), *values.values())  # type: ignore[no-untyped-call]
    return found


def expansion_of(rve: RVE, values: Mapping[str, Tensor]) -> Tensor:
    """Effective thermal expansion ``[g]`` in 1/K, differentiable by ``values``."""
    stiffness, stress = _Thermal.apply(rve, tuple(values), *values.values())  # type: ignore[no-untyped-call]
    found: Tensor = torch.linalg.solve(stiffness, stress)
    return found


def stress_of(rve: RVE, measure: Tensor, values: Mapping[str, Tensor]) -> Tensor:
    """Mean stress ``[b, g]`` at ``measure [b, g]``, differentiable by it and by ``values``."""
    found: Tensor = _Stress.apply(rve, tuple(values), measure, *values.values())  # type: ignore[no-untyped-call]
    return found


class _Tangent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rve: RVE, names: tuple[str, ...], *values: Tensor) -> Tensor:
        ctx.parametrised = parametrised = Parametrised(rve, dict(zip(names, values, strict=True)))
        with _solver(parametrised) as homogeniser:
            unit = _unit_responses(rve, homogeniser)
        ctx.rve, ctx.names, ctx.composite, ctx.like = rve, names, homogeniser.composite, _likes(values)
        ctx.save_for_backward(unit.fluctuations)
        return unit.tangent[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Any:
        wanted = _wanted(ctx, 2)
        moments = Moments(ctx.composite, ctx.parametrised)
        _add_tangent(moments, Strains(ctx.composite, ctx.rve.discretisation), slope, ctx.saved_tensors[0])
        return None, None, *_returned(ctx, moments.gradients(wanted))


class _Thermal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rve: RVE, names: tuple[str, ...], *values: Tensor) -> tuple[Tensor, Tensor]:
        ctx.parametrised = parametrised = Parametrised(rve, dict(zip(names, values, strict=True)))
        with _solver(parametrised) as homogeniser:
            field = thermal_field(homogeniser.composite)
            unit = _unit_responses(rve, homogeniser)
            response = ThermalResponse(homogeniser.equilibrium(1), field)
            start = _warm(rve).get("thermal")
            start = torch.zeros_like(unit.fluctuations[:, 0]) if start is None else start
            thermal, iterations, converged = response.solve(start, 0.5 * rve.tolerance)
        _refuse_unconverged(converged, "thermal expansion", iterations)
        _warm(rve).update(thermal=thermal, thermal_cg=iterations)
        ctx.rve, ctx.names, ctx.composite, ctx.like = rve, names, homogeniser.composite, _likes(values)
        ctx.save_for_backward(unit.fluctuations, thermal)
        return unit.tangent[0], response.mean(thermal, unit.fluctuations)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor, push: Tensor) -> Any:
        wanted = _wanted(ctx, 2)
        unit, thermal = ctx.saved_tensors
        moments, strains = Moments(ctx.composite, ctx.parametrised), Strains(ctx.composite, ctx.rve.discretisation)
        _add_tangent(moments, strains, slope, unit)
        # d beta_i = <E_i . dt> - <E_i . dC B u_T>, E_i = e_i + B u_i.
        pushed = strains.of(_combined(push, unit), push).clone()
        moments.add_first(pushed)
        moments.add(-1.0, pushed, strains.of(thermal[0], torch.zeros_like(push)))
        return None, None, *_returned(ctx, moments.gradients(wanted, thermal=True))


class _Stress(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rve: RVE, names: tuple[str, ...], measure: Tensor, *values: Tensor) -> Tensor:
        ctx.parametrised = parametrised = Parametrised(rve, dict(zip(names, values, strict=True)))
        macro = measure.detach().to(parametrised.device, torch.float64)
        fields, stresses = [], []
        with _solver(parametrised) as homogeniser:
            for k, load in enumerate(Load.of_measure(macro).split(homogeniser.chunk)):
                eq = homogeniser.equilibrium(len(load.measure))
                state = _balanced(rve, homogeniser, eq, load, k)
                eq.evaluate(state, load)
                stresses.append(eq.mean(eq.stress))
                fields.append(state.field)
        ctx.rve, ctx.names, ctx.like = rve, names, _likes((measure, *values))
        ctx.save_for_backward(macro, *fields)
        return torch.cat(stresses).to(measure)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Any:
        parametrised, wanted = ctx.parametrised, _wanted(ctx, 3)
        macro, *fields = ctx.saved_tensors
        into, pulls = parametrised.zeros(wanted), []
        with _solver(parametrised) as homogeniser:
            loads, slopes = (t.split(homogeniser.chunk) for t in (macro, slope.to(macro)))
            for k, (field, measure, v) in enumerate(zip(fields, loads, slopes, strict=True)):
                load, eq = Load.of_measure(measure), homogeniser.equilibrium(len(field))
                eq.evaluate(Vector(field, measure), load)
                eq.linearise()
                _adjoint(ctx.rve, eq, v, k)
                pulls.append(eq.mean(eq.stress))
                if wanted:
                    answer = eq.strain.clone()
                    eq.evaluate(Vector(field, measure), load)
                    _collect_stress(parametrised, eq, answer, wanted, into)
        by_measure = torch.cat(pulls).to(**ctx.like[0]) if ctx.needs_input_grad[2] else None
        return None, None, by_measure, *_returned(ctx, into, first=1)


@contextlib.contextmanager
def _solver(parametrised: Parametrised) -> Iterator[Homogeniser]:
    """A solver whose work arrays are given back at once: a training loop makes one per step."""
    homogeniser = parametrised.homogeniser()
    try:
        yield homogeniser
    finally:
        homogeniser.release()


def _unit_responses(rve: RVE, homogeniser: Homogeniser) -> UnitResponses:
    """Answers to the unit measures at rest, from those of the last call on this RVE."""
    composite, eq = homogeniser.composite, homogeniser.equilibrium(1)
    memory = composite.memory0(1, eq.points) if composite.remembers else None
    eq.evaluate(homogeniser.at_rest(1), Load.of_measure(homogeniser.rest[None]), memory)
    eq.linearise(memory)
    start = _warm(rve).get("unit")
    if start is None:
        kin = composite.kinematics
        start = eq.force.field.new_zeros((1, kin.size, kin.unknowns, *composite.grid.shape))
    unit = eq.unit_responses(start, 0.5 * rve.tolerance)
    _warm(rve)["unit_cg"] = unit.cg[0].tolist()
    _refuse_unconverged(bool(unit.converged.all()), "effective tangent", int(unit.cg.max()))
    _warm(rve)["unit"] = unit.fluctuations
    return unit


def _balanced(rve: RVE, homogeniser: Homogeniser, eq: Equilibrium, load: Load, k: int) -> Vector:
    """Balanced state of chunk ``k``, from that of the last call where its load was near."""
    last, rest = _warm(rve).get(f"state {k}"), homogeniser.rest
    if last is not None and last.macro.shape == load.measure.shape:
        gap, size = (last.macro - load.measure).norm(dim=1), (load.measure - rest).norm(dim=1)
        state = Vector(last.field.clone(), load.measure.clone())
        if bool((gap <= NEAR * size).all()):
            outcome = eq.newton(state, load)
            if bool(outcome.converged.all()):
                _warm(rve)[f"state {k}"], _warm(rve)["stress_cg"] = state, int(outcome.cg.sum())
                return state
    solved = homogeniser.solve(load)
    reason = next((r for r in solved.reason if r), "")
    if reason:
        raise InputError(f"The mean stress of the RVE was not found: {reason}; make the strain smaller.")
    _warm(rve)[f"state {k}"] = solved.state
    _warm(rve)["stress_cg"] = int(solved.outcome.cg.sum() + homogeniser.localisation.cg.sum())
    return solved.state


def _adjoint(rve: RVE, eq: Equilibrium, slope: Tensor, k: int) -> None:
    """Leave ``A v`` in the strain and ``C A v`` in the stress, ``slope v [b, g]``, at the tangent last taken."""
    x = Vector(torch.zeros_like(eq.force.field), torch.zeros_like(slope))
    eq.apply(Vector(x.field, slope), eq.force)
    eq.force.field.neg_()
    eq.force.macro.zero_()
    # Of the slope alone: near a minimum it may be far smaller than the last one, whose answer is the guess.
    target = 0.5 * eq.control.tolerance * eq.reference.stress_norm(eq.stress)
    last = _warm(rve).get(f"adjoint {k}")
    if last is not None and last.shape == x.field.shape:
        guess, pushed = Vector(last, torch.zeros_like(slope)), x.like()
        eq.apply(guess, pushed)
        # As much of the guess as has the least energy: never worse than none.
        share = (eq.cg.dot(guess, eq.force) / eq.cg.dot(guess, pushed)).nan_to_num(0.0, 0.0, 0.0)
        x.add_(guess, share)
        eq.force.add_(pushed, -share)
    outcome = eq.solve_step(x, target)
    _refuse_unconverged(bool(outcome.converged.all()), "gradient of the mean stress", int(outcome.iterations.max()))
    _warm(rve)[f"adjoint {k}"], _warm(rve)["adjoint_cg"] = x.field, int(outcome.iterations.sum())
    eq.apply(Vector(x.field, slope), eq.force)


def _collect_stress(
    parametrised: Parametrised, eq: Equilibrium, answer: Tensor, wanted: Sequence[str], into: dict[str, Tensor]
) -> None:
    """Add the gradient of ``<A v . stress(measure)>`` by the constants, both measures held, to ``into``."""
    b, points = answer.shape[:2]
    left, right = answer.flatten(3), eq.strain.flatten(3)
    for part in eq.composite.parts:
        for piece in parametrised.pieces(part, wanted, max(1, CHUNK // (b * points))):
            held, strain = (f[..., piece.rows].movedim(2, -1).double() for f in (left, right))
            with torch.enable_grad():
                value = (held * piece.law.stress(strain)).sum() / (points * eq.composite.grid.voxels)
            parametrised.collect(value, piece, into)


def _add_tangent(moments: Moments, strains: Strains, slope: Tensor, unit: Tensor) -> None:
    """Add ``sum of slope_ij E_i E_j^T``, one field at a time: along the principal directions of the slope."""
    # The tangent is symmetric by its make; only the symmetric part of the slope counts.
    weights, directions = torch.linalg.eigh(0.5 * (slope + slope.mT))
    for weight, direction in zip(weights.tolist(), directions.mT, strict=True):
        if weight != 0.0:
            field = strains.of(_combined(direction, unit), direction)
            moments.add(weight, field, field)


def _combined(direction: Tensor, unit: Tensor) -> Tensor:
    """Fluctuation ``[c, *grid]`` under the macroscopic measure ``direction [g]``."""
    found: Tensor = torch.einsum("i,i...->...", direction.to(unit.dtype), unit[0])
    return found


def _warm(rve: RVE) -> dict[str, Any]:
    """What the last calls on this RVE found, where the next begin; it dies with the RVE and is never saved with it."""
    found: dict[str, Any] = rve.__dict__.setdefault("_warm", {})
    return found


def _wanted(ctx: Any, first: int) -> list[str]:
    return [n for n, needed in zip(ctx.names, ctx.needs_input_grad[first:], strict=True) if needed]


def _likes(values: Sequence[Tensor]) -> list[dict[str, Any]]:
    return [{"dtype": v.dtype, "device": v.device} for v in values]


def _returned(ctx: Any, found: dict[str, Tensor], first: int = 0) -> list[Tensor | None]:
    """Gradients in the order, dtype and device of the inputs."""
    likes = ctx.like[first:]
    return [found[n].to(**like) if n in found else None for n, like in zip(ctx.names, likes, strict=True)]


def _refuse_unconverged(converged: bool, what: str, iterations: int) -> None:
    if not converged:
        raise InputError(
            f"The {what} of the RVE was not found in {iterations} iterations; bring the constants of the phases closer "
            "together or ask for a larger tolerance."
        )
