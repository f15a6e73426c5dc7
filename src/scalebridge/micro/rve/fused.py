"""The loops of conjugate gradients on a CPU, fused by Numba (the extra ``fast``); plain torch does without.

One pass over the pixels replaces some forty array operations, each of which would sweep the fields through
the cache. The FFTs stay with torch. The arithmetic is that of `rotated`, `reference` and `cg`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scalebridge.micro.rve.cg import CGOutcome
from scalebridge.micro.rve.reference import ReferenceMedium

Floats = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


# Sums may be reordered; NaN and infinity keep their meaning, because failures are found by them.
_FASTMATH = {"reassoc", "contract", "nsz"}


def _compiled(function: Function) -> Function:
    made: Any
    try:
        made = numba.njit(cache=True, nogil=True, fastmath=_FASTMATH)(function)
    except RuntimeError:  # nowhere to keep the compiled code
        made = numba.njit(nogil=True, fastmath=_FASTMATH)(function)
    return cast(Function, made)


@_compiled
def tangent_times(u: Floats, m: Floats, out: Floats, rows: Floats) -> float:
    """Write the tangent operator times ``u [2, ny, nx]`` to ``out``; return their product.

    Args:
        u: displacement.
        m: folded moduli ``[6, ny, nx]``.
        out: nodal force ``[2, ny, nx]``.
        rows: work ``[2, 4, nx + 1]``: diagonal fluxes of the row of pixels before and of this one.
    """
    _, ny, nx = u.shape
    product = 0.0
    _fluxes(u, m, ny - 1, rows[1])
    for i in range(ny):
        above, here = rows[(i + 1) % 2], rows[i % 2]
        _fluxes(u, m, i, here)
        for j in range(nx):
            x = above[0, j] - here[0, j + 1] + here[1, j] - above[1, j + 1]
            y = above[2, j] - here[2, j + 1] + here[3, j] - above[3, j + 1]
            out[0, i, j] = x
            out[1, i, j] = y
            product += x * u[0, i, j] + y * u[1, i, j]
    return product


@_compiled
def _fluxes(u: Floats, m: Floats, i: int, flux: Floats) -> None:
    _, ny, nx = u.shape
    k = i + 1 if i + 1 < ny else 0
    for j in range(nx - 1):
        _flux(u, m, i, k, j, j + 1, flux)
    _flux(u, m, i, k, nx - 1, 0, flux)
    for c in range(4):
        flux[c, 0] = flux[c, nx]


@_compiled
def _flux(u: Floats, m: Floats, i: int, k: int, j: int, right: int, flux: Floats) -> None:
    first_x = u[0, k, right] - u[0, i, j]
    second_x = u[0, i, right] - u[0, k, j]
    first_y = u[1, k, right] - u[1, i, j]
    second_y = u[1, i, right] - u[1, k, j]
    g0 = first_x + second_x
    g1 = first_y - second_y
    g2 = first_x - second_x + first_y + second_y
    t0 = m[0, i, j] * g0 + m[3, i, j] * g1 + m[4, i, j] * g2
    t1 = m[3, i, j] * g0 + m[1, i, j] * g1 + m[5, i, j] * g2
    t2 = m[4, i, j] * g0 + m[5, i, j] * g1 + m[2, i, j] * g2
    flux[0, j + 1] = t0 + t2
    flux[1, j + 1] = t0 - t2
    flux[2, j + 1] = t2 + t1
    flux[3, j + 1] = t2 - t1


@_compiled
def advance(x: Floats, r: Floats, p: Floats, q: Floats, step: float) -> None:
    """``x += step p`` and ``r -= step q``, all flat."""
    for i in range(x.size):
        x[i] += step * p[i]
        r[i] -= step * q[i]


@_compiled
def turn(p: Floats, z: Floats, ratio: float) -> None:
    """``p = z + ratio p``, all flat."""
    for i in range(p.size):
        p[i] = z[i] + ratio * p[i]


@_compiled
def dot(a: Floats, b: Floats) -> float:
    """Product of two flat arrays."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@_compiled
def precondition_spectrum(force: Floats, inverse: Floats, solution: Floats) -> None:
    """Multiply ``force [2, f, 2]`` (real and imaginary parts) by ``inverse [3, f]``: xx, xy, yy."""
    for k in range(inverse.shape[1]):
        for part in range(2):
            x, y = force[0, k, part], force[1, k, part]
            solution[0, k, part] = inverse[0, k] * x + inverse[1, k] * y
            solution[1, k, part] = inverse[1, k] * x + inverse[2, k] * y


class FusedConjugateGradients:
    """Conjugate gradients for one row on a CPU; the same iteration as `ConjugateGradients`.

    Args:
        shape: ``(ny, nx)``.
        reference: the preconditioner.
    """

    def __init__(self, shape: tuple[int, int], reference: ReferenceMedium) -> None:
        ny, nx = shape
        self._shape = shape
        self._p, self._q = np.zeros((2, ny, nx)), np.zeros((2, ny, nx))
        self._rows = np.zeros((2, 4, nx + 1))
        frequencies = ny * (nx // 2 + 1)
        inverse = reference.inverse.numpy()
        flat = [inverse[0, 0], inverse[0, 1], inverse[1, 1]]
        self._inverse = np.ascontiguousarray(np.stack(flat).reshape(3, frequencies))
        spectrum = (2, ny, nx // 2 + 1)
        self._force, self._solution = (torch.zeros(spectrum, dtype=torch.complex128) for _ in range(2))
        self._z = torch.zeros((2, ny, nx), dtype=torch.float64)
        self._parts = [torch.view_as_real(s).numpy().reshape(2, -1, 2) for s in (self._force, self._solution)]

    def solve(self, moduli: Tensor, residual: Tensor, x: Tensor, target: float, limit: int) -> CGOutcome:
        """Improve ``x [1, 2, ny, nx]`` in place until the residual is at most ``target``.

        Args:
            moduli: folded moduli ``[1, 6, ny, nx]``.
            residual: ``[1, 2, ny, nx]``, updated in place.
            x: start and result, ``[1, 2, ny, nx]``.
            target: in the norm sqrt(mean over pixels of r . M r).
            limit: iterations at most.
        """
        m, p, q, rows = moduli[0].numpy(), self._p, self._q, self._rows
        r, u, z = residual.view(-1).numpy(), x.view(-1).numpy(), self._z.view(-1).numpy()
        flat_p, flat_q = p.reshape(-1), q.reshape(-1)
        pixels = self._shape[0] * self._shape[1]
        goal = target * target * pixels
        rho = self._precondition(residual[0], r, z)
        flat_p[:] = z
        iterations = 0
        while rho > goal and iterations < limit:
            curvature = tangent_times(p, m, q, rows)
            if not curvature > 0.0:
                break
            advance(u, r, flat_p, flat_q, rho / curvature)
            fresh = self._precondition(residual[0], r, z)
            turn(flat_p, z, fresh / rho)
            rho = fresh
            iterations += 1
        final = torch.tensor([max(rho, 0.0) / pixels], dtype=torch.float64).sqrt()
        return CGOutcome(final, torch.tensor([iterations]), torch.tensor([rho <= goal]))

    def _precondition(self, residual: Tensor, r: Floats, z: Floats) -> float:
        torch.fft.rfft2(residual, out=self._force)
        precondition_spectrum(self._parts[0], self._inverse, self._parts[1])
        torch.fft.irfft2(self._solution, s=self._shape, out=self._z)
        return dot(r, z)
