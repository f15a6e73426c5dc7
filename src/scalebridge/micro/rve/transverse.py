"""The transversely isotropic tensor nearest to a stiffness: the constants of a unidirectional composite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.micro.rve.constants import engineering_constants
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class NearestTransverselyIsotropic:
    """The transversely isotropic tensor nearest to a stiffness in the Frobenius norm.

    Args:
        E_L: Young's modulus along the axis in Pa.
        E_T: Young's modulus across.
        nu_L: contraction across under a pull along the axis.
        nu_T: contraction in the plane across under a pull in it.
        G_L: shear modulus in a plane that holds the axis.
        G_T: shear modulus in the plane across.
        distance: what is left of the stiffness, relative to it; zero where it is transversely isotropic.
    """

    E_L: float
    E_T: float
    nu_L: float
    nu_T: float
    G_L: float
    G_T: float
    distance: float


def nearest_transversely_isotropic(stiffness: ArrayLike, axis: int = 3) -> NearestTransverselyIsotropic:
    """Return the tensor nearest to a stiffness ``[6, 6]`` in Pa (Mandel) that is isotropic across direction ``axis``.

    It is the mean of the stiffness over all rotations about the axis (Moakher and Norris, J. Elasticity 85 (2006)
    215-263), so windows of a slice may be averaged by it, however they are turned.

    Raises:
        ShapeError: another shape.
        InputError: an axis that is none of 1, 2 and 3; a stiffness that is singular.
    """
    c = np.asarray(stiffness, dtype=np.float64)
    if c.shape != (6, 6):
        raise ShapeError(f"A stiffness has the shape (6, 6), not {c.shape}; ask in plane='generalised'.")
    if axis not in (1, 2, 3):
        raise InputError(f"The axis of isotropy is {axis}; it must be 1, 2 or 3.")
    mean = _averaged(_turned_to_last(c, axis))
    found = engineering_constants(mean)
    gap = float(np.linalg.norm(_turned_to_last(c, axis) - mean) / np.linalg.norm(c))
    # E3 is along the axis: nu31 = nu13 E3 / E1.
    along = found.nu13 * found.E3 / found.E1
    values = (found.E3, found.E1, along, found.nu12, found.G13, found.G12, gap)
    return NearestTransverselyIsotropic(*(float(value) for value in values))


def _turned_to_last(c: Floats, axis: int) -> Floats:
    """Rename the directions cyclically, so that ``axis`` becomes 3."""
    shift = axis % 3
    order = [(k + shift) % 3 for k in range(3)]
    # Shears 23, 13, 12 are named by the direction that they leave out.
    full = [*order, *(3 + k for k in order)]
    return c[np.ix_(full, full)]


def _averaged(c: Floats) -> Floats:
    """Mean over rotations about direction 3, in Mandel components."""
    on = 0.375 * (c[0, 0] + c[1, 1]) + 0.25 * c[0, 1] + 0.25 * c[5, 5]
    off = 0.125 * (c[0, 0] + c[1, 1]) + 0.75 * c[0, 1] - 0.25 * c[5, 5]
    mean = np.zeros((6, 6))
    mean[0, 0] = mean[1, 1] = on
    mean[0, 1] = mean[1, 0] = off
    mean[:2, 2] = mean[2, :2] = 0.5 * (c[0, 2] + c[1, 2])
    mean[2, 2] = c[2, 2]
    mean[3, 3] = mean[4, 4] = 0.5 * (c[3, 3] + c[4, 4])
    mean[5, 5] = on - off
    return mean
