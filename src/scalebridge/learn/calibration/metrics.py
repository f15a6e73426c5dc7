"""Figures of merit of predictions and of their distributions; arrays ``[n, m]`` in, one number per output ``[m]`` out.

Source: T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation (2007);
V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using calibrated regression (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

# A deviation of nothing is a claim of certainty; it is scored as one part in 1e12 of the spread of the values.
CERTAIN = 1e-12


def rmse(y: Floats, mean: Floats) -> Floats:
    """Root mean square error ``[m]`` of ``mean [n, m]``, in the outputs' units."""
    _alike(y, mean)
    error: Floats = np.sqrt(np.mean((y - mean) ** 2, axis=0))
    return error


def nrmse(y: Floats, mean: Floats) -> Floats:
    """`rmse` over the standard deviation of the values ``[m]``; NaN where the values do not vary."""
    return rmse(y, mean) / spread_of(y)


def r2(y: Floats, mean: Floats) -> Floats:
    """Coefficient of determination ``[m]``; NaN where the values do not vary."""
    return 1.0 - nrmse(y, mean) ** 2


def nll_normal(y: Floats, mean: Floats, std: Floats) -> Floats:
    """Mean negative log likelihood ``[m]`` of normals ``mean, std [n, m]``, natural logarithm."""
    std = _positive(y, mean, std)
    loss: Floats = np.mean(0.5 * np.log(2 * np.pi * std**2) + 0.5 * ((y - mean) / std) ** 2, axis=0)
    return loss


def nll_samples(y: Floats, samples: Floats) -> Floats:
    """Mean negative log likelihood ``[m]`` under a normal kernel density of ``samples [s, n, m]`` (Scott's width)."""
    from scipy.special import logsumexp

    _alike(y, samples[0])
    count = len(samples)
    width = _floored(samples.std(axis=0, ddof=1 if count > 1 else 0) * count ** (-0.2), y)
    exponent = -0.5 * ((y - samples) / width) ** 2
    density = logsumexp(exponent, axis=0) - np.log(count * width * np.sqrt(2 * np.pi))
    loss: Floats = -np.mean(density, axis=0)
    return loss


def nll_quantiles(y: Floats, levels: Sequence[float] | Floats, quantiles: Floats) -> Floats:
    """Mean negative log likelihood ``[m]`` of the law with ``quantiles [q, n, m]`` at rising ``levels [q]``.

    Its distribution function is linear between the quantiles; each tail is exponential and continues the density
    at the outermost pair.
    """
    p, q = _levels(levels), np.sort(quantiles, axis=0)
    _alike(y, q[0])
    gaps = _floored(np.diff(q, axis=0), y)
    slopes = np.diff(p)[:, None, None] / gaps
    piece = np.clip((y[None] >= q).sum(axis=0) - 1, 0, len(p) - 2)
    density = np.log(np.take_along_axis(slopes, piece[None], axis=0)[0])
    below, above = np.maximum(q[0] - y, 0.0), np.maximum(y - q[-1], 0.0)
    tails = slopes[0] / p[0] * below + slopes[-1] / (1 - p[-1]) * above
    loss: Floats = np.mean(tails - density, axis=0)
    return loss


def crps_normal(y: Floats, mean: Floats, std: Floats) -> Floats:
    """Mean continuous ranked probability score ``[m]`` of normals, in the outputs' units (2007, section 4.2)."""
    return np.asarray(np.mean(crps_normal_rows(y, mean, std), axis=0), dtype=np.float64)


def crps_normal_rows(y: Floats, mean: Floats, std: Floats) -> Floats:
    """The same for each row, ``[n, m]``."""
    from scipy.special import ndtr

    std = _positive(y, mean, std)
    z = (y - mean) / std
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    score: Floats = std * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return score


def crps_samples(y: Floats, samples: Floats) -> Floats:
    """Mean CRPS ``[m]`` of ``samples [s, n, m]``, unbiased in their number (Ferro 2014, the fair score)."""
    _alike(y, samples[0])
    count = len(samples)
    if count < 2:
        raise InputError(f"The CRPS of samples got {count} of them; give at least two draws [s, n, m].")
    ordered = np.sort(samples, axis=0)
    rank = 2 * np.arange(count) - (count - 1)
    apart = 2 * np.einsum("s,snm->nm", rank, ordered) / (count * (count - 1))
    score: Floats = np.mean(np.mean(np.abs(samples - y), axis=0) - 0.5 * apart, axis=0)
    return score


