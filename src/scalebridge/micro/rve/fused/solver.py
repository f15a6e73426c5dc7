"""Linear elasticity of one RVE in three dimensions on a CPU: two passes over memory per CG iteration.

The first pass goes through slabs of planes: the preconditioned residual transformed back, the new direction, its
forces, and their transform, all while the slab is in the cache. The second goes through bands of y: transform along
z, update of the residual, preconditioner, transform back. The residual lives in Fourier space only. The iteration is
that of `cg.ConjugateGradients` on the rotated scheme of `discretisations`.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.cg import CGOutcome
from scalebridge.micro.rve.fused import loops
from scalebridge.micro.rve.fused.loops import LONGEST, scales, work_rows
from scalebridge.micro.rve.fused.spectrum import medium, precondition
from scalebridge.micro.rve.fused.transforms import Transforms
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.moduli import LabelModuli, Moduli

Array = Any
Norm = Literal["energy", "force"]


class FusedSolver:
    """Rotated scheme on one image, with work arrays kept between calls: three and a half fields in all.

    Moduli are those of small strain: per label (isotropic ones are fastest), or per voxel with one point. Fields are
    ``[3, nz, ny, nx]`` of ``dtype``, sums are kept in float64.

    Args:
        grid: three-dimensional.
        lame: Lamé's constants of the homogeneous medium that preconditions, in Pa.
        dtype: float64 or float32.

    Raises:
        InputError: another grid or dtype, or a row of more than `LONGEST` voxels.
    """

    def __init__(self, grid: Grid, lame: tuple[float, float], dtype: torch.dtype = torch.float64) -> None:
        if grid.dim != 3 or dtype not in (torch.float64, torch.float32):
            raise InputError(
                f"The fused solver was asked for {grid.dim} dimensions in {dtype}; it takes three dimensions in "
                "float64 or float32."
            )
        nz, ny, nx = grid.shape
        if nx > LONGEST:
            raise InputError(
                f"The grid {grid.shape} has {nx} voxels along x; the fused solver takes at most {LONGEST}. Turn the "
                "image so that another axis is the longest, or do without the extra 'fast'."
            )
        self._shape = (nz, ny, nx)
        self._voxels = grid.voxels
        self._dtype = dtype
        self._real: Any = np.float64 if dtype == torch.float64 else np.float32
        # Lengths in voxels, and in float32 moduli of order one: SI units would leave the range of its sums.
        hz, hy, hx = grid.spacing
        s, f = scales((1.0, hy / hx, hz / hx))
        self._s, self._f = hx * s, f.astype(self._real)
        self._unit = 1.0 if dtype == torch.float64 else lame[1]
        constants = (lame[0] / self._unit, lame[1] / self._unit)
        self._medium = medium(grid.shape, (hz / hx, hy / hx, 1.0), constants, s, self._real)
        self._square = (self._unit / hx) ** 2
        self._rows = work_rows(self._real)
        self._p = np.zeros((3, nz, ny, nx), self._real)
        self._upper = np.zeros((3, ny, nx), self._real)
        self._seam = np.zeros((1, 3, ny, nx), self._real)
        self._transforms = Transforms(self._shape, dtype)
        self._q = self._transforms.into.numpy()
        self._spectrum = torch.view_as_real(self._transforms.spectrum).numpy().reshape(nz, 3, ny, -1)
        self._residual = np.zeros_like(self._spectrum)
        self._none = np.zeros(6, self._real)

    def solve(
        self, moduli: Moduli, residual: Tensor, x: Tensor, target: float, limit: int, norm: Norm = "energy"
    ) -> CGOutcome:
        """Improve ``x`` in place until the residual is at most ``target``.

        Args:
            moduli: small strain, 21 entries or Lamé's constants, in Pa.
            residual: ``[3, nz, ny, nx]``, right-hand side minus operator times x.
            x: ``[3, nz, ny, nx]``.
            target: root mean square over the voxels of the residual.
            limit: iterations at most.
            norm: of the residual: "energy", sqrt(mean r . M r) with the preconditioner M; or "force", sqrt(mean r . r),
                which depends on the size of a voxel but is what FANS and others stop by.

        Raises:
            ShapeError: moduli or fields of another grid, or of several images or points.
            InputError: labels without moduli.
        """
        self._check(residual, x)
        return self._solve(self._material(moduli), residual.numpy(), x.numpy(), (target, 0.0), limit, norm)

    def apply(self, moduli: Moduli, p: Tensor, out: Tensor) -> float:
        """Write the tangent operator times ``p [3, nz, ny, nx]`` to ``out``; return their product."""
        self._check(p, out)
        self._enter(p)
        return self._write_forces(self._material(moduli), self._none, out)

    def force(self, moduli: Moduli, strain: Tensor, u: Tensor, out: Tensor) -> float:
        """Write the nodal force (minus the divergence) of the stress at ``strain [6]`` plus that of ``u`` to ``out``.

        Returns the sum over the voxels of stress times strain.
        """
        self._check(u, out)
        self._enter(u)
        return self._write_forces(self._material(moduli), self._strain(strain), out)

    def mean_stress(self, moduli: Moduli, strain: Tensor, u: Tensor) -> Tensor:
        """Return the mean stress ``[6]``, float64, at ``strain [6]`` plus that of ``u [3, nz, ny, nx]``."""
        self._check(u, u)
        self._enter(u)
        return torch.from_numpy(self._mean_stress(self._material(moduli), self._strain(strain)))

    def homogenise(
        self, moduli: Moduli, tolerance: float = 1e-6, limit: int = 2000, keep_fluctuations: bool = False,
        norm: Norm = "force",
    ) -> tuple[Tensor, Tensor, Tensor | None]:  # fmt: skip
        """Solve the six unit strains.

        Args:
            moduli: small strain.
            tolerance: of the residual, relative to the first.
            limit: iterations at most, per strain.
            keep_fluctuations: whether to return them; the stiffness is then second order in the residual.
            norm: as in `solve`.

        Returns:
            Stiffness ``[6, 6]`` (Mandel, Pa, float64; column j the mean stress under unit strain j), iterations
            ``[6]`` (-1 where they did not converge), and fluctuations ``[6, 3, nz, ny, nx]`` or ``None``.
        """
        material = self._material(moduli)
        stiffness, counts = np.zeros((6, 6)), torch.zeros(6, dtype=torch.int64)
        kept = torch.zeros((6 if keep_fluctuations else 1, 3, *self._shape), dtype=self._dtype)
        force = torch.zeros((3, *self._shape), dtype=self._dtype)
        for j in range(6):
            u = kept[j if keep_fluctuations else 0].zero_()
            strain = np.zeros(6, self._real)
            strain[j] = 1.0
            self._enter(u)
            self._write_forces(material, strain, force, sign=-1.0)
            outcome = self._solve(material, force.numpy(), u.numpy(), (0.0, tolerance), limit, norm)
            counts[j] = outcome.iterations[0] if bool(outcome.converged[0]) else -1
            self._enter(u)
            stiffness[:, j] = self._mean_stress(material, strain)
        if keep_fluctuations:
            stiffness += self._correction(material, kept, force)
        return torch.from_numpy(stiffness), counts, kept if keep_fluctuations else None

    def _correction(self, material: loops.Material, kept: Tensor, force: Tensor) -> Array:
        """Mean of the force under strain j times fluctuation i: what makes the mean stress the energy's form."""
        correction = np.zeros((6, 6))
        for j in range(6):
            strain = np.zeros(6, self._real)
            strain[j] = 1.0
            self._enter(kept[j])
            self._write_forces(material, strain, force)
            for i in range(6):
                correction[i, j] = float((kept[i].to(torch.float64) * force).sum()) / self._voxels
        return correction

    def _solve(
        self, material: loops.Material, residual: Array, x: Array, goals: tuple[float, float], limit: int, norm: Norm
    ) -> CGOutcome:
        """Solve to the first goal, absolute, or the second, relative to the first residual."""
        self._load(residual)
        rho, size = self._precondition(-1.0)
        measured = rho if norm == "energy" else size
        goal = max(goals[0] ** 2 * self._voxels, goals[1] ** 2 * measured)
        iterations, step, ratio = 0, 0.0, 0.0
        self._p[:] = 0.0
        while measured > goal and iterations < limit:
            curvature = self._unit * self._direct(material, x, step, ratio)
            if not curvature > 0.0:
                # A singular or non-convex tangent, or NaN: keep what there is.
                step = 0.0
                break
            step = rho / curvature
            fresh, size = self._precondition(step)
            rho, ratio = fresh, fresh / rho
            measured = rho if norm == "energy" else size
            iterations += 1
        loops.finish(x, self._p, (step * self._s).astype(self._real))
        final = math.sqrt(max(measured, 0.0) / self._voxels) if math.isfinite(measured) else math.nan
        return CGOutcome(
            torch.tensor([final], dtype=torch.float64), torch.tensor([iterations]), torch.tensor([measured <= goal])
        )

    def _direct(self, material: loops.Material, x: Array, step: float, ratio: float) -> float:
        """Finish the last step, take the new direction, and leave its force's planes transformed; return p K p."""
        transforms, nz = self._transforms, self._shape[0]
        steps, beta = (step * self._s).astype(self._real), self._real(ratio)
        self._begin(material)
        curvature = 0.0
        for turn in transforms.turns:
            z = transforms.inverse(turn)
            loops.advance(x, self._p, z, turn.first, turn.count, steps, beta)
            if turn.first == nz - 1:
                continue
            first, last = max(turn.first - 1, 0), turn.first + turn.count - 1
            curvature += self._forces(material, self._none, turn.first - 1, last, first)
            transforms.forward(first, last)
        first = max(nz - 2, 0)
        curvature += self._forces(material, self._none, nz - 2, nz - 1, first)
        loops.close(self._upper, self._seam, self._q, nz - 1 - first)
        transforms.forward(first, nz)
        return curvature

    def _precondition(self, step: float) -> tuple[float, float]:
        """Take the step off the residual; leave the preconditioned one's planes; return r M r and r r."""
        sums, factor = np.zeros(2), self._real(step)
        for band in self._transforms.bands:
            self._transforms.along_z(band, back=False)
            precondition(self._spectrum, self._residual, factor, band[0], band[1], self._medium, sums)
            self._transforms.along_z(band, back=True)
        return float(sums[0]) * self._unit, float(sums[1]) / self._voxels * self._square

    def _load(self, residual: Array) -> None:
        """Leave the planes of the residual transformed, as if it were a force to be added to none."""
        nz, s = self._shape[0], (self._s / self._unit).astype(self._real)
        for k in range(0, nz, self._transforms.planes):
            last = min(k + self._transforms.planes, nz)
            loops.scaled(residual, k, last, s, self._q)
            self._transforms.forward(k, last)
        self._residual[:] = 0.0

    def _enter(self, u: Tensor) -> None:
        """Take a displacement into the array of directions, scaled."""
        for c in range(3):
            np.multiply(u[c].numpy(), self._real(1.0 / self._s[c]), out=self._p[c])

    def _begin(self, material: loops.Material) -> None:
        self._upper[:] = 0.0
        loops.begin(material, self._rows)

    def _forces(self, material: loops.Material, strain: Array, first: int, last: int, base: int) -> float:
        return loops.forces(
            self._p, first, last, material, self._f, strain, self._rows, self._upper, self._seam, self._q, base
        )

    def _write_forces(self, material: loops.Material, strain: Array, out: Tensor, sign: float = 1.0) -> float:
        nz, planes, made = self._shape[0], self._transforms.planes, out.numpy()
        s = (sign * self._s / self._unit).astype(self._real)
        self._begin(material)
        work = self._forces(material, strain, -1, 0, 0)
        for k in range(0, nz - 1, planes):
            last = min(k + planes, nz - 1)
            work += self._forces(material, strain, k, last, k)
            loops.unscaled(self._q, k, last, s, made)
        loops.close(self._upper, self._seam, self._q, 0)
        loops.unscaled(self._q, nz - 1, nz, s, made)
        return work * self._unit

    def _mean_stress(self, material: loops.Material, strain: Array) -> Array:
        sums = np.zeros(6)
        self._begin(material)
        loops.stress_sums(self._p, material, self._f, strain, self._rows, sums)
        return sums / self._f * (self._unit / self._voxels)

    def _strain(self, strain: Tensor) -> Array:
        if strain.shape != (6,):
            raise ShapeError(f"A strain in three dimensions is [6], Mandel; {tuple(strain.shape)} was given.")
        return strain.detach().cpu().numpy().astype(self._real)

    def _check(self, *fields: Tensor) -> None:
        for field in fields:
            if tuple(field.shape) != (3, *self._shape) or field.dtype != self._dtype or not field.is_contiguous():
                raise ShapeError(
                    f"A solver made for contiguous fields {(3, *self._shape)} of {self._dtype} was given "
                    f"{tuple(field.shape)} of {field.dtype}; make one for these."
                )

    def _material(self, moduli: Moduli) -> loops.Material:
        nx = self._shape[2]
        one = np.zeros((1, 1, 1), np.uint8)
        if isinstance(moduli, LabelModuli):
            if tuple(moduli.labels.shape[-3:]) != self._shape or moduli.labels.numel() != self._voxels:
                raise ShapeError(f"Labels {tuple(moduli.labels.shape)} are not of one image {self._shape}.")
            labels = np.ascontiguousarray(moduli.labels.numpy().reshape(self._shape))
            isotropic = moduli.lame is not None
            table = (moduli.lame if moduli.lame is not None else moduli.table).detach().numpy() / self._unit
            if labels.min() < 0 or labels.max() >= len(table):
                # The loops do not look: they would read beyond the table.
                raise InputError(
                    f"Labels run from {labels.min()} to {labels.max()}, but there are moduli for 0 to "
                    f"{len(table) - 1} only."
                )
            field = np.zeros((1, 1, 1, 1), self._real)
            return loops.Material(
                0 if isotropic else 1, labels, table.astype(self._real), field, np.zeros(nx, labels.dtype)
            )
        given = moduli.field
        if given.numel() != 21 * self._voxels or tuple(given.shape[-4:]) != (21, *self._shape):
            raise ShapeError(f"Moduli {tuple(given.shape)} are not one row of 21 at one point of {self._shape}.")
        field = np.ascontiguousarray(given.detach().numpy().reshape(21, *self._shape), self._real)
        if self._unit != 1.0:
            field = field / self._real(self._unit)
        return loops.Material(2, one, np.zeros((1, 2), self._real), field, np.zeros(nx, np.uint8))
