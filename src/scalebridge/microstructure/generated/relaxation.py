"""Balls in a periodic cell pushed apart until none overlap: the soft-ball energy brought to zero.

The energy is half the sum of the squared overlaps, and a configuration without overlap is one of energy zero. From
random places it is reached up to the fraction at which such packings jam: 0.84 for discs, 0.64 for spheres.
Source: C. S. O'Hern, L. E. Silbert, A. J. Liu, S. R. Nagel, Phys. Rev. E 68 (2003) 011306.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Force = Callable[[Floats], tuple[float, Floats]]

# Balls are pushed a little further than they must, or the last overlaps would take forever.
MARGIN = 5e-4
ROUNDS = 40
ITERATIONS = 150


class _Found(Exception):
    """Ends the minimisation; its argument are the places."""


def relaxed(centres: Floats, sizes: Floats, outside: Force | None = None) -> Floats | None:
    """Return centres ``[n, d]`` at which balls of these sizes do not overlap, or ``None`` if none were found.

    Args:
        centres: to start from, ``[n, d]`` in the cell of side 1.
        sizes: radii with half the gap to be kept, ``[n]``.
        outside: a further energy and its gradient ``[n, d]`` of the centres, which guides but is not brought to zero.
    """
    from scipy.optimize import minimize

    places, reach = centres.copy(), 2.0 * float(sizes.max())
    for turn in range(ROUNDS):
        guide = outside if turn < ROUNDS // 2 else None

        def energy(flat: Floats, guide: Force | None = guide) -> tuple[float, Floats]:
            at = flat.reshape(centres.shape)
            value, slope, free = _overlaps(at, sizes, reach)
            if free and guide is None:
                raise _Found(at)
            if guide is not None:
                more, pull = guide(at)
                value, slope = value + more, slope + pull
            return value, slope.ravel()

        try:
            options = {"maxiter": ITERATIONS, "maxcor": 20, "ftol": 0.0, "gtol": 0.0}
            places = minimize(energy, places.ravel(), jac=True, method="L-BFGS-B", options=options).x
            places = places.reshape(centres.shape)
            if _overlaps(places, sizes, reach)[2]:
                return wrapped(places)
        except _Found as done:
            return wrapped(np.array(done.args[0]))
    return None


def pairs(places: Floats, reach: float) -> tuple[Ints, Ints, Floats]:
    """Return pairs nearer than ``reach``: first ``[p]``, second ``[p]``, and offset ``[p, d]`` from first to second."""
    from scipy.spatial import cKDTree

    found = cKDTree(wrapped(places), boxsize=1.0).query_pairs(reach, output_type="ndarray")
    # The order of a tree's answer is its own affair; sums of floats are to be the same every time.
    found = found[np.lexsort((found[:, 1], found[:, 0]))].astype(np.int64)
    offset = places[found[:, 1]] - places[found[:, 0]]
    return found[:, 0], found[:, 1], offset - np.rint(offset)


def wrapped(places: Floats) -> Floats:
    """Places in [0, 1)."""
    inside = places - np.floor(places)
    return np.where(inside >= 1.0, 0.0, inside)


def _overlaps(places: Floats, sizes: Floats, reach: float) -> tuple[float, Floats, bool]:
    """Energy, its gradient ``[n, d]``, and whether no balls overlap. Lengths are in units of ``reach``."""
    first, second, offset = pairs(places, reach * (1.0 + MARGIN))
    distance = np.linalg.norm(offset, axis=1)
    apart = sizes[first] + sizes[second]
    overlap = np.maximum(apart * (1.0 + MARGIN) - distance, 0.0) / reach
    push = (overlap / np.maximum(distance, 1e-300))[:, None] * offset / reach
    slope = np.stack(
        [
            np.bincount(first, push[:, k], len(sizes)) - np.bincount(second, push[:, k], len(sizes))
            for k in range(places.shape[1])
        ],
        axis=1,
    )
    return 0.5 * float(overlap @ overlap), slope, bool((distance >= apart).all())
