"""Fibre packings with the fraction, diameters, neighbours and pair correlation of a measured section."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.microstructure.fibre_detection import Fibres
from scalebridge.microstructure.generated.fibre_statistics import (
    QUANTILES,
    FibreStatistics,
    fibres_of,
    generated,
    measured,
)
from scalebridge.microstructure.generated.matched import Matched
from scalebridge.microstructure.generated.packings import packed_disks
from scalebridge.microstructure.generated.reverse_monte_carlo import Target, fitted
from scalebridge.microstructure.generated.unequal_balls import UnequalBalls
from scalebridge.microstructure.micrograph import Micrograph
from scalebridge.microstructure.segmentation import Segmentation
from scalebridge.microstructure.structures import Axis

Floats = NDArray[np.float64]

ZONES = (0.0, 0.1, 0.2, 0.3)
"""Shares of resin-rich zones that are tried as the start."""

MOVES = 60
"""Moves tried per fibre."""


def match_fibres(
    given: Fibres | Segmentation | Micrograph | NDArray[np.generic],
    *,
    count: int = 250,
    axis: Axis | None = None,
    seed: int = 0,
) -> Matched:
    """Return a periodic packing with the arrangement of the fibres in an image.

    Fraction and diameters are given to the generator. The distances to nearest neighbours and the pair correlation
    are brought as near as the error of the measurement by reverse Monte Carlo, from the best of a few packings with
    resin-rich zones. The distances reported are: ``fraction`` (absolute), ``intensity`` (fibres per area, relative),
    ``diameters`` and ``nearest`` (mean absolute difference of quantiles over the mean), ``pair_correlation`` (root
    mean square over the rings beyond contact, where g of random centres is 1), ``two_point`` (root mean square of S2
    over f (1 - f); not fitted), and ``misfit``: chi^2 per degree of freedom, one where the difference is what the
    error of the measurement explains.

    Args:
        given: fibres as detected, an image or its segmentation, or labels with 1 in the fibres.
        count: fibres in the cell, 20 or more; pairs are followed to half the cell.
        axis: direction of endless fibres in 3-D; ``None`` for discs in 2-D.
        seed: of everything random.

    Raises:
        InputError: fewer than 20 fibres measured or asked for, a density that cannot be packed.
    """
    told = measured(fibres_of(given))
    if told.points < 20 or count < 20:
        raise InputError(
            f"{told.points} fibres were measured and {count} asked for; an arrangement needs at least 20 of both."
        )
    rng = np.random.default_rng(seed)
    diameters = np.quantile(told.diameters, (np.arange(count) + 0.5) / count)
    size = float(np.sqrt(np.pi / 4.0 * (diameters**2).sum() / told.fraction))
    rings = int(np.searchsorted(told.distance + told.distance[0], 0.45 * size))
    target = _target(told, max(rings, 4), count, size)
    gap = 2.0 * told.closest / float(diameters.mean())
    start, zones, gap = _start(told.fraction, diameters, gap, target, seed)
    sizes = start.radii + 0.5 * gap * start.radii.mean()
    places, before, after = fitted(start.centres, sizes, target, MOVES * count, rng)
    made = UnequalBalls(places, start.radii)
    freedom = len(target.pairs) + _independent(count)
    parameters = {
        "fraction": told.fraction,
        "count": float(count),
        "diameter": float(diameters.mean()),
        "scatter": float(diameters.std() / diameters.mean()),
        "gap": gap,
        "zones": zones,
        "misfit_of_start": before / freedom,
    }
    return _matched(told, UnequalBalls(places, start.radii, axis), made, size, parameters, after / freedom, seed)


def _start(
    fraction: float, diameters: Floats, gap: float, target: Target, seed: int
) -> tuple[UnequalBalls, float, float]:
    """The packing that is nearest before it is moved, its share of zones and its gap in mean radii."""
    best: tuple[float, UnequalBalls, float, float] | None = None
    for zones in ZONES:
        for share in (1.0, 0.5, 0.0):
            try:
                tried = packed_disks(
                    fraction, len(diameters), diameters=diameters, gap=share * gap, zones=zones, sweeps=60, seed=seed
                )
            except InputError:
                # Too dense for so large a gap or so much room taken away.
                continue
            misfit = _misfit(tried, target)
            if best is None or misfit < best[0]:
                best = misfit, tried, zones, share * gap
            break
    if best is None:
        raise InputError(
            f"Fibres of a fraction of {fraction:.3f} could not be packed without overlap; check the segmentation, "
            "whose fibres may be too thick."
        )
    return best[1], best[2], best[3]


def _misfit(packing: UnequalBalls, target: Target) -> float:
    offset = packing.centres[:, None] - packing.centres[None]
    offset -= np.rint(offset)
    apart = np.sqrt((offset**2).sum(axis=-1))
    pairs = np.histogram(apart[np.triu_indices(len(apart), 1)], target.ends)[0].astype(np.float64)
    np.fill_diagonal(apart, np.inf)
    return target.misfit(pairs, apart.min(axis=1))


def _target(told: FibreStatistics, rings: int, count: int, size: float) -> Target:
    """Statistics for ``count`` fibres in a cell of ``size`` pixels, with the error of measured and generated sample."""
    width = 2.0 * told.distance[0]
    ends = np.arange(rings + 1) * width / size
    g, known = told.g[:rings], told.pairs[:rings]
    random = 0.5 * count * (count - 1) * np.pi * np.diff(ends**2)
    # Pairs in a ring scatter about as counts do, in the image and in the cell.
    std = random * np.sqrt(np.maximum(g, 0.0) / known + (np.maximum(g, 0.0) * random + 1.0) / random**2)
    share = (np.arange(count) + 0.5) / count
    nearest = np.interp(share, QUANTILES, told.nearest) / size
    scatter = float(nearest.std()) * np.sqrt(1.0 / told.points + 1.0 / count)
    # Neighbouring quantiles err together: so many of them are worth one.
    alike = count / _independent(count)
    return Target(ends, g * random, np.maximum(std, 1.0), nearest, np.full(count, 2.0 * scatter * np.sqrt(alike)))


def _independent(count: int) -> int:
    return min(20, count)


def _matched(
    told: FibreStatistics,
    structure: UnequalBalls,
    plane: UnequalBalls,
    size: float,
    parameters: dict[str, float],
    misfit: float,
    seed: int,
) -> Matched:
    made = generated(plane, size, told)
    reach = float(told.distance[np.isfinite(made.g)][-1])
    others = [
        packed_disks(
            told.fraction,
            len(plane.radii),
            diameters=plane.radii,
            gap=parameters["gap"],
            zones=parameters["zones"],
            seed=seed + k,
        )
        for k in (1, 2)
    ]
    chance = _distances(*(generated(packing, size, told) for packing in others))
    names = ("fraction", "intensity", "diameters", "nearest", "distance", "g", "two_point")
    return Matched(
        structure,
        size,
        parameters,
        {**_distances(told, made), "misfit": misfit},
        {name: chance[name] for name in ("nearest", "pair_correlation", "two_point")},
        {name: getattr(told, name) for name in names},
        {name: getattr(made, name) for name in names},
        (*told.notes, *_notes(reach, misfit)),
        compared="unfitted packings differ by",
    )


def _distances(told: FibreStatistics, made: FibreStatistics) -> dict[str, float]:
    share, lags = told.fraction * (1.0 - told.fraction), min(len(told.two_point), len(made.two_point))
    step = made.g - told.g
    near = np.isfinite(step) & (told.distance > 0.9 * told.nearest[0])
    return {
        "fraction": abs(made.fraction - told.fraction),
        "intensity": abs(made.intensity / told.intensity - 1.0),
        "diameters": _quantile_distance(told.diameters, made.diameters),
        "nearest": float(np.abs(made.nearest - told.nearest).mean() / told.nearest.mean()),
        "pair_correlation": float(np.sqrt((step[near] ** 2).mean())),
        "two_point": float(np.sqrt(((made.two_point[:lags] - told.two_point[:lags]) ** 2).mean()) / share),
    }


def _notes(reach: float, misfit: float) -> tuple[str, ...]:
    notes = [
        "Fibres are straight, parallel and round: waviness, misalignment and shapes are not matched.",
        f"Arrangements on scales beyond {reach:.0f} pixels, such as bundles and seams, are not matched.",
    ]
    if misfit > 2.0:
        notes.append(
            f"Neighbours and pairs are {np.sqrt(misfit):.1f} times as far from the measured ones as the error of the "
            "measurement explains; overlaps or clusters in the image may be none that separate circles can have."
        )
    return tuple(notes)


def _quantile_distance(one: Floats, other: Floats) -> float:
    return float(np.abs(np.quantile(one, QUANTILES) - np.quantile(other, QUANTILES)).mean() / one.mean())
