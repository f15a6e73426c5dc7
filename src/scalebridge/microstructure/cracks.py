"""Cracks: long thin dark lines, told from round pores by their length and from lamellar ones by their direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, did_you_mean
from scalebridge.microstructure.denoising import noise_std
from scalebridge.microstructure.micrograph import Micrograph

Grey = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCALES = (1.5, 2.5, 4.0)
"""Half widths of the lines looked for, in pixels."""

CLEAR, FAINT = 20.0, 10.0
"""Depth of a line that starts a crack and of one that continues it, in deviations of the noise of its scale: the
laps and pores of a sprayed or grown layer are shallow valleys of some deviations themselves."""

DIRECTIONS = {"down": 0.0, "across": 90.0, "any": None}
STEEPEST = 50.0
"""Largest angle between a crack and its direction, degrees."""


@dataclass(frozen=True, eq=False)
class Cracks:
    """Cracks of an image; build it by `find_cracks`.

    Attributes:
        mask: their pixels, ``[rows, columns]``.
        labels: a number for each crack from 1, 0 elsewhere, ``[rows, columns]``.
        length: length of each along its middle line, ``[n]``, pixels.
        width: mean width of each, ``[n]``, pixels.
    """

    mask: Mask
    labels: NDArray[np.int64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]


def find_cracks(image: Micrograph, inside: Mask, *, direction: str = "down", shortest: float = 25.0) -> Cracks:
    """Find cracks without any training.

    Valleys of grey are where the larger eigenvalue of the Hessian is far above its noise (Frangi et al. 1998 use the
    same eigenvalues); they are followed from clear to faint (hysteresis, Canny 1986), and kept when their middle line
    is long and runs in the direction asked for. Bands, pores and laps are dark too: what is wider than twice the
    largest of `SCALES` is no crack.

    Args:
        image: the grey image.
        inside: where cracks may be, ``[rows, columns]``, such as one layer.
        direction: ``"down"`` for cracks through a layer, ``"across"``, or ``"any"``.
        shortest: least length in pixels.

    Raises:
        InputError: an unknown direction, a mask of another shape, or a length that is not positive.
    """
    from skimage.filters import apply_hysteresis_threshold
    from skimage.measure import label

    if direction not in DIRECTIONS:
        raise InputError(f"The direction of cracks '{direction}' is not known{did_you_mean(direction, DIRECTIONS)}")
    if inside.shape != image.shape or not shortest > 0:
        raise InputError(
            f"Cracks of '{image.name}' need a mask of shape {image.shape} and a positive shortest length; "
            f"{inside.shape} and {shortest} were given."
        )
    depth = _valleys(image.grey, inside, DIRECTIONS[direction])
    lines = apply_hysteresis_threshold(np.where(inside, depth, 0.0), FAINT, CLEAR) & _half_deep(image.grey)
    parts = np.asarray(label(lines, connectivity=2), dtype=np.int64)
    return _kept(parts, shortest)


def _valleys(grey: Grey, inside: Mask, direction: float | None) -> Grey:
    """Depth of dark lines in deviations of the noise, the largest over scales, ``[rows, columns]``."""
    from skimage.feature import hessian_matrix

    noise = noise_std(grey, inside)
    best = np.zeros(grey.shape)
    for scale in SCALES:
        rr, rc, cc = hessian_matrix(grey, sigma=scale, order="rc", use_gaussian_derivatives=True, mode="nearest")
        half = np.hypot((rr - cc) / 2, rc)
        valley, other = (rr + cc) / 2 + half, (rr + cc) / 2 - half
        # The normal of the line; a line down the image has its normal along the columns.
        angle = np.degrees(0.5 * np.arctan2(2 * rc, cc - rr))
        near = np.ones(grey.shape, dtype=bool) if direction is None else _turn(angle, direction) <= STEEPEST
        # Second derivatives of white noise smoothed by s pixels deviate by sqrt(3) / (4 sqrt(pi)) noise / s^3.
        level = max(noise, 1e-4) * np.sqrt(3) / (4 * np.sqrt(np.pi)) / scale**3
        line = near & (valley > 2 * np.abs(other))
        best = np.maximum(best, np.where(line, valley / level, 0.0))
    return best


def _half_deep(grey: Grey) -> Mask:
    """Pixels at least half as far below their surroundings as the deepest nearby: the width at half depth.

    Below: the bottom-hat, what a closing wider than any crack looked for fills in.
    """
    from scipy.ndimage import maximum_filter
    from skimage.morphology import closing, disk

    reach = int(np.ceil(2 * SCALES[-1]))
    filled = closing(grey, disk(reach)) - grey
    return np.asarray(filled > 0.5 * maximum_filter(filled, 2 * reach + 1))


def _turn(angle: Grey, direction: float) -> Grey:
    return np.abs((angle - direction + 90) % 180 - 90)


def _kept(parts: NDArray[np.int64], shortest: float) -> Cracks:
    from skimage.measure import regionprops
    from skimage.morphology import skeletonize

    from scalebridge.microstructure.descriptors.cracking import skeleton_length

    labels = np.zeros_like(parts)
    lengths, widths = [], []
    for part in regionprops(parts):
        if max(part.bbox[2] - part.bbox[0], part.bbox[3] - part.bbox[1]) < shortest / 2:
            continue
        length = skeleton_length(skeletonize(part.image))
        width = float(part.area) / max(length, 1.0)
        if length >= shortest and width <= 2 * SCALES[-1] and length >= 3 * width:
            lengths.append(length)
            widths.append(width)
            labels[part.slice][part.image] = len(lengths)
    return Cracks(labels > 0, labels, np.array(lengths), np.array(widths))
