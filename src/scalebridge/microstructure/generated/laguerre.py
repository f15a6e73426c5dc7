"""Weights and sites of a Laguerre diagram whose cells have prescribed volumes.

Newton's method on the weights with damping that keeps every cell alive (Kitagawa, Merigot, Thibert, J. Eur. Math.
Soc. 21 (2019) 2603), in turn with steps of the sites to the centroids, which make the grains equiaxed.
Source: D. P. Bourne, P. J. J. Kok, S. M. Roper, W. D. T. Spanjer, Phil. Mag. 100 (2020) 2677-2707.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.generated.power_diagram import PowerDiagram, power_diagram

Floats = NDArray[np.float64]

STEPS = 60
HALVINGS = 30


def regular(sites: Floats, steps: int) -> Floats:
    """Return sites ``[n, d]`` after so many moves to the centroids of their Voronoi cells (Lloyd 1982)."""
    for _ in range(steps):
        sites = _inside(power_diagram(sites, np.zeros(len(sites))).centroids)
    return sites


def prescribed(sites: Floats, volumes: Floats, moves: int, tolerance: float = 1e-6) -> PowerDiagram:
    """Return a diagram whose cells have these volumes ``[n]``, relatively to ``tolerance``.

    Args:
        sites: to start from, ``[n, d]``.
        volumes: of the cells, of sum 1.
        moves: steps of the sites to the centroids.
        tolerance: largest relative error of a volume.

    Raises:
        InputError: volumes that were not reached.
    """
    for turn in range(moves + 1):
        # Between moves the volumes need not be met closely.
        found = _weighted(sites, volumes, tolerance if turn == moves else 0.05)
        if turn < moves:
            sites = _inside(found.centroids)
    return found


def _weighted(sites: Floats, volumes: Floats, tolerance: float) -> PowerDiagram:
    found = power_diagram(sites, np.zeros(len(sites)))
    floor = 0.5 * min(float(found.volumes.min()), float(volumes.min()))
    for _ in range(STEPS):
        error = volumes - found.volumes
        if (np.abs(error) / volumes).max() <= tolerance:
            return found
        found = _damped(found, _newton(found, error), float(np.linalg.norm(error)), volumes, floor)
    raise InputError(
        f"Grains of the volumes asked for were not found in {STEPS} steps: the farthest is off by "
        f"{(np.abs(volumes - found.volumes) / volumes).max():.2%}; take sizes that scatter less, more grains or "
        "another seed."
    )


def _newton(found: PowerDiagram, error: Floats) -> Floats:
    """Change of the weights ``[n]`` that would remove the error, to first order."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    count, flow = len(error), found.area / (2.0 * found.apart)
    diagonal = np.bincount(found.first, flow, count)
    rows, columns = np.concatenate([found.first, np.arange(count)]), np.concatenate([found.second, np.arange(count)])
    matrix = coo_array((np.concatenate([-flow, diagonal]), (rows, columns)), shape=(count, count)).tocsc()
    # Only differences of weights matter: the last one stays.
    return np.append(np.atleast_1d(spsolve(matrix[:-1, :-1], error[:-1])), 0.0)


def _damped(found: PowerDiagram, change: Floats, before: float, volumes: Floats, floor: float) -> PowerDiagram:
    share = 1.0
    for _ in range(HALVINGS):
        tried = power_diagram(found.sites, found.weights + share * change)
        error = float(np.linalg.norm(volumes - tried.volumes))
        if tried.volumes.min() >= floor and error <= (1.0 - 0.5 * share) * before:
            return tried
        share *= 0.5
    raise InputError(
        "Grains of the volumes asked for were not found: no step brings them nearer; take sizes that scatter less, "
        "more grains or another seed."
    )


def _inside(places: Floats) -> Floats:
    wrapped = places - np.floor(places)
    return np.where(wrapped >= 1.0, 0.0, wrapped)
