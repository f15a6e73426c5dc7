"""What a section across fibres says of their arrangement: the same figures for an image and for a packing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.correlation import two_point
from scalebridge.microstructure.descriptors.neighbours import nearest_neighbours
from scalebridge.microstructure.descriptors.point_pairs import pair_correlation
from scalebridge.microstructure.descriptors.points import Points, points_in
from scalebridge.microstructure.fibre_detection import Fibres, detect_fibres
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls
from scalebridge.microstructure.micrograph import Micrograph, from_array
from scalebridge.microstructure.segmentation import Segmentation

Floats = NDArray[np.float64]

QUANTILES = (np.arange(40) + 0.5) / 40
"""Probabilities at which distributions are compared."""

RINGS = 40
MARKED = 0.02
"""Noise put on label images before fibres are fitted, in units of the contrast: a fit needs some."""


@dataclass(frozen=True, eq=False)
class FibreStatistics:
    """Arrangement of fibres across a slice; lengths in pixels. Build it by `measured` or `generated`.

    Attributes:
        fraction: area fraction of the fibres.
        intensity: fibres per pixel.
        diameters: of single fibres, ``[n]``, the noise of measuring them taken off.
        nearest: distance to the nearest neighbour at `QUANTILES`, edge-corrected.
        distance: middles of the rings of g, ``[rings]``.
        g: pair correlation there, ``[rings]``; NaN where it cannot be told.
        pairs: expected pairs in each ring if centres were random, ``[rings]``: how well g is known.
        closest: distance of surfaces that one in a hundred neighbours falls below; not negative.
        two_point: S2 at distances of 0, 1, ... pixels, ``[reach + 1]``.
        points: number of centres.
        notes: what was left out, one sentence each.
    """

    fraction: float
    intensity: float
    diameters: Floats
    nearest: Floats
    distance: Floats
    g: Floats
    pairs: Floats
    closest: float
    two_point: Floats
    points: int
    notes: tuple[str, ...]


def fibres_of(given: Fibres | Segmentation | Micrograph | NDArray[np.generic]) -> Fibres:
    """Return the fibres of an image, of its segmentation, or of labels ``[rows, columns]`` with 1 in the fibres.

    Raises:
        InputError: as `detect_fibres`, or an array that holds no labels of two phases.
    """
    if isinstance(given, Fibres):
        return given
    if isinstance(given, Segmentation | Micrograph):
        return detect_fibres(given)
    return detect_fibres(_grey_image(np.asarray(given)))


def measured(fibres: Fibres) -> FibreStatistics:
    """Return the statistics of the fibres of an image that cross it.

    Misaligned fibres and their surroundings, as far as the others' radius, are taken out of the window; distances are
    corrected for the edge of what remains.

    Raises:
        InputError: fewer than five fibres.
    """
    window, notes = _window(fibres)
    pixel = np.rint(fibres.centres).astype(int)
    within = ((pixel >= 0) & (pixel < window.shape)).all(axis=1) & ~fibres.misaligned
    within[within] = window[tuple(pixel[within].T)]
    drawn = fibres.only(~fibres.misaligned).mask()
    points = points_in(fibres.centres[within], window)
    fraction = float(drawn[window].mean())
    return _statistics(points, fibres.diameters[within], _single(fibres), fraction, drawn, window, notes)


def _window(fibres: Fibres) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The part of the field of view without misaligned fibres, and what to say of it."""
    from scipy.ndimage import distance_transform_edt

    if not fibres.misaligned.any():
        return fibres.inside, ()
    away = distance_transform_edt(~fibres.only(fibres.misaligned).mask())
    left = fibres.inside & (away > 0.5 * fibres.diameter)
    share = 1.0 - left.sum() / fibres.inside.sum()
    return left, (
        f"{int(fibres.misaligned.sum())} of {len(fibres)} fibres are misaligned or far from round; they and their "
        f"surroundings, {share:.1%} of the image, are neither measured nor generated.",
    )


