"""Whether a window of a given size speaks for the slice, and which window speaks best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.correlation import fraction_std, integral_range, two_point_map
from scalebridge.microstructure.cropping import Rectangle, Window, avoided, moving_sum, origins, window, windows
from scalebridge.microstructure.segmentation import Segmentation

Mask = NDArray[np.bool_]

CANDIDATES = 400
"""Windows, evenly spread, among which the nearest is sought."""

REACH = 24
"""Pixels over which two-point correlations are compared (about three fibre diameters)."""


@dataclass(frozen=True, eq=False)
class Representativity:
    """How windows of one size scatter, and the one nearest to the statistics of the region.

    Attributes:
        size: pixels on a side.
        region_fraction: fibre fraction of the region.
        fractions: fibre fraction of the windows of a grid that do not overlap, ``[n]``.
        observed_std: their standard deviation; ``nan`` with fewer than two.
        expected_std: the deviation that the covariance of the region implies for one window.
        integral_range: area in pixels squared that counts as one independent draw.
        windows_needed: windows whose mean is known to ``precision`` (one deviation).
        precision: the relative deviation of the fraction called representative.
        nearest: the window nearest to the region's fraction and two-point correlation.
        distance: how far it is, in deviations of all candidates (root mean square).
        avoided_fractions: fibre fractions of grid windows that touch what is avoided, ``[k]``.
        verdict: all this in words.
    """

    size: int
    region_fraction: float
    fractions: NDArray[np.float64]
    observed_std: float
    expected_std: float
    integral_range: float
    windows_needed: int
    precision: float
    nearest: Window
    distance: float
    avoided_fractions: NDArray[np.float64]
    verdict: str

    @property
    def representative(self) -> bool:
        """Whether one window knows the fraction to the precision asked for."""
        return self.windows_needed <= 1

    @property
    def std(self) -> float:
        """The larger of the expected and the observed deviation of the fraction of one window."""
        return float(np.nanmax([self.expected_std, self.observed_std]))


def representative(
    segmentation: Segmentation,
    size: int,
    *,
    inside: Mask | None = None,
    avoid: Mask | Sequence[Rectangle] | None = None,
    precision: float = 0.02,
) -> Representativity:
    """Check whether a window of ``size`` pixels is representative, and find the one nearest to the statistics.

    The nearest has the least sum of two squares, each in units of the scatter over all candidates: its distance
    from the region in fibre fraction, and in two-point correlation over lags of up to `REACH` pixels (mean).

    Args:
        segmentation: the segmentation.
        size: pixels on a side.
        inside: the region to represent, ``[rows, columns]``; the field of view when ``None``.
        avoid: what the region leaves out: a mask, or rectangles ``(top, left, bottom, right)``.
        precision: the relative deviation of the fibre fraction at which a window is called representative.

    Raises:
        InputError: no place for a window of this size, or a precision that is not positive.
    """
    if not (np.isfinite(precision) and precision > 0):
        raise InputError(f"The precision of the fraction is {precision}; it must be positive, as in 0.02.")
    left_out = avoided(segmentation, avoid)
    region = segmentation.inside & ~left_out
    if inside is not None:
        region = region & inside
    places = origins(segmentation, size, inside, avoid)
    fibre = segmentation.labels == len(segmentation.phases) - 1
    share = float(fibre[region].mean())
    grid = windows(segmentation, size, inside=inside, avoid=avoid)
    fractions = np.array([found.fraction[-1] for found in grid])
    expected = fraction_std(fibre, region, size)
    observed = float(fractions.std(ddof=1)) if fractions.size > 1 else float("nan")
    std = float(np.nanmax([expected, observed]))
    nearest, distance = _nearest(segmentation, fibre, region, places, size)
    touching = _touching(segmentation, size, left_out)
    needed = max(1, int(np.ceil((std / (precision * share)) ** 2))) if share else 1
    area = integral_range(fibre, region, size)
    verdict = _verdict(size, share, std, expected, fractions, needed, precision, nearest, touching)
    return Representativity(
        size, share, fractions, observed, expected, area, needed, precision, nearest, distance, touching, verdict
    )


def _nearest(
    segmentation: Segmentation, fibre: Mask, region: Mask, places: NDArray[np.int64], size: int
) -> tuple[Window, float]:
    reach = min(REACH, size // 3)
    chosen = places[np.unique(np.linspace(0, len(places) - 1, CANDIDATES).astype(int))]
    share = moving_sum(fibre, size)[tuple(chosen.T)] / size**2
    maps = np.array(
        [two_point_map(fibre[row : row + size, column : column + size], None, reach) for row, column in chosen]
    )
    goal = two_point_map(fibre, region, reach)
    by_fraction = (share - fibre[region].mean()) / max(float(share.std()), 1e-9)
    by_shape = (maps - goal) / np.maximum(maps.std(axis=0), 1e-9)
    distance = np.sqrt((by_fraction**2 + (by_shape**2).mean(axis=(1, 2))) / 2)
    best = int(np.argmin(distance))
    row, column = chosen[best]
    return window(segmentation, size, (int(row), int(column))), float(distance[best])


def _touching(segmentation: Segmentation, size: int, left_out: Mask) -> NDArray[np.float64]:
    if not left_out.any():
        return np.zeros(0)
    found = windows(segmentation, size)
    return np.array(
        [
            each.fraction[-1]
            for each in found
            if left_out[each.rectangle[0] : each.rectangle[2], each.rectangle[1] : each.rectangle[3]].any()
        ]
    )


def _verdict(
    size: int,
    share: float,
    std: float,
    expected: float,
    fractions: NDArray[np.float64],
    needed: int,
    precision: float,
    nearest: Window,
    touching: NDArray[np.float64],
) -> str:
    head = (
        f"A window of {size} pixels knows the fibre fraction {share:.3f} to ± {std:.3f} (one deviation; {expected:.3f} "
        f"from the integral range, {fractions.size} windows side by side)"
    )
    if needed <= 1:
        body = f", within the {precision:.0%} asked for: it is representative"
    else:
        body = f", not to the {precision:.0%} asked for: average {needed} windows, or carry the scatter as an input"
    row, column = nearest.origin
    tail = f"; the nearest to the statistics lies at row {row}, column {column} with {nearest.fraction[-1]:.3f}"
    if touching.size:
        tail += f"; the {touching.size} that touch what is avoided hold {touching.mean():.3f}"
        tail += f" ± {touching.std(ddof=1):.3f}" if touching.size > 1 else ""
    return head + body + tail + "."
