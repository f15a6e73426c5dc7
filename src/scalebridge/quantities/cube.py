"""A bounded space as the unit cube: where designs are made and distances are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities.space import Floats, Space

PLACED = ("array", "symmetric")


@dataclass(frozen=True)
class Cube:
    """The map between a bounded space and the unit cube, component by component.

    Args:
        space: a `Space` or a mapping; every variable has both bounds.
        log: True for a logarithmic scale on every variable, or the names of those that have one.
        owner: who asks, for the sentences of refusal.

    Raises:
        InputError: a bound is missing, a logarithmic variable is not positive, a kind cannot be placed in a box.
    """

    space: Space
    log: bool | Sequence[str] = ()
    owner: str = "A design"

    def __init__(self, space: Any, log: bool | Sequence[str] = (), owner: str = "A design") -> None:
        object.__setattr__(self, "space", Space(space))
        object.__setattr__(self, "owner", owner)
        object.__setattr__(self, "log", _logarithmic(self.space, log, owner))
        _check(self.space, owner)

    @property
    def size(self) -> int:
        """Number of components ``d``."""
        return self.space.size

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which components have a logarithmic scale, ``[d]``."""
        names = self.log if isinstance(self.log, tuple) else ()
        return np.concatenate([np.full(v.size, v.name in names) for v in self.space])

    def to_space(self, u: Floats) -> Floats:
        """Points of the space ``[n, d]``, in its units, from points of the unit cube ``[n, d]``."""
        low, high = self._ends()
        x = low + np.asarray(u, dtype=np.float64) * (high - low)
        x = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, x, 0.0)), x)
        # Rounding must not carry a corner out of the bounds.
        bounded: Floats = np.clip(x, self.space.lower, self.space.upper)
        return bounded

    def to_unit(self, x: Floats) -> Floats:
        """Points of the unit cube ``[n, d]`` from points of the space ``[n, d]``."""
        low, high = self._ends()
        inside = np.where(self.logarithmic, np.log(np.where(self.logarithmic, np.maximum(x, 1e-300), 1.0)), x)
        u: Floats = (inside - low) / (high - low)
        return u

    def _ends(self) -> tuple[Floats, Floats]:
        on = self.logarithmic
        low, high = self.space.lower, self.space.upper
        return (
            np.where(on, np.log(np.where(on, low, 1.0)), low),
            np.where(on, np.log(np.where(on, high, 1.0)), high),
        )


def _logarithmic(space: Space, log: bool | Sequence[str], owner: str) -> tuple[str, ...]:
    names = space.names if log is True else () if log is False else (log,) if isinstance(log, str) else tuple(log)
    for name in names:
        if name not in space.names:
            raise InputError(
                f"{owner} was asked for a logarithmic scale of '{name}', which is no variable"
                f"{did_you_mean(name, space.names)}"
            )
        if not space[name].limits[0] > 0:
            raise InputError(
                f"{owner} cannot put '{name}' on a logarithmic scale, because its lower bound is "
                f"{space[name].limits[0]:g}; give it a positive lower bound or leave it out of log."
            )
    return names


def _check(space: Space, owner: str) -> None:
    if not space.variables:
        raise InputError(f'{owner} got a space without variables; give one such as {{"T": ("K", 80, 700)}}.')
    for v in space:
        if v.kind not in PLACED:
            raise InputError(
                f"{owner} cannot place '{v.name}', which is a {v.kind}; only numbers between bounds are placed, so fix "
                "it with model.fix(...) and make one design per value."
            )
        missing = [side for side, limit in zip(("lower", "upper"), v.limits, strict=True) if not np.isfinite(limit)]
        if missing:
            raise InputError(
                f"{owner} needs bounds for '{v.name}', which has no {' and no '.join(missing)} one; declare it as "
                f'"{v.name}": ("{v.unit}", lower, upper).'
            )