def generated(packing: UnequalBalls, size: float, like: FibreStatistics) -> FibreStatistics:
    """Return the statistics of a packing in a periodic cell of ``size`` pixels, at the distances of other ones.

    Nothing is lost at edges; rings beyond half the cell are not told (NaN).
    """
    offset = packing.centres[:, None] - packing.centres[None]
    apart = size * np.sqrt(((offset - np.rint(offset)) ** 2).sum(axis=-1))
    pairs = apart[np.triu_indices(len(apart), 1)]
    np.fill_diagonal(apart, np.inf)
    ends = np.concatenate([[0.0], like.distance + like.distance[0]])
    count, intensity = len(packing.radii), len(packing.radii) / size**2
    random = 0.5 * count * (count - 1) / size**2 * np.pi * np.diff(ends**2)
    g = np.where(ends[1:] <= 0.5 * size, np.histogram(pairs, ends)[0] / random, np.nan)
    drawn = UnequalBalls(packing.centres, packing.radii).labels(max(8, round(size))).astype(bool)
    return FibreStatistics(
        packing.fraction,
        intensity,
        np.sort(2.0 * packing.radii * size),
        np.quantile(apart.min(axis=1), QUANTILES),
        like.distance,
        g,
        random,
        max(0.0, float(packing.gaps().min()) * size),
        two_point(drawn, None, min(len(like.two_point) - 1, drawn.shape[0] // 3)),
        count,
        (),
    )


def _statistics(
    points: Points,
    marks: Floats,
    diameters: Floats,
    fraction: float,
    drawn: NDArray[np.bool_],
    inside: NDArray[np.bool_] | None,
    notes: tuple[str, ...],
) -> FibreStatistics:
    near = nearest_neighbours(points)
    pairs = pair_correlation(points, None, RINGS)
    width = pairs.radius - np.concatenate([[0.0], pairs.radius[:-1]])
    expected = 0.5 * len(points) * points.intensity * 2.0 * np.pi * pairs.distance * width
    return FibreStatistics(
        fraction,
        points.intensity,
        np.sort(diameters),
        np.interp(QUANTILES, near.cumulative, near.distance),
        pairs.distance,
        pairs.g,
        expected,
        _closest(points, marks),
        two_point(drawn, inside, int(min(pairs.radius[-1], min(drawn.shape) // 3))),
        len(points),
        notes,
    )


def _single(fibres: Fibres) -> Floats:
    """Diameters of whole fibres, drawn together until they scatter as the material does, not as the fit."""
    found = fibres.diameters[fibres.whole] if fibres.whole.any() else fibres.diameters
    spread = float(found.std())
    share = min(fibres.scatter / spread, 1.0) if spread > 0.0 else 1.0
    return np.asarray(found.mean() + share * (found - found.mean()))


def _closest(points: Points, diameters: Floats) -> float:
    from scipy.spatial import cKDTree

    distance, index = cKDTree(points.places).query(points.places, k=2)
    gap = distance[:, 1] - 0.5 * (diameters + diameters[index[:, 1]])
    return max(0.0, float(np.quantile(gap, 0.01)))


def _grey_image(labels: NDArray[np.generic]) -> Micrograph:
    from scipy.ndimage import gaussian_filter

    values = np.unique(labels)
    if labels.ndim != 2 or not np.isin(values, (0, 1)).all() or len(values) != 2:
        raise InputError(
            f"The labels to match have the shape {labels.shape} and {len(values)} values; give rows and columns of 0 "
            "in the matrix and 1 in the fibres, a segmentation, or an image."
        )
    noise = MARKED * np.random.default_rng(0).standard_normal(labels.shape)
    grey = 0.25 + 0.5 * (gaussian_filter(labels.astype(np.float64), 0.7) + noise)
    return from_array(np.round(65535.0 * np.clip(grey, 0.0, 1.0)).astype(np.uint16), name="labels")
