"""Spinodal structures: by the Cahn-Hilliard equation, or by random waves of one length.

::

    phases = sb.microstructure.spinodal(0.4, wavelength=0.15, seed=1)      # at once: waves on a sphere
    cooled = sb.microstructure.cahn_hilliard(128, mean=-0.1, time=400.0)   # in time: coarsens as t^(1/3)
    cooled.medium(0.4).labels(64), cooled.energy
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.generated.gaussian_field import gaussian_medium, radii
from scalebridge.microstructure.generated.level_cut import LevelCut, level_cut

Floats = NDArray[np.float64]


def spinodal(
    fraction: float = 0.5,
    *,
    wavelength: float = 0.15,
    bandwidth: float = 0.1,
    dim: int = 3,
    points: int | None = None,
    seed: int = 0,
) -> LevelCut:
    """Return the early stage of a spinodal decomposition: a level cut of random waves of one length.

    Both phases are connected in 3-D from a fraction of about 0.16 (and to 0.84).
    Source: J. W. Cahn, J. Chem. Phys. 42 (1965) 93.

    Args:
        fraction: of phase 1.
        wavelength: in sides of the cell; at least two should fit.
        bandwidth: relative standard deviation of the waves' number.
        dim: 2 or 3.
        points: grid of the field along each axis.
        seed: of the waves.

    Raises:
        InputError: a fraction, wavelength or bandwidth that makes no sense.
    """
    if not (0.0 < wavelength <= 0.5 and 0.0 < bandwidth <= 1.0):
        raise InputError(
            f"Waves of a length of {wavelength} with a bandwidth of {bandwidth} were asked for; give a length in "
            "(0, 0.5] sides of the cell and a bandwidth in (0, 1]."
        )
    middle = 1.0 / wavelength

    def power(k: Floats) -> Floats:
        return np.asarray(np.exp(-0.5 * ((k - middle) / (bandwidth * middle)) ** 2) / np.maximum(k, 1.0) ** (dim - 1))

    least = 2 * math.ceil(middle * (1.0 + 3.0 * bandwidth)) + 1
    return gaussian_medium(fraction, spectrum=power, dim=dim, points=points or max(least, 64), seed=seed)


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A solution of the Cahn-Hilliard equation; build it by `cahn_hilliard`.

    Attributes:
        field: concentration ``[*grid]``, near -1 and 1 in the phases.
        times: at which the following were recorded, ``[m]``.
        energy: free energy per volume, ``[m]``; it falls.
        mass: mean of the field, ``[m]``; it stays.
        length: characteristic length in grid steps, 2 pi over the mean wave number, ``[m]``.
    """

    field: Floats
    times: Floats
    energy: Floats
    mass: Floats
    length: Floats

    def medium(self, fraction: float | None = None) -> LevelCut:
        """Return phase 1 above the level that gives ``fraction``; by default above zero, the middle of the phases.

        Raises:
            InputError: a fraction outside (0, 1), or a field that has not parted.
        """
        share = float((self.field > 0.0).mean()) if fraction is None else fraction
        if not 0.0 < share < 1.0:
            raise InputError(
                f"The decomposition has not parted into two phases: a share of {share} lies above 0; take a longer "
                "time, a mean nearer to 0, or give the fraction."
            )
        return level_cut(self.field, share)


