r"""Pair correlation g(r) and Ripley's K of points in a window of any shape.

Each pair counts with the share of shifts that keep both points inside (translation correction; Ohser and Stoyan,
Biom. J. 23 (1981) 523), here the isotropised set covariance :math:`\bar\gamma_W(r)` of the window:

.. math:: \hat K(r) = \frac{1}{\hat{\lambda^2}} \sum_{i \ne j} \frac{1\{d_{ij} \le r\}}{\bar\gamma_W(d_{ij})}, \qquad
          g(r) = \frac{K'(r)}{d \kappa_d r^{d-1}}, \qquad \hat{\lambda^2} = n (n - 1) / |W|^2 .

Complete spatial randomness has g = 1, K = kappa_d r^d and L = r; the band is from simulated random points in the same
window (Besag's pointwise envelope), so it needs no formula for the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.correlation import lag_lengths, pair_sums
from scalebridge.microstructure.descriptors.masks import Floats, Mask
from scalebridge.microstructure.descriptors.neighbours import BALL, FEWEST
from scalebridge.microstructure.descriptors.points import Points

ENOUGH = 20
"""Expected pairs from which on a ring can be the highest: fewer scatter by more than a quarter."""


@dataclass(frozen=True, eq=False)
class PairCorrelation:
    """Second-order statistics of points.

    Attributes:
        distance: middles of the rings, ``[n]``.
        g: pair correlation there, ``[n]``.
        radius: outer ends of the rings, ``[n]``.
        k: Ripley's K within them, ``[n]``.
        l: ``(K / kappa_d)^(1/d)``, ``[n]``: r for random points.
        l_low: 2.5th percentile of L over simulated random points, ``[n]``; empty without simulations.
        l_high: 97.5th percentile.
        expected: pairs that random points as many would have in each ring, ``[n]``.
    """

    distance: Floats
    g: Floats
    radius: Floats
    k: Floats
    l: Floats  # noqa: E741 - Ripley's and Besag's letter
    l_low: Floats
    l_high: Floats
    expected: Floats

    @property
    def peak(self) -> tuple[float, float]:
        """Distance and height of the highest ring of g among those of at least `ENOUGH` expected pairs; else nan.

        The highest of many rings lies above 1 for random points too, by as much as their pairs scatter.
        """
        held = self.expected >= ENOUGH
        if not held.any():
            return float("nan"), float("nan")
        top = int(np.argmax(np.where(held, self.g, -np.inf)))
        return float(self.distance[top]), float(self.g[top])


def pair_correlation(
    points: Points, reach: float | None = None, rings: int = 40, simulations: int = 0, seed: int = 0
) -> PairCorrelation:
    """Return g(r), K(r) and L(r).

    Args:
        points: the points and their window.
        reach: largest distance in the unit of the spacing; ``None`` for five mean distances, a quarter of the
            shortest side at most.
        rings: number of distances.
        simulations: sets of random points for the band; 99 make a usual one, 0 none.
        seed: of the simulations.

    Raises:
        InputError: fewer than five points, a reach that the window does not hold, no ring.
    """
    if len(points) < FEWEST:
        raise InputError(f"Pair correlations of {len(points)} points tell nothing; at least {FEWEST} are needed.")
    side = float(min(points.inside.shape))
    default = min(5.0 * points.intensity ** (-1.0 / points.dim), side / 4)
    far = default if reach is None else reach / points.spacing
    if not 0 < far < side or rings < 1:
        raise InputError(
            f"Pair correlations were asked for to {reach} in {rings} rings; give at least one ring and a distance "
            f"above 0 and below {side * points.spacing:g}, the shortest side."
        )
    ends = np.linspace(0.0, far, rings + 1)
    covariance = _set_covariance(points.inside, int(np.ceil(far)))
    area = float(points.inside.sum())
    steps = _k_steps(points.places, ends, covariance, area)
    dim, edge, n, lags = points.dim, points.spacing, len(points), np.arange(covariance.size)
    shells = BALL[dim] * np.diff(ends**dim)
    k = np.cumsum(steps)
    low, high = _band(points, ends, covariance, simulations, seed)
    return PairCorrelation(
        (ends[1:] + ends[:-1]) / 2 * edge,
        steps / shells,
        ends[1:] * edge,
        k * edge**dim,
        _l(k, dim) * edge,
        low * edge,
        high * edge,
        0.5 * n * (n - 1) * shells * np.interp((ends[1:] + ends[:-1]) / 2, lags, covariance) / area**2,
    )


def _l(k: Floats, dim: int) -> Floats:
    return np.asarray((k / BALL[dim]) ** (1.0 / dim))


def _k_steps(places: Floats, ends: Floats, covariance: Floats, area: float) -> Floats:
    """What each ring adds to K, ``[rings]``."""
    from scipy.spatial import cKDTree

    tree: Any = cKDTree(places)
    pairs: NDArray[np.int64] = tree.query_pairs(float(ends[-1]), output_type="ndarray")
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    weight = 2.0 / np.interp(apart, np.arange(covariance.size), covariance)
    n = len(places)
    return np.asarray(np.histogram(apart, ends, weights=weight)[0] / (n * (n - 1)) * area**2)


def _band(points: Points, ends: Floats, covariance: Floats, simulations: int, seed: int) -> tuple[Floats, Floats]:
    if simulations < 1:
        return np.zeros(0), np.zeros(0)
    rng = np.random.default_rng(seed)
    pixels = np.argwhere(points.inside)
    area = float(len(pixels))
    curves = []
    for _ in range(simulations):
        drawn = pixels[rng.integers(0, len(pixels), len(points))] + rng.uniform(-0.5, 0.5, (len(points), points.dim))
        curves.append(_l(np.cumsum(_k_steps(drawn, ends, covariance, area)), points.dim))
    low, high = np.percentile(curves, [2.5, 97.5], axis=0)
    return low, high


def _set_covariance(inside: Mask, reach: int) -> Floats:
    """Pixels of the window that stay inside when shifted by a distance, mean over directions, ``[reach + 2]``."""
    far = min(reach + 1, max(inside.shape) - 1)
    overlap, _ = pair_sums(inside, None, far)
    lag = lag_lengths(inside.ndim, far)
    ring = np.round(lag).astype(int)
    near = ring <= far
    number = np.bincount(ring[near])
    mean = np.bincount(ring[near], weights=overlap[near]) / number
    length = np.bincount(ring[near], weights=lag[near]) / number
    return np.interp(np.arange(reach + 2), length, np.maximum(mean, 1.0))
