"""A bar of a linearly viscoelastic material: its creep compliance from one history, its strain under another.

Source: Ferry, Viscoelastic Properties of Polymers, 3rd ed. 1980, chapters 1 and 4 (Boltzmann superposition; discrete
retardation spectra).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

PER_DECADE = 3
"""Retardation times in a decade; more cannot be told apart in a smooth curve."""


@dataclass(frozen=True, eq=False)
class CreepCompliance:
    """``J(t) = instant + sum parts_i (1 - exp(-t / times_i))``.

    Args:
        instant: in 1/Pa, or one over the unit of stress used.
        parts: ``[k]`` in the same unit, not negative.
        times: ``[k]`` retardation times, in the unit of time used.
        misfit: largest distance to the history that it was fitted to, as a share of its largest strain.

    Raises:
        InputError: retardation times that are not positive and finite.
    """

    instant: float
    parts: Floats
    times: Floats
    misfit: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", _retardation(self.times))

    @classmethod
    def fitted(
        cls, time: ArrayLike, stress: ArrayLike, strain: ArrayLike, times: ArrayLike | None = None
    ) -> CreepCompliance:
        """Fit the compliance to one history by least squares without negative parts (Lawson and Hanson).

        Args:
            time: ``[n]``, rising from a state at rest.
            stress: ``[n]``, linear between the times.
            strain: ``[n]``.
            times: retardation times ``[k]``; three in every decade from the shortest step to a decade beyond the end.

        Raises:
            ShapeError: columns of different lengths.
            InputError: times that do not rise, values that are not finite, no stress at all; retardation times that
                are not positive and finite.
        """
        from scipy.optimize import nnls

        t, s, e = _columns(time, stress, strain)
        tau = spectrum(t) if times is None else _retardation(times)
        shares = responses(t, s, tau)
        scale = float(np.abs(e).max()) or 1.0
        found, _ = nnls(shares / np.abs(s).max(), e / scale)
        found *= scale / np.abs(s).max()
        misfit = float(np.abs(shares @ found - e).max()) / scale
        return cls(float(found[0]), found[1:], tau, misfit)

    def __call__(self, time: ArrayLike) -> Floats:
        """Return the compliance at times ``[n]`` after a unit step."""
        t = np.asarray(time, dtype=np.float64)
        found: Floats = self.instant + (self.parts * -np.expm1(-t[..., None] / self.times)).sum(-1)
        return found

    def strain(self, time: ArrayLike, stress: ArrayLike) -> Floats:
        """Return the strain ``[n]`` under a stress ``[n]`` that is linear between the times ``[n]``.

        Raises:
            ShapeError, InputError: as `fitted`.
        """
        t, s = _columns(time, stress)
        found: Floats = responses(t, s, self.times) @ np.concatenate([[self.instant], self.parts])
        return found


def spectrum(time: Floats) -> Floats:
    """Return retardation times from the shortest step to a decade beyond ``time [n]``."""
    # A decade beyond the end stands for what has not come to rest by then.
    low, high = float(np.diff(time).min()), 10.0 * float(time[-1] - time[0])
    decades = np.log10(high / low)
    return np.geomspace(low, high, max(2, int(np.ceil(PER_DECADE * decades)) + 1))


def responses(time: Floats, stress: Floats, times: Floats) -> Floats:
    """Return ``[n, 1 + k]``: the strain of a spring, and of each unit Kelvin element, under a history from rest.

    Exact for a stress that is linear between the times and jumps to its first value at the first of them.
    """
    made = np.zeros((len(time), len(times)))
    state = np.zeros(len(times))
    for i, (dt, before, after) in enumerate(zip(np.diff(time), stress[:-1], stress[1:], strict=True), 1):
        x = dt / times
        kept = np.exp(-x)
        # A ramp adds its mean share; written so that short steps do not cancel.
        share = -np.expm1(-x) / x
        state = kept * state + before * (share - kept) + after * (1.0 - share)
        made[i] = state
    return np.column_stack([stress, made])


def _retardation(times: ArrayLike) -> Floats:
    found = np.asarray(times, dtype=np.float64)
    if found.ndim != 1 or not len(found) or not (np.isfinite(found).all() and (found > 0).all()):
        raise InputError(
            f"The retardation times of a creep compliance are {np.array2string(found, threshold=8)}; give a list of at "
            "least one, all positive and finite (an elastic part is fitted beside them)."
        )
    return found


def _columns(time: ArrayLike, *others: ArrayLike) -> tuple[Floats, ...]:
    made = [np.asarray(c, dtype=np.float64) for c in (time, *others)]
    shapes = {c.shape for c in made}
    if len(shapes) > 1 or made[0].ndim != 1 or len(made[0]) < 2:
        raise ShapeError(f"The history of a bar has columns of the shapes {[c.shape for c in made]}; give [n] of each.")
    if not all(np.isfinite(c).all() for c in made):
        raise InputError("The history of a bar holds values that are not finite; cut or fill them first.")
    back = np.flatnonzero(np.diff(made[0]) <= 0)
    if len(back):
        row = int(back[0]) + 1
        raise InputError(f"The time of a bar's history does not rise at row {row} ({made[0][row]:g}); sort it first.")
    if len(others) > 1 and not np.abs(made[1]).any():
        raise InputError("The history of a bar has no stress, so that no compliance follows from it.")
    return tuple(made)
