r"""Area or volume fraction of a phase with an interval.

Two deviations join: of the sample, :math:`\sqrt{f (1 - f) A / V}` with the integral range A (see `correlation`), which
the image would show if it were taken elsewhere; and of the segmentation, which the image does not know of itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.microstructure.correlation import covariance
from scalebridge.microstructure.descriptors.masks import Mask, checked


@dataclass(frozen=True)
class Fraction:
    """Fraction of a phase.

    Attributes:
        value: share of the field of view.
        sampling_std: deviation among images of this size.
        segmentation_std: deviation that the segmentation states, 0 when none is given.
        correlation_length: side in pixels of the square or cube that counts as one independent draw; 0 where the
            phase fills none or all.
        gathered: whether the covariance has come to its end within a quarter of the image; the deviation and the
            length are too small otherwise.
    """

    value: float
    sampling_std: float
    segmentation_std: float
    correlation_length: float
    gathered: bool = True

    @property
    def std(self) -> float:
        """Both deviations together."""
        return math.hypot(self.sampling_std, self.segmentation_std)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval that holds the fraction with probability ``level``, within [0, 1].

        Raises:
            InputError: a level that is not between 0 and 1.
        """
        from scipy.special import ndtri

        if not 0 < level < 1:
            raise InputError(f"The level of the interval is {level}; it must lie between 0 and 1, as 0.95.")
        half = float(ndtri((1 + level) / 2)) * self.std
        return max(self.value - half, 0.0), min(self.value + half, 1.0)


def phase_fraction(phase: ArrayLike, inside: ArrayLike | None = None, segmentation_std: float = 0.0) -> Fraction:
    """Return the fraction of a phase with what is known of it.

    Args:
        phase: the indicator, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``.
        segmentation_std: deviation of the fraction by the segmentation.

    Raises:
        InputError: as `masks.checked`; a deviation that is negative.
    """
    if not (math.isfinite(segmentation_std) and segmentation_std >= 0):
        raise InputError(f"The deviation of the segmentation is {segmentation_std}; give 0 or more.")
    mask, visible = checked(phase, inside)
    share = float(mask.mean() if visible is None else mask[visible].mean())
    size = float(mask.size if visible is None else visible.sum())
    if share in (0.0, 1.0):
        # None in n draws leaves up to 3 / n at 95 %, two deviations; pixels as draws make this the least.
        return Fraction(share, min(1.5 / size, 0.5), segmentation_std, 0.0)
    draw, gathered = _gathered(mask, visible, None)
    std = math.sqrt(share * (1 - share) * min(draw / size, 1.0))
    return Fraction(share, std, segmentation_std, draw ** (1 / mask.ndim), gathered)


def independent_size(phase: Mask, inside: Mask | None = None, reach: int | None = None) -> float:
    """Return the integral range in pixels^d, from the covariance to where its sum no longer rises.

    Beyond the correlation the sum of the covariance is noise, so it is taken over the box of lags where it is
    largest; lags go to ``reach``, by default as far as the sum rises, a quarter of the shortest side at most.
    """
    return _gathered(phase, inside, reach)[0]


def _gathered(phase: Mask, inside: Mask | None, reach: int | None) -> tuple[float, bool]:
    """Integral range, and whether its sum stops rising within the lags looked at."""
    most = max(1, min(phase.shape) // 4)
    far = min(most, (64 if phase.ndim == 2 else 32) if reach is None else max(1, reach))
    while True:
        lags = covariance(phase, inside, far)
        sums = [lags[(slice(far - k, far + k + 1),) * phase.ndim].sum() for k in range(far + 1)]
        top = int(np.argmax(sums))
        if top < far or reach is not None or far == most:
            return max(float(sums[top] / lags[(far,) * phase.ndim]), 1.0), top < far
        far = min(2 * far, most)
