"""Gaussian-field media with the fraction and two-point function of a measured image."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError
from scalebridge.microstructure.correlation import cross_correlation, two_point, two_point_map
from scalebridge.microstructure.generated.gaussian_field import clipped_power, medium_of, radii
from scalebridge.microstructure.generated.indicator import field_correlation, indicator_covariance, level_of
from scalebridge.microstructure.generated.level_cut import LevelCut
from scalebridge.microstructure.generated.matched import Matched

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEAST = 16
_MOST = {2: 2048, 3: 256}


def match_gaussian(
    labels: NDArray[np.generic],
    *,
    phase: int = 1,
    inside: Mask | None = None,
    size: int | None = None,
    dim: Literal[2, 3] | None = None,
    reach: int | None = None,
    seed: int = 0,
) -> Matched:
    """Return a level cut of a Gaussian field with the fraction and the two-point function of a phase in an image.

    The two-point function's mean over directions is turned into the correlation of the field, whose power comes from
    least squares without negative power. In as many dimensions as the image has, the power depends on direction as
    that of the image does. The distances reported are: ``fraction`` (absolute); ``two_point`` (root mean square
    difference of S2 over the lags, over f (1 - f)), which holds the scatter of one realisation;
    ``two_point_expected`` (the same for the mean of many, in theory); and ``surface`` (relative difference of
    S2(0) - S2(1), which tells the surface per volume).

    Args:
        labels: ``[rows, columns]`` or ``[nz, ny, nx]``, periodic or not.
        phase: the label to match.
        inside: the pixels that count; all when ``None``.
        size: side of the cell in pixels; the shortest side of the image by default.
        dim: 2 or 3; by default that of the image. A volume is made from an image by its mean over directions.
        reach: largest lag used; by default a third of the image, at most half of the cell.
        seed: of the field.

    Raises:
        ShapeError: neither two nor three dimensions, a plane from a volume, or a field of view of another shape.
        InputError: a phase that fills none or all of the image, or a size or reach that makes no sense.
    """
    image = np.asarray(labels) == phase
    made_dim = image.ndim if dim is None else dim
    if image.ndim not in (2, 3) or made_dim not in (2, 3) or made_dim < image.ndim:
        raise ShapeError(
            f"A medium of {made_dim} dimensions was asked for from labels of the shape {image.shape}; give rows and "
            "columns for 2 or 3 dimensions, or a volume for 3."
        )
    side = min(min(image.shape), _MOST[made_dim]) if size is None else size
    far = min(min(image.shape) // 3, (side - 1) // 2) if reach is None else reach
    if not (_LEAST <= side <= _MOST[made_dim] and 4 <= far < min(min(image.shape), side / 2 + 1)):
        raise InputError(
            f"A cell of {side} pixels with lags to {far} was asked for; the side must lie between {_LEAST} and "
            f"{_MOST[made_dim]}, and the lags between 4 and half of it."
        )
    if inside is not None and (np.shape(inside) != image.shape or np.asarray(inside).dtype != np.bool_):
        raise ShapeError(
            f"The field of view is {np.asarray(inside).dtype} of shape {np.shape(inside)}; a boolean mask of the shape "
            f"of the labels, {image.shape}, is needed."
        )
    if inside is not None and not inside.any():
        raise InputError("The field of view is empty; mark the pixels that count.")
    fraction = float(image.mean() if inside is None else image[inside].mean())
    if not 0.0 < fraction < 1.0:
        raise InputError(f"Phase {phase} fills {fraction:.0%} of the image; a two-point function needs two phases.")
    seen = cross_correlation(image, image, inside, far)
    rho = field_correlation(seen.value - fraction**2, fraction)
    shells = shell_power(seen.distance, rho, fraction, side, made_dim)
    pattern = _pattern(image, inside, fraction, far, side) if made_dim == image.ndim else np.ones((side,) * made_dim)
    power = _shelled(pattern, shells)
    structure, other = (medium_of(power, fraction, seed=seed + k) for k in (0, 1))
    expected = indicator_covariance(_radial(seen.distance, shells, side, made_dim), fraction) + fraction**2
    return _matched(image, structure, other, seen.value, expected, far, side)


def shell_power(distance: Floats, rho: Floats, fraction: float, side: int, dim: int) -> Floats:
    """Return the power of shells of waves with 0, 1, ... ``side // 2`` periods along the cell, of sum 1.

    No power is negative, and the two-point function of the cut is as near as that allows to the one of ``rho`` by
    least squares; beyond the last distance the correlation is drawn towards zero.

    Args:
        distance: rising from 0, in pixels, ``[n]``.
        rho: correlation of the field there, ``[n]``.
        fraction: of the phase.
        side: of the cell in pixels.
        dim: 2 or 3.

    Source: C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23 (the algorithm).
    """
    from scipy.optimize import nnls

    far = np.arange(np.ceil(distance[-1]) + 1.0, side / 2)
    at, wanted = np.concatenate([distance, far]), np.concatenate([rho, np.zeros(len(far))])
    # How much S2 changes with the correlation; endless at 1, where the sum of the power is what counts.
    steep = 1.0 / np.sqrt(np.maximum(1.0 - wanted**2, 1e-4))
    weight = steep * np.exp(-(level_of(fraction) ** 2) / np.maximum(1.0 + wanted, 1e-3))
    weight[len(distance) :] *= 0.3
    weight[0] = 1e3 * weight.max()
    found, _ = nnls(_kernel(at, side, dim) * weight[:, None], wanted * weight)
    power = np.concatenate([[0.0], found])
    return np.asarray(power / power.sum())


def _radial(distance: Floats, shells: Floats, side: int, dim: int) -> Floats:
    """Correlation at these distances of a field with this power by shell."""
    found: Floats = _kernel(distance, side, dim) @ shells[1:]
    return np.clip(found, -1.0, 1.0)


def _kernel(distance: Floats, side: int, dim: int) -> Floats:
    """Mean of a wave over all directions at distances ``[n]``, for 1, 2, ... periods ``[n, side // 2]``."""
    from scipy.special import j0

    phase = 2.0 * np.pi * distance[:, None] * np.arange(1, side // 2 + 1) / side
    return np.asarray(j0(phase) if dim == 2 else np.sinc(phase / np.pi))


def _shelled(pattern: Floats, shells: Floats) -> Floats:
    """Power per wave ``[*grid]`` with the sums of the shells, shared out as the pattern is within each."""
    shell = np.rint(radii([np.fft.fftfreq(n) * n for n in pattern.shape])).astype(np.int64).ravel()
    given = np.append(shells, np.zeros(max(0, int(shell.max()) + 1 - len(shells))))
    held = np.bincount(shell, pattern.ravel(), len(given))
    # A shell whose pattern is empty is shared out evenly.
    even = np.bincount(shell, minlength=len(given))
    bare = held[shell] <= 0.0
    share = np.where(bare, 1.0 / np.maximum(even[shell], 1), pattern.ravel() / np.where(bare, 1.0, held[shell]))
    return np.asarray((share * given[shell]).reshape(pattern.shape))


def _pattern(image: Mask, inside: Mask | None, fraction: float, far: int, side: int) -> Floats:
    """How the power depends on direction: power per wave of the correlation lag by lag, negative power set to zero."""
    lags = field_correlation(two_point_map(image, inside, far) - fraction**2, fraction)
    rho = np.zeros((side,) * image.ndim)
    rho[np.ix_(*[np.arange(-far, far + 1) % side] * image.ndim)] = lags
    distance = radii([np.fft.fftfreq(side) * side] * image.ndim)
    # Far lags are few and noisy: they are faded out, not cut off.
    fade = np.cos(0.5 * np.pi * np.clip(2.0 * distance / far - 1.0, 0.0, 1.0)) ** 2
    return clipped_power(rho * fade)[0]


def _matched(
    image: Mask, structure: LevelCut, other: LevelCut, told: Floats, expected: Floats, far: int, side: int
) -> Matched:
    found, again = (two_point(made.labels(side).astype(bool), None, far) for made in (structure, other))
    fraction = float(told[0])
    distances = {
        "fraction": abs(float(found[0]) - fraction),
        "two_point": _apart(told, found),
        "two_point_expected": _apart(told, expected),
        "surface": _surface(told, found),
    }
    return Matched(
        structure,
        float(side),
        {"fraction": fraction, "reach": float(far)},
        distances,
        {"two_point": _apart(again, found), "surface": _surface(again, found)},
        {"fraction": fraction, "two_point": told},
        {"fraction": float(found[0]), "two_point": found},
        _notes(distances, image.ndim < structure.dim),
    )


def _apart(one: Floats, other: Floats) -> float:
    return float(np.sqrt(((one - other) ** 2).mean()) / (one[0] * (1.0 - one[0])))


def _surface(one: Floats, other: Floats) -> float:
    return abs(float((other[0] - other[1]) / (one[0] - one[1])) - 1.0)


def _notes(distances: dict[str, float], flat: bool) -> tuple[str, ...]:
    notes = [
        "Only the fraction and the two-point function are matched: connectivity, shapes and sizes of single regions "
        "are those of a Gaussian field."
    ]
    if distances["two_point_expected"] > 0.02:
        notes.append(
            "The two-point function is none that the level cut of a Gaussian field can have: the nearest one is off by "
            f"{distances['two_point_expected']:.1%} in the mean, and its surface by {distances['surface']:.0%}; "
            "separate round inclusions are of this kind, for which a packing fits better."
        )
    if flat:
        notes.append("The volume takes the image for an isotropic section; the direction across it was not seen.")
    return tuple(notes)
