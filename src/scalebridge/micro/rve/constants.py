"""Engineering constants of an effective stiffness, and the isotropic tensor nearest to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class EngineeringConstants:
    """Young's and shear moduli (Pa) and Poisson's ratios along the axes; nu12: contraction along 2 by pull along 1."""

    E1: float
    E2: float
    E3: float
    nu12: float
    nu13: float
    nu23: float
    G12: float
    G13: float
    G23: float


@dataclass(frozen=True)
class NearestIsotropic:
    """The isotropic tensor nearest to a stiffness in the Frobenius norm.

    Args:
        bulk: bulk modulus in Pa.
        shear: shear modulus in Pa.
        distance: what is left of the stiffness, relative to it; zero where it is isotropic.
    """

    bulk: float
    shear: float
    distance: float

    @property
    def E(self) -> float:
        """Young's modulus in Pa."""
        return 9.0 * self.bulk * self.shear / (3.0 * self.bulk + self.shear)

    @property
    def nu(self) -> float:
        """Poisson's ratio."""
        return (3.0 * self.bulk - 2.0 * self.shear) / (6.0 * self.bulk + 2.0 * self.shear)


def engineering_constants(stiffness: ArrayLike) -> EngineeringConstants:
    """Return the constants of a stiffness ``[6, 6]`` in Pa (Mandel: 11, 22, 33, sqrt2 23, sqrt2 13, sqrt2 12).

    Raises:
        ShapeError: another shape; plane strain has no Young's modulus along 3, so ask in generalised plane strain.
        InputError: a stiffness that is singular.
    """
    c = _space(stiffness)
    if not np.isfinite(c).all() or np.linalg.cond(c) > 1e14:
        raise InputError(
            "The effective stiffness is singular, so it has no engineering constants; is there a loose part?"
        )
    s = np.linalg.inv(c)
    # Mandel shear compliance is 1 / (2 G).
    return EngineeringConstants(
        *(1.0 / s[k, k] for k in range(3)),
        *(-s[i, j] / s[i, i] for i, j in ((0, 1), (0, 2), (1, 2))),
        *(0.5 / s[k, k] for k in (5, 4, 3)),
    )


def nearest_isotropic(stiffness: ArrayLike) -> NearestIsotropic:
    """Return the isotropic tensor nearest to a stiffness ``[6, 6]`` in Pa (Mandel).

    Raises:
        ShapeError: another shape.
    """
    c = _space(stiffness)
    bulk = float(c[:3, :3].sum()) / 9.0
    shear = (float(np.trace(c)) - 3.0 * bulk) / 10.0
    nearest = 2.0 * shear * np.eye(6)
    nearest[:3, :3] += bulk - 2.0 * shear / 3.0
    return NearestIsotropic(bulk, shear, float(np.linalg.norm(c - nearest) / np.linalg.norm(c)))


def voigt(stiffness: ArrayLike) -> Floats:
    """Return a stiffness ``[6, 6]`` or ``[3, 3]`` in Voigt's components (engineering shears) from Mandel's."""
    c = np.asarray(stiffness, dtype=np.float64)
    if c.shape not in ((6, 6), (3, 3)):
        raise ShapeError(f"A stiffness has shape (6, 6) or (3, 3), not {c.shape}.")
    normal = 3 if len(c) == 6 else 2
    factor = np.ones(len(c))
    factor[normal:] = 1.0 / math.sqrt(2.0)
    found: Floats = c * np.outer(factor, factor)
    return found


def _space(stiffness: ArrayLike) -> Floats:
    c = np.asarray(stiffness, dtype=np.float64)
    if c.shape != (6, 6):
        raise ShapeError(
            f"Engineering constants need a stiffness (6, 6), not {c.shape}; make a two-dimensional RVE with "
            "plane='generalised'."
        )
    return c
