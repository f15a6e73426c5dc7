"""A narrow laminated beam in bending, with shear (Timoshenko): cantilever or on two supports.

Source: Reddy 2004, section 4.3: the bending stiffness is that of a strip free to contract and to twist.

z points up and loads press down: a positive force bends a supported beam so that its lower face is pulled, and pulls
the upper face of a cantilever. Moments are those of `Laminate.loaded`: positive where the upper face is pulled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError, did_you_mean
from scalebridge.macro.laminate.amounts import positive
from scalebridge.macro.laminate.failure import Failure, first_ply_failure
from scalebridge.macro.laminate.laminate import Laminate

# Largest deflection = bending F L^3 / (E I) + shear F L / (k G A), down as the load; moment of the largest amount =
# moment F L, positive where the upper face is pulled. F is the whole load.
CASES: dict[tuple[str, str], tuple[float, float, float]] = {
    ("cantilever", "point"): (1.0 / 3.0, 1.0, 1.0),
    ("cantilever", "uniform"): (1.0 / 8.0, 1.0 / 2.0, 1.0 / 2.0),
    ("supported", "point"): (1.0 / 48.0, 1.0 / 4.0, -1.0 / 4.0),
    ("supported", "uniform"): (5.0 / 384.0, 1.0 / 8.0, -1.0 / 8.0),
}
SUPPORTS = ("cantilever", "supported")
LOADS = ("point", "uniform")


@dataclass(frozen=True)
class Beam:
    """A beam along x: a strip of a laminate.

    Args:
        laminate: its section.
        length: between supports, in m or as a text.
        width: of the strip; several times less than the length.
        support: ``"cantilever"``, or ``"supported"`` at both ends: with a point load the three-point bending test.
        shear: whether transverse shear bends it too; needs ``G23``.

    Raises:
        InputError: another support, lengths that are not positive.
    """

    laminate: Laminate
    length: Any
    width: Any
    support: str = "supported"
    shear: bool = True

    def __post_init__(self) -> None:
        for name in ("length", "width"):
            object.__setattr__(self, name, positive(getattr(self, name), "m", f"The {name} of a beam"))
        if self.support not in SUPPORTS:
            raise InputError(f"The support of a beam is '{self.support}'{did_you_mean(self.support, SUPPORTS)}")

    @property
    def bending_stiffness(self) -> float:
        """E I in N m^2."""
        return float(self.width / self.laminate.compliance[3, 3])

    @property
    def shear_stiffness(self) -> float:
        """k G A in N."""
        return float(self.width / np.linalg.inv(self.laminate.H)[0, 0])

    def deflection(self, force: float, load: str = "point") -> float:
        """Return the largest deflection in m, along ``force`` in N: at the free end or in the middle, or spread."""
        bending, shear, _ = self._case(load)
        bent = bending * force * self.length**3 / self.bending_stiffness
        sheared = shear * force * self.length / self.shear_stiffness if self.shear else 0.0
        return float(bent + sheared)

    def moment(self, force: float, load: str = "point") -> float:
        """Return the moment of the largest amount in N m, positive where it pulls the upper face.

        It is at the clamp of a cantilever, and in the middle of a supported beam, where a force from above makes it
        negative.
        """
        return float(self._case(load)[2] * force * self.length)

    def first_ply_failure(self, force: float, criterion: str = "hashin", load: str = "point") -> Failure:
        """Return the first failure where the moment is largest; the reserve factor is on the force."""
        moment = (self.moment(force, load) / self.width, 0.0, 0.0)
        return first_ply_failure(self.laminate, moment=moment, criterion=criterion)

    def _case(self, load: str) -> tuple[float, float, float]:
        if load not in LOADS:
            raise InputError(f"The load on a beam is '{load}'{did_you_mean(load, LOADS)}")
        return CASES[self.support, load]
