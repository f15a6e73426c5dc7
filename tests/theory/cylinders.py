"""Effective conductivity of a square array of cylinders, by Rayleigh's multipoles: exact to any accuracy.

Matrix of conductivity 1, cylinders of conductivity k and volume fraction f, lattice constant 1, field along a side.
Around a cylinder the potential is ``sum over odd l of (A_l r^l + B_l r^-l) cos(l theta)``; continuity on its surface
ties A_l to B_l, and the regular part is the applied field plus the multipoles of all other cylinders, re-expanded
with the lattice sums ``S_n = sum over z != 0 of z^-n`` of the Gaussian integers.
Source: W. T. Perrins, D. R. McKenzie, R. C. McPhedran, Proc. R. Soc. London A 369 (1979) 207-225.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import zeta

MULTIPOLES = 30


def lattice_sum(n: int) -> float:
    """``S_n``: pi for n = 2 (summed so that the applied field is the mean field), else an Eisenstein series."""
    if n == 2:
        return math.pi
    if n % 4:
        return 0.0
    # 2 zeta(n) + 2 (2 pi i)^n / (n - 1)! * sum of sigma_{n-1}(m) q^m, with q = exp(-2 pi) for the square lattice.
    series = sum(
        float(d) ** (n - 1) * math.exp(-2.0 * math.pi * m) for m in range(1, 80) for d in range(1, m + 1) if m % d == 0
    )
    return float(2.0 * zeta(n)) + 2.0 * series * math.exp(n * math.log(2.0 * math.pi) - math.lgamma(n))


def conductivity(k: float, fraction: float, multipoles: int = MULTIPOLES) -> float:
    """Effective conductivity; ``k`` may be infinite."""
    radius = math.sqrt(fraction / math.pi)
    polarisability = 1.0 if math.isinf(k) else (k - 1.0) / (k + 1.0)
    orders = [2 * i + 1 for i in range(multipoles)]
    sums = {n: lattice_sum(n) for n in range(2, 4 * multipoles, 2)}
    # In b_l = B_l / radius^l, so that all unknowns are of one size.
    system = [[-math.comb(n + m - 1, n) * sums[n + m] * radius ** (n + m) for m in orders] for n in orders]
    matrix = np.array(system) + np.eye(multipoles) / polarisability
    field = np.zeros(multipoles)
    field[0] = -radius
    return float(1.0 - 2.0 * math.pi * radius * np.linalg.solve(matrix, field)[0])
