"""A simply supported rectangular plate of a cross-ply laminate: Navier's series with first-order shear.

Source: Reddy 2004, sections 5.2 and 7.2 (there with the transverse stiffness named 44 for yz and 55 for xz).

z points up and a positive pressure presses down from above, as a beam's force. Moments are those of `Laminate.loaded`:
positive where the upper face is pulled, so that they are negative in the middle of a plate under pressure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.laminate.amounts import positive
from scalebridge.macro.laminate.failure import Failure, weakest
from scalebridge.macro.laminate.laminate import NEGLIGIBLE, Laminate
from scalebridge.quantities import Floats

LOADS = ("uniform", "sinusoidal")
PLACES = 9
"""Places along each side, the edges included, at which the first failure is looked for."""
TERMS = 41
"""Half waves along each side; the centre of a uniformly loaded plate is then known to about 1e-7."""


@dataclass(frozen=True)
class Buckling:
    """The least load at which a plate buckles.

    Args:
        load: factor on the compression asked about; in N/m where that was 1.
        half_waves: along x and y.
    """

    load: float
    half_waves: tuple[int, int]


@dataclass(frozen=True)
class SupportedPlate:
    """A rectangular plate on four simple supports, its laminate symmetric and without bend-twist coupling.

    Args:
        laminate: a symmetric cross-ply, or anything else without D16 and D26.
        a: side along x, in m or as a text.
        b: side along y.
        shear: whether transverse shear bends it too (first order); needs ``G23``.
        terms: half waves along each side.

    Raises:
        InputError: a laminate for which Navier's series does not hold, sides that are not positive.
    """

    laminate: Laminate
    a: Any
    b: Any
    shear: bool = True
    terms: int = TERMS

    def __post_init__(self) -> None:
        for side in ("a", "b"):
            object.__setattr__(self, side, positive(getattr(self, side), "m", f"The side {side} of a plate"))
        if not self.laminate.is_symmetric or self.laminate.bend_twist > NEGLIGIBLE:
            raise InputError(
                "Navier's series of a plate holds for symmetric laminates without bend-twist coupling, and this one is "
                f"{'' if self.laminate.is_symmetric else 'not '}symmetric, its D16 or D26 "
                f"{self.laminate.bend_twist:.2g} of D11; stack a symmetric cross-ply such as '[0/90]s'."
            )
        if self.terms < 1:
            raise InputError(f"{self.terms} terms were asked of a plate; give at least 1.")

    def deflection(self, pressure: float, at: tuple[float, float] = (0.5, 0.5), load: str = "uniform") -> float:
        """Return the deflection in m, down as the pressure in Pa.

        Args:
            pressure: uniform, or the peak of one half wave each way (``"sinusoidal"``).
            at: place as shares of the sides.
            load: one of `LOADS`.
        """
        m, n, amplitude = self._pushed(pressure, load)
        shape = np.sin(m * math.pi * at[0]) * np.sin(n * math.pi * at[1])
        return float((self._answers(m, n, amplitude)[..., 0] * shape).sum())

    def moments(self, pressure: float, at: tuple[float, float] = (0.5, 0.5), load: str = "uniform") -> Floats:
        """Return the moments per width ``[3]`` in N: xx, yy, xy; positive where the upper face is pulled."""
        found: Floats = self._moments(pressure, np.array([at], dtype=np.float64), load)[0]
        return found

    def buckling(self, nx: float = 1.0, ny: float = 0.0) -> Buckling:
        """Return the least load under compressions in the ratio ``nx`` to ``ny`` (N/m; negative is tension).

        Raises:
            InputError: no compression.
        """
        m, n = self._waves(range(1, self.terms + 1))
        pushed = nx * (m * math.pi / self.a) ** 2 + ny * (n * math.pi / self.b) ** 2
        if not (pushed > 0.0).any():
            raise InputError(f"A plate was asked to buckle under nx = {nx}, ny = {ny}; give a compression (positive).")
        loads = np.where(pushed > 0.0, self._condensed(m, n) / np.where(pushed > 0.0, pushed, 1.0), np.inf)
        least = int(loads.argmin())
        return Buckling(float(loads.flat[least]), (int(m.flat[least]), int(n.flat[least])))

    def first_ply_failure(self, pressure: float, criterion: str = "hashin", load: str = "uniform") -> Failure:
        """Return the first failure over a grid of `PLACES` along each side, corners included, where the plate twists.

        The reserve factor is on the pressure, ``at`` of the failure is its place as shares of the sides.
        """
        along = np.linspace(0.0, 1.0, PLACES)
        places = np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)
        failure, k = weakest(self.laminate, self._moments(pressure, places, load), criterion)
        return replace(failure, at=(float(places[k, 0]), float(places[k, 1])))

    def _moments(self, pressure: float, places: Floats, load: str) -> Floats:
        """Moments ``[p, 3]`` at places ``[p, 2]``."""
        m, n, amplitude = self._pushed(pressure, load)
        _, x, y = np.moveaxis(self._answers(m, n, amplitude), -1, 0)
        alpha, beta = m * math.pi / self.a, n * math.pi / self.b
        along, across = m[:, 0] * math.pi * places[:, :1], n[0] * math.pi * places[:, 1:]
        straight = np.stack([alpha * x, beta * y])
        bent = np.einsum("kmn,pm,pn->pk", straight, np.sin(along), np.sin(across))
        twist = np.einsum("mn,pm,pn->p", beta * x + alpha * y, np.cos(along), np.cos(across))
        # Deflections are counted down, z up: the middle of the plate is pulled below.
        found: Floats = np.column_stack([bent, -twist]) @ self.laminate.D
        return found

    def _waves(self, numbers: Any) -> tuple[Floats, Floats]:
        along = np.array(list(numbers), dtype=np.float64)
        m, n = np.meshgrid(along, along, indexing="ij")
        return m, n

    def _pushed(self, pressure: float, load: str) -> tuple[Floats, Floats, Floats]:
        """Half waves and their amplitudes of pressure, each ``[k, k]``."""
        if load not in LOADS:
            raise InputError(f"The load on a plate is '{load}'{did_you_mean(load, LOADS)}")
        if load == "sinusoidal":
            m, n = self._waves([1])
            return m, n, np.full_like(m, pressure)
        m, n = self._waves(range(1, self.terms + 1, 2))
        return m, n, 16.0 * pressure / (math.pi**2 * m * n)

    def _answers(self, m: Floats, n: Floats, amplitude: Floats) -> Floats:
        """Amplitudes of deflection and of both rotations ``[..., 3]``."""
        w = amplitude / self._condensed(m, n)
        if not self.shear:
            return np.stack([w, -m * math.pi / self.a * w, -n * math.pi / self.b * w], axis=-1)
        turns, coupled = self._turns(m, n)
        rotations = -np.linalg.solve(turns, coupled[..., None])[..., 0] * w[..., None]
        return np.concatenate([w[..., None], rotations], axis=-1)

    def _condensed(self, m: Floats, n: Floats) -> Floats:
        """Stiffness in Pa/m against a half wave of deflection, the rotations being free."""
        alpha, beta = m * math.pi / self.a, n * math.pi / self.b
        if not self.shear:
            d = self.laminate.D
            return np.asarray(
                d[0, 0] * alpha**4 + 2.0 * (d[0, 1] + 2.0 * d[2, 2]) * (alpha * beta) ** 2 + d[1, 1] * beta**4
            )
        h = self.laminate.H
        turns, coupled = self._turns(m, n)
        freed = (coupled * np.linalg.solve(turns, coupled[..., None])[..., 0]).sum(-1)
        return np.asarray(h[0, 0] * alpha**2 + h[1, 1] * beta**2 - freed)

    def _turns(self, m: Floats, n: Floats) -> tuple[Floats, Floats]:
        """Stiffness of the rotations ``[..., 2, 2]`` and their coupling with the deflection ``[..., 2]``."""
        alpha, beta = m * math.pi / self.a, n * math.pi / self.b
        d, h = self.laminate.D, self.laminate.H
        both = (d[0, 1] + d[2, 2]) * alpha * beta
        first = d[0, 0] * alpha**2 + d[2, 2] * beta**2 + h[0, 0]
        second = d[2, 2] * alpha**2 + d[1, 1] * beta**2 + h[1, 1]
        turns = np.stack([np.stack([first, both], -1), np.stack([both, second], -1)], -2)
        return turns, np.stack([h[0, 0] * alpha, h[1, 1] * beta], -1)
