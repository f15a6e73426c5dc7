"""What the problems of wrong assumptions share: a smooth closure gradient -> flux and a bar of varying area."""

from __future__ import annotations

from functools import cache

import numpy as np

from scalebridge.problems.bar import Bar, End
from scalebridge.problems.conduction import ConductionLaminate, PowerLawConductor
from scalebridge.quantities import Floats, Space, Variable


def smooth_micro() -> ConductionLaminate:
    """Return the sound model that the wrong assumptions are built upon."""
    return ConductionLaminate(PowerLawConductor(1.0, 0.5, 1.0), PowerLawConductor(8.0, 0.8, 0.5), 0.4)


def tapered_bar(*, n_elements: int = 48, left: End = ("value", 0.0), right: End = ("value", 4.0)) -> Bar:
    """Return a bar whose area halves towards its middle, so that the closure is asked over a range of gradients."""
    return Bar(n_elements, area=_waist, left=left, right=right)


def heated_bar(*, n_elements: int = 48, source: float = 6.0) -> Bar:
    """Return the same bar, heated along its length and cold at both ends: gradients of both signs."""
    return Bar(n_elements, area=_waist, source=source, left=("value", 0.0), right=("value", 0.0))


@cache
def gradient_spaces() -> tuple[Space, Space]:
    """Spaces of a closure gradient -> flux of one component."""
    return Space([Variable("gradient", "K/m", (1,))]), Space([Variable("flux", "W/m^2", (1,))])


def _waist(x: Floats) -> Floats:
    return 1 - 0.5 * np.sin(np.pi * x) ** 2
