r"""Two-point statistics of phases in 2-D and 3-D, and the scatter of a fraction that they imply.

For an indicator :math:`I` with fraction :math:`f`, :math:`S_2(h) = \langle I(x) I(x+h) \rangle` and the covariance
:math:`C(h) = S_2(h) - f^2`. The fraction of a window of side L has the variance

.. math:: \mathrm{Var} = L^{-d} \sum_{|h_i| < L} C(h) \prod_i (1 - |h_i| / L) \;\approx\; f(1-f) A / L^d,

where the integral range A is the sum of :math:`C / C(0)`: the area or volume that counts as one independent draw
(Matheron 1971; Lantuejoul 1991; Kanit et al. 2003). All correlations are counted by FFT over the pairs of which both
pixels lie inside (Padfield, IEEE Trans. Image Process. 21 (2012) 2706), volumes in single precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ShapeError

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoPoint:
    """A two-point function along some direction, or averaged over all.

    Attributes:
        distance: ``[n]``, in pixels, or in the unit of the spacing given.
        value: probability that two points this far apart lie in the phases, ``[n]``.
        pairs: pairs of pixels counted, ``[n]``.
    """

    distance: Floats
    value: Floats
    pairs: Floats


def two_point(phase: Mask, inside: Mask | None = None, reach: int = 32) -> Floats:
    """Return S2 averaged over directions, ``[reach + 1]``, at distances of 0 to ``reach`` pixels.

    Args:
        phase: the indicator, ``[rows, columns]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``. Only pairs of which both lie inside are counted.
        reach: largest distance in pixels.

    Raises:
        ShapeError: neither two nor three dimensions, or a second phase or field of view of another shape.
        InputError: a reach that is not below the longest side.
    """
    return cross_correlation(phase, phase, inside, reach).value


def cross_correlation(
    first: Mask, second: Mask, inside: Mask | None = None, reach: int = 32, spacing: float = 1.0
) -> TwoPoint:
    """Return the probability that x lies in the first phase and x + h in the second, averaged over directions.

    Lags are gathered in rings of one pixel about whole distances; the distance told is the mean of the pairs of the
    ring. Args and errors as `two_point`; ``spacing`` is the edge of a pixel.
    """
    pairs, counts = pair_sums(first, inside, reach, 0.0, second)
    lag = lag_lengths(pairs.ndim, reach)
    total, number = _radial(pairs, reach), _radial(counts, reach)
    held = np.maximum(number, 1.0)
    distance = np.where(number > 0, _radial(lag * counts, reach) / held, np.arange(reach + 1.0))
    return TwoPoint(distance * spacing, total / held, number)


def directional_correlation(
    first: Mask,
    second: Mask,
    direction: Sequence[int],
    inside: Mask | None = None,
    reach: int = 32,
    spacing: float = 1.0,
) -> TwoPoint:
    """Return the correlation along one lattice direction, at whole multiples of it.

    Args:
        first: phase at x, ``[rows, columns]`` or ``[nz, ny, nx]``.
        second: phase at x + h.
        direction: whole steps along each axis, in the order of the axes: ``(0, 1)`` is x, ``(1, 1)`` a diagonal.
        inside: the pixels that count; all when ``None``.
        reach: largest distance in pixels.
        spacing: edge of a pixel.

    Raises:
        InputError: a direction without length, or as `two_point`.
    """
    step = np.array([int(k) for k in direction])
    if step.shape != (first.ndim,) or not step.any():
        raise InputError(
            f"The direction {tuple(direction)} is none of an image of {first.ndim} dimensions; give whole steps along "
            "each axis, not all zero."
        )
    _check(first, second, inside, reach)
    length = float(np.linalg.norm(step))
    lags = np.arange(int(reach / length) + 1)
    found = np.array([_along(first, second, inside, int(k) * step) for k in lags])
    return TwoPoint(
        np.asarray(lags * length * spacing, dtype=np.float64), found[:, 0] / np.maximum(found[:, 1], 1.0), found[:, 1]
    )


def two_point_map(phase: Mask, inside: Mask | None = None, reach: int = 32) -> Floats:
    """Return S2 by lag, ``[2 reach + 1, ...]``, lag zero at the centre: sees anisotropy, as `two_point` not."""
    pairs, counts = pair_sums(phase, inside, reach, 0.0)
    return np.asarray(pairs / np.maximum(counts, 1.0))


def covariance(phase: Mask, inside: Mask | None, reach: int) -> Floats:
    """Return C(h) of the pairs inside, ``[2 reach + 1, ...]``, lag zero at the centre."""
    mean = float(phase.mean() if inside is None else phase[inside].mean())
    pairs, counts = pair_sums(phase, inside, reach, mean)
    return np.asarray(pairs / np.maximum(counts, 1.0))


def fraction_std(phase: Mask, inside: Mask | None, size: int) -> float:
    """Return the deviation of the fraction over windows of ``size`` pixels that the covariance implies.

    Lags reach to ``size`` or to a third of the image. The covariance is taken about the mean of the image itself,
    so that variations as long as the image are not seen.
    """
    reach = min(size - 1, min(phase.shape) // 3)
    lags = covariance(phase, inside, reach)
    taper = 1 - np.abs(np.arange(-reach, reach + 1)) / size
    for _ in range(phase.ndim):
        lags = lags @ taper
    return math.sqrt(max(float(lags), 0.0) / size**phase.ndim)


def integral_range(phase: Mask, inside: Mask | None = None, size: int = 96) -> float:
    """Return the integral range in pixels^d, as windows of ``size`` pixels show it: Var L^d / (f (1 - f))."""
    share = float(phase.mean() if inside is None else phase[inside].mean())
    if share in (0.0, 1.0):
        return 0.0
    return float(fraction_std(phase, inside, size) ** 2 * size**phase.ndim / (share * (1 - share)))


def correlation_length(phase: Mask, inside: Mask | None = None, reach: int = 32) -> float:
    r"""Return the length in pixels over which :math:`\int C(r) / C(0) dr` gathers, to the first zero of C.

    Zero where the phase fills all or nothing.
    """
    share = float(phase.mean() if inside is None else phase[inside].mean())
    if share in (0.0, 1.0):
        return 0.0
    return _integrated(_relative(phase, inside, reach))


def decayed_length(phase: Mask, inside: Mask | None = None, reach: int = 64) -> float:
    """Return `correlation_length` with a reach that grows from ``reach`` until C falls to zero.

    Raises:
        InputError: C stays above zero up to half of the shortest side.
    """
    most = max(1, min(phase.shape) // 2)
    far = min(reach, most)
    while True:
        relative = _relative(phase, inside, far)
        if (relative <= 0).any() or not relative[0]:
            return _integrated(relative)
        if far == most:
            raise InputError(
                f"the phase stays correlated over {most} pixels, half of the shortest side; give a larger image"
            )
        far = min(2 * far, most)


def _relative(phase: Mask, inside: Mask | None, reach: int) -> Floats:
    """C by distance ``[reach + 1]``."""
    mean = float(phase.mean() if inside is None else phase[inside].mean())
    products, counts = pair_sums(phase, inside, reach, mean)
    return np.asarray(_radial(products, reach) / np.maximum(_radial(counts, reach), 1.0))


def _integrated(covariance: Floats) -> float:
    if covariance[0] <= 0:
        return 0.0
    ends = np.flatnonzero(covariance <= 0)
    kept = covariance[: ends[0] + 1 if ends.size else None]
    return float(np.trapezoid(np.maximum(kept, 0.0)) / covariance[0])


def _radial(by_lag: Floats, reach: int) -> Floats:
    """Sum over the lags of each ring of one pixel about a whole distance, ``[reach + 1]``."""
    ring = np.round(lag_lengths(by_lag.ndim, reach)).astype(int)
    near = ring <= reach
    return np.asarray(np.bincount(ring[near], weights=by_lag[near], minlength=reach + 1), dtype=np.float64)


def _check(first: NDArray[Any], second: NDArray[Any], inside: Mask | None, reach: int) -> None:
    shapes = {first.shape, second.shape} | ({inside.shape} if inside is not None else set())
    if len(shapes) > 1 or first.ndim not in (2, 3):
        raise ShapeError(
            f"The phases and the field of view have the shapes {sorted(shapes)}; one shape of two or three dimensions "
            "is needed."
        )
    if not 0 <= reach < max(first.shape):
        raise InputError(
            f"Two-point statistics were asked for to {reach} pixels in an image of {first.shape}; the reach may go "
            f"from 0 to {max(first.shape) - 1}."
        )


def _along(first: Mask, second: Mask, inside: Mask | None, lag: NDArray[np.int64]) -> tuple[float, float]:
    ends = [_ends(int(k), n) for k, n in zip(lag, first.shape, strict=True)]
    here, there = tuple(end[0] for end in ends), tuple(end[1] for end in ends)
    both = first[here] & second[there]
    if inside is None:
        return float(np.count_nonzero(both)), float(both.size)
    seen = inside[here] & inside[there]
    return float(np.count_nonzero(both & seen)), float(np.count_nonzero(seen))


def _ends(lag: int, n: int) -> tuple[slice, slice]:
    """Where x and x + lag lie, of n pixels along an axis."""
    length = max(n - abs(lag), 0)
    return slice(max(-lag, 0), max(-lag, 0) + length), slice(max(lag, 0), max(lag, 0) + length)


def pair_sums(
    phase: NDArray[Any], inside: Mask | None, reach: int, mean: float = 0.0, other: NDArray[Any] | None = None
) -> tuple[Floats, Floats]:
    """Return the sum of products (phase - mean)(other - mean) over pairs, and the pairs, by lag ``[2 reach + 1, ...]``.

    Args and errors as `two_point`; ``other`` is the phase at x + h, the same when ``None``.
    """
    from scipy.fft import next_fast_len

    second = phase if other is None else other
    _check(phase, second, inside, reach)
    shape = [next_fast_len(extent + reach, real=True) for extent in phase.shape]
    kind = np.dtype(np.float64 if phase.ndim == 2 else np.float32)
    same = second is phase
    total = _correlated(
        _centred(phase, inside, mean, kind), None if same else _centred(second, inside, mean, kind), shape, reach
    )
    if inside is None:
        return total, _box_counts(phase.shape, reach)
    return total, np.round(_correlated(inside.astype(kind), None, shape, reach))


def _centred(phase: NDArray[Any], inside: Mask | None, mean: float, kind: np.dtype[Any]) -> NDArray[Any]:
    values = phase.astype(kind)
    values -= kind.type(mean)
    if inside is not None:
        values[~inside] = 0.0
    return values


def _correlated(first: NDArray[Any], second: NDArray[Any] | None, shape: list[int], reach: int) -> Floats:
    from scipy.fft import irfftn, rfftn

    spectrum = rfftn(first, shape)
    if second is None:
        np.multiply(spectrum, spectrum.conj(), out=spectrum)
    else:
        np.multiply(spectrum.conj(), rfftn(second, shape), out=spectrum)
    full = irfftn(spectrum, shape, overwrite_x=True)
    steps = np.arange(-reach, reach + 1)
    return np.asarray(full[np.ix_(*(steps % n for n in shape))], dtype=np.float64)


def _box_counts(shape: tuple[int, ...], reach: int) -> Floats:
    steps = np.abs(np.arange(-reach, reach + 1))
    counts = np.ones(())
    for n in shape:
        counts = np.multiply.outer(counts, np.maximum(n - steps, 0).astype(np.float64))
    return counts


def lag_lengths(dim: int, reach: int) -> Floats:
    """Return the length of every lag in pixels, ``[2 reach + 1, ...]``."""
    steps = np.arange(-reach, reach + 1, dtype=np.float64)
    return np.asarray(np.sqrt(sum(axis**2 for axis in np.meshgrid(*[steps] * dim, indexing="ij", sparse=True))))
