"""Homogenisation of a batch: mean stress, consistent tangent and energy, with a reason where a row fails."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.micro.rve.cg import Vector
from scalebridge.micro.rve.composite import Composite, Memory
from scalebridge.micro.rve.control import Control, Load
from scalebridge.micro.rve.equilibrium import Equilibrium, NewtonOutcome
from scalebridge.micro.rve.fast import UnitResponses, Watch, can_fuse, fused_unit_responses
from scalebridge.micro.rve.volume import volume_doubts

# Pixels per chunk on a CPU: measured best at 16 to 64 pixels an edge, and no better beyond.
CACHE_PIXELS = 16_000
KEPT_SIZES = 2
# Fluctuations of all unit loads are kept up to here: with them the effective tensor is second order in the residual.
KEPT_BYTES = 2**29


@dataclass(frozen=True)
class Homogenised:
    """Macroscopic response of ``b`` rows, all float64 tensors on the composite's device.

    Args:
        measure: ``[b, g]``, mean strain (deformation gradient, gradient).
        stress: ``[b, g]``, mean stress.
        tangent: ``[b, g, g]``, its derivative by the mean measure.
        energy: ``[b]``, mean energy density in J/m^3.
        hill_mandel: ``[b]``, relative difference of mean power and power of the means; exact equilibrium has none.
        residual: ``[b]``, relative residual of equilibrium.
        newton: ``[b]``, Newton iterations.
        cg: ``[b]``, conjugate-gradient iterations, those of the tangent included.
        reason: ``[b]``, empty where the row converged.
    """

    measure: Tensor
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
        names = ("measure", "stress", "tangent", "energy", "hill_mandel", "residual", "newton", "cg")
        joined: list[Any] = [torch.cat([getattr(p, name) for p in parts]) for name in names]
        joined.append(tuple(r for p in parts for r in p.reason))
        return Homogenised(*joined)


@dataclass(frozen=True)
class Fields:
    """Balanced fields of one row: fluctuation ``[c, *grid]``; measure and stress ``[Q, g, *grid]``; axial stress."""

    fluctuation: Tensor
    macro: Tensor
    measure: Tensor
    stress: Tensor
    axial_stress: Tensor | None
    reason: str


@dataclass(frozen=True)
class Solved:
    """A balanced state of ``b`` rows, how Newton ended, and the reason ``[b]`` where it failed."""

    state: Vector
    outcome: NewtonOutcome
    reason: tuple[str, ...]


class Homogeniser:
    """Solver of one composite, with everything that does not depend on the load prepared once.

    Args:
        composite: laws on the grid.
        control: when to stop.
        discretisation: its name.
        lame: Lamé's constants of the reference medium; by default `reference_lame`.
        fused: whether to use the loops fused by Numba; by default where they can be.
    """

    def __init__(
        self,
        composite: Composite,
        control: Control,
        discretisation: str = "rotated",
        lame: tuple[float, float] | None = None,
        fused: bool | None = None,
    ) -> None:
        self.composite, self.control, self.discretisation = composite, control, discretisation
        self.lame = lame or reference_lame(composite)
        self.fused = can_fuse(composite, discretisation) if fused is None else fused
        self.rest = torch.tensor(composite.kinematics.rest, dtype=torch.float64, device=composite.device)
        self._equilibria: dict[int, Equilibrium] = {}
        # Called with the load cases solved and their number while the effective tensor is sought.
        self.watch: Watch | None = None

    @property
    def chunk(self) -> int:
        """Rows solved together: one where loops are fused, by cache on a CPU, by free memory on a GPU."""
        if self.fused:
            return 1
        voxels = self.composite.grid.voxels
        if self.composite.device.type == "cpu":
            return max(1, CACHE_PIXELS // voxels)
        free, _ = torch.cuda.mem_get_info(self.composite.device)
        return max(1, int(0.5 * free) // (80 * 8 * voxels))

    @property
    def contrast(self) -> float:
        """Largest over smallest shear modulus (conductivity) of the parts at rest; infinite beside a void."""
        found = [self.composite.kinematics.isotropic_part(full)[1] for full, _ in self.composite.tangent_at_rest()]
        return max(found) / min(found) if min(found) > 0.0 else math.inf

    @functools.cached_property
    def localisation(self) -> UnitResponses:
        """Answers of the composite to unit measures at rest, ``b = 1``; a law with memory answers elastically."""
        if self.fused and self.composite.grid.dim == 3 and self.composite.linear:
            return fused_unit_responses(self.composite, self.lame, self.control, keep=True, watch=self.watch)
        eq = self.equilibrium(1)
        memory = self._virgin(1, eq.points)
        eq.evaluate(self.at_rest(1), Load.of_measure(self.rest[None]), memory)
        eq.linearise(memory)
        return eq.unit_responses(self._no_fluctuations(), 0.5 * self.control.tolerance, self.watch)

    @functools.cached_property
    def effective(self) -> UnitResponses:
        """The effective tangent at rest; fluctuations are kept where they are at hand or small."""
        lean = self.fused and self.composite.grid.dim == 3 and self.composite.linear
        if not lean or "localisation" in self.__dict__ or self._fluctuation_bytes <= KEPT_BYTES:
            return self.localisation
        return fused_unit_responses(self.composite, self.lame, self.control, keep=False, watch=self.watch)

    @property
    def images_at_once(self) -> int:
        """Images of a batch solved together: one on a CPU beyond the cache, as many as fit on a GPU."""
        return self.chunk

    def effective_of(self, labels: NDArray[np.int64]) -> UnitResponses:
        """Effective tangents of ``b`` images ``[b, *grid]`` of indices into the parts of this linear composite."""
        own = self.composite.label_moduli
        assert own is not None
        if self.fused:
            return self._each_image(labels)
        eq = self.equilibrium(len(labels))
        eq.take(replace(own, labels=torch.as_tensor(labels, device=self.composite.device)))
        start = self._no_fluctuations().expand(len(labels), *self._no_fluctuations().shape[1:])
        return eq.unit_responses(start, 0.5 * self.control.tolerance)

    def _each_image(self, labels: NDArray[np.int64]) -> UnitResponses:
        own = self.composite.label_moduli
        assert own is not None
        parts = []
        for image in labels:
            held = torch.as_tensor(image.astype(np.uint8) if own.labels.dtype == torch.uint8 else image)
            moduli = replace(own, labels=held)
            if self.composite.grid.dim == 3:
                keep = self._fluctuation_bytes <= KEPT_BYTES
                found = fused_unit_responses(self.composite, self.lame, self.control, keep, moduli)
                parts.append(replace(found, fluctuations=found.fluctuations[:, :0]))
                continue
            eq = self.equilibrium(1)
            eq.take(moduli)
            parts.append(eq.unit_responses(self._no_fluctuations(), 0.5 * self.control.tolerance))
        names = ("fluctuations", "tangent", "cg", "converged")
        return UnitResponses(*(torch.cat([getattr(p, name) for p in parts]) for name in names))

    def run(self, load: Load) -> Homogenised:
        """Homogenise ``load``, for laws without memory; rows do not depend on each other."""
        return Homogenised.join([self._run_chunk(part) for part in load.split(self.chunk)])

    def fields(self, load: Load) -> Fields:
        """Balanced fields under a load of one row."""
        solved = self.solve(load)
        return self.fields_of(solved.state, load, solved.reason[0], None)

    def fields_of(self, state: Vector, load: Load, reason: str, memory: Memory | None) -> Fields:
        """Fields at a balanced state of one row."""
        eq = self.equilibrium(1)
        eq.evaluate(state, load, memory)
        axial = self.composite.axial_stress(eq.strain, memory)
        axial = None if axial is None else axial[0]
        return Fields(state.field[0], state.macro[0], eq.strain[0].clone(), eq.stress[0].clone(), axial, reason)

    def solve(self, load: Load) -> Solved:
        """Newton from the elastic fluctuation; rows where it fails are loaded in steps, one by one."""
        state = self._elastic_guess(load)
        outcome = self.equilibrium(len(load.measure)).newton(state, load)
        reasons = [""] * len(load.measure)
        for row in torch.nonzero(~outcome.converged).flatten().tolist():
            fixed, found, reasons[row] = self._load_in_steps(load.row(row))
            state.field[row], state.macro[row] = found.field[0], found.macro[0]
            outcome = outcome.replaced(row, fixed)
        return Solved(state, outcome, tuple(reasons))

    def macro_response(self, state: Vector, load: Load, memory: Memory | None = None) -> tuple[UnitResponses, Tensor]:
        """Unit responses at a balanced state, and its mean stress ``[b, g]`` with the residual's share removed."""
        eq = self.equilibrium(len(state.field))
        eq.evaluate(state, load, memory)
        stress, force = eq.mean(eq.stress), eq.force.field.clone()
        eq.linearise(memory)
        start = self.localisation.fluctuations.expand(len(state.field), *self.localisation.fluctuations.shape[1:])
        unit = eq.unit_responses(start, self.control.tangent_tolerance)
        # The fluctuation's own error enters the mean stress at first order; the unit responses remove it.
        return unit, stress - eq.work(force, unit.fluctuations)

    def equilibrium(self, b: int) -> Equilibrium:
        """Return the discrete equilibrium of ``b`` rows; its work arrays are kept, of the last two sizes asked for."""
        found = self._equilibria.pop(b, None) or self._prepare(b)
        self._equilibria[b] = found
        while len(self._equilibria) > KEPT_SIZES:
            self._equilibria.pop(next(iter(self._equilibria)))
        return found

    def release(self) -> None:
        """Give back the work arrays and the localisation; the next solve makes its own."""
        self._equilibria.clear()
        for name in ("localisation", "effective"):
            self.__dict__.pop(name, None)

    def _prepare(self, b: int) -> Equilibrium:
        return Equilibrium(self.composite, self.lame, b, self.control, self.discretisation, self.fused and b == 1)

    @property
    def _fluctuation_bytes(self) -> int:
        kin = self.composite.kinematics
        return kin.size * kin.unknowns * self.composite.grid.voxels * self.composite.dtype.itemsize

    def _virgin(self, b: int, points: int) -> Memory | None:
        return self.composite.memory0(b, points) if self.composite.remembers else None

    def at_rest(self, b: int) -> Vector:
        """Return the state of ``b`` rows without load."""
        c, grid = self.composite.kinematics.unknowns, self.composite.grid
        field = torch.zeros((b, c, *grid.shape), dtype=self.composite.dtype, device=self.composite.device)
        return Vector(field, self.rest.expand(b, -1).clone())

    def _no_fluctuations(self) -> Tensor:
        kin, grid = self.composite.kinematics, self.composite.grid
        shape = (1, kin.size, kin.unknowns, *grid.shape)
        return torch.zeros(shape, dtype=self.composite.dtype, device=self.composite.device)

    def elastic_step(self, load: Load, macro: Tensor, stress: Tensor) -> Vector:
        """Return the elastic change of state from a mean measure and stress ``[b, g]`` to ``load``."""
        change = load.measure - macro
        if load.mixed:
            free = load.free.bool()
            c = self.localisation.tangent[0]
            pushed = load.stress - stress - change * ~free @ c
            change[:, free] = torch.linalg.solve(c[free][:, free], pushed[:, free].mT).mT
        share = change.to(self.composite.dtype)
        return Vector(torch.einsum("bi,ic...->bc...", share, self.localisation.fluctuations[0]), change)

    def _elastic_guess(self, load: Load) -> Vector:
        rest = self.rest.expand_as(load.measure)
        step = self.elastic_step(load, rest, torch.zeros_like(rest))
        return Vector(step.field, rest + step.macro)

    def _load_in_steps(self, load: Load) -> tuple[NewtonOutcome, Vector, str]:
        from scalebridge.micro.rve.history import advance, virgin

        step = advance(self, load, 1.0, virgin(self), False)
        return step.outcome, step.standing.state, step.reason

    def _run_chunk(self, load: Load) -> Homogenised:
        result = self._collect(load, self.solve(load))
        if len(load.measure) > 1:
            return self._spot_checked(load, result)
        return result

    def _collect(self, load: Load, solved: Solved) -> Homogenised:
        eq = self.equilibrium(len(load.measure))
        eq.evaluate(solved.state, load)
        energy = self.composite.mean_energy(eq.strain)
        hill = hill_mandel(eq, solved.state, self.rest)
        volume = [""] * len(solved.reason)
        if self.composite.kinematics.kind == "finite strain":
            volume = volume_doubts(eq.strain, solved.state.macro)
        unit, stress = self.macro_response(solved.state, load)
        outcome, doubts = solved.outcome, _doubts(unit, energy)
        reason = tuple(r or v or doubt for r, v, doubt in zip(solved.reason, volume, doubts, strict=True))
        return Homogenised(
            solved.state.macro,
            stress,
            unit.tangent,
            energy,
            hill,
            outcome.relative,
            outcome.newton,
            outcome.cg + unit.cg.sum(1),
            reason,
        )

    def _spot_checked(self, load: Load, batch: Homogenised) -> Homogenised:
        """Solve one row of a batch alone; where it differs, solve every row alone.

        Batched solvers have been seen to return finite garbage in a few rows.
        """
        row = len(load.measure) // 2
        alone = self._run_chunk(load.row(row))
        gap = (alone.stress[0] - batch.stress[row]).norm()
        if bool(gap <= 10.0 * self.control.tolerance * alone.stress[0].norm()) or batch.reason[row]:
            return batch
        return Homogenised.join([self._run_chunk(part) for part in load.split(1)])


