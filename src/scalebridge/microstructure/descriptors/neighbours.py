r"""Nearest neighbours of points, against complete spatial randomness.

A neighbour beyond the edge may be nearer than the one seen. Hanisch (Math. Operationsforsch. Statist. 15 (1984) 409)
counts a distance d only where the point lies deeper than d, weighted by 1 / |W eroded by d|: unbiased in any window.

Clark and Evans (Ecology 35 (1954) 445): R is the mean distance over that of a Poisson process of the same intensity,
:math:`\Gamma(1 + 1/d) / (\lambda \kappa_d)^{1/d}` with the volume :math:`\kappa_d` of the unit ball (1/2 / sqrt(lambda)
in 2-D): 1 for randomness, below for clusters, above for regularity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.masks import Floats
from scalebridge.microstructure.descriptors.points import Points

FEWEST = 5
"""Points below which neighbours tell nothing."""

BALL = {2: math.pi, 3: 4.0 * math.pi / 3.0}
"""Area or volume of the unit ball."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Distances to the nearest neighbour.

    Attributes:
        mean: mean distance, edge-corrected.
        mean_std: its standard deviation.
        std: standard deviation of single distances.
        clark_evans: mean over that of complete spatial randomness.
        clark_evans_std: its standard deviation under randomness.
        z: (R - 1) over that deviation: beyond 2 the points are not random.
        distance: distances that count, ascending, ``[k]``.
        cumulative: share of points with a neighbour within, ``[k]``.
        used: points whose neighbour is certain.
    """

    mean: float
    mean_std: float
    std: float
    clark_evans: float
    clark_evans_std: float
    z: float
    distance: Floats
    cumulative: Floats
    used: int

    @property
    def verdict(self) -> str:
        """Say whether the points are clustered, random or regular."""
        kind = "regular" if self.z > 2 else "clustered" if self.z < -2 else "not told from random"
        return f"The points are {kind}: Clark-Evans R = {self.clark_evans:.3f} (z = {self.z:.1f})."


def nearest_neighbours(points: Points) -> Neighbours:
    """Return the statistics of the distance to the nearest neighbour.

    Raises:
        InputError: fewer than `FEWEST` points, or as few whose neighbour is certain.
    """
    from scipy.spatial import cKDTree

    if len(points) < FEWEST:
        raise InputError(f"Nearest neighbours of {len(points)} points tell nothing; at least {FEWEST} are needed.")
    near = cKDTree(points.places).query(points.places, k=2)[0][:, 1]
    certain = near <= points.depth
    if certain.sum() < FEWEST:
        raise InputError(
            f"Only {int(certain.sum())} points lie further from the edge than from their neighbour; at least {FEWEST} "
            "are needed, so give a larger field of view."
        )
    distance = np.sort(near[certain])
    weight = 1.0 / np.maximum(points.left(distance), 1.0)
    weight /= weight.sum()
    mean = float(weight @ distance)
    std = float(np.sqrt(weight @ (distance - mean) ** 2))
    effective = 1.0 / float((weight**2).sum())
    expected, scatter = _random(points.intensity, points.dim)
    r_std = scatter / expected / math.sqrt(effective)
    r, edge = mean / expected, points.spacing
    return Neighbours(
        mean * edge,
        std * edge / math.sqrt(effective),
        std * edge,
        r,
        r_std,
        (r - 1.0) / r_std,
        distance * edge,
        np.cumsum(weight),
        int(certain.sum()),
    )


def _random(intensity: float, dim: int) -> tuple[float, float]:
    """Mean and deviation of the nearest distance of a Poisson process: a Weibull law of shape d."""
    scale = (intensity * BALL[dim]) ** (-1.0 / dim)
    mean = math.gamma(1.0 + 1.0 / dim)
    return scale * mean, scale * math.sqrt(math.gamma(1.0 + 2.0 / dim) - mean**2)
