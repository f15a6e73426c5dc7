"""Resin-rich zones: where a further fibre would fit.

A zone is a connected place of the matrix that a disc (ball) of a given diameter reaches without touching a fibre: the
opening of the matrix. With the fibres' own diameter, the default, it is the room in which a fibre is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.distance_maps import squared_distances
from scalebridge.microstructure.descriptors.masks import Floats, Mask, checked, checked_spacing
from scalebridge.microstructure.descriptors.region_shapes import Regions, measured, regions
from scalebridge.microstructure.descriptors.separation import separated, typical_diameter
from scalebridge.microstructure.descriptors.thickness import opened


@dataclass(frozen=True, eq=False)
class ResinZones:
    """Resin-rich zones of a fibrous microstructure.

    Attributes:
        zones: the zones, as `regions`.
        diameter: of the disc that must fit.
        share: area share of the zones in the field of view.
        largest: area of the largest zone, 0 without zones.
        distance: mean distance of the matrix to the nearest fibre.
        distance_95: its 95th percentile.
        local_std: standard deviation of the fibre fraction over windows of five diameters.
    """

    zones: Regions
    diameter: float
    share: float
    largest: float
    distance: float
    distance_95: float
    local_std: float


def resin_zones(
    fibre: ArrayLike, inside: ArrayLike | None = None, spacing: float = 1.0, diameter: float | None = None
) -> ResinZones:
    """Find the zones of the matrix in which a disc of ``diameter`` fits.

    Args:
        fibre: the indicator of the fibres, ``[ny, nx]`` or ``[nz, ny, nx]``.
        inside: the pixels that count; all when ``None``. Beyond it nothing is known, so that a zone may end there.
        spacing: edge of a pixel.
        diameter: of the disc, in the unit of the spacing; the fibres' typical diameter when ``None``.

    Raises:
        InputError: as `masks.checked`; no fibre or no matrix inside; a diameter that is not positive.
    """
    mask, visible = checked(fibre, inside)
    edge = checked_spacing(spacing)
    shown = np.ones_like(mask) if visible is None else visible
    matrix = shown & ~mask
    if not matrix.any() or not (mask & shown).any():
        raise InputError("Resin-rich zones need fibres and matrix in the field of view, and one of them is absent.")
    width = typical_diameter(measured(separated(mask, visible), visible)) if diameter is None else diameter / edge
    if not (np.isfinite(width) and width > 0):
        raise InputError(f"The diameter of the disc that must fit is {diameter}; it must be positive.")
    zones = regions(opened(matrix, width / 2), visible, edge)
    away = np.sqrt(squared_distances(~(mask & shown))[matrix].astype(np.float64)) - 0.5
    return ResinZones(
        zones,
        width * edge,
        zones.fraction,
        float(zones.size.max(initial=0.0)),
        float(away.mean()) * edge,
        float(np.percentile(away, 95)) * edge,
        local_fraction_std(mask, shown, max(2, round(5 * width))),
    )


def local_fraction(phase: Mask, inside: Mask, size: int) -> Floats:
    """Return the fraction of a phase in a window of ``size`` pixels about each pixel, ``[*grid]``; nan where empty."""
    from scipy.ndimage import uniform_filter

    held = uniform_filter((phase & inside).astype(np.float64), size, mode="constant")
    seen = uniform_filter(inside.astype(np.float64), size, mode="constant")
    return np.asarray(np.where(seen > 1e-9, held / np.maximum(seen, 1e-9), np.nan))


def local_fraction_std(phase: Mask, inside: Mask, size: int) -> float:
    """Return the deviation of the local fraction over the pixels whose window lies inside; nan where none does."""
    from scipy.ndimage import minimum_filter

    whole = minimum_filter(inside.view(np.uint8), size, mode="constant").view(bool)
    return float(local_fraction(phase, inside, size)[whole].std()) if whole.any() else float("nan")