def hill_mandel(eq: Equilibrium, state: Vector, rest: Tensor) -> Tensor:
    """|<s:e> - <s>:<e>| / <|s:e|> ``[b]`` at the state last evaluated, e the measure less its rest.

    By the mean of the magnitudes: without a load residual stresses do no work on the whole, and every error would seem
    infinite.
    """
    shift = rest.to(eq.strain.dtype).view(1, 1, -1, *([1] * (eq.strain.ndim - 3)))
    power = (eq.stress * (eq.strain - shift)).sum(2, keepdim=True)
    gap = (eq.mean(power)[:, 0] - (eq.mean(eq.stress) * (state.macro - rest)).sum(1)).abs()
    size = eq.mean(power.abs_())[:, 0]
    return torch.where(size > 0.0, gap / size, gap)


def reference_lame(composite: Composite) -> tuple[float, float]:
    """Lamé's constants of the reference medium: those of the most compliant phase, whose strains are largest.

    Only their ratio matters: it is that of all phases where they share one Poisson's ratio. Voids are left out.
    """
    found = [composite.kinematics.isotropic_part(full) for full, _ in composite.tangent_at_rest()]
    solid = [pair for pair in found if pair[1] > 0.0]
    return min(solid, key=lambda pair: pair[1]) if solid else (0.0, 1.0)


def _doubts(unit: UnitResponses, energy: Tensor) -> list[str]:
    finite = torch.isfinite(energy) & torch.isfinite(unit.tangent).all(-1).all(-1)
    reason = {
        (True, True): "",
        (True, False): "the tangent was not found: its systems did not converge, or the state is not stable",
    }
    return [
        reason.get((good, solved), "a value is not finite")
        for good, solved in zip(finite.tolist(), unit.converged.tolist(), strict=True)
    ]
