"""The solver of the discrete Stokes problem: MINRES with a preconditioner that knows the pore space.

    P^-1 = diag(M, alpha / V + N)

M is one multigrid cycle for the momentum matrix A. For the Schur complement S = D A^-1 D^T, which is the
identity in wide pores and a Darcy operator along narrow ones, N is one cycle for D diag(k) D^T, where
k = A^-1 1 is the velocity that every face would have under a unit force if there were no pressure: the
permeability of its own pore. This is the preconditioner of Cahouet and Chabard (Int. J. Numer. Methods Fluids 8,
869, 1988) with the drag of the walls found from the image; diag(k) in place of diag(A)^-1 is what sets it apart
from SIMPLE (Pimanov, Iliev, Oseledets and Muravleva, On the efficient preconditioning of the Stokes equations in tight
geometries, 2023), whose count of iterations grows with the width of the pores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from scalebridge.micro.flow.image import Mask
from scalebridge.micro.flow.minres import Operator, minres
from scalebridge.micro.flow.multigrid import Cycle
from scalebridge.micro.flow.staggered import End, Staggered, staggered
from scalebridge.quantities import Floats

_IDENTITY_SHARE = 0.7
# Cycles in float32 limit what MINRES can reach; below this error of the fields they are done in float64.
_SINGLE_DOWN_TO = 3e-6
# The squared residual is below the error of the permeability by up to a factor of 4 (blobs, noise, arrays, rocks).
_SAFETY = 10.0


@dataclass(frozen=True)
class Solved:
    """One solution, in voxel units: edge of the last axis 1, viscosity 1.

    Args:
        x: velocities, then pressures with reversed sign ``[n_u + n_p]``.
        force: the right-hand side of the momentum balance ``[n_u]``.
        residual: ``[n_u + n_p]``, what remains of both balances.
        iterations: of MINRES.
        error: estimated error of the dissipation relative to it; its root is that of the fields.
        converged: whether ``error`` came down to what was asked.
    """

    x: Floats
    force: Floats
    residual: Floats
    iterations: int
    error: float
    converged: bool

    @property
    def power(self) -> float:
        """Work of the force on the velocity."""
        return float(self.force @ self.x[: len(self.force)])

    @property
    def dissipation(self) -> float:
        """``u . A u``: work minus what the residuals would do; mass not conserved does work on the pressure."""
        n = len(self.force)
        # A u = force - r_u - D^T q  and  D u = -r_p.
        return self.power - float(self.residual[:n] @ self.x[:n]) + float(self.residual[n:] @ self.x[n:])

    def scaled(self, factor: float) -> Solved:
        """The solution under ``factor`` times the force."""
        return replace(self, x=factor * self.x, force=factor * self.force, residual=factor * self.residual)


class Stokes:
    """The Stokes problem of a pore space, ready to be solved for several forces.

    Args:
        fluid: ``[*grid]``.
        edges: edges of a voxel along the axes of the image.
        ends: how the cell ends along each axis.
        field_error: smallest error of the fields that will be asked for.
    """

    def __init__(self, fluid: Mask, edges: Sequence[float], ends: Sequence[End], field_error: float) -> None:
        self.grid: Staggered = staggered(fluid, edges, ends)
        self.volume = self.grid.volume
        dtype = np.float32 if field_error >= _SINGLE_DOWN_TO else np.float64
        self._divergence = self.grid.gradient.T.tocsr()
        self._momentum_cycle = Cycle(self.grid.momentum, self.grid.velocity_places(), dtype)
        darcy = self._divergence @ sparse.diags(self._own_permeability()) @ self.grid.gradient
        self._darcy_cycle = Cycle(darcy.tocsr(), self.grid.pressure_places(), dtype)
        self._voxel = math.prod(edges)

    @property
    def bytes(self) -> int:
        """Memory of the matrices, the cycles and the vectors of an iteration."""
        matrices = (self.grid.momentum, self.grid.gradient, self._divergence)
        own = sum(int(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes) for m in matrices)
        vectors = 9 * 8 * int(sum(self.grid.gradient.shape))
        return own + vectors + self._momentum_cycle.bytes + self._darcy_cycle.bytes

    def solve(
        self, force: Sequence[float], target: float, limit: int, progress: Callable[[int, float, float], None]
    ) -> Solved:
        """Solve under a uniform ``force [dim]`` per volume, in the order of the image's axes.

        Args:
            force: components of the force.
            target: error of the dissipation at which to stop, relative.
            limit: iterations at most.
            progress: called with iteration, error and power.
        """
        b = np.zeros(sum(self.grid.gradient.shape))
        for axis, component in enumerate(force):
            b[self.grid.part(axis)] = component * self.volume[self.grid.part(axis)]
        n = self.grid.gradient.shape[0]
        error = math.inf

        def stop(iteration: int, x: Floats, squared: float) -> bool:
            nonlocal error
            power = float(b[:n] @ x[:n])
            error = _SAFETY * squared / power if power > 0.0 else math.inf
            progress(iteration, error, power)
            return error <= target

        found = minres(self._operator, self._precondition(), b, stop, limit)
        residual = b - self._operator(found.x)
        return Solved(found.x, b[:n].copy(), residual, found.iterations, error, found.converged)

    def connected_pores(self) -> NDArray[np.int32]:
        """Number of the connected pore of every pressure ``[n_p]``."""
        found: NDArray[np.int32] = connected_components(self._divergence @ self.grid.gradient, directed=False)[1]
        return found

    def _operator(self, x: Floats) -> Floats:
        n = self.grid.gradient.shape[0]
        y = np.empty_like(x)
        y[:n] = self.grid.momentum @ x[:n]
        y[:n] += self.grid.gradient @ x[n:]
        y[n:] = self._divergence @ x[:n]
        return y

    def _precondition(self) -> Operator:
        n, share = self.grid.gradient.shape[0], _IDENTITY_SHARE / self._voxel

        def apply(r: Floats) -> Floats:
            z = np.empty_like(r)
            z[:n] = self._momentum_cycle(r[:n])
            z[n:] = self._darcy_cycle(r[n:])
            z[n:] += share * r[n:]
            return z

        return apply

    def _own_permeability(self) -> Floats:
        """Velocity per force of every face if there were no pressure ``[n_u]``, from one cycle."""
        k = self._momentum_cycle(self.volume)
        # One cycle is no exact solve: keep it above the velocity of a face between four walls.
        least = 0.5 * self.volume / self.grid.momentum.diagonal()
        found: Floats = np.maximum(k, least) / self.volume
        return found
