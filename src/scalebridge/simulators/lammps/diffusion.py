"""Diffusion from a mean squared displacement, with the error that its growing scatter asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.lammps.corrections import yeh_hummer
from scalebridge.simulators.lammps.green_kubo import Transport
from scalebridge.simulators.lammps.unit_styles import checked_style, si_unit

# Share of the run at its start that is left to ballistic motion and cages, and more of it where the slope still changes
# by so many deviations, as long as the slope is told from the last two thirds at least.
BEGIN = 0.02
CHANGED = 3.0
LATEST = 1 / 3
FEWEST = 8


def diffusion_from_msd(
    times: ArrayLike,
    msd: ArrayLike,
    *,
    n_atoms: int,
    units: str,
    dimensions: int = 3,
    begin: float | None = None,
    box_length: float | None = None,
    viscosity: float | None = None,
    temperature: float | None = None,
    confidence: float = 0.95,
) -> Transport:
    """Einstein's diffusion coefficient from the mean squared displacement since one start.

    For Brownian motion the displacement of n atoms scatters by ``sqrt(2 / (d n))`` of itself, and its increments are
    independent with variances that grow like ``t^2``: they are weighted by that. The error is enlarged where the
    increments scatter more, as atoms that move together make them. Where the slopes of the first and the second half
    (in the logarithm of time) differ by more than chance, the first half is left out, and so on. What they differ by
    at last (its square, less the variance of chance) is the part ``"not yet linear"``.

    Args:
        times: ``[n]`` since the start, in the style's unit.
        msd: ``[n]``, such as the column ``c_msd[4]`` of a log, in the square of the style's unit of length.
        n_atoms: that were averaged.
        units: LAMMPS' style of units.
        dimensions: of the displacement: 3, or 1 for one component.
        begin: time from which the displacement is taken for linear; by default found from 2 % of the run on.
        box_length, viscosity, temperature: where all are given, `yeh_hummer`'s correction is added.
        confidence: of the statistical part.

    Raises:
        InputError: series that do not fit, fewer than 8 times after ``begin``, numbers that are not positive.
    """
    t, m = np.asarray(times, dtype=np.float64), np.asarray(msd, dtype=np.float64)
    checked_style(units, "The displacement")
    if t.shape != m.shape or t.ndim != 1 or not (np.isfinite(t).all() and np.isfinite(m).all() and n_atoms >= 1):
        raise InputError(
            f"Times {t.shape} and displacements {m.shape} of {n_atoms} atoms give no diffusion coefficient."
        )
    t = t - t[0] if len(t) else t
    start = BEGIN * t[-1] if begin is None and len(t) else begin
    kept = t >= max(start or 0.0, 1e-300)
    t, m = t[kept], m[kept]
    if len(t) < FEWEST or (np.diff(t) <= 0).any():
        raise InputError(
            f"There are {len(t)} displacements after {start}; give at least {FEWEST}, at times that increase."
        )
    # By a power of two, which changes no digit: squares must not run over.
    power = int(np.frexp(np.abs(m).max())[1])
    m = np.ldexp(m, -power)
    found = _fitted(t, m, dimensions * n_atoms)
    while begin is None and found.changes > CHANGED * found.std:
        # Half of the logarithm of time.
        later = t >= math.sqrt(t[0] * t[-1])
        if t[later][0] > LATEST * t[-1] or np.sum(later) < FEWEST:
            break
        t, m = t[later], m[later]
        found = _fitted(t, m, dimensions * n_atoms)
    bent = math.sqrt(max(found.changes**2 - found.std**2, 0.0))
    scale = math.ldexp(si_unit("length", units) ** 2 / si_unit("time", units) / (2 * dimensions), power)
    added = 0.0
    if box_length is not None and viscosity is not None and temperature is not None:
        added = yeh_hummer(temperature, viscosity, box_length, units)
    return _assembled(
        found.slope * scale, found.std * scale, bent * scale, added, (float(t[0]), float(t[-1])), units, confidence
    )


@dataclass(frozen=True)
class _Line:
    """A displacement as a line: its slope, the deviation of that, and by how much it is another in one half."""

    slope: float
    std: float
    changes: float


def _fitted(t: Floats, m: Floats, n_paths: int) -> _Line:
    """The line through displacements ``[n]`` that are means of the squares of so many independent paths."""
    steps, rises, spread = np.diff(t), np.diff(m), np.diff(t**2)
    slope, share = _slope(steps, rises, spread)
    relative = math.sqrt(2 / n_paths * share)
    expected = 2 / n_paths * slope**2 * spread
    relative *= math.sqrt(max(float(np.sum((rises - slope * steps) ** 2 / expected)) / (len(steps) - 1), 1.0))
    half = int(np.searchsorted(t, math.sqrt(t[0] * t[-1]))) or 1
    early, late = (_slope(steps[p], rises[p], spread[p])[0] for p in (slice(half), slice(half, None)))
    return _Line(slope, abs(slope) * relative, abs(early - late) / 2)


def _slope(steps: Floats, rises: Floats, spread: Floats) -> tuple[float, float]:
    """Best slope of increments with these variances, and its variance per variance of one, relative."""
    information = float(np.sum(steps**2 / spread))
    return float(np.sum(steps * rises / spread)) / information, 1 / information


def _assembled(
    value: float, noise: float, bent: float, added: float, span: tuple[float, float], units: str, confidence: float
) -> Transport:
    from scipy.stats import norm

    half = float(norm.ppf(0.5 + 0.5 * confidence)) * noise + bent
    total = value + added
    told = [f"Of the value, {added:.3g} is the correction for the finite box."] if added else []
    if bent > noise:
        told.append("The displacement does not grow evenly with time yet; a longer run helps.")
    return Transport(
        value=total,
        interval=(total - half, total + half),
        confidence=confidence,
        unit="1" if units == "lj" else "m^2/s",
        noise_std=noise,
        parts={"not yet linear": bent},
        degrees=math.inf,
        kind="diffusion",
        plateau=span,
        remark=" ".join(told),
    )
