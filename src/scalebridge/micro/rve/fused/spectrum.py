"""The preconditioner in Fourier space: a homogeneous isotropic medium, inverted mode by mode from 1-D tables."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from scalebridge.micro.rve.fused.compiled import compiled

Array = Any


class Medium(NamedTuple):
    """Homogeneous isotropic medium on a grid: what `precondition` needs to know.

    Sines are of half the phase per voxel, times 2 / h; cosines at Nyquist are exactly zero, so that hourglass modes
    are known by k = 0. Along x each value stands twice, for the real and the imaginary part of a mode.

    Args:
        sin_z, cos_z: ``[nz]``.
        sin_y, cos_y: ``[ny]``.
        sin_x, cos_x: ``[2 (nx // 2 + 1)]``.
        weight: as ``sin_x``: 2 for a mode that stands for its conjugate too, else 1.
        scale: ``[5]``: 1 / (mu N); mu N (lam + mu) / (lam + 2 mu); 1 / s_c of the scaled displacements.
    """

    sin_z: Array
    cos_z: Array
    sin_y: Array
    cos_y: Array
    sin_x: Array
    cos_x: Array
    weight: Array
    scale: Array


def half_phases(n: int, h: float, last: bool) -> tuple[Array, Array]:
    """Return ``2 / h sin`` and ``cos`` of half the phase per voxel at each (stored) frequency."""
    half = math.pi * (np.fft.rfftfreq(n) if last else np.fft.fftfreq(n))
    cosine = np.cos(half)
    cosine[np.abs(cosine) < 1e-14] = 0.0
    return 2.0 / h * np.sin(half), cosine


def weights(n: int) -> Array:
    """Return how many modes of a real row of ``n`` each stored one stands for."""
    weight = np.full(n // 2 + 1, 2.0)
    weight[0] = 1.0
    if n % 2 == 0:
        weight[-1] = 1.0
    return weight


def medium(
    shape: tuple[int, ...], spacing: tuple[float, ...], lame: tuple[float, float], s: Array, real: Any
) -> Medium:
    """Return the medium of Lamé's constants ``lame`` on a grid ``(nz, ny, nx)`` for displacements scaled by ``s``."""
    (sin_z, cos_z), (sin_y, cos_y), (sin_x, cos_x) = (
        half_phases(n, h, axis == 2) for axis, (n, h) in enumerate(zip(shape, spacing, strict=True))
    )
    weight = np.repeat(weights(shape[2]), 2)
    lam, mu = lame
    whole = mu * math.prod(shape)
    scale = [1.0 / whole, whole * (lam + mu) / (lam + 2.0 * mu), *(1.0 / s)]
    both_x = np.repeat(sin_x, 2), np.repeat(cos_x, 2)
    parts = (sin_z, cos_z, sin_y, cos_y, *both_x, weight, scale)
    return Medium(*(np.asarray(part, real) for part in parts))


@compiled
def precondition(
    spectrum: Array, residual: Array, step: float, first: int, last: int, medium: Medium, sums: Array
) -> None:
    """``residual -= step * spectrum``, then ``spectrum = M residual``, in rows ``first`` to ``last - 1`` of y.

    Adds to ``sums [2]`` the products, as fields in space, of residual and result, and of the residual with itself
    times the number of voxels. A row's products are positive and added in the precision of the fields; rows in
    float64.

    Args:
        spectrum, residual: ``[nz, 3, ny, 2 (nx // 2 + 1)]``, real and imaginary parts in turn.
    """
    sin_x, cos_x, weight = medium.sin_x, medium.cos_x, medium.weight
    scale, bend = medium.scale[0], medium.scale[1]
    a, b, c = medium.scale[2], medium.scale[3], medium.scale[4]
    for k in range(spectrum.shape[0]):
        for j in range(first, last):
            x, y = medium.cos_y[j] * medium.cos_z[k], medium.sin_y[j] * medium.cos_z[k]
            z = medium.cos_y[j] * medium.sin_z[k]
            work, size = scale - scale, scale - scale
            for i in range(spectrum.shape[3]):
                kx, ky, kz = sin_x[i] * x, cos_x[i] * y, cos_x[i] * z
                square = kx * kx + ky * ky + kz * kz
                inverse = scale / square if square > 0.0 else square
                r0 = residual[k, 0, j, i] - step * spectrum[k, 0, j, i]
                r1 = residual[k, 1, j, i] - step * spectrum[k, 1, j, i]
                r2 = residual[k, 2, j, i] - step * spectrum[k, 2, j, i]
                residual[k, 0, j, i] = r0
                residual[k, 1, j, i] = r1
                residual[k, 2, j, i] = r2
                u0, u1, u2 = a * r0, b * r1, c * r2
                along = bend * inverse * (kx * u0 + ky * u1 + kz * u2)
                z0 = a * (inverse * (u0 - along * kx))
                z1 = b * (inverse * (u1 - along * ky))
                z2 = c * (inverse * (u2 - along * kz))
                spectrum[k, 0, j, i] = z0
                spectrum[k, 1, j, i] = z1
                spectrum[k, 2, j, i] = z2
                work += weight[i] * (z0 * r0 + z1 * r1 + z2 * r2)
                size += weight[i] * (u0 * u0 + u1 * u1 + u2 * u2)
            sums[0] += work
            sums[1] += size
