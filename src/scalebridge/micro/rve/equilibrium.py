"""The discrete equilibrium of an RVE: residual, linearisation and Newton steps for a batch of strains."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from scalebridge.micro.rve.cg import CGOutcome, ConjugateGradients
from scalebridge.micro.rve.composite import TRIANGLE, Composite
from scalebridge.micro.rve.reference import ReferenceMedium
from scalebridge.micro.rve.rotated import STRAIN_FACTORS, RotatedStencil

if TYPE_CHECKING:
    from scalebridge.micro.rve.fused import FusedConjugateGradients


@dataclass(frozen=True)
class Control:
    """When to stop.

    Args:
        tolerance: stress out of balance, relative to the stress (root mean squares in the reference's norm).
        newton_limit: Newton iterations at most, per load step.
        cg_limit: conjugate-gradient iterations at most, per linear system.
    """

    tolerance: float = 1e-6
    newton_limit: int = 30
    cg_limit: int = 2000

    @property
    def tangent_tolerance(self) -> float:
        """Residual of the tangent's systems; the error of the tangent goes with its square."""
        return min(3e-4, 0.3 * math.sqrt(self.tolerance))


@dataclass(frozen=True)
class Balance:
    """How far a displacement is from equilibrium.

    Args:
        residual: ``[b]``, root mean square of the stress out of balance.
        scale: ``[b]``, root mean square of the stress.
    """

    residual: Tensor
    scale: Tensor

    @property
    def relative(self) -> Tensor:
        """Residual over scale ``[b]``, zero where both are."""
        return torch.where(self.scale > 0.0, self.residual / self.scale, self.residual)

    def met(self, tolerance: float) -> Tensor:
        """Which rows are balanced ``[b]``; a row that is not finite is not."""
        return self.residual <= tolerance * self.scale


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


@dataclass(frozen=True)
class UnitResponses:
    """Answers of the linearised composite to the three unit macroscopic strains.

    Args:
        fluctuations: ``[b, 3, 2, ny, nx]``, per unit strain.
        tangent: ``[b, 3, 3]`` in Pa (Mandel), its error quadratic in the residual.
        cg: ``[b]``, conjugate-gradient iterations.
        converged: ``[b]``.
    """

    fluctuations: Tensor
    tangent: Tensor
    cg: Tensor
    converged: Tensor


def can_fuse(device: torch.device) -> bool:
    """Whether loops on this device can be fused: a CPU, with the extra ``fast`` installed."""
    return device.type == "cpu" and importlib.util.find_spec("numba") is not None


def _fused(shape: tuple[int, int], reference: ReferenceMedium) -> FusedConjugateGradients:
    from scalebridge.micro.rve.fused import FusedConjugateGradients

    return FusedConjugateGradients(shape, reference)


class Equilibrium:
    """Discrete equilibrium of ``b`` copies of a composite under their own macroscopic strains.

    All fields live in work arrays that are kept between calls; results are copied out by the caller.

    Args:
        composite: phases on the image.
        lame: Lamé's constants of the reference medium in Pa.
        b: rows of a batch.
        control: when to stop.
        fused: whether one row on a CPU uses the loops fused by Numba; by default where Numba is installed.
    """

    def __init__(
        self,
        composite: Composite,
        lame: tuple[float, float],
        b: int,
        control: Control,
        fused: bool | None = None,
    ) -> None:
        def field(components: int) -> Tensor:
            return torch.zeros((b, components, *composite.shape), dtype=torch.float64, device=composite.device)

        self.composite, self.control = composite, control
        self.stencil = RotatedStencil(b, composite.shape, composite.device)
        self.reference = ReferenceMedium(lame, b, composite.shape, composite.device)
        self.strain, self.stress, self.force = field(3), field(3), field(2)
        self._scaled, self._flux, self._moduli = field(3), field(3), field(6)
        self._trial, self._step, self._z = field(2), field(2), field(2)
        self.cg = ConjugateGradients(self.force)
        wanted = can_fuse(composite.device) if fused is None else fused
        self._fused = _fused(composite.shape, self.reference) if wanted and b == 1 else None
        factors = torch.tensor(STRAIN_FACTORS, dtype=torch.float64, device=composite.device)
        self._factors = factors.view(1, 3, 1, 1)
        self._folds = torch.stack([factors[i] * factors[j] for i, j in TRIANGLE]).view(1, 6, 1, 1)

    def evaluate(self, macro: Tensor, u: Tensor) -> Balance:
        """Fill strain, stress and nodal force at the strains ``macro [b, 3]`` and fluctuation ``u``."""
        self.stencil.gradient(u, self._scaled)
        torch.addcmul(macro[:, :, None, None], self._scaled, self._factors, out=self.strain)
        self.composite.stress(self.strain, self.stress)
        torch.mul(self.stress, self._factors, out=self._scaled)
        self.stencil.divergence(self._scaled, self.force)
        self.force.neg_()
        self.reference.solve(self.force, self._z)
        return Balance(self._root_mean(self.force, self._z), self.reference.stress_norm(self.stress))

    def linearise(self) -> None:
        """Take the tangent at the strain last evaluated."""
        self.composite.tangent(self.strain, self._moduli)
        self._moduli *= self._folds

    def apply(self, p: Tensor, out: Tensor) -> Tensor:
        """Write the tangent operator times ``p [b, 2, ny, nx]`` to ``out``."""
        g = self.stencil.gradient(p, self._scaled)
        return self.stencil.divergence(self._contract(g, self._flux), out)

    def solve_step(self, u: Tensor, target: Tensor) -> CGOutcome:
        """Solve the linearised equilibrium for the force last evaluated, improving ``u`` in place."""
        limit = self.control.cg_limit
        if self._fused is not None:
            return self._fused.solve(self._moduli, self.force, u, float(target), limit)
        return self.cg.solve(self.apply, self.reference.solve, self.force, u, target, limit)

    def unit_responses(self, start: Tensor, tolerance: float) -> UnitResponses:
        """Solve for the three unit strains at the tangent last taken, from ``start [b, 3, 2, ny, nx]``."""
        fluctuations = start.clone()
        cg = torch.zeros(len(start), dtype=torch.int64, device=start.device)
        converged = torch.ones_like(cg, dtype=torch.bool)
        for i in range(3):
            u = self._trial.copy_(fluctuations[:, i])
            flux = self._unit_flux(i, u)
            target = tolerance * self.reference.stress_norm(flux / self._factors)
            self.stencil.divergence(flux, self.force).neg_()
            outcome = self.solve_step(u, target)
            fluctuations[:, i] = u
            cg, converged = cg + outcome.iterations, converged & outcome.converged
        return UnitResponses(fluctuations, self._tangent(fluctuations), cg, converged)

    def _tangent(self, fluctuations: Tensor) -> Tensor:
        """Mean of (e_i + strain_i) : C : (e_j + strain_j) ``[b, 3, 3]``: the bilinear form, not the mean stress."""
        tangent = fluctuations.new_empty((len(fluctuations), 3, 3))
        pixels = fluctuations.shape[-1] * fluctuations.shape[-2]
        for i in range(3):
            flux = self._unit_flux(i, fluctuations[:, i])
            self.stencil.divergence(flux, self.force)
            work = torch.einsum("bcyx,bjcyx->bj", self.force, fluctuations) / pixels
            tangent[:, i] = flux.mean((-2, -1)) / self._factors.view(3) + work
        return tangent

    def _unit_flux(self, i: int, u: Tensor) -> Tensor:
        """Tangent stress (times the factors of the stencil) under unit strain ``i`` and fluctuation ``u``."""
        g = self.stencil.gradient(u, self._scaled)
        g[:, i] += 1.0 / STRAIN_FACTORS[i]
        return self._contract(g, self._flux)

    def newton(self, macro: Tensor, u: Tensor) -> NewtonOutcome:
        """Balance ``u [b, 2, ny, nx]`` in place under ``macro [b, 3]``: inexact Newton with line search."""
        control = self.control
        balance = self.evaluate(macro, u)
        newton = torch.zeros_like(balance.residual, dtype=torch.int64)
        cg, forcing = torch.zeros_like(newton), torch.full_like(balance.residual, 0.1)
        open_rows = ~balance.met(control.tolerance)
        for _ in range(control.newton_limit):
            if not bool(open_rows.any()):
                break
            self.linearise()
            floor = 0.5 * control.tolerance * balance.scale
            target = floor if self.composite.linear else torch.maximum(forcing * balance.residual, floor)
            self.force *= open_rows[:, None, None, None]
            before = self.force.clone()
            outcome = self.solve_step(self._step.zero_(), target)
            cg, newton = cg + outcome.iterations, newton + open_rows
            new = self._search(macro, u, before, balance, open_rows)
            forcing = (0.9 * (new.residual / balance.residual).nan_to_num(1.0) ** 2).clamp(1e-4, 0.1)
            stuck = ~torch.isfinite(new.residual)
            balance = new
            open_rows = ~balance.met(control.tolerance) & ~stuck
        return NewtonOutcome(balance.met(control.tolerance), balance.relative, newton, cg)

    def _search(self, macro: Tensor, u: Tensor, force: Tensor, old: Balance, rows: Tensor) -> Balance:
        """Move ``u`` along the step, shortened per row until the residual or the slope along it falls."""
        length = rows.to(torch.float64)
        slope = (force * self._step).sum((1, 2, 3))
        for _ in range(10):
            torch.addcmul(u, self._step, length[:, None, None, None], out=self._trial)
            new = self.evaluate(macro, self._trial)
            left = (self.force * self._step).sum((1, 2, 3))
            good = (new.residual <= (1.0 - 1e-4 * length) * old.residual) | (left.abs() <= 0.5 * slope.abs())
            good = (good & torch.isfinite(new.residual)) | ~rows
            if bool(good.all()):
                break
            secant = (slope / (slope - left)).nan_to_num(0.5).clamp(0.1, 0.5)
            length = torch.where(good, length, length * secant)
        u.copy_(self._trial)
        return new

    def _contract(self, g: Tensor, out: Tensor) -> Tensor:
        m, work = self._moduli, out
        torch.mul(m[:, :3], g, out=work)
        work[:, 0].addcmul_(m[:, 3], g[:, 1])
        work[:, 0].addcmul_(m[:, 4], g[:, 2])
        work[:, 1].addcmul_(m[:, 3], g[:, 0])
        work[:, 1].addcmul_(m[:, 5], g[:, 2])
        work[:, 2].addcmul_(m[:, 4], g[:, 0])
        work[:, 2].addcmul_(m[:, 5], g[:, 1])
        return work

    def _root_mean(self, a: Tensor, b: Tensor) -> Tensor:
        return (a * b).mean((-2, -1)).sum(-1).clamp_min(0.0).sqrt()
