"""Bounds of effective properties from volume fractions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Interval:
    """Lower and upper bound, in the unit of what is bounded."""

    lower: float
    upper: float

    def holds(self, value: float, slack: float = 0.0) -> bool:
        """Whether ``value`` lies between the bounds, each moved outwards by ``slack`` of itself."""
        return self.lower * (1.0 - slack) <= value <= self.upper * (1.0 + slack)


def voigt_reuss(fractions: ArrayLike, tensors: Sequence[ArrayLike]) -> tuple[Floats, Floats]:
    """Return the mean of the tensors and the inverse of the mean of their inverses.

    The effective tensor lies between them as a quadratic form, whatever the arrangement (Hill 1952).
    A phase that is void makes the lower one zero.

    Args:
        fractions: ``[p]``, adding up to 1.
        tensors: per phase, symmetric ``[g, g]``: stiffness (Mandel) or conductivity.
    """
    f = _fractions(fractions)
    stack = np.stack([np.asarray(t, dtype=np.float64) for t in tensors])
    upper: Floats = np.einsum("p,pij->ij", f, stack)
    present = stack[f > 0.0]
    if any(np.linalg.matrix_rank(t) < len(t) for t in present):
        return upper, np.zeros_like(upper)
    lower: Floats = np.linalg.inv(np.einsum("p,pij->ij", f[f > 0.0], np.linalg.inv(present)))
    return upper, lower


def hashin_shtrikman(fractions: ArrayLike, bulk: ArrayLike, shear: ArrayLike) -> tuple[Interval, Interval]:
    """Return bounds of bulk and shear modulus of an isotropic mixture of isotropic phases, in the unit of the moduli.

    Source: Hashin and Shtrikman, J. Mech. Phys. Solids 11 (1963) 127-140, in the form of Walpole for any number
    of phases.

    Args:
        fractions: ``[p]``, adding up to 1.
        bulk: ``[p]``.
        shear: ``[p]``.
    """
    f, k, g = _fractions(fractions), np.asarray(bulk, dtype=np.float64), np.asarray(shear, dtype=np.float64)
    k, g, f = k[f > 0.0], g[f > 0.0], f[f > 0.0]

    def bulk_at(mu: float) -> float:
        return _harmonic(f, k, 4.0 * mu / 3.0)

    def shear_at(kappa: float, mu: float) -> float:
        if mu == 0.0:
            return _harmonic(f, g, 0.0)
        return _harmonic(f, g, mu * (9.0 * kappa + 8.0 * mu) / (6.0 * (kappa + 2.0 * mu)))

    return (
        Interval(bulk_at(g.min()), bulk_at(g.max())),
        Interval(shear_at(k.min(), g.min()), shear_at(k.max(), g.max())),
    )


def hashin_shtrikman_conductivity(fractions: ArrayLike, k: ArrayLike, dim: int) -> Interval:
    """Return bounds of the conductivity of an isotropic mixture in ``dim`` dimensions (Hashin and Shtrikman 1962)."""
    f, values = _fractions(fractions), np.asarray(k, dtype=np.float64)
    values, f = values[f > 0.0], f[f > 0.0]
    return Interval(*(_harmonic(f, values, (dim - 1) * edge) for edge in (values.min(), values.max())))


def _harmonic(f: Floats, values: Floats, shift: float) -> float:
    if shift == 0.0 and (values == 0.0).any():
        return 0.0
    return float(1.0 / (f / (values + shift)).sum() - shift)


def _fractions(fractions: ArrayLike) -> Floats:
    f = np.asarray(fractions, dtype=np.float64)
    if not (np.isfinite(f).all() and (f >= 0.0).all() and abs(f.sum() - 1.0) < 1e-9):
        raise InputError(f"Volume fractions must be non-negative and add up to 1; they are {f.tolist()}.")
    return f
