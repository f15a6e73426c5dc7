"""A ply: the constants of a unidirectional layer, its reduced stiffness in any direction, and its strengths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.macro.laminate.amounts import positive
from scalebridge.quantities import Floats


@dataclass(frozen=True)
class Strength:
    """Strengths of a ply in Pa, all positive; numbers or texts such as ``"40 MPa"``.

    Args:
        Xt: tension along the fibres.
        Xc: compression along the fibres.
        Yt: tension across.
        Yc: compression across.
        S12: shear in the plane.
        S23: shear across the fibres, which Hashin's compression across asks for; half of ``Yc`` when ``None``.
    """

    Xt: Any
    Xc: Any
    Yt: Any
    Yc: Any
    S12: Any
    S23: Any = None

    def __post_init__(self) -> None:
        for name in ("Xt", "Xc", "Yt", "Yc", "S12", "S23"):
            value = getattr(self, name)
            given = 0.5 * self.Yc if value is None and name == "S23" else value
            object.__setattr__(self, name, positive(given, "Pa", f"The strength {name} of a ply"))


@dataclass(frozen=True)
class Invariants:
    """Tsai and Pagano's invariants of a reduced stiffness in Pa (Jones, Mechanics of Composite Materials, eq. 2.86)."""

    U1: float
    U2: float
    U3: float
    U4: float
    U5: float


@dataclass(frozen=True)
class Ply:
    """Constants of a unidirectional ply, in Pa or as texts with a unit.

    Args:
        E1: Young's modulus along the fibres.
        E2: across them.
        nu12: contraction across under a pull along the fibres.
        G12: shear modulus in the plane.
        G13: shear modulus out of the plane along the fibres; ``G12`` when ``None``, as of a transversely isotropic ply.
        G23: shear modulus across the fibres; only what bends with shear needs it.
        alpha1: thermal expansion along the fibres, 1/K.
        alpha2: across them.
        strength: for failure.

    Raises:
        InputError: a modulus that is not positive, a Poisson's ratio at which the ply would be unstable.
    """

    E1: Any
    E2: Any
    nu12: float
    G12: Any
    G13: Any = None
    G23: Any = None
    alpha1: float = 0.0
    alpha2: float = 0.0
    strength: Strength | None = None

    def __post_init__(self) -> None:
        if self.G13 is None:
            object.__setattr__(self, "G13", self.G12)
        for name in ("E1", "E2", "G12", "G13", "G23"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, positive(value, "Pa", f"The modulus {name} of a ply"))
        if not abs(self.nu12) < math.sqrt(self.E1 / self.E2):
            raise InputError(
                f"The Poisson's ratio nu12 of a ply is {self.nu12}; with E1/E2 = {self.E1 / self.E2:.3g} it must lie "
                f"between ±{math.sqrt(self.E1 / self.E2):.3g}, or the ply would be unstable."
            )

    @classmethod
    def of(cls, constants: Any, **more: Any) -> Ply:
        """Make a ply of homogenised constants.

        Args:
            constants: what `micro.engineering_constants` gives of a stiffness with the fibres along axis 1, or the
                constants of the nearest transversely isotropic tensor (``E_L``, ``E_T``, ``nu_L``, ``G_L``, ``G_T``).
            more: ``alpha1``, ``alpha2``, ``strength``.

        Raises:
            InputError: an object that has neither.
        """
        if hasattr(constants, "E_L"):
            c = constants
            return cls(c.E_L, c.E_T, c.nu_L, c.G_L, c.G_L, c.G_T, **more)
        names = ("E1", "E2", "nu12", "G12", "G13", "G23")
        if missing := [name for name in names if not hasattr(constants, name)]:
            raise InputError(
                f"A ply was asked for of a {type(constants).__name__}, which has no {missing[0]}; give engineering "
                "constants (E1, E2, nu12, G12, G13, G23) or transversely isotropic ones (E_L, E_T, nu_L, G_L, G_T)."
            )
        return cls(*(getattr(constants, name) for name in names), **more)

    @property
    def nu21(self) -> float:
        """Contraction along the fibres under a pull across."""
        return float(self.nu12 * self.E2 / self.E1)

    @property
    def stiffness(self) -> Floats:
        """Reduced stiffness Q ``[3, 3]`` in Pa of plane stress: 11, 22, 12 with engineering shear."""
        left = 1.0 - self.nu12 * self.nu21
        q11, q22, q12 = self.E1 / left, self.E2 / left, self.nu12 * self.E2 / left
        return np.array([[q11, q12, 0.0], [q12, q22, 0.0], [0.0, 0.0, self.G12]])

    @property
    def invariants(self) -> Invariants:
        """What no turn of the ply changes."""
        q = self.stiffness
        sums, cross, shear = q[0, 0] + q[1, 1], q[0, 1], q[2, 2]
        return Invariants(
            (3.0 * sums + 2.0 * cross + 4.0 * shear) / 8.0,
            (q[0, 0] - q[1, 1]) / 2.0,
            (sums - 2.0 * cross - 4.0 * shear) / 8.0,
            (sums + 6.0 * cross - 4.0 * shear) / 8.0,
            (sums - 2.0 * cross + 4.0 * shear) / 8.0,
        )

    def turned(self, angle: float) -> Floats:
        """Return the reduced stiffness ``[3, 3]`` in Pa in axes x, y of a ply whose fibres lie at ``angle`` degrees."""
        back = strain_to_ply(angle)
        found: Floats = back.T @ self.stiffness @ back
        return found

    def turned_shear(self, angle: float) -> Floats:
        """Return the transverse shear stiffness ``[2, 2]`` in Pa (xz, yz) of a ply at ``angle`` degrees.

        Raises:
            InputError: a ply without ``G23``.
        """
        if self.G23 is None:
            raise InputError(
                "The ply has no shear modulus G23, which bending with shear needs; give it, or ask with shear=False."
            )
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn = np.array([[c, s], [-s, c]])
        found: Floats = turn.T @ np.diag([self.G13, self.G23]) @ turn
        return found

    def expansion(self, angle: float) -> Floats:
        """Return the thermal strains ``[3]`` per K (xx, yy, engineering xy) of a ply at ``angle`` degrees."""
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        a, b = self.alpha1, self.alpha2
        return np.array([a * c * c + b * s * s, a * s * s + b * c * c, 2.0 * (a - b) * c * s])


def strain_to_ply(angle: float) -> Floats:
    """Return the matrix ``[3, 3]`` from strains x, y (engineering shear) to those along and across the fibres."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return np.array([[c * c, s * s, c * s], [s * s, c * c, -c * s], [-2 * c * s, 2 * c * s, c * c - s * s]])