def cahn_hilliard(
    shape: int | Sequence[int],
    *,
    mean: float = 0.0,
    time: float = 200.0,
    step: float = 0.5,
    noise: float = 0.05,
    dim: int = 3,
    records: int = 20,
    seed: int = 0,
) -> Decomposition:
    """Solve the Cahn-Hilliard equation of a quenched mixture in a periodic cell.

    The equation is du/dt = lap(u^3 - u - lap u) in grid steps: interfaces are some four steps thick and the fastest
    wave of the beginning is 8.9 steps long. It is stepped by Eyre's linear splitting in Fourier space: of first
    order; the energy never rises, at any step, while u stays within 1.29, as it does. Large steps slow the evolution.
    Source: D. J. Eyre, MRS Proc. 529 (1998) 39; lengths grow as t^(1/3) in the end (Lifshitz and Slyozov 1961).

    Args:
        shape: grid ``(ny, nx)`` or ``(nz, ny, nx)``, or one number for all.
        mean: of the concentration, between -1 and 1; within 0.577 of 0 the mixture is unstable.
        time: at the end.
        step: of time.
        noise: standard deviation of the concentration at the beginning.
        dim: 2 or 3, where ``shape`` is one number.
        records: number of times at which energy, mass and length are recorded, evenly in the logarithm.
        seed: of the beginning.

    Raises:
        ShapeError: a grid that is not of two or three dimensions.
        InputError: a mean beyond the spinodal, or times that are not positive.
    """
    from scipy.fft import irfftn, rfftn

    grid = _checked_grid(shape, dim)
    _check_quench(mean, time, step, noise, records)
    k2 = radii([2.0 * np.pi * np.fft.fftfreq(n) for n in grid])[..., : grid[-1] // 2 + 1] ** 2
    count = max(1, round(time / step))
    kept = set(np.unique(np.geomspace(1, count, records).round().astype(int)).tolist())
    start = np.random.default_rng(seed).standard_normal(grid)
    u = mean + noise * (start - start.mean())
    wave, history = rfftn(u), []
    # Convex part 2u - lap u implicit, concave u^3 - 3u explicit: the energy falls at any step while u^2 < 5 / 3.
    divisor = 1.0 + step * k2 * (2.0 + k2)
    for turn in range(count + 1):
        if turn == 0 or turn in kept:
            history.append((turn * step, *_told(u, wave, k2)))
        if turn < count:
            wave = (wave - step * k2 * rfftn(u * (u * u - 3.0))) / divisor
            u = irfftn(wave, s=grid)
    times, energy, mass, length = (np.array(column) for column in zip(*history, strict=True))
    return Decomposition(u, times, energy, mass, length)


def _told(u: Floats, wave: NDArray[np.complex128], k2: Floats) -> tuple[float, float, float]:
    """Energy per volume, mean, and characteristic length."""
    power = np.abs(wave) ** 2 / u.size**2
    # A half spectrum holds each wave once but for those that are their own mirror images.
    twice = np.full(k2.shape, 2.0)
    twice[..., 0] = 1.0
    if u.shape[-1] % 2 == 0:
        twice[..., -1] = 1.0
    power *= twice
    energy = float((0.25 * (1.0 - u**2) ** 2).mean() + 0.5 * (power * k2).sum())
    varying = power.copy()
    varying.flat[0] = 0.0
    mean_wave = float((varying * np.sqrt(k2)).sum() / max(varying.sum(), 1e-300))
    return energy, float(u.mean()), 2.0 * np.pi / max(mean_wave, 1e-300)


def _checked_grid(shape: int | Sequence[int], dim: int) -> tuple[int, ...]:
    grid = (shape,) * dim if isinstance(shape, int) else tuple(int(n) for n in shape)
    if len(grid) not in (2, 3) or min(grid) < 8:
        raise ShapeError(f"The grid {grid} is none for a spinodal; give (ny, nx) or (nz, ny, nx), 8 or more each.")
    return grid


def _check_quench(mean: float, time: float, step: float, noise: float, records: int) -> None:
    if not abs(mean) < 1.0 / math.sqrt(3.0):
        raise InputError(
            f"The mean concentration is {mean}; a mixture parts by itself only within 0.577 of 0, so give a mean "
            "nearer to 0 and choose the fraction by medium(fraction)."
        )
    if not (0.0 < step <= time < math.inf and 0.0 < noise < 0.5 and records >= 2):
        raise InputError(
            f"A time of {time} in steps of {step} with a noise of {noise} and {records} records was asked for; times "
            "must be positive, the noise in (0, 0.5), and at least 2 records."
        )
