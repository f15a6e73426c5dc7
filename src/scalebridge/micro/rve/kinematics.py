"""From the gradient of the unknown field to the measure a law takes, and from its stress back to a flux."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from scalebridge.micro.rve.phases.phase import Kinematics as Kind

ROOT = math.sqrt(2.0)
# Off-diagonal Mandel components, in order: sqrt2 12 in the plane; sqrt2 23, sqrt2 13, sqrt2 12 in space.
SHEARS = {2: ((0, 1),), 3: ((1, 2), (0, 2), (0, 1))}


@dataclass(frozen=True)
class Kinematics:
    """What is unknown at the nodes, and what the laws see of it in the voxels.

    Args:
        kind: ``"small strain"``, ``"finite strain"`` or ``"conduction"``.
        dim: 2 or 3, the directions of the grid.
    """

    kind: Kind
    dim: int

    @property
    def unknowns(self) -> int:
        """Components of the unknown field, c: the displacement's or one."""
        return 1 if self.kind == "conduction" else self.dim

    @property
    def size(self) -> int:
        """Components of the measure, g."""
        sizes = {"small strain": self.dim * (self.dim + 1) // 2, "finite strain": self.dim**2, "conduction": self.dim}
        return sizes[self.kind]

    @property
    def rest(self) -> tuple[float, ...]:
        """The measure at rest, g numbers: zero, or the unit tensor."""
        if self.kind == "finite strain":
            return tuple(float(i == j) for i in range(self.dim) for j in range(self.dim))
        return (0.0,) * self.size

    def measure(self, gradient: Tensor, macro: Tensor, out: Tensor) -> Tensor:
        """Write the measure of ``gradient [b, Q, c, d, *grid]`` plus ``macro [b, g]`` to ``out [b, Q, g, *grid]``."""
        if self.kind == "small strain":
            for i in range(self.dim):
                out[:, :, i] = gradient[:, :, i, i]
            for slot, (i, j) in enumerate(SHEARS[self.dim], start=self.dim):
                shear = out[:, :, slot]
                shear.copy_(gradient[:, :, i, j]).add_(gradient[:, :, j, i]).mul_(1.0 / ROOT)
        else:
            out.copy_(gradient.flatten(2, 3))
        out += macro.to(out.dtype).view(len(macro), 1, -1, *([1] * self.dim))
        return out

    def flux(self, stress: Tensor, out: Tensor) -> Tensor:
        """Write the flux ``[b, Q, c, d, *grid]`` that works on the gradient as ``stress [b, Q, g, *grid]`` does."""
        if self.kind == "small strain":
            for i in range(self.dim):
                out[:, :, i, i] = stress[:, :, i]
            for slot, (i, j) in enumerate(SHEARS[self.dim], start=self.dim):
                shear = out[:, :, i, j].copy_(stress[:, :, slot]).mul_(1.0 / ROOT)
                out[:, :, j, i] = shear
        else:
            out.copy_(stress.unflatten(2, (self.unknowns, self.dim)))
        return out

    def isotropic_part(self, tangent: Tensor) -> tuple[float, float]:
        """Lamé's constants of the isotropic part of ``tangent [g, g]``; for conduction zero and half the mean k."""
        if self.kind == "conduction":
            return 0.0, float(tangent.trace()) / (2.0 * self.dim)
        sym = self._symmetric(tangent) if self.kind == "finite strain" else tangent
        d = self.dim
        bulk = float(sym[:d, :d].sum()) / d  # d lam + 2 mu
        shear_modes = sym.shape[0] - 1
        mu = (float(sym.trace()) - bulk) / (2.0 * shear_modes)
        return (bulk - 2.0 * mu) / d, mu

    def isotropic_tangent(self, lam: float, mu: float, like: Tensor) -> Tensor:
        """Tangent ``[g, g]`` of an isotropic medium at rest: that of the reference medium."""
        g, d = self.size, self.dim
        tangent = like.new_zeros((g, g))
        tangent.diagonal().fill_(2.0 * mu)
        if self.kind == "small strain":
            tangent[:d, :d] += lam
        return tangent

    def _symmetric(self, tangent: Tensor) -> Tensor:
        """Tangent by symmetric strains in Mandel components from one by deformation gradients."""
        d = self.dim
        pairs = [((i, i),) for i in range(d)] + [((i, j), (j, i)) for i, j in SHEARS[d]]
        basis = tangent.new_zeros((len(pairs), d * d))
        for row, entries in enumerate(pairs):
            for i, j in entries:
                basis[row, i * d + j] = 1.0 / math.sqrt(len(entries))
        return basis @ tangent @ basis.mT
