"""Diffusion from a mean squared displacement, with the error that its growing scatter asks for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.corrections import yeh_hummer
from scalebridge.simulators.lammps.green_kubo import Transport
from scalebridge.simulators.lammps.unit_styles import checked_style, si_unit

# Share of the run at its start that is left to ballistic motion and cages.
BEGIN = 0.02


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
    increments scatter more, as atoms that move together make them. What the slope of the first and the second half
    (in the logarithm of time) differ by beyond chance is the part ``"not yet linear"``.

    Args:
        times: ``[n]`` since the start, in the style's unit.
        msd: ``[n]``, such as the column ``c_msd[4]`` of a log, in the square of the style's unit of length.
        n_atoms: that were averaged.
        units: LAMMPS' style of units.
        dimensions: of the displacement: 3, or 1 for one component.
        begin: time from which the displacement is taken for linear; 2 % of the run by default.
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
    if len(t) < 8 or (np.diff(t) <= 0).any():
        raise InputError(f"There are {len(t)} displacements after {start}; give at least 8, at times that increase.")
    steps, rises, spread = np.diff(t), np.diff(m), np.diff(t**2)
    slope, share = _slope(steps, rises, spread)
    relative = math.sqrt(2 / (dimensions * n_atoms) * share)
    expected = 2 / (dimensions * n_atoms) * slope**2 * spread
    relative *= math.sqrt(max(float(np.sum((rises - slope * steps) ** 2 / expected)) / (len(steps) - 1), 1.0))
    half = int(np.searchsorted(t, math.sqrt(t[0] * t[-1]))) or 1
    early, late = (_slope(steps[p], rises[p], spread[p]) for p in (slice(half), slice(half, None)))
    bent = max(abs(early[0] - late[0]) / 2 - 2 * relative * abs(slope) * math.sqrt(2), 0.0)
    scale = si_unit("length", units) ** 2 / si_unit("time", units) / (2 * dimensions)
    added = 0.0
    if box_length is not None and viscosity is not None and temperature is not None:
        added = yeh_hummer(temperature, viscosity, box_length, units)
    return _assembled(slope * scale, relative, bent * scale, added, (float(t[0]), float(t[-1])), units, confidence)


def _slope(steps: np.ndarray, rises: np.ndarray, spread: np.ndarray) -> tuple[float, float]:
    """Best slope of increments with these variances, and its variance per variance of one, relative."""
    information = float(np.sum(steps**2 / spread))
    return float(np.sum(steps * rises / spread)) / information, 1 / information


def _assembled(
    value: float, relative: float, bent: float, added: float, span: tuple[float, float], units: str, confidence: float
) -> Transport:
    from scipy.stats import norm

    noise = abs(value) * relative
    half = float(norm.ppf(0.5 + 0.5 * confidence)) * noise + bent
    total = value + added
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
        remark=f"Of the value, {added:.3g} is the correction for the finite box." if added else "",
    )
