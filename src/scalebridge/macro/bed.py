"""How the flow compresses the solid of a porous bed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.quantities.units import magnitude


@dataclass(frozen=True)
class Compression:
    """A bed that the flow compresses: ``c = c_0 (1 + s/p_a)^n`` with the stress ``s = p_highest - p`` on its solid.

    What the fluid loses in pressure the solid carries (no friction at the walls, solid held at the outlet).

    Args:
        pressure: ``p_a``, a number (Pa) or a text with a unit.
        exponent: ``n``, 0 for a stiff bed.

    Source: Tiller and Leu, Basic data fitting in filtration, J. Chin. Inst. Chem. Eng. 11 (1980) 61-70.
    """

    pressure: float | str
    exponent: float

    def __post_init__(self) -> None:
        if not (self._scale > 0 and 0 <= self.exponent < np.inf):
            raise InputError(
                f"The compression has the pressure {self.pressure} and the exponent {self.exponent}; give a positive "
                "pressure and an exponent of at least 0."
            )

    @property
    def _scale(self) -> float:
        return magnitude(self.pressure, "Pa", "The pressure of the compression")

    def factor(self, stress: Floats) -> tuple[Floats, Floats]:
        """``c / c_0`` and its derivative by the stress (1/Pa)."""
        base = 1 + np.maximum(stress, 0.0) / self._scale
        slope = np.where(stress > 0, self.exponent / self._scale * base ** (self.exponent - 1), 0.0)
        return base**self.exponent, slope
