"""Homogenisation of a batch: mean stress, consistent tangent and energy, with a reason where a row fails."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from scalebridge.errors import InputError
from scalebridge.micro.rve.composite import Composite
from scalebridge.micro.rve.equilibrium import Control, Equilibrium, NewtonOutcome, UnitResponses, can_fuse

# Pixels per chunk on a CPU: measured best at 16 to 64 pixels an edge, and no better beyond.
CACHE_PIXELS = 16_000
LOAD_STEPS = (4, 16)


@dataclass(frozen=True)
class Homogenised:
    """Macroscopic response of ``b`` rows, all float64 tensors on the composite's device.

    Args:
        stress: ``[b, 3]``, mean stress in Pa (Mandel).
        tangent: ``[b, 3, 3]``, its derivative by the macroscopic strain, in Pa.
        energy: ``[b]``, mean energy density in J/m^3.
        hill_mandel: ``[b]``, relative difference of mean power and power of the means; exact equilibrium has none.
        residual: ``[b]``, relative residual of equilibrium.
        newton: ``[b]``, Newton iterations.
        cg: ``[b]``, conjugate-gradient iterations, those of the tangent included.
        reason: ``[b]``, empty where the row converged.
    """

    stress: Tensor
    tangent: Tensor
    energy: Tensor
    hill_mandel: Tensor
    residual: Tensor
    newton: Tensor
    cg: Tensor
    reason: tuple[str, ...]

    @staticmethod
    def join(parts: list[Homogenised]) -> Homogenised:
        """Concatenate along rows."""
        names = ("stress", "tangent", "energy", "hill_mandel", "residual", "newton", "cg")
        joined: list[Any] = [torch.cat([getattr(p, name) for p in parts]) for name in names]
        joined.append(tuple(r for p in parts for r in p.reason))
        return Homogenised(*joined)


@dataclass(frozen=True)
class Fields:
    """Balanced fields of ``b`` rows: ``displacement [b, 2, ny, nx]``, ``strain`` and ``stress [b, 3, ny, nx]``."""

    displacement: Tensor
    strain: Tensor
    stress: Tensor
    axial_stress: Tensor


@dataclass(frozen=True)
class _Solved:
    """Displacement ``[b, 2, ny, nx]``, how Newton ended, and the reason ``[b]`` where it failed."""

    displacement: Tensor
    outcome: NewtonOutcome
    reason: tuple[str, ...]


class Homogeniser:
    """Solver of one composite, with everything that does not depend on the load prepared once.

    Args:
        composite: phases on the image.
        control: when to stop.
        lame: Lamé's constants of the reference medium in Pa; by default `reference_lame`.
        fused: whether to use the loops fused by Numba on a CPU; by default where Numba is installed.
    """

    def __init__(
        self,
        composite: Composite,
        control: Control,
        lame: tuple[float, float] | None = None,
        fused: bool | None = None,
    ) -> None:
        self.composite, self.control = composite, control
        self.fused = can_fuse(composite.device) if fused is None else fused
        self.lame = lame or reference_lame(composite)
        self._equilibrium = functools.lru_cache(maxsize=2)(self._prepare)

    @property
    def chunk(self) -> int:
        """Rows solved together: one where loops are fused, by cache on a CPU, by free memory on a GPU."""
        if self.fused:
            return 1
        pixels = self.composite.shape[0] * self.composite.shape[1]
        if self.composite.device.type == "cpu":
            return max(1, CACHE_PIXELS // pixels)
        free, _ = torch.cuda.mem_get_info(self.composite.device)
        return max(1, int(0.5 * free) // (60 * 8 * pixels))

    @functools.cached_property
    def localisation(self) -> UnitResponses:
        """Answers of the composite to unit strains at zero strain, ``b = 1``."""
        eq = self._equilibrium(1)
        zero = torch.zeros((1, 3), dtype=torch.float64, device=self.composite.device)
        start = torch.zeros((1, 3, 2, *self.composite.shape), dtype=torch.float64, device=self.composite.device)
        eq.evaluate(zero, start[:, 0])
        eq.linearise()
        return eq.unit_responses(start, 0.5 * self.control.tolerance)

    def run(self, macro: Tensor) -> Homogenised:
        """Homogenise the strains ``macro [b, 3]`` (Mandel); rows do not depend on each other."""
        parts = [self._run_chunk(part) for part in macro.split(self.chunk)]
        return Homogenised.join(parts)

    def fields(self, macro: Tensor) -> tuple[Fields, tuple[str, ...]]:
        """Balanced fields under ``macro [b, 3]``, and the reason where a row failed."""
        displacements, reasons = [], []
        for row in macro.split(1):
            solved = self._solve(row)
            displacements.append(solved.displacement)
            reasons.append(solved.reason[0])
        u = torch.cat(displacements)
        eq = self._equilibrium(len(macro))
        eq.evaluate(macro, u)
        axial = self.composite.axial_stress(eq.strain)
        return Fields(u, eq.strain.clone(), eq.stress.clone(), axial), tuple(reasons)

    def _prepare(self, b: int) -> Equilibrium:
        return Equilibrium(self.composite, self.lame, b, self.control, self.fused)

    def _elastic_guess(self, macro: Tensor) -> Tensor:
        return torch.einsum("bi,icyx->bcyx", macro, self.localisation.fluctuations[0])

    def _solve(self, macro: Tensor) -> _Solved:
        """Newton from the elastic fluctuation; rows where it fails are loaded in steps, one by one."""
        u = self._elastic_guess(macro)
        outcome = self._equilibrium(len(macro)).newton(macro, u)
        reasons = [""] * len(macro)
        for row in torch.nonzero(~outcome.converged).flatten().tolist():
            fixed, u[row : row + 1], reasons[row] = self._load_in_steps(macro[row : row + 1])
            outcome = outcome.replaced(row, fixed)
        return _Solved(u, outcome, tuple(reasons))

    def _load_in_steps(self, macro: Tensor) -> tuple[NewtonOutcome, Tensor, str]:
        eq = self._equilibrium(1)
        spent: NewtonOutcome | None = None
        for steps in LOAD_STEPS:
            u = torch.zeros_like(self._elastic_guess(macro))
            for k in range(1, steps + 1):
                u *= k / max(k - 1, 1)
                spent = outcome = eq.newton(macro * (k / steps), u).after(spent)
                if not bool(outcome.converged.all()):
                    break
            if bool(outcome.converged.all()):
                return outcome, u, ""
        reason = (
            f"equilibrium not found: Newton stopped at a relative residual of {float(outcome.relative[0]):.1e} "
            f"(tolerance {self.control.tolerance:.0e}) at {k}/{steps} of the strain"
        )
        return outcome, u, reason

    def _run_chunk(self, macro: Tensor) -> Homogenised:
        result = self._collect(macro, self._solve(macro))
        if len(macro) > 1:
            return self._spot_checked(macro, result)
        return result

    def _collect(self, macro: Tensor, solved: _Solved) -> Homogenised:
        eq = self._equilibrium(len(macro))
        balance = eq.evaluate(macro, solved.displacement)
        energy = self.composite.mean_energy(eq.strain)
        stress = eq.stress.mean((-2, -1))
        force = eq.force.clone()
        power = (eq.stress * eq.strain).sum(1).mean((-2, -1))
        gap = (power - (stress * macro).sum(1)).abs()
        hill = torch.where(power.abs() > 0.0, gap / power.abs(), gap)
        eq.linearise()
        start = self.localisation.fluctuations.expand(len(macro), -1, -1, -1, -1)
        unit = eq.unit_responses(start, self.control.tangent_tolerance)
        # The fluctuation's own error enters the mean stress at first order; the unit responses remove it.
        pixels = force.shape[-1] * force.shape[-2]
        stress = stress - torch.einsum("bicyx,bcyx->bi", unit.fluctuations, force) / pixels
        outcome, doubts = solved.outcome, _doubts(unit, energy)
        reason = tuple(r or doubt for r, doubt in zip(solved.reason, doubts, strict=True))
        return Homogenised(
            stress, unit.tangent, energy, hill, balance.relative, outcome.newton, outcome.cg + unit.cg, reason
        )

    def _spot_checked(self, macro: Tensor, batch: Homogenised) -> Homogenised:
        """Solve one row of a batch alone; where it differs, solve every row alone.

        Batched solvers have been seen to return finite garbage in a few rows.
        """
        row = len(macro) // 2
        alone = self._run_chunk(macro[row : row + 1])
        gap = (alone.stress[0] - batch.stress[row]).norm()
        if bool(gap <= 10.0 * self.control.tolerance * alone.stress[0].norm()) or batch.reason[row]:
            return batch
        return Homogenised.join([self._run_chunk(part) for part in macro.split(1)])


def available_device(name: str) -> torch.device:
    """Return the device of that name.

    Raises:
        InputError: a name torch does not know, or a device this machine has not.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"The device '{name}' of the RVE is not available here; use 'cpu'.") from error
    return device


def reference_lame(composite: Composite) -> tuple[float, float]:
    """Lamé's constants of the reference medium: those of the most compliant phase, whose strains are largest.

    Only their ratio matters: it is that of all phases where they share one Poisson's ratio.
    """
    lam, mu, _ = min(composite.initial_lame(), key=lambda entry: entry[1])
    return lam, mu


def _doubts(unit: UnitResponses, energy: Tensor) -> list[str]:
    finite = torch.isfinite(energy) & torch.isfinite(unit.tangent).all(-1).all(-1)
    return [
        "" if good and solved else "a value is not finite" if not good else "the tangent's systems did not converge"
        for good, solved in zip(finite.tolist(), unit.converged.tolist(), strict=True)
    ]
