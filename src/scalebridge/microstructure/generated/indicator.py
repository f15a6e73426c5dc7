r"""The two-point function of a level cut of a Gaussian field, and back.

For a Gaussian field of mean 0 and variance 1 with correlation :math:`\rho(h)`, cut at the level :math:`t` (inside
where it is higher), the fraction is :math:`f = 1 - \Phi(t)` and

.. math:: S_2(h) - f^2 = \frac{1}{2\pi} \int_0^{\arcsin \rho} \exp\left(-\frac{t^2}{1 + \sin\theta}\right) d\theta,

which rises with :math:`\rho`, so that it can be inverted. At t = 0 it is :math:`\arcsin(\rho) / 2\pi`.
Source: N. F. Berk, Phys. Rev. A 44 (1991) 5069; M. Teubner, Europhys. Lett. 14 (1991) 403; J. A. Quiblier, J. Colloid
Interface Sci. 98 (1984) 84.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError

Floats = NDArray[np.float64]

_NODES = 96
_TABLE = 4001


def level_of(fraction: float) -> float:
    """Return the level that a standard Gaussian exceeds with this probability.

    Raises:
        InputError: a fraction outside (0, 1).
    """
    from scipy.special import ndtri

    if not 0.0 < fraction < 1.0:
        raise InputError(f"The fraction of the phase is {fraction}; it must lie in (0, 1).")
    return float(-ndtri(fraction))


def indicator_covariance(correlation: ArrayLike, fraction: float) -> Floats:
    """Return S2 - f^2 ``[...]`` of the level cut from the correlation of the field ``[...]``, in [-1, 1].

    Raises:
        InputError: a fraction outside (0, 1), or correlations beyond [-1, 1].
    """
    level = level_of(fraction)
    rho = np.asarray(correlation, dtype=np.float64)
    if not (np.isfinite(rho).all() and np.abs(rho).max(initial=0.0) <= 1.0 + 1e-9):
        raise InputError("The correlations of the field are not all in [-1, 1]; divide the covariance by the variance.")
    angle = np.arcsin(np.clip(rho, -1.0, 1.0))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total = np.zeros_like(angle)
    for node, weight in zip(nodes, weights, strict=True):
        # 1 + sin is zero at -90 degrees, where the integrand is zero too.
        rise = np.maximum(1.0 + np.sin(0.5 * (1.0 + node) * angle), 1e-300)
        total += weight * np.exp(-(level**2) / rise)
    return np.asarray(total * 0.5 * angle / (2.0 * np.pi))


def field_correlation(covariance: ArrayLike, fraction: float) -> Floats:
    """Return the correlation of the field ``[...]`` whose level cut has the covariance S2 - f^2 ``[...]``.

    Covariances beyond what a level cut of this fraction can have (below about -min(f, 1 - f)^2) become -1 or 1.

    Raises:
        InputError: a fraction outside (0, 1).
    """
    from scipy.interpolate import PchipInterpolator

    # Even steps of the angle are fine steps of the correlation near one, where the relation is a square root.
    rho = np.sin(np.linspace(-0.5 * np.pi, 0.5 * np.pi, _TABLE))
    table = indicator_covariance(rho, fraction)
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(table)) > 1e-16])
    inverse = PchipInterpolator(table[rising], np.arcsin(rho[rising]))
    wanted = np.clip(np.asarray(covariance, dtype=np.float64), table[rising][0], table[rising][-1])
    return np.asarray(np.sin(inverse(wanted)))
