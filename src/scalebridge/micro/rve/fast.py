"""Where the loops fused by Numba are used, and what they answer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import CGOutcome
from scalebridge.micro.rve.composite import Composite
from scalebridge.micro.rve.control import Control
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.moduli import LabelModuli, Moduli, unfolded

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class UnitResponses:
    """Answers of the linearised composite to the unit macroscopic measures.

    Args:
        fluctuations: ``[b, g, c, *grid]``, per unit measure; ``[b, 0]`` where they were not kept.
        tangent: ``[b, g, g]``, its error quadratic in the residual, linear where no fluctuations were kept.
        cg: ``[b, g]``, conjugate-gradient iterations.
        converged: ``[b]``.
    """

    fluctuations: Tensor
    tangent: Tensor
    cg: Tensor
    converged: Tensor


class FusedSolve(Protocol):
    """A solver of linear systems of one row on a CPU."""

    def solve(self, moduli: Moduli, residual: Tensor, x: Tensor, target: float, limit: int) -> CGOutcome:
        """Improve ``x [c, *grid]`` in place until the ``residual`` is at most ``target``."""


def can_fuse(composite: Composite, discretisation: str) -> bool:
    """Whether the loops can be fused: small strain on the rotated scheme, a CPU, the extra ``fast`` installed."""
    small = composite.kinematics.kind == "small strain" and discretisation == "rotated"
    return small and composite.device.type == "cpu" and importlib.util.find_spec("numba") is not None


def fused_solver(grid: Grid, lame: tuple[float, float], dtype: torch.dtype) -> FusedSolve:
    """Return the fused solver of a grid in two or three dimensions."""
    if grid.dim == 2:
        from scalebridge.micro.rve.fused.plane import FusedPlaneSolver

        return FusedPlaneSolver(grid, lame, dtype)
    from scalebridge.micro.rve.fused.solver import FusedSolver

    return FusedSolver(grid, lame, dtype)


def fused_unit_responses(
    composite: Composite,
    lame: tuple[float, float],
    control: Control,
    keep: bool,
    moduli: Moduli | None = None,
    watch: Watch | None = None,
) -> UnitResponses:
    """Return the answers of a linear composite in space to the six unit strains.

    Args:
        composite: linear.
        lame: of the reference medium.
        control: the systems are solved to half of its tolerance.
        keep: whether to keep the fluctuations.
        moduli: by default those of the composite.
        watch: called with the number of unit strains solved and their number.
    """
    from scalebridge.micro.rve.fused.solver import FusedSolver

    rest = torch.zeros((), dtype=composite.dtype).expand(1, 1, 6, *composite.grid.shape)
    given = moduli if moduli is not None else composite.tangent(rest)
    solver = FusedSolver(composite.grid, lame, composite.dtype)
    targets = (0.5 * control.tolerance * _stress_norms(given, lame)).tolist()
    kept = torch.zeros((6 if keep else 1, 3, *composite.grid.shape), dtype=composite.dtype)
    force, units = torch.zeros_like(kept[0]), torch.eye(6, dtype=composite.dtype)
    tangent, cg = torch.zeros((6, 6), dtype=torch.float64), torch.zeros(6, dtype=torch.int64)
    converged = True
    for j, target in enumerate(targets):
        u = kept[j if keep else 0].zero_()
        solver.force(given, units[j], u, force)
        outcome = solver.solve(given, force.neg_(), u, target, control.cg_limit)
        cg[j], converged = outcome.iterations[0], converged and bool(outcome.converged[0])
        tangent[:, j] = solver.mean_stress(given, units[j], u)
        if watch is not None:
            watch(j + 1, len(targets))
    if keep:
        # The work of what is out of balance: with it the tangent is the bilinear form, second order in the residual.
        for j in range(6):
            solver.force(given, units[j], kept[j], force)
            tangent[:, j] += torch.tensor([_product(u, force) for u in kept]) / composite.grid.voxels
    tangent = 0.5 * (tangent + tangent.mT)
    return UnitResponses(kept[None, : 6 if keep else 0], tangent[None], cg[None], torch.tensor([converged]))


def _stress_norms(moduli: Moduli, lame: tuple[float, float]) -> Tensor:
    """Root mean square ``[6]`` of the stress of each unit strain, in the compliance of the reference medium."""
    lam, mu = lame
    compliance = torch.eye(6, dtype=torch.float64)
    compliance[:3, :3] -= lam / (3.0 * lam + 2.0 * mu)
    if isinstance(moduli, LabelModuli):
        counts = torch.bincount(moduli.labels.flatten().long(), minlength=len(moduli.table)).double()
        full = unfolded(moduli.table.double(), 6)
        squares = torch.einsum("p,pai,ab,pbi->i", counts / counts.sum(), full, compliance, full)
        return (squares / (2.0 * mu)).sqrt()
    field = moduli.field[0, 0].flatten(1)
    squares = torch.zeros(6, dtype=torch.float64)
    for part in field.split(1 << 16, 1):
        full = unfolded(part.mT.double(), 6)
        squares += torch.einsum("pai,ab,pbi->i", full, compliance, full)
    return (squares / (2.0 * mu * field.shape[1])).sqrt()


def _product(a: Tensor, b: Tensor) -> float:
    """Sum of the products of two fields in float64, layer by layer: whole fields would need another of their size."""
    layers = zip(a.flatten(0, 1), b.flatten(0, 1), strict=True)
    return sum(float((x.double() * y.double()).sum()) for x, y in layers)
