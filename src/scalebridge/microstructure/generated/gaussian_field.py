"""Gaussian fields of a prescribed spectrum or correlation in a periodic cell, and the media that their levels cut.

::

    medium = sb.microstructure.gaussian_medium(0.3, correlation=lambda r: np.exp(-((r / 0.05) ** 2)), seed=1)
    medium.labels(128), medium.fraction, medium.subvoxels(64)

The relation between the correlation of the field and the two-point function of the medium is in `indicator`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.generated.indicator import level_of
from scalebridge.microstructure.generated.level_cut import LevelCut, level_cut

Floats = NDArray[np.float64]
Radial = Callable[[Floats], ArrayLike]


def gaussian_field(power: ArrayLike, *, seed: int = 0) -> Floats:
    """Return one periodic Gaussian field ``[*grid]`` of mean 0, with this power per wave.

    Args:
        power: expected square of each wave's amplitude ``[*grid]``, in the order of `numpy.fft.fftn`, not negative
            and even; their sum is the variance at a point. The mean (the first entry) is left out.
        seed: of the field.

    Raises:
        ShapeError: a spectrum that is not two- or three-dimensional.
        InputError: power that is negative, not finite or zero everywhere.
    """
    from scipy.fft import irfftn, rfftn

    given = np.array(power, dtype=np.float64)
    if given.ndim not in (2, 3):
        raise ShapeError(f"The spectrum has the shape {given.shape}; two or three dimensions are needed.")
    given.flat[0] = 0.0
    if not np.isfinite(given).all() or given.min() < 0.0 or given.max() == 0.0:
        raise InputError("The power of the field's waves must be finite, not negative, and not zero everywhere.")
    noise = rfftn(np.random.default_rng(seed).standard_normal(given.shape))
    half = given[..., : given.shape[-1] // 2 + 1]
    return np.asarray(irfftn(noise * np.sqrt(half * given.size), s=given.shape))


def gaussian_medium(
    fraction: float,
    *,
    correlation: Radial | None = None,
    spectrum: Radial | None = None,
    dim: int = 3,
    points: int | None = None,
    exact: bool = True,
    seed: int = 0,
) -> LevelCut:
    """Return phase 1 where a Gaussian field of a prescribed correlation or spectrum exceeds a level.

    Args:
        fraction: of phase 1.
        correlation: of the field with distance, ``rho(r)`` of arrays, in sides of the cell, 1 at 0; it should have
            vanished at half the cell, which is checked. Or
        spectrum: power of a wave with its number of periods along the cell, ``p(k)`` of arrays; its scale is free.
        dim: 2 or 3.
        points: grid of the field along each axis: waves up to half of it. 256 or 96 (3-D) by default.
        exact: meet the fraction in every realisation; ``False`` cuts at the level of the ensemble, so that the
            fraction of one realisation scatters but its statistics are exactly those of `indicator`.
        seed: of the field.

    Raises:
        InputError: neither or both of correlation and spectrum, one that is not finite, or a correlation that no
            field can have: its spectrum is negative.
    """
    if (correlation is None) == (spectrum is None):
        raise InputError("The field needs its correlation or its spectrum; give one of the two.")
    if dim not in (2, 3):
        raise InputError(f"A medium of {dim} dimensions was asked for; 2 or 3 can be made.")
    grid = (points or (256 if dim == 2 else 96),) * dim
    power = spectral_power(spectrum, grid) if spectrum is not None else correlated_power(correlation, grid)
    return medium_of(power, fraction, exact=exact, seed=seed)


def medium_of(power: Floats, fraction: float, *, exact: bool = True, seed: int = 0) -> LevelCut:
    """Return the level cut of a field with this power per wave ``[*grid]``; see `gaussian_medium`."""
    level = level_of(fraction)
    power = power / power.sum()
    field = gaussian_field(power, seed=seed)
    made = level_cut(field, fraction)
    if exact:
        return made
    return LevelCut(made.waves, level, float((field > level).mean()))


def spectral_power(spectrum: Radial, grid: tuple[int, ...]) -> Floats:
    """Power per wave ``[*grid]`` from a function of the number of periods along the cell; zero for the mean."""
    number = radii([np.fft.fftfreq(n) * n for n in grid])
    power = _finite(spectrum, number, "spectrum")
    power.flat[0] = 0.0
    # Waves that only some directions of the grid can hold would make the field depend on the axes.
    power[number > min(grid) / 2] = 0.0
    if power.min() < 0.0 or power.max() == 0.0:
        raise InputError("The spectrum of the field is negative or zero everywhere; give a power that is not.")
    return power


def correlated_power(correlation: Radial | None, grid: tuple[int, ...], slack: float = 0.02) -> Floats:
    """Power per wave ``[*grid]`` from a correlation with distance.

    Raises:
        InputError: negative power of more than the share ``slack``: no field has this correlation.
    """
    assert correlation is not None
    distance = radii([np.fft.fftfreq(n) for n in grid])
    rho = _finite(correlation, distance, "correlation")
    if abs(rho.flat[0] - 1.0) > 1e-6:
        raise InputError(f"The correlation of the field at distance 0 is {rho.flat[0]:.6g}; it must be 1.")
    if np.abs(rho[distance >= 0.5]).max() > 0.05:
        raise InputError(
            f"The correlation of the field is still {np.abs(rho[distance >= 0.5]).max():.3g} at half the cell; take a "
            "correlation that falls faster, or a larger cell."
        )
    power, lost = clipped_power(rho)
    if lost > slack:
        raise InputError(
            f"No field has this correlation: {lost:.1%} of its power is negative; take one whose Fourier transform "
            "is not negative, such as an exponential, a Gaussian or a damped wave."
        )
    return power


def clipped_power(correlation: Floats) -> tuple[Floats, float]:
    """Power per wave of a periodic correlation ``[*grid]`` with negative power set to zero, and the share set so."""
    from scipy.fft import fftn

    power = np.asarray(fftn(correlation).real / correlation.size)
    lost = float(np.maximum(-power, 0.0).sum() / np.abs(power).sum())
    return np.maximum(power, 0.0), lost


def radii(axes: Sequence[NDArray[Any]]) -> Floats:
    """Distance from the origin ``[*grid]`` of the points of a grid of these coordinates."""
    squares = [a.reshape([-1 if k == axis else 1 for k in range(len(axes))]) ** 2 for axis, a in enumerate(axes)]
    return np.asarray(np.sqrt(sum(squares)))


def _finite(function: Radial, at: Floats, name: str) -> Floats:
    found = np.array(np.broadcast_to(np.asarray(function(at), dtype=np.float64), at.shape))
    # The mean is left out, so that a power law may be infinite there.
    if name == "spectrum":
        found.flat[0] = 0.0
    if not np.isfinite(found).all():
        raise InputError(f"The {name} of the field is not finite everywhere; it must be a number at every distance.")
    return found
