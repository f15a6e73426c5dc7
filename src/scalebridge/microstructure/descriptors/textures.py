"""Statistics of the grey values themselves: they need no segmentation, so they tell something of any image.

Grey values are first scaled by their 1st and 99th percentile inside (exposure and contrast of the microscope drop
out of all but ``mean`` and ``std``). Lengths come out in pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.correlation import lag_lengths, pair_sums
from scalebridge.microstructure.descriptors.masks import Mask

Grey = NDArray[np.floating[Any]]

LEVELS = 32
"""Grey levels of the co-occurrence matrix."""

STEPS = (1, 2, 4, 8)
"""Distances in pixels of co-occurrence."""

OPENINGS = (3, 5, 9, 17, 33)
"""Sides in pixels of the squares of the grey granulometry."""


def scaled(grey: Grey, inside: Mask) -> NDArray[np.float64]:
    """Return grey values with their 1st percentile inside at 0 and their 99th at 1, clipped, ``[*grid]``.

    Raises:
        InputError: one grey value only.
    """
    low, high = np.percentile(grey[inside], [1, 99])
    if high <= low:
        low, high = float(grey[inside].min()), float(grey[inside].max())
    if high <= low:
        raise InputError("The image has one grey value inside of the field of view, hence no texture.")
    return np.asarray(np.clip((grey - low) / (high - low), 0.0, 1.0))


def moments(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return mean and deviation of the raw grey values, and shape of the histogram of the scaled ones."""
    raw, values = grey[inside], scaled(grey, inside)[inside]
    mean, std = float(values.mean()), float(values.std())
    normal = (values - mean) / std
    share = np.histogram(values, 64, (0.0, 1.0))[0] / values.size
    share = share[share > 0]
    found = {"mean": float(raw.mean()), "std": float(raw.std()), "contrast": std}
    found |= {"skewness": float((normal**3).mean()), "kurtosis": float((normal**4).mean() - 3.0)}
    return found | {"entropy": float(-(share * np.log2(share)).sum())}


