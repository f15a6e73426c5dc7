"""Which columns of a correlation are equivalent components of one flux."""

from __future__ import annotations

import re

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.correlations import Correlation

# Names of normal stresses, and of elements of a vector of stresses.
_NORMAL = re.compile(r"(?:.*[^a-z])?p?(xx|yy|zz)", re.IGNORECASE)
_ELEMENT = re.compile(r"(.+)\[(\d+)\]")
# Last quarters of a correlation that are so much alike, and beyond its noise, settle at a mean and not at zero.
_ALIKE = 0.9


def equivalent(correlation: Correlation, kind: str) -> Correlation:
    """All auto-correlations; for a viscosity without those of normal stresses, whose mean is the pressure.

    Raises:
        InputError: there is none, or what there is may be normal stresses.
    """
    own = [a for a, b in correlation.pairs if a == b]
    if kind != "viscosity" or not own:
        return correlation.auto()
    normal = [name for name in own if _may_be_normal(name)]
    chosen = [name for name in own if name not in normal]
    if not chosen:
        raise InputError(
            f"The correlation is of {', '.join(normal)}, normal stresses by their names, which do not give a viscosity "
            "by themselves; write those of pxy, pxz and pyz, or say columns=... where these are shear stresses."
        )
    return correlation.only(chosen)


def settles_at_a_mean(correlation: Floats) -> bool:
    """Whether a correlation ``[k]`` that has not decayed is level at its end, as that of a flux with a mean."""
    quarter = max(len(correlation) // 4, 1)
    before, last = (float(np.mean(part)) for part in (correlation[-2 * quarter : -quarter], correlation[-quarter:]))
    return before > 0 and _ALIKE < last / before < 1 / _ALIKE


def _may_be_normal(name: str) -> bool:
    """By its name: ``pxx``, ``v_pxx``, or one of the first three elements of a vector in LAMMPS' order."""
    element = _ELEMENT.fullmatch(name)
    return int(element[2]) <= 3 if element else _NORMAL.fullmatch(name) is not None
