"""How well fitted circles are known: by the noise, which is correlated, and by the blur, which all of them share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.fibre_fit import Discs, information, refine

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLUR_UNKNOWN = 0.15
"""Relative deviation of the blur: the profile of a real edge is no error function."""

LEAST_FREEDOM = 0.25
"""Least share of the independent pixels that is taken to be left over by the fit."""


def deviations(discs: Discs, grey: Grey, seen: Mask, rest: Grey) -> Grey:
    """Return the deviations ``[n, 6]`` of each disc's values, from what the fit leaves unexplained nearby.

    The residual of each disc's own pixels is the noise, but its pixels are not independent: a scan's noise is smooth,
    which the correlation of next neighbours tells. A fit of six values per disc to so few independent pixels also
    swallows a part of the noise, which the degrees of freedom give back.
    """
    normal, residual = information(discs, grey, seen)
    per_pixel = _pixels_per_value(rest, seen)
    independent = float(seen.sum()) / per_pixel
    left = max(1 - 6 * len(discs.values) / independent, LEAST_FREEDOM)
    # A floor: a fit of few pixels can be better by chance than the image is.
    noise = np.maximum(residual, 0.5 * float(rest[seen].std()))
    inverse = np.linalg.inv(normal + 1e-9 * np.eye(6) * normal[:, 3, 3].max(initial=1e-12))
    variance = np.diagonal(inverse, axis1=1, axis2=2) * noise[:, None] ** 2 * per_pixel / left
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def blur_error(discs: Discs, grey: Grey, seen: Mask, noise: float) -> float:
    """Return the deviation of the mean radius by the blur, pixels: half of the change for `BLUR_UNKNOWN` each way."""
    radius = discs.values[:, 2]
    wide = (float(np.median(radius)), 10 * float(np.median(radius)), float(np.median(discs.values[:, 3])))
    moved = [
        float(refine(replace(discs, blur=discs.blur * factor), grey, seen, noise, wide, 4).values[:, 2].mean())
        for factor in (1 - BLUR_UNKNOWN, 1 + BLUR_UNKNOWN)
    ]
    return abs(moved[1] - moved[0]) / 2


def _pixels_per_value(rest: Grey, seen: Mask) -> float:
    """Pixels for one independent value of the noise, ``4 pi s^2`` of white noise smoothed by a Gaussian of s pixels.

    Its next neighbours correlate by ``exp(-1 / 4 s^2)``.
    """
    values = rest - rest[seen].mean()
    variance = float(np.mean(values[seen] ** 2))
    pairs = [
        (values[1:] * values[:-1])[seen[1:] & seen[:-1]],
        (values[:, 1:] * values[:, :-1])[seen[:, 1:] & seen[:, :-1]],
    ]
    correlation = float(np.clip(np.mean(np.concatenate(pairs)) / variance, 1e-6, 0.9))
    return max(-np.pi / float(np.log(correlation)), 1.0)
