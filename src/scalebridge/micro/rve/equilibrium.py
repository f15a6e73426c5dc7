"""The discrete equilibrium of an RVE: residual, linearisation and Newton steps for a batch of loads."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import CGOutcome, ConjugateGradients, Vector
from scalebridge.micro.rve.composite import Composite, Memory
from scalebridge.micro.rve.contraction import Contraction, contraction
from scalebridge.micro.rve.control import Control, Load
from scalebridge.micro.rve.discretisations import make
from scalebridge.micro.rve.fast import UnitResponses, Watch, fused_solver
from scalebridge.micro.rve.moduli import Moduli
from scalebridge.micro.rve.reference import ReferenceMedium


@dataclass(frozen=True)
class Balance:
    """How far a state is from equilibrium.

    Args:
        residual: ``[b]``, root mean square of the stress out of balance.
        scale: ``[b]``, root mean square of the stress.
        rounding: ``[b]``, about what rounding of the fields leaves of the residual; zero at small strain in float64.
    """

    residual: Tensor
    scale: Tensor
    rounding: Tensor

    @property
    def relative(self) -> Tensor:
        """Residual over scale ``[b]``, zero where both are."""
        return torch.where(self.scale > 0.0, self.residual / self.scale, self.residual)

    def relative_to(self, least: Tensor) -> Tensor:
        """Residual over scale, or over ``least [b]`` where the stress is smaller ``[b]``."""
        scale = torch.maximum(self.scale, least)
        return torch.where(scale > 0.0, self.residual / scale, self.residual)

    def met(self, tolerance: float) -> Tensor:
        """Which rows are balanced ``[b]``; a row that is not finite is not."""
        return self.residual <= tolerance * self.scale

    @property
    def exhausted(self) -> Tensor:
        """Which rows are as balanced as numbers of their precision can be ``[b]``."""
        return self.residual <= self.rounding


@dataclass(frozen=True)
class NewtonOutcome:
    """How Newton's method ended, per row.

    Args:
        converged: ``[b]``.
        relative: ``[b]``, relative residual at the end.
        newton: ``[b]``, iterations.
        cg: ``[b]``, conjugate-gradient iterations in all.
    """

    converged: Tensor
    relative: Tensor
    newton: Tensor
    cg: Tensor

    def after(self, earlier: NewtonOutcome | None) -> NewtonOutcome:
        """Return this outcome with the iterations of an earlier one added."""
        if earlier is None:
            return self
        return NewtonOutcome(self.converged, self.relative, self.newton + earlier.newton, self.cg + earlier.cg)

    def replaced(self, row: int, by: NewtonOutcome) -> NewtonOutcome:
        """Return these outcomes with ``row`` taken from the only row of ``by``; iterations add up."""
        converged, relative = self.converged.clone(), self.relative.clone()
        newton, cg = self.newton.clone(), self.cg.clone()
        converged[row], relative[row] = by.converged[0], by.relative[0]
        newton[row] += by.newton[0]
        cg[row] += by.cg[0]
        return NewtonOutcome(converged, relative, newton, cg)


class Equilibrium:
    """Discrete equilibrium of ``b`` copies of a composite under their own macroscopic loads.

    All fields live in work arrays that are kept between calls; results are copied out by the caller.
    A state is a `Vector`: the fluctuation ``[b, c, *grid]`` and the macroscopic measure ``[b, g]``.

    Args:
        composite: laws on the grid.
        lame: Lamé's constants of the reference medium (of a conductivity: zero and half of it).
        b: rows of a batch.
        control: when to stop.
        discretisation: its name.
        fused: whether linear systems of one row are left to the loops fused by Numba.
    """

    def __init__(
        self,
        composite: Composite,
        lame: tuple[float, float],
        b: int,
        control: Control,
        discretisation: str,
        fused: bool = False,
    ) -> None:
        kin, grid = composite.kinematics, composite.grid
        self.composite, self.control, self.kinematics = composite, control, kin
        self.discrete = make(discretisation, grid, b, kin.unknowns, composite.device, composite.dtype)
        metric, medium = self.discrete.metric(), (composite.device, composite.dtype)
        if kin.kind == "conduction":
            k0 = 2.0 * lame[1] * torch.eye(grid.dim, dtype=torch.float64)
            self.reference = ReferenceMedium(metric, "scalar", k0, b, grid, *medium)
        else:
            self.reference = ReferenceMedium(metric, "elastic", lame, b, grid, *medium)
        q = self.discrete.points
        self.strain, self.stress = self._field(b, q, kin.size), self._field(b, q, kin.size)
        self._gradient = self._field(b, q, kin.unknowns, grid.dim)
        self.force = Vector(self._field(b, kin.unknowns), self._macro(b))
        self._trial, self._step, self._z = self.force.like(), self.force.like(), self.force.like()
        self.cg = ConjugateGradients(self.force)
        self._free, self._mixed = self._macro(1)[0], False
        self._contraction: Contraction | None = None
        self._moduli: Moduli | None = None
        self._fused = fused_solver(grid, lame, composite.dtype) if fused else None
        self._medium = kin.isotropic_tangent(*lame, like=self._macro(1))

    @property
    def points(self) -> int:
        """Points per voxel, Q."""
        return self.discrete.points

    def evaluate(self, state: Vector, load: Load, memory: Memory | None = None) -> Balance:
        """Fill strain, stress and the forces out of balance at ``state``."""
        self._free.copy_(load.free)
        self._mixed = load.mixed
        self.discrete.gradient(state.field, self._gradient)
        self.kinematics.measure(self._gradient, state.macro, self.strain)
        self.composite.stress(self.strain, self.stress, memory)
        self._divergence(self.stress, self.force.field).neg_()
        pull = (load.stress - self.mean(self.stress)) * load.free * self.composite.grid.voxels
        self.force.macro.copy_(pull)
        self.precondition(self.force, self._z)
        residual = (self.cg.dot(self.force, self._z).clamp_min(0.0) / self.composite.grid.voxels).sqrt()
        return Balance(residual, self.reference.stress_norm(self.stress), self._rounding(state.macro))

    def linearise(self, memory: Memory | None = None) -> Moduli:
        """Take the tangent at the strain last evaluated."""
        moduli = self.composite.tangent(self.strain, memory)
        self.take(moduli)
        return moduli

    def take(self, moduli: Moduli) -> None:
        """Take a tangent, which may hold an image of its own per row."""
        self._moduli = moduli
        normal = 0 if self.kinematics.kind == "conduction" else self.composite.grid.dim
        self._contraction = contraction(moduli, self.kinematics.size, normal, self.composite.dtype)

    def apply(self, p: Vector, out: Vector) -> None:
        """Write the tangent operator times ``p`` to ``out``."""
        flux = self._tangent_stress(p)
        self._divergence(flux, out.field)
        if self._mixed:
            out.macro.copy_(self.mean(flux) * self._free * self.composite.grid.voxels)
        else:
            out.macro.zero_()

    def precondition(self, r: Vector, out: Vector) -> None:
        """Write the answer of the reference medium to the forces ``r`` to ``out``."""
        self.reference.solve(r.field, out.field)
        # Work arrays hold what another load left in the components that it set free.
        out.macro.zero_()
        if self._mixed:
            free = self._free.bool()
            block = self._medium[free][:, free] * self.composite.grid.voxels
            out.macro[:, free] = torch.linalg.solve(block, r.macro[:, free].mT).mT

    def solve_step(self, x: Vector, target: Tensor) -> CGOutcome:
        """Solve the linearised equilibrium for the forces last evaluated, improving ``x`` in place."""
        limit = self.control.cg_limit
        if self._fused is not None and self._moduli is not None and not self._mixed:
            return self._fused.solve(self._moduli, self.force.field[0], x.field[0], float(target), limit)
        return self.cg.solve(self, self.force, x, target, limit)

    def unit_responses(self, start: Tensor, tolerance: float, watch: Watch | None = None) -> UnitResponses:
        """Solve for the unit measures at the tangent last taken, from ``start [b, g, c, *grid]``.

        ``watch`` is called with the number of unit measures solved and their number.
        """
        fluctuations = start.clone()
        b, g = start.shape[:2]
        self._mixed = False
        cg = torch.zeros((b, g), dtype=torch.int64, device=start.device)
        converged = torch.ones(b, dtype=torch.bool, device=start.device)
        for i in range(g):
            x = self._trial.zero_()
            x.field.copy_(fluctuations[:, i])
            flux = self._unit_stress(i, x)
            target = tolerance * self.reference.stress_norm(flux)
            self._divergence(flux, self.force.field).neg_()
            self.force.macro.zero_()
            outcome = self.solve_step(x, target)
            fluctuations[:, i] = x.field
            cg[:, i], converged = outcome.iterations, converged & outcome.converged
            if watch is not None:
                watch(i + 1, g)
        tangent = self._bilinear(fluctuations)
        if not self.composite.linear:
            converged = converged & self._below_voigt(tangent)
        return UnitResponses(fluctuations, tangent, cg, converged)

    def newton(
        self, state: Vector, load: Load, memory: Memory | None = None, least: Tensor | float = 0.0
    ) -> NewtonOutcome:
        """Balance ``state`` in place under ``load``: inexact Newton with line search.

        A residual of ``least [b]`` is balance enough, whatever the stress: what is left where a load is taken away. The
        measure and stress of the state are left in the work arrays.
        """
        control = self.control
        balance = self.evaluate(state, load, memory)
        least = torch.zeros_like(balance.residual) + least
        newton = torch.zeros_like(balance.residual, dtype=torch.int64)
        cg, forcing = torch.zeros_like(newton), torch.full_like(balance.residual, 0.1)
        solved = balance.met(control.tolerance) | (balance.exhausted & self.composite.linear)
        solved |= balance.residual <= least
        open_rows = ~solved
        for _ in range(control.newton_limit):
            if not bool(open_rows.any()):
                break
            self.linearise(memory)
            floor = 0.5 * torch.maximum(control.tolerance * balance.scale, least)
            floor = floor if self.composite.linear else torch.maximum(floor, 0.25 * balance.rounding)
            target = floor if self.composite.linear else torch.maximum(forcing * balance.residual, floor)
            self._close(open_rows)
            before = self.force.like().copy_(self.force)
            outcome = self.solve_step(self._step.zero_(), target)
            cg, newton = cg + outcome.iterations, newton + open_rows
            new, fell = self._search(state, load, memory, before, balance, open_rows)
            forcing = (0.9 * (new.residual / balance.residual).nan_to_num(1.0) ** 2).clamp(1e-4, 0.1)
            resting = new.exhausted & (new.residual > 0.5 * balance.residual)
            solved = new.met(control.tolerance) | (new.residual <= least) | resting | solved
            # Where no step along it helps, the direction is no good: a shorter load step is the better next thing.
            balance, open_rows = new, ~solved & fell & torch.isfinite(new.residual)
        return NewtonOutcome(solved, balance.relative_to(least / control.tolerance), newton, cg)

    def mean(self, field: Tensor) -> Tensor:
        """Mean over points and voxels ``[b, g]``, float64, of ``field [b, Q, g, *grid]``."""
        found: Tensor = field.flatten(3).mean((1, 3), dtype=torch.float64)
        return found

    def _rounding(self, macro: Tensor) -> Tensor:
        """What rounding leaves of the residual ``[b]``: that of displacements over one voxel, times the stiffness.

        At finite strain that of F, whose part at rest cancels in the stress of a law.
        """
        finite = self.kinematics.kind == "finite strain"
        if self.composite.dtype == torch.float64 and not finite:
            return torch.zeros_like(macro[:, 0])
        change = macro if finite else macro - macro.new_tensor(self.kinematics.rest)
        affine = torch.einsum("pij,bj->bpi", self._rest_tangents, change)
        voxels = 16 + max(self.composite.grid.shape)
        return voxels * torch.finfo(self.composite.dtype).eps * self.reference.stress_norm(affine[..., None])

    @functools.cached_property
    def _rest_tangents(self) -> Tensor:
        """Tangents at rest ``[p, g, g]``, weighted so that the mean of squares over parts is that over voxels."""
        tangents, counts = zip(*self.composite.tangent_at_rest(), strict=True)
        stacked = torch.stack(tangents)
        weights = stacked.new_tensor(counts) / self.composite.grid.voxels
        return stacked * (len(weights) * weights).sqrt()[:, None, None]

    def _search(
        self, state: Vector, load: Load, memory: Memory | None, force: Vector, old: Balance, rows: Tensor
    ) -> tuple[Balance, Tensor]:
        """Move ``state`` along the step, shortened per row until the residual or the slope along it falls ``[b]``."""
        length = rows.to(torch.float64)
        slope = self.cg.dot(force, self._step)
        for _ in range(10):
            self._trial.copy_(state).add_(self._step, length)
            new = self.evaluate(self._trial, load, memory)
            left = self.cg.dot(self.force, self._step)
            good = (new.residual <= (1.0 - 1e-4 * length) * old.residual) | (left.abs() <= 0.5 * slope.abs())
            good = (good & torch.isfinite(new.residual)) | ~rows
            if bool(good.all()):
                break
            secant = (slope / (slope - left)).nan_to_num(0.5).clamp(0.1, 0.5)
            length = torch.where(good, length, length * secant)
        state.copy_(self._trial)
        return new, good

    def _close(self, open_rows: Tensor) -> None:
        """Take the rows that are balanced out of the linear system."""
        keep = open_rows.to(self.force.field.dtype)
        self.force.field.mul_(keep.view(-1, *([1] * (self.force.field.ndim - 1))))
        self.force.macro.mul_(open_rows[:, None])

    def _tangent_stress(self, x: Vector) -> Tensor:
        assert self._contraction is not None
        self.discrete.gradient(x.field, self._gradient)
        self.kinematics.measure(self._gradient, x.macro, self.strain)
        return self._contraction.times(self.strain, self.stress)

    def _unit_stress(self, i: int, x: Vector) -> Tensor:
        """Tangent stress under the unit measure ``i`` and the fluctuation of ``x``."""
        x.macro.zero_()
        x.macro[:, i] = 1.0
        flux = self._tangent_stress(x)
        x.macro.zero_()
        return flux

    def _bilinear(self, fluctuations: Tensor) -> Tensor:
        """Mean of (m_i + e_i) : C : (m_j + e_j) ``[b, g, g]``: not the mean stress, whose error is linear."""
        b, g = fluctuations.shape[:2]
        tangent = torch.zeros((b, g, g), dtype=torch.float64, device=fluctuations.device)
        for i in range(g):
            x = self._trial.zero_()
            x.field.copy_(fluctuations[:, i])
            flux = self._unit_stress(i, x)
            tangent[:, i] = self.mean(flux) + self.work(self._divergence(flux, self.force.field), fluctuations)
        return tangent

    def _below_voigt(self, tangent: Tensor) -> Tensor:
        """Whether each unit measure costs no more than it does without fluctuation ``[b]``: else nothing is stable."""
        uniform = torch.zeros_like(tangent[:, 0])
        x = self._trial.zero_()
        for i in range(tangent.shape[1]):
            uniform[:, i] = self.mean(self._unit_stress(i, x))[:, i]
        found = tangent.diagonal(dim1=1, dim2=2)
        return (found <= uniform + 1e-3 * uniform.abs().amax(1, keepdim=True)).all(1)

    def work(self, force: Tensor, fluctuations: Tensor) -> Tensor:
        """Mean over voxels ``[b, g]`` of ``force [b, c, *grid]`` times each of ``fluctuations [b, g, c, *grid]``."""
        sums = [
            (force * fluctuations[:, j]).flatten(1).sum(1, dtype=torch.float64) for j in range(fluctuations.shape[1])
        ]
        return torch.stack(sums, 1) / self.composite.grid.voxels

    def _divergence(self, stress: Tensor, out: Tensor) -> Tensor:
        self.kinematics.flux(stress, self._gradient)
        return self.discrete.divergence(self._gradient, out)

    def _field(self, *leading: int) -> Tensor:
        shape = (*leading, *self.composite.grid.shape)
        return torch.zeros(shape, dtype=self.composite.dtype, device=self.composite.device)

    def _macro(self, b: int) -> Tensor:
        return torch.zeros((b, self.kinematics.size), dtype=torch.float64, device=self.composite.device)
