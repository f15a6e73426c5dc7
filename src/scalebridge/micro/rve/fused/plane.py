"""Conjugate gradients for one load case in two dimensions on a CPU, with a tangent per pixel.

One pass over the pixels replaces some forty array operations, each of which would sweep the fields through the
cache. The FFTs stay with torch. The iteration is that of `cg.ConjugateGradients` on the rotated scheme.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.cg import CGOutcome
from scalebridge.micro.rve.fused.compiled import compiled
from scalebridge.micro.rve.fused.spectrum import half_phases
from scalebridge.micro.rve.grid import Grid
from scalebridge.micro.rve.moduli import LabelModuli, Moduli, triangle

Array = Any


@compiled
def tangent_times(u: Array, m: Array, out: Array, rows: Array) -> float:
    """Write the tangent operator times ``u [2, ny, nx]`` to ``out``; return their product.

    Args:
        u: scaled displacement.
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
            product += np.float64(x * u[0, i, j] + y * u[1, i, j])
    return product


@compiled
def _fluxes(u: Array, m: Array, i: int, flux: Array) -> None:
    _, ny, nx = u.shape
    k = i + 1 if i + 1 < ny else 0
    for j in range(nx - 1):
        _flux(u, m, i, k, j, j + 1, flux)
    _flux(u, m, i, k, nx - 1, 0, flux)
    for c in range(4):
        flux[c, 0] = flux[c, nx]


@compiled
def _flux(u: Array, m: Array, i: int, k: int, j: int, right: int, flux: Array) -> None:
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


@compiled
def _advance(x: Array, r: Array, p: Array, q: Array, step: Array, back: Array) -> None:
    """``x_c += step_c p_c`` and ``r_c -= back_c q_c``, all ``[2, n]``."""
    for c in range(2):
        for i in range(x.shape[1]):
            x[c, i] += step[c] * p[c, i]
            r[c, i] -= back[c] * q[c, i]


@compiled
def _turn(p: Array, z: Array, factor: Array, ratio: float) -> None:
    """``p_c = factor_c z_c + ratio p_c``, all ``[2, n]``."""
    for c in range(2):
        for i in range(p.shape[1]):
            p[c, i] = factor[c] * z[c, i] + ratio * p[c, i]


@compiled
def _dot(a: Array, b: Array) -> float:
    """Product of two fields ``[2, n]``, in float64."""
    total = 0.0
    for c in range(2):
        for i in range(a.shape[1]):
            total += np.float64(a[c, i] * b[c, i])
    return total


@compiled
def _precondition(force: Array, inverse: Array, solution: Array) -> None:
    """Multiply ``force [2, f, 2]`` (real and imaginary parts) by ``inverse [3, f]``: xx, xy, yy."""
    for k in range(inverse.shape[1]):
        for part in range(2):
            x, y = force[0, k, part], force[1, k, part]
            solution[0, k, part] = inverse[0, k] * x + inverse[1, k] * y
            solution[1, k, part] = inverse[1, k] * x + inverse[2, k] * y


