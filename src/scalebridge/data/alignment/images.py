"""Two images of the same place laid over each other by phase correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError, ShapeError
from scalebridge.quantities import Floats

FINE, LEAST = 50, 32


@dataclass(frozen=True, eq=False)
class Shift:
    """How far an image lies off another.

    Attributes:
        pixels: ``[d]``, along each axis, to be added to positions in the moving image to reach those of the reference.
        std: ``[d]``, from the scatter of the shifts of parts of the image.
        agreement: correlation of the overlapping parts after the shift; below .3 the images hardly show the same.
    """

    pixels: Floats
    std: Floats
    agreement: float


def image_shift(reference: ArrayLike, moving: ArrayLike) -> Shift:
    """Shift between two grey images or volumes of one shape, to a fiftieth of a pixel.

    Args:
        reference: ``[*grid]``.
        moving: ``[*grid]``.

    Returns:
        The shift of the whole, with the scatter of those of its halves along every axis as its uncertainty.

    Raises:
        InputError: images without contrast, or below 32 pixels a side.
        ShapeError: different shapes.

    Source: M. Guizar-Sicairos, S. T. Thurman, J. R. Fienup, Efficient subpixel image registration algorithms, Opt.
    Lett. 33 (2008) 156-158, by scikit-image.
    """
    a, b = np.asarray(reference, dtype=np.float64), np.asarray(moving, dtype=np.float64)
    if a.shape != b.shape or a.ndim not in (2, 3):
        raise ShapeError(
            f"Images of the shapes {a.shape} and {b.shape} cannot be registered; crop or pad to one shape."
        )
    finite = np.isfinite(a).all() and np.isfinite(b).all() and max(np.abs(a).max(), np.abs(b).max()) < 1e100
    if min(a.shape) < LEAST or not finite or a.std() == 0 or b.std() == 0:
        raise InputError(f"An image of {a.shape} without contrast, with gaps or below {LEAST} pixels shows no shift.")
    whole = _correlated(a, b)
    parts = []
    for corner in np.ndindex(*(2,) * a.ndim):
        box = tuple(slice(c * (n // 2), (c + 1) * (n // 2)) for c, n in zip(corner, a.shape, strict=True))
        if a[box].std() > 0 and b[box].std() > 0:
            parts.append(_correlated(a[box], b[box]))
    near = np.array([p for p in parts if np.abs(p - whole).max() <= 2.0])
    scatter = near.std(axis=0, ddof=1) / np.sqrt(len(near)) if len(near) > 1 else np.full(a.ndim, np.nan)
    return Shift(whole, np.maximum(scatter, 1 / FINE / np.sqrt(12)), _agreement(a, b, whole))


def _correlated(a: Floats, b: Floats) -> Floats:
    from skimage.registration import phase_cross_correlation

    # Hann's window: the edges of an image are no edges in it.
    window = np.ones(())
    for n in a.shape:
        window = np.multiply.outer(window, np.hanning(n))
    shift = phase_cross_correlation(
        (a - a.mean()) * window, (b - b.mean()) * window, upsample_factor=FINE, normalization=None
    )[0]
    return np.asarray(shift, dtype=np.float64)


def _agreement(a: Floats, b: Floats, shift: Floats) -> float:
    from scipy.ndimage import shift as moved

    there = moved(b, shift, order=1, cval=np.nan)
    both = np.isfinite(there)
    if both.sum() < 100:
        return 0.0
    return float(np.corrcoef(a[both], there[both])[0, 1])
