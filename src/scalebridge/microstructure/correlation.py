r"""Two-point statistics of a phase, and the scatter of its fraction that they imply.

For an indicator :math:`I` with fraction :math:`f`, :math:`S_2(h) = \langle I(x) I(x+h) \rangle` and the covariance
:math:`C(h) = S_2(h) - f^2`. The fraction of a window of side L has the variance

.. math:: \mathrm{Var} = L^{-2} \sum_{|h_i| < L} C(h) \prod_i (1 - |h_i| / L) \;\approx\; f(1-f) A / L^2,

where the integral range A is the sum of :math:`C / C(0)`: the area that counts as one independent draw
(Matheron 1971; Lantuejoul 1991; Kanit et al. 2003).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def two_point(phase: Mask, inside: Mask | None = None, reach: int = 32) -> NDArray[np.float64]:
    """Return S2 averaged over directions, ``[reach + 1]``, at distances of 0 to ``reach`` pixels.

    Args:
        phase: the indicator, ``[rows, columns]``.
        inside: the pixels that count; all when ``None``. Only pairs of which both lie inside are counted.
        reach: largest distance in pixels.
    """
    pairs, counts = _pairs(phase, inside, reach, 0.0)
    return _radial(pairs, counts, reach)


def two_point_map(phase: Mask, inside: Mask | None = None, reach: int = 32) -> NDArray[np.float64]:
    """Return S2 by lag, ``[2 reach + 1, 2 reach + 1]``, lag zero at the centre: sees anisotropy, as `two_point` not."""
    pairs, counts = _pairs(phase, inside, reach, 0.0)
    return np.asarray(pairs / np.maximum(counts, 1.0))


def covariance(phase: Mask, inside: Mask | None, reach: int) -> NDArray[np.float64]:
    """Return C(h) of the pairs inside, ``[2 reach + 1, 2 reach + 1]``, the centre at ``[reach, reach]``."""
    mask = np.ones_like(phase) if inside is None else inside
    pairs, counts = _pairs(phase, mask, reach, float(phase[mask].mean()))
    return np.asarray(pairs / np.maximum(counts, 1.0))


def fraction_std(phase: Mask, inside: Mask | None, size: int) -> float:
    """Return the deviation of the fraction over windows of ``size`` pixels that the covariance implies.

    Lags reach to ``size`` or to a third of the image. The covariance is taken about the mean of the image itself,
    so that variations as long as the image are not seen.
    """
    reach = min(size - 1, min(phase.shape) // 3)
    lags = covariance(phase, inside, reach)
    taper = 1 - np.abs(np.arange(-reach, reach + 1)) / size
    variance = float((lags * np.outer(taper, taper)).sum()) / size**2
    return float(np.sqrt(max(variance, 0.0)))


def integral_range(phase: Mask, inside: Mask | None = None, size: int = 96) -> float:
    """Return the integral range in pixels squared, as windows of ``size`` pixels show it: Var L^2 / (f (1 - f))."""
    share = float(phase.mean() if inside is None else phase[inside].mean())
    if share in (0.0, 1.0):
        return 0.0
    return fraction_std(phase, inside, size) ** 2 * size**2 / (share * (1 - share))


def _pairs(
    phase: Mask, inside: Mask | None, reach: int, mean: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.fft import irfft2, next_fast_len, rfft2

    mask = np.ones_like(phase) if inside is None else inside
    shape = [next_fast_len(extent + reach, real=True) for extent in phase.shape]
    centred = np.where(mask, phase - mean, 0.0)

    def correlate(values: NDArray[np.float64]) -> NDArray[np.float64]:
        spectrum = rfft2(values, shape)
        full = irfft2(np.abs(spectrum) ** 2, shape)
        steps = np.arange(-reach, reach + 1)
        return np.asarray(full[np.ix_(steps % shape[0], steps % shape[1])])

    return correlate(centred), np.round(correlate(mask.astype(np.float64)))


def _radial(pairs: NDArray[np.float64], counts: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    steps = np.arange(-reach, reach + 1)
    ring = np.round(np.hypot(steps[:, None], steps[None, :])).astype(int)
    near = ring <= reach
    total = np.bincount(ring[near], weights=pairs[near], minlength=reach + 1)
    number = np.bincount(ring[near], weights=counts[near], minlength=reach + 1)
    return np.asarray(total / np.maximum(number, 1.0))
