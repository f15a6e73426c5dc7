"""Preconditioned conjugate gradients for a batch of independent systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Vector:
    """An unknown of the discrete equilibrium: nodal values and the macroscopic components that are free.

    Args:
        field: ``[b, c, *grid]``.
        macro: ``[b, g]``, float64; zero in the components that are prescribed.
    """

    field: Tensor
    macro: Tensor

    def like(self) -> Vector:
        """Return a zero vector of this shape."""
        return Vector(torch.zeros_like(self.field), torch.zeros_like(self.macro))

    def copy_(self, other: Vector) -> Vector:
        """Take the values of another vector."""
        self.field.copy_(other.field)
        self.macro.copy_(other.macro)
        return self

    def zero_(self) -> Vector:
        """Set to zero."""
        self.field.zero_()
        self.macro.zero_()
        return self

    def add_(self, other: Vector, factor: Tensor) -> Vector:
        """Add ``factor [b]`` times another vector."""
        self.field.addcmul_(other.field, _wide(factor, self.field))
        self.macro.addcmul_(other.macro, factor[:, None])
        return self

    def turn_(self, towards: Vector, factor: Tensor) -> Vector:
        """Become ``towards + factor * self``."""
        torch.addcmul(towards.field, self.field, _wide(factor, self.field), out=self.field)
        torch.addcmul(towards.macro, self.macro, factor[:, None], out=self.macro)
        return self


class System(Protocol):
    """A symmetric, positive semi-definite operator and its preconditioner."""

    def apply(self, p: Vector, out: Vector) -> None:
        """Write the operator times ``p`` to ``out``."""

    def precondition(self, r: Vector, out: Vector) -> None:
        """Write the preconditioner times ``r`` to ``out``."""


@dataclass(frozen=True)
class CGOutcome:
    """How a batched solve ended.

    Args:
        residual: ``[b]``, root mean square of the residual in the preconditioner's norm.
        iterations: ``[b]``.
        converged: ``[b]``.
    """

    residual: Tensor
    iterations: Tensor
    converged: Tensor


class ConjugateGradients:
    """Solver with work arrays kept between calls.

    Args:
        like: a vector whose shape and device the work arrays take.
    """

    def __init__(self, like: Vector) -> None:
        self._z, self._p, self._q = like.like(), like.like(), like.like()
        self._product = torch.zeros_like(like.field)
        self._voxels = like.field[0, 0].numel()

    def solve(self, system: System, residual: Vector, x: Vector, target: Tensor, limit: int) -> CGOutcome:
        """Improve ``x`` in place until the residual is at most ``target`` in every row.

        A row whose residual is zero is done at once: it takes no step, where 0/0 would spoil the batch.

        Args:
            system: operator and preconditioner.
            residual: right-hand side minus operator times x; updated in place.
            x: start and result.
            target: ``[b]``, in the norm sqrt(mean over voxels of r . M r).
            limit: iterations at most.
        """
        z, p, q = self._z, self._p, self._q
        square_target = target * target * self._voxels
        zero = torch.zeros_like(target)
        system.precondition(residual, z)
        p.copy_(z)
        rho = self.dot(residual, z)
        iterations = torch.zeros_like(target, dtype=torch.int64)
        active = rho > square_target
        while bool(active.any()) and int(iterations.max()) < limit:
            system.apply(p, q)
            curvature = self.dot(p, q)
            # Not positive: a singular or non-convex tangent; the row keeps what it has and is not converged.
            active &= curvature > 0.0
            step = torch.where(active, rho / curvature, zero)
            x.add_(p, step)
            residual.add_(q, -step)
            system.precondition(residual, z)
            fresh = self.dot(residual, z)
            p.turn_(z, torch.where(active, fresh / rho, zero))
            rho = torch.where(active, fresh, rho)
            iterations += active
            active &= rho > square_target
        return CGOutcome((rho.clamp_min(0.0) / self._voxels).sqrt(), iterations, rho <= square_target)

    def dot(self, a: Vector, b: Vector) -> Tensor:
        """Product of two vectors ``[b]``, summed in float64 whatever the fields hold."""
        torch.mul(a.field, b.field, out=self._product)
        fields: Tensor = self._product.flatten(1).sum(1, dtype=torch.float64)
        return fields + (a.macro * b.macro).sum(1)


def _wide(factor: Tensor, field: Tensor) -> Tensor:
    return factor.to(field.dtype).view(-1, *([1] * (field.ndim - 1)))
