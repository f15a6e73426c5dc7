"""Voronoi cells of points: how evenly they share the plane or space.

A cell is what it would be in an endless image where the ball of twice its farthest corner about its point lies in the
window: no point unseen can cut it then. Such cells are counted with the weight 1 / |W eroded by that radius| (Horvitz
and Thompson 1952), so that large cells, which the edge hides more often, are not missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.descriptors.masks import Floats
from scalebridge.microstructure.descriptors.neighbours import FEWEST
from scalebridge.microstructure.descriptors.points import Points

RANDOM_CV = {2: 0.529, 3: 0.423}
"""Coefficient of variation of the cells of random points (Gilbert, Ann. Math. Stat. 33 (1962) 958)."""


@dataclass(frozen=True, eq=False)
class Voronoi:
    """Cells that are certain, and what they say.

    Attributes:
        size: area or volume of each, ``[n]``.
        neighbours: number of cells that each one meets, ``[n]``.
        point: which point each belongs to, ``[n]``.
        weight: of each in the mean, summing to 1, ``[n]``.
        mean: mean size.
        mean_std: its standard deviation.
        variation: standard deviation of the sizes over their mean: 0 for a lattice, `RANDOM_CV` for random points.
        variation_std: its standard deviation.
    """

    size: Floats
    neighbours: NDArray[np.int64]
    point: NDArray[np.int64]
    weight: Floats
    mean: float
    mean_std: float
    variation: float
    variation_std: float


def voronoi(points: Points) -> Voronoi:
    """Return the statistics of the Voronoi cells of points.

    Raises:
        InputError: fewer than five points, points on one line or plane, or fewer than five certain cells.
    """
    from scipy.spatial import QhullError
    from scipy.spatial import Voronoi as Cells

    if len(points) < max(FEWEST, points.dim + 2):
        raise InputError(f"Voronoi cells of {len(points)} points tell nothing; at least {FEWEST} are needed.")
    try:
        cells = Cells(points.places)
    except QhullError as error:
        raise InputError("The points lie on one line or plane and have no Voronoi cells; give others.") from error
    far = _farthest_corner(cells, points)
    point = np.flatnonzero(2 * far <= points.depth)
    if point.size < FEWEST:
        raise InputError(
            f"Only {point.size} Voronoi cells are certain, which no point beyond the edge could cut; at least {FEWEST} "
            "are needed, so give a larger field of view."
        )
    weight = 1.0 / np.maximum(points.left(2 * far[point]), 1.0)
    weight /= weight.sum()
    size = _sizes(cells, points, point)
    met = np.bincount(cells.ridge_points.ravel(), minlength=len(points))[point]
    return _summary(size * points.spacing**points.dim, met, point, weight)


def _summary(size: Floats, met: NDArray[np.int64], point: NDArray[np.int64], weight: Floats) -> Voronoi:
    mean = float(weight @ size)
    std = math.sqrt(float(weight @ (size - mean) ** 2))
    effective = 1.0 / float((weight**2).sum())
    variation = std / mean
    return Voronoi(
        size,
        met,
        point,
        weight,
        mean,
        std / math.sqrt(effective),
        variation,
        # Of a ratio of sample moments, to first order for shapes near the gamma law that cells follow.
        variation * math.sqrt((0.5 + variation**2) / effective),
    )


def _farthest_corner(cells: Any, points: Points) -> Floats:
    """Distance from each point to the farthest corner of its cell; infinite for open cells."""
    owner = np.repeat(cells.ridge_points, [len(ridge) for ridge in cells.ridge_vertices], axis=0)
    corner = np.concatenate([np.asarray(ridge) for ridge in cells.ridge_vertices])
    far = np.zeros(len(points))
    for side in (0, 1):
        apart = np.linalg.norm(cells.vertices[corner] - points.places[owner[:, side]], axis=1)
        np.maximum.at(far, owner[:, side], np.where(corner < 0, np.inf, apart))
    return far


def _sizes(cells: Any, points: Points, chosen: NDArray[np.int64]) -> Floats:
    """Sum over the faces of a cell of the pyramid from its point: face times height over d."""
    faces = _faces(cells.vertices, cells.ridge_vertices)
    height = np.linalg.norm(points.places[cells.ridge_points[:, 0]] - points.places[cells.ridge_points[:, 1]], axis=1)
    part = faces * height / 2 / points.dim
    total = np.bincount(cells.ridge_points.ravel(), weights=np.repeat(part, 2), minlength=len(points))
    return np.asarray(total[chosen], dtype=np.float64)


def _faces(vertices: Floats, ridges: list[list[int]]) -> Floats:
    """Lengths of edges, or areas of flat polygons with their corners in order; 0 for open ones, ``[ridges]``."""
    many = np.array([len(ridge) for ridge in ridges])
    corner, first = np.concatenate([np.asarray(ridge) for ridge in ridges]), np.cumsum(many) - many
    open_ = np.minimum.reduceat(corner, first) < 0
    arms = vertices[corner] - np.repeat(vertices[corner[first]], many, axis=0)
    if vertices.shape[1] == 2:
        return np.asarray(np.where(open_, 0.0, np.linalg.norm(arms[first + 1], axis=1)))
    fan = np.cross(arms[:-1], arms[1:])
    # The last corner of one ridge and the first of the next make no triangle.
    fan[first[1:] - 1] = 0.0
    area = np.add.reduceat(np.vstack([fan, np.zeros((1, 3))]), first)
    return np.asarray(np.where(open_, 0.0, np.linalg.norm(area, axis=1) / 2))
