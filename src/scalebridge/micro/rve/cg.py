"""Preconditioned conjugate gradients for a batch of independent systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Apply = Callable[[Tensor, Tensor], Tensor]


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
        like: a field ``[b, 2, ny, nx]`` whose shape and device the work arrays take.
    """

    def __init__(self, like: Tensor) -> None:
        self._z, self._p, self._q, self._product = (torch.zeros_like(like) for _ in range(4))

    def solve(
        self, apply: Apply, precondition: Apply, residual: Tensor, x: Tensor, target: Tensor, limit: int
    ) -> CGOutcome:
        """Improve ``x`` in place until the residual is at most ``target`` in every row.

        A row whose residual is zero is done at once: it takes no step, where 0/0 would spoil the batch.

        Args:
            apply: writes the operator (symmetric, positive semi-definite) times its first argument to the second.
            precondition: writes the preconditioner times its first argument to the second.
            residual: ``[b, 2, ny, nx]``, right-hand side minus operator times x; updated in place.
            x: ``[b, 2, ny, nx]``.
            target: ``[b]``, in the norm sqrt(mean over pixels of r . M r).
            limit: iterations at most.
        """
        z, p, q = self._z, self._p, self._q
        pixels = residual.shape[-1] * residual.shape[-2]
        square_target = target * target * pixels
        zero = torch.zeros_like(target)
        precondition(residual, z)
        p.copy_(z)
        rho = self._dot(residual, z)
        iterations = torch.zeros_like(target, dtype=torch.int64)
        active = rho > square_target
        while bool(active.any()) and int(iterations.max()) < limit:
            apply(p, q)
            curvature = self._dot(p, q)
            # Not positive: a singular or non-convex tangent; the row keeps what it has and is not converged.
            active &= curvature > 0.0
            step = torch.where(active, rho / curvature, zero)[:, None, None, None]
            x.addcmul_(p, step)
            residual.addcmul_(q, step, value=-1.0)
            precondition(residual, z)
            fresh = self._dot(residual, z)
            ratio = torch.where(active, fresh / rho, zero)[:, None, None, None]
            torch.addcmul(z, p, ratio, out=p)
            rho = torch.where(active, fresh, rho)
            iterations += active
            active &= rho > square_target
        return CGOutcome((rho.clamp_min(0.0) / pixels).sqrt(), iterations, rho <= square_target)

    def _dot(self, a: Tensor, b: Tensor) -> Tensor:
        torch.mul(a, b, out=self._product)
        return self._product.sum((1, 2, 3))
