"""What a macro problem calls in place of the micro model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scalebridge.quantities import Floats


@dataclass(frozen=True)
class ClosureValue:
    """The closure's answer at ``n`` states.

    Args:
        values: ``[n, m]``.
        tangent: ``[n, m, d]``, the exact derivative of ``values``.
        inside: ``[n]``, False where the state lies outside the surrogate's domain.
    """

    values: Floats
    tangent: Floats
    inside: NDArray[np.bool_]


class Closure(Protocol):
    """Maps states ``x [n, d]`` to values and tangents; never raises for a state outside the domain."""

    def __call__(self, x: Floats) -> ClosureValue:
        """Answer at ``x [n, d]`` in the units of the macro model's ``closure_inputs``."""
