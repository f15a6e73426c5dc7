"""Voronoi and Laguerre (power) diagrams of a periodic cell, exactly: faces, volumes, centroids.

A site x with weight w owns the points y where |y - x|^2 - w is least; equal weights give the Voronoi diagram. The
diagram is the lower hull of the sites lifted to |x|^2 - w. Source: F. Aurenhammer, SIAM J. Comput. 16 (1987) 78.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PowerDiagram:
    """Faces of all cells of a periodic diagram; every face is told twice, once from either side.

    Attributes:
        sites: ``[n, d]`` in the cell of side 1.
        weights: ``[n]``.
        first: cell that a face belongs to, ``[f]``, rising.
        second: cell beyond it, ``[f]``.
        normal: out of the first cell, ``[f, d]``.
        height: distance from the first site to the plane of the face, ``[f]``; negative if the site lies beyond.
        area: of the face (length of the edge in 2-D), ``[f]``.
        apart: distance of the two sites, ``[f]``.
        low, high: corners of the box around each cell, ``[n, d]``, in the frame in which its site lies in [0, 1).
        volumes: of the cells, ``[n]``; zero for a cell that has none.
        centroids: of the cells, ``[n, d]``; the site for a cell without volume.
    """

    sites: Floats
    weights: Floats
    first: Ints
    second: Ints
    normal: Floats
    height: Floats
    area: Floats
    apart: Floats
    low: Floats
    high: Floats
    volumes: Floats
    centroids: Floats


@dataclass(frozen=True, eq=False)
class _Corners:
    """Corners of faces: of which cell, beyond which image of which site, where."""

    cell: Ints
    other: Ints
    at: Floats


def power_diagram(sites: Floats, weights: Floats) -> PowerDiagram:
    """Return the periodic power diagram of ``sites [n, d]`` in [0, 1) with ``weights [n]``."""
    count, dim = sites.shape
    margin = min(1.0, 2.5 / count ** (1.0 / dim))
    while True:
        images, owner = _images(sites, margin)
        corners, reach = _corners(images, weights[owner], count)
        # The diagram is right where no image that was left out could be nearer.
        if reach <= margin or margin >= 3.0:
            return _composed(sites, weights, images, owner, corners)
        margin *= 1.5


def _images(sites: Floats, margin: float) -> tuple[Floats, Ints]:
    """Sites and their images within ``margin`` of the cell ``[m, d]``, the sites first, and whose they are ``[m]``."""
    count, dim = sites.shape
    far = math.ceil(margin)
    shifts = sorted(itertools.product(range(-far, far + 1), repeat=dim), key=lambda s: sum(map(abs, s)))
    images = (np.array(shifts, dtype=np.float64)[:, None, :] + sites).reshape(-1, dim)
    near: NDArray[np.bool_] = np.all((images >= -margin) & (images <= 1.0 + margin), axis=1)
    near[:count] = True
    return images[near], np.tile(np.arange(count), len(shifts))[near]


def _corners(images: Floats, weights: Floats, count: int) -> tuple[_Corners, float]:
    """Corners of the faces of the first ``count`` cells, and how far beyond the cell of side 1 they reach."""
    from scipy.spatial import ConvexHull

    dim = images.shape[1]
    lifted = np.column_stack([images - 0.5, ((images - 0.5) ** 2).sum(axis=1) - weights])
    hull = ConvexHull(lifted, qhull_options="Qt Qc Q12")
    lower = hull.equations[:, dim] < -1e-12
    simplices, planes = hull.simplices[lower].astype(np.int64), hull.equations[lower]
    vertices = -planes[:, :dim] / (2.0 * planes[:, dim : dim + 1]) + 0.5
    power = ((vertices - 0.5) ** 2).sum(axis=1) - planes[:, dim + 1] / planes[:, dim]
    pairs = np.array(list(itertools.permutations(range(dim + 1), 2)))
    cell, other = simplices[:, pairs[:, 0]].ravel(), simplices[:, pairs[:, 1]].ravel()
    which = np.repeat(np.arange(len(simplices)), len(pairs))
    own = cell < count
    used = np.unique(which[own])
    ball = np.sqrt(np.maximum(power[used] + weights.max(), 0.0))[:, None]
    reach = float(np.maximum(ball - vertices[used], vertices[used] + ball - 1.0).max())
    return _Corners(cell[own], other[own], vertices[which[own]]), reach


def _composed(sites: Floats, weights: Floats, images: Floats, owner: Ints, corners: _Corners) -> PowerDiagram:
    count, dim = sites.shape
    codes, face = np.unique(corners.cell * len(images) + corners.other, return_inverse=True)
    first, other = codes // len(images), codes % len(images)
    between = images[other] - sites[first]
    apart = np.linalg.norm(between, axis=1)
    height = 0.5 * (apart + (weights[first] - weights[owner[other]]) / apart)
    normal = between / apart[:, None]
    area, middle = (_edges if dim == 2 else _polygons)(corners.at, face, normal)
    cones = area * height / dim
    volumes = _summed(first, cones, count)
    moment = cones[:, None] * (dim * middle + sites[first]) / (dim + 1)
    sums = np.stack([_summed(first, moment[:, k], count) for k in range(dim)], axis=1)
    held = volumes > 1e-15
    centroids = np.where(held[:, None], sums / np.where(held, volumes, 1.0)[:, None], sites)
    low, high = sites.copy(), sites.copy()
    np.minimum.at(low, corners.cell, corners.at)
    np.maximum.at(high, corners.cell, corners.at)
    return PowerDiagram(
        sites, weights, first, owner[other], normal, height, area, apart, low, high, volumes, centroids
    )  # fmt: skip


def _edges(at: Floats, face: Ints, normal: Floats) -> tuple[Floats, Floats]:
    """Lengths ``[f]`` and middles ``[f, 2]`` of edges from their ends."""
    low, high = _extremes(at[:, 1] * normal[face, 0] - at[:, 0] * normal[face, 1], face, len(normal))
    across = np.zeros(len(normal))
    across[face] = (at * normal[face]).sum(axis=1)
    tangent = np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    return high - low, across[:, None] * normal + (0.5 * (low + high))[:, None] * tangent


def _summed(group: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(group, values, count), dtype=np.float64)


def _extremes(values: Floats, group: Ints, count: int) -> tuple[Floats, Floats]:
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, group, values)
    np.maximum.at(high, group, values)
    return low, high


def _polygons(at: Floats, face: Ints, normal: Floats) -> tuple[Floats, Floats]:
    """Areas ``[f]`` and centroids ``[f, 3]`` of convex plane polygons from their corners in any order."""
    count = len(normal)
    number = np.bincount(face, minlength=count)
    mean = np.stack([_summed(face, at[:, k], count) for k in range(3)], axis=1) / number[:, None]
    # The axis along which the normal is shortest is surely no multiple of it.
    helper = np.eye(3)[np.abs(normal).argmin(axis=1)]
    one = np.cross(normal, helper)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two = np.cross(normal, one)
    spoke = at - mean[face]
    angle = np.arctan2((spoke * two[face]).sum(axis=1), (spoke * one[face]).sum(axis=1))
    order = np.lexsort((angle, face))
    spoke, group = spoke[order], face[order]
    start = np.cumsum(number) - number
    following = np.arange(len(group)) + 1
    following[start + number - 1] = start
    triangle = 0.5 * np.linalg.norm(np.cross(spoke, spoke[following]), axis=1)
    area = _summed(group, triangle, count)
    moment = triangle[:, None] * (spoke + spoke[following]) / 3.0
    sums = np.stack([_summed(group, moment[:, k], count) for k in range(3)], axis=1)
    return area, mean + sums / np.maximum(area, 1e-300)[:, None]
