"""A small solver for conduction in a periodic square of pixels: the rotated scheme, Fourier-preconditioned CG.

Independent of the package, to test microstructures and laws without the kernel. Source: F. Willot, C. R. Mecanique
343 (2015) 232-245.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def gradient(u: Floats) -> Floats:
    """Gradient ``[2, n, n]`` (x first, along the last axis) in the pixels of nodal values ``[n, n]``."""
    right, up = np.roll(u, -1, 1), np.roll(u, -1, 0)
    both = np.roll(right, -1, 0)
    return 0.5 * len(u) * np.stack([right + both - u - up, up + both - u - right])


def adjoint(flux: Floats) -> Floats:
    """Adjoint ``[n, n]`` of `gradient`."""
    x, y = 0.5 * flux.shape[-1] * flux
    total = np.roll(x - y, 1, 1) + np.roll(y - x, 1, 0) + np.roll(x + y, (1, 1), (0, 1))
    return np.asarray(total - x - y)


def effective(conductivity: Floats, direction: int = 0, tolerance: float = 1e-7) -> float:
    """Effective conductivity along a direction (0 is x) of a field ``[n, n, 2, 2]`` of symmetric tensors.

    Its error goes with the square of the tolerance.
    """
    n = len(conductivity)
    half_y, half_x = np.pi * np.fft.fftfreq(n)[:, None], np.pi * np.fft.rfftfreq(n)[None, :]
    square = (np.sin(half_x) * np.cos(half_y)) ** 2 + (np.cos(half_x) * np.sin(half_y)) ** 2
    inverse = np.where(square > 1e-12, 1.0 / (4.0 * n * n * np.maximum(square, 1e-12)), 0.0)

    def flux(g: Floats) -> Floats:
        return np.asarray(np.einsum("yxij,jyx->iyx", conductivity, g))

    def preconditioned(r: Floats) -> Floats:
        return np.asarray(np.fft.irfft2(np.fft.rfft2(r) * inverse, s=(n, n)))

    mean = np.zeros((2, n, n))
    mean[direction] = 1.0
    u, r = np.zeros((n, n)), -adjoint(flux(mean))
    p = z = preconditioned(r)
    rho = start = float((r * z).sum())
    for _ in range(500):
        if rho <= tolerance**2 * start:
            break
        q = adjoint(flux(gradient(p)))
        length = rho / float((p * q).sum())
        u, r = u + length * p, r - length * q
        z = preconditioned(r)
        rho, old = float((r * z).sum()), rho
        p = z + rho / old * p
    else:
        raise ArithmeticError("The conjugate gradients did not converge in 500 iterations.")
    g = mean + gradient(u)
    return float((g * flux(g)).sum(0).mean())
