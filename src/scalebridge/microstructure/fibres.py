"""The fibre diameter in pixels, and the pixel size that a known diameter gives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.segmentation import Segmentation
from scalebridge.microstructure.touching import basins
from scalebridge.quantities.units import magnitude

SLENDEREST = 1.5
"""Largest ratio of axes of a cross-section that counts as a fibre across the slice."""


@dataclass(frozen=True)
class FibreDiameter:
    """Diameters of the fibres that cross the slice, in pixels.

    Attributes:
        pixels: median equivalent diameter.
        pixels_std: its standard deviation, from the deviation of the fibre fraction (half of it, relatively).
        scatter: standard deviation of single fibres, from their interquartile range.
        count: number of fibres measured.
    """

    pixels: float
    pixels_std: float
    scatter: float
    count: int


def fibre_diameter(segmentation: Segmentation) -> FibreDiameter:
    """Measure the diameter of round fibres from the area of each one's watershed basin.

    Fibres cut by the edge of the field of view, and sections more slender than `SLENDEREST` (fibres that run
    in the plane of the slice, unparted pairs), are left out.

    Raises:
        InputError: fewer than three fibres can be told apart.
    """
    from skimage.measure import regionprops_table
    from skimage.morphology import dilation

    inside, grey = segmentation.inside, segmentation.clean
    fibre = segmentation.labels == len(segmentation.phases) - 1
    bright = (fibre | segmentation.cuts) & (grey > segmentation.threshold) & inside
    contrast = float(np.ptp([grey[bright].mean(), grey[~bright & inside].mean()]))
    single = basins(grey, bright, inside, contrast, lines=False) * bright
    edge = ~np.pad(inside, 1)
    cut = np.unique(single[dilation(edge.astype(np.uint8))[1:-1, 1:-1].astype(bool)])
    table = regionprops_table(single, properties=("label", "area", "major_axis_length", "minor_axis_length"))
    whole = ~np.isin(table["label"], cut)
    round_enough = table["major_axis_length"] < SLENDEREST * np.maximum(table["minor_axis_length"], 1e-9)
    # The lines between fibres lie within the basins, but only half of them in the fraction.
    counted = min(float((fibre & inside).sum() / bright.sum()), 1.0)
    diameter = np.sqrt(4 * counted * table["area"][whole & round_enough & (table["area"] > 4)] / np.pi)
    if diameter.size < 3:
        raise InputError(
            f"Only {diameter.size} round fibres can be told apart in '{segmentation.image.name}'; "
            "give the pixel size itself, or an image across the fibres."
        )
    low, middle, high = np.percentile(diameter, [25, 50, 75])
    relative = float(segmentation.fraction_std[-1] / segmentation.fraction[-1]) / 2
    return FibreDiameter(float(middle), float(middle) * relative, float(high - low) / 1.349, int(diameter.size))


def pixel_size_from_fibre(diameter_px: float, diameter: str) -> str:
    """Return the pixel size, as text in micrometres, that makes ``diameter_px`` pixels ``diameter`` long.

    Args:
        diameter_px: measured diameter in pixels, as from `fibre_diameter`.
        diameter: the known diameter with its unit, as ``"17 um"``.

    Raises:
        InputError: a diameter that is no positive length, or a pixel count that is not positive.
    """
    if not (math.isfinite(diameter_px) and diameter_px > 0):
        raise InputError(f"The fibre diameter in pixels is {diameter_px}; it must be positive and finite.")
    length = magnitude(diameter, "um", "The fibre diameter") if isinstance(diameter, str) else math.nan
    if not (math.isfinite(length) and length > 0):
        raise InputError(f"The fibre diameter is {diameter!r}; give a positive length with its unit, as in '17 um'.")
    return f"{length / diameter_px:.6g} um"