def crps_quantiles(y: Floats, levels: Sequence[float] | Floats, quantiles: Floats) -> Floats:
    """Mean CRPS ``[m]`` as twice the mean pinball loss of ``quantiles [q, n, m]`` at evenly spread ``levels [q]``."""
    p = _levels(levels)[:, None, None]
    _alike(y, quantiles[0])
    over = y - quantiles
    score: Floats = 2 * np.mean(np.maximum(p * over, (p - 1) * over), axis=(0, 1))
    return score


def coverage(y: Floats, lower: Floats, upper: Floats) -> Floats:
    """Share ``[m]`` of the values inside ``[lower, upper]``, bounds included."""
    _alike(y, lower, upper)
    return np.asarray(np.mean((y >= lower) & (y <= upper), axis=0), dtype=np.float64)


def simultaneous_coverage(y: Floats, lower: Floats, upper: Floats) -> float:
    """Share of the rows all of whose outputs lie inside."""
    _alike(y, lower, upper)
    return float(np.mean(np.all((y >= lower) & (y <= upper), axis=1)))


def mean_width(lower: Floats, upper: Floats) -> Floats:
    """Mean width ``[m]`` in the outputs' units."""
    _alike(lower, upper)
    return np.asarray(np.mean(upper - lower, axis=0), dtype=np.float64)


def interval_score(y: Floats, lower: Floats, upper: Floats, level: float) -> Floats:
    """Mean width plus ``2 / (1 - level)`` times the distance of what lies outside, ``[m]`` (2007, eq. 43)."""
    _alike(y, lower, upper)
    outside = np.maximum(lower - y, 0.0) + np.maximum(y - upper, 0.0)
    score: Floats = np.mean(upper - lower + 2.0 / (1.0 - check_level(level)) * outside, axis=0)
    return score


def calibration_curve(y: Floats, quantile: Callable[[float], Floats], levels: Sequence[float] | Floats) -> Floats:
    """Share ``[q, m]`` of the values at or below ``quantile(p)`` at each of ``levels [q]``; honest is ``p`` itself."""
    return np.stack([np.mean(y <= quantile(float(p)), axis=0) for p in _levels(levels)])


def calibration_error(y: Floats, quantile: Callable[[float], Floats], levels: Sequence[float] | Floats) -> Floats:
    """Root mean square gap ``[m]`` between the calibration curve and the diagonal."""
    gap = calibration_curve(y, quantile, levels) - _levels(levels)[:, None]
    error: Floats = np.sqrt(np.mean(gap**2, axis=0))
    return error


def spread_of(y: Floats) -> Floats:
    """Standard deviation ``[m]`` of the values, NaN where they are constant."""
    spread = y.std(axis=0)
    return np.where(spread > CERTAIN * np.abs(y).max(initial=0.0), spread, np.nan)


def check_level(level: float) -> float:
    """Return a level, which lies between 0 and 1.

    Raises:
        InputError: it does not.
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"The level of an interval is {level:g}; give one between 0 and 1, such as 0.9.")
    return float(level)


def _alike(*arrays: Floats) -> None:
    shapes = [np.shape(a) for a in arrays]
    if len(set(shapes)) > 1 or len(shapes[0]) != 2 or shapes[0][0] == 0:
        raise ShapeError(
            f"A figure of merit got arrays of shapes {', '.join(map(str, shapes))}; "
            "give values and predictions [n, m] of the same shape with at least one row."
        )


def _levels(levels: Sequence[float] | Floats) -> Floats:
    p = np.asarray(levels, dtype=np.float64)
    if p.ndim != 1 or not len(p) or not ((p > 0) & (p < 1)).all() or (np.diff(p) <= 0).any():
        raise InputError(f"The levels of quantiles are {p.tolist()}; give rising ones between 0 and 1.")
    return p


def _positive(y: Floats, mean: Floats, std: Floats) -> Floats:
    _alike(y, mean, std)
    if not (std >= 0).all():
        raise InputError("A standard deviation is negative or not a number; give std [n, m] of at least zero.")
    return _floored(std, y)


def _floored(scale: Floats, y: Floats) -> Floats:
    floored: Floats = np.maximum(scale, CERTAIN * (np.abs(y).max(axis=0) + 1e-290))
    return floored