def gradients(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return the mean size of the gradient of the scaled values per pixel, and how it scatters."""
    from scipy.ndimage import gaussian_gradient_magnitude, minimum_filter

    size = gaussian_gradient_magnitude(scaled(grey, inside).astype(np.float32), 1.0, truncate=3.0)
    deep = minimum_filter(inside.view(np.uint8), 7, mode="nearest").view(bool)
    if not deep.any():
        raise InputError("The field of view is nowhere 7 pixels wide, too narrow for gradients.")
    mean = float(size[deep].mean())
    return {"gradient_mean": mean, "gradient_variation": float(size[deep].std()) / max(mean, 1e-12)}


def cooccurrence(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return contrast, homogeneity, energy and correlation of the co-occurrence matrix at `STEPS`, over 4 directions.

    Source: Haralick, Shanmugam and Dinstein, IEEE Trans. SMC 3 (1973) 610, as implemented by scikit-image.
    """
    from skimage.feature import graycomatrix, graycoprops

    level = np.minimum((scaled(grey, inside) * LEVELS).astype(np.uint8), LEVELS - 1) + 1
    level[~inside] = 0
    steps = [step for step in STEPS if step < min(grey.shape)]
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    counts = graycomatrix(level, steps, angles, LEVELS + 1, symmetric=True)[1:, 1:].sum(axis=3, keepdims=True)
    if not counts.sum(axis=(0, 1)).all():
        raise InputError("The field of view is too narrow for pairs of pixels at every distance.")
    shares = counts / counts.sum(axis=(0, 1), keepdims=True)
    found: dict[str, float] = {}
    for name in ("contrast", "homogeneity", "energy", "correlation"):
        values = graycoprops(shares, name)[:, 0] / (LEVELS**2 if name == "contrast" else 1)
        found |= {f"cooccurrence_{name}_{step}": float(value) for step, value in zip(steps, values, strict=True)}
    return found


def binary_patterns(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return the shares of the ten uniform local binary patterns of 8 neighbours, at radius 1 and 3.

    Source: Ojala, Pietikaeinen and Maeenpaeae, IEEE Trans. PAMI 24 (2002) 971, as implemented by scikit-image.
    """
    from scipy.ndimage import gaussian_filter, minimum_filter
    from skimage.feature import local_binary_pattern

    levels = np.round(255 * scaled(grey, inside))
    found: dict[str, float] = {}
    for radius in (1, 3):
        smooth = levels if radius == 1 else np.round(gaussian_filter(levels, radius / 2, truncate=2.0))
        margin = radius if radius == 1 else 2 * radius
        pattern = local_binary_pattern(smooth.astype(np.uint8), 8, radius, "uniform").astype(np.int64)
        deep = minimum_filter(inside.view(np.uint8), 2 * margin + 1, mode="constant").view(bool)
        share = np.bincount(pattern[deep], minlength=10) / max(int(deep.sum()), 1)
        found |= {f"binary_pattern_{radius}_{k}": float(x) for k, x in enumerate(share)}
    return found


def spectrum(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return slope, mean frequency and anisotropy of the power spectrum, under a Hann window (2-D).

    The slope is that of log power on log frequency from 4 periods per side to half the Nyquist frequency.
    """
    values = scaled(grey, inside)
    values = np.where(inside, values - values[inside].mean(), 0.0)
    values *= np.multiply.outer(*(np.hanning(n + 2)[1:-1] for n in values.shape))
    power = np.abs(np.fft.rfft2(values)) ** 2
    fy, fx = np.fft.fftfreq(values.shape[0])[:, None], np.fft.rfftfreq(values.shape[1])[None, :]
    frequency = np.hypot(fy, fx)
    band = (frequency >= 4 / min(values.shape)) & (frequency <= 0.25)
    if band.sum() < 16:
        raise InputError("The image is too small for a power spectrum.")
    bins = np.geomspace(frequency[band].min(), 0.25 * (1 + 1e-9), 13)
    which = np.digitize(frequency[band], bins)
    held = np.bincount(which, minlength=14) > 0
    mean = np.bincount(which, power[band], 14)[held] / np.bincount(which, minlength=14)[held]
    middle = np.bincount(which, np.log(frequency[band]), 14)[held] / np.bincount(which, minlength=14)[held]
    slope = float(np.polyfit(middle, np.log(np.maximum(mean, 1e-300)), 1)[0])
    weight, angle = power[band], 2 * np.arctan2(*np.broadcast_arrays(fy, fx))[band]
    turned = np.hypot(weight @ np.cos(angle), weight @ np.sin(angle)) / weight.sum()
    centre = float(weight @ frequency[band] / weight.sum())
    return {"spectrum_slope": slope, "spectrum_wavelength": 1 / centre, "spectrum_anisotropy": float(turned)}


def correlation_decay(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return the distance in pixels at which the correlation of grey values falls below 1/e, over all directions."""
    values = scaled(grey, inside)
    most = max(1, min(grey.shape) // 2)
    reach = min(64 if grey.ndim == 2 else 24, most)
    curve = _decay(values, inside, reach)
    while not (curve < np.exp(-1)).any() and reach < most:
        reach = min(2 * reach, most)
        curve = _decay(values, inside, reach)
    below = np.flatnonzero(curve < np.exp(-1))
    if not below.size:
        raise InputError(f"The grey values stay correlated over more than {reach} pixels; the image is a smooth trend.")
    k = int(below[0])
    return {"correlation_length": float(k - 1 + (curve[k - 1] - np.exp(-1)) / (curve[k - 1] - curve[k]))}


def _decay(values: NDArray[np.float64], inside: Mask, reach: int) -> NDArray[np.float64]:
    """Correlation of grey values by distance, ``[reach + 1]``."""
    mean = float(values[inside].mean())
    products, counts = pair_sums(values, None if inside.all() else inside, reach, mean)
    ring = np.round(lag_lengths(values.ndim, reach)).astype(int)
    near = ring <= reach
    curve = np.bincount(ring[near], products[near]) / np.maximum(np.bincount(ring[near], counts[near]), 1.0)
    return np.asarray(curve / curve[0])


def grey_granulometry(grey: Grey, inside: Mask) -> dict[str, float]:
    """Return how much of the scaled grey values openings and closings by squares of `OPENINGS` take away or add.

    Shares of the deviation, by size: bright details narrower than the square vanish in an opening, dark ones in a
    closing (pattern spectrum; Maragos, IEEE Trans. PAMI 11 (1989) 701).
    """
    from scipy.ndimage import grey_closing, grey_opening

    values = scaled(grey, inside).astype(np.float32)
    middle = np.float32(np.median(values[inside]))
    values = np.where(inside, values, middle)
    spread = max(float(values[inside].std()), 1e-12)
    found: dict[str, float] = {}
    for size in OPENINGS:
        if size >= min(grey.shape):
            break
        box = (size,) * grey.ndim
        found[f"bright_below_{size}"] = float((values - grey_opening(values, box))[inside].mean()) / spread
        found[f"dark_below_{size}"] = float((grey_closing(values, box) - values)[inside].mean()) / spread
    return found


PLANAR: tuple[Any, ...] = (
    moments,
    gradients,
    cooccurrence,
    binary_patterns,
    spectrum,
    correlation_decay,
    grey_granulometry,
)
SPATIAL: tuple[Any, ...] = (moments, gradients, correlation_decay)


def texture(grey: Grey, inside: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """Return all statistics of an image ``[ny, nx]``, or those that a volume ``[nz, ny, nx]`` has, by name.

    What an image is too small for is left out.

    Args:
        grey: grey values.
        inside: the pixels that count; all when ``None``.

    Raises:
        InputError: one grey value only inside.
    """
    visible = np.ones(grey.shape, dtype=bool) if inside is None else inside
    found = moments(grey, visible)
    for statistic in (PLANAR if grey.ndim == 2 else SPATIAL)[1:]:
        try:
            found |= statistic(grey, visible)
        except InputError:
            continue
    return found