class FusedPlaneSolver:
    """Rotated scheme on one image in two dimensions, with work arrays kept between calls.

    Fields are ``[2, ny, nx]`` of ``dtype``, sums are kept in float64.

    Args:
        grid: two-dimensional.
        lame: Lamé's constants (in the plane) of the homogeneous medium that preconditions, in Pa.
        dtype: float64 or float32.

    Raises:
        InputError: another grid or dtype.
    """

    def __init__(self, grid: Grid, lame: tuple[float, float], dtype: torch.dtype = torch.float64) -> None:
        if grid.dim != 2 or dtype not in (torch.float64, torch.float32):
            raise InputError(
                f"The fused solver of a plane was asked for {grid.dim} dimensions in {dtype}; it takes two dimensions "
                "in float64 or float32."
            )
        ny, nx = grid.shape
        self._shape, self._dtype = (ny, nx), dtype
        real: Any = np.float64 if dtype == torch.float64 else np.float32
        hy, hx = grid.spacing
        # As in three dimensions (`loops.scales`), with lengths in pixels and moduli of order one.
        self._s = np.array([hx, hx * hx / hy])
        self._unit = lame[1]
        self._fold = np.array([0.5, 0.5 * (hx / hy) ** 2, 0.5 * math.sqrt(0.5) * hx / hy]) / math.sqrt(self._unit)
        self._p, self._q = np.zeros((2, ny, nx), real), np.zeros((2, ny, nx), real)
        self._rows = np.zeros((2, 4, nx + 1), real)
        self._moduli = np.zeros((6, ny, nx), real)
        self._inverse = _inverse(grid, lame).astype(real)
        spectrum = (2, ny, nx // 2 + 1)
        self._force, self._solution = (torch.zeros(spectrum, dtype=dtype.to_complex()) for _ in range(2))
        self._z = torch.zeros((2, ny, nx), dtype=dtype)
        self._parts = [torch.view_as_real(s).numpy().reshape(2, -1, 2) for s in (self._force, self._solution)]

    def solve(self, moduli: Moduli, residual: Tensor, x: Tensor, target: float, limit: int) -> CGOutcome:
        """Improve ``x`` in place until the residual is at most ``target``.

        Args:
            moduli: small strain, six entries per label or per pixel, one row and one point, in Pa.
            residual: ``[2, ny, nx]``, right-hand side minus operator times x; updated in place.
            x: ``[2, ny, nx]``.
            target: in the norm sqrt(mean over pixels of r . M r), M the preconditioner.
            limit: iterations at most.

        Raises:
            ShapeError: moduli or fields of another grid, or of several images or points.
        """
        for field in (residual, x):
            if tuple(field.shape) != (2, *self._shape) or field.dtype != self._dtype or not field.is_contiguous():
                raise ShapeError(
                    f"A solver made for contiguous fields {(2, *self._shape)} of {self._dtype} was given "
                    f"{tuple(field.shape)} of {field.dtype}; make one for these."
                )
        self._take(moduli)
        p, q, real = self._p, self._q, self._p.dtype.type
        r, u, z = (a.view(2, -1).numpy() for a in (residual, x, self._z))
        flat_p, flat_q = p.reshape(2, -1), q.reshape(2, -1)
        pixels = self._shape[0] * self._shape[1]
        goal = target * target * pixels
        rho = self._precondition(residual, r)
        flat_p[:] = 0.0
        scale = (1.0 / self._s).astype(real)
        _turn(flat_p, z, scale, real(0.0))
        iterations = 0
        while rho > goal and iterations < limit:
            curvature = self._unit * tangent_times(p, self._moduli, q, self._rows)
            if not curvature > 0.0:
                break
            step = rho / curvature
            _advance(u, r, flat_p, flat_q, (step * self._s).astype(real), (step * self._unit / self._s).astype(real))
            fresh = self._precondition(residual, r)
            _turn(flat_p, z, scale, real(fresh / rho))
            rho = fresh
            iterations += 1
        final = torch.tensor([max(rho, 0.0) / pixels], dtype=torch.float64).sqrt()
        return CGOutcome(final, torch.tensor([iterations]), torch.tensor([rho <= goal]))

    def _precondition(self, residual: Tensor, r: Array) -> float:
        torch.fft.rfft2(residual, out=self._force)
        _precondition(self._parts[0], self._inverse, self._parts[1])
        torch.fft.irfft2(self._solution, s=self._shape, out=self._z)
        return float(_dot(r, self._z.view(2, -1).numpy()))

    def _take(self, moduli: Moduli) -> None:
        """Fold the moduli: times the factors of stress and strain."""
        per_label = isinstance(moduli, LabelModuli)
        given = moduli.labels if isinstance(moduli, LabelModuli) else moduli.field
        if tuple(given.shape[-2:]) != self._shape or given.numel() != (1 if per_label else 6) * self._z[0].numel():
            raise ShapeError(f"Moduli {tuple(given.shape)} are not of one image {self._shape} in a plane.")
        values = given.numpy().reshape(-1, *self._shape)
        for slot, (i, j) in enumerate(triangle(3)):
            factor = self._fold[i] * self._fold[j]
            if isinstance(moduli, LabelModuli):
                self._moduli[slot] = (moduli.table[:, slot].numpy() * factor)[values[0]]
            else:
                np.multiply(values[slot], factor, out=self._moduli[slot])


def _inverse(grid: Grid, lame: tuple[float, float]) -> Array:
    """Return ``[3, f]``: xx, xy, yy of the inverse at each frequency."""
    lam, mu = lame
    (sin_y, cos_y), (sin_x, cos_x) = (
        half_phases(n, h, axis == 1) for axis, (n, h) in enumerate(zip(grid.shape, grid.spacing, strict=True))
    )
    kx, ky = cos_y[:, None] * sin_x, sin_y[:, None] * cos_x
    square = kx * kx + ky * ky
    moving = square > 0.0
    safe = np.where(moving, square, 1.0)
    bend = (lam + mu) / (lam + 2.0 * mu) / safe
    entries = [1.0 - bend * kx * kx, -bend * kx * ky, 1.0 - bend * ky * ky]
    inverse: Array = np.stack([np.where(moving, entry / (mu * safe), 0.0).ravel() for entry in entries])
    return inverse
