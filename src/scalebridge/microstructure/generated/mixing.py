"""Hard-ball Monte Carlo: balls moved at random without overlap, until where they began is forgotten.

Places that were only pushed apart touch too often. Mixing draws from the distribution in which every arrangement
without overlap is as likely as any other (the hard-disc and hard-sphere fluid), where it has time to get there:
above 0.70 (discs) and 0.49 (spheres) equal balls would order in the end, and this is not awaited.
Source: the cells of a checkerboard, in which balls move at once and do not leave their cell in a pass: J. A. Anderson,
E. Jankowski, T. L. Grubb, M. Engel, S. C. Glotzer, J. Comput. Phys. 254 (2013) 27-38.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scalebridge.microstructure.generated.relaxation import pairs, wrapped

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Allowed = Callable[[Floats, Floats], NDArray[np.bool_]]

_GOAL = 0.4


def mixed(
    centres: Floats, sizes: Floats, sweeps: int, rng: np.random.Generator, allowed: Allowed | None = None
) -> Floats:
    """Return centres ``[n, d]`` after ``sweeps`` moves of about every ball.

    Args:
        centres: without overlap, ``[n, d]`` in the cell of side 1.
        sizes: radii with half the gap to be kept, ``[n]``.
        sweeps: number of passes over all balls.
        rng: of the moves.
        allowed: which moves ``[m]`` from old to new places ``[m, d]`` are allowed beside.
    """
    largest = 2.0 * float(sizes.max())
    cells = int(1.0 / largest) // 2 * 2
    if cells < 2 or len(sizes) < 2:
        return centres
    places, step = centres.copy(), 0.1 * largest
    for sweep in range(sweeps):
        near = _neighbours(places, largest + 2.0 * step * np.sqrt(places.shape[1]))
        kept = _pass(places, sizes, cells, step, near, rng, allowed)
        # The step is fixed in the second half, as a chain without memory needs.
        if sweep < sweeps // 2:
            step = float(np.clip(step * (1.05 if kept > _GOAL else 0.95), 1e-4 * largest, 0.5 * largest))
    return wrapped(places)


def _pass(
    places: Floats,
    sizes: Floats,
    cells: int,
    step: float,
    near: Ints,
    rng: np.random.Generator,
    allowed: Allowed | None,
) -> float:
    """Move one ball in every cell, colour by colour, in place; return the share of moves that were kept."""
    dim, shift = places.shape[1], rng.random(places.shape[1])
    cell = np.floor(wrapped(places + shift) * cells).astype(np.int64) % cells
    colour = (cell % 2) @ (2 ** np.arange(dim))
    code = cell @ (cells ** np.arange(dim))
    tried = kept = 0
    for chosen in rng.permutation(2**dim):
        drawn = rng.permutation(np.flatnonzero(colour == chosen))
        movers = drawn[np.unique(code[drawn], return_index=True)[1]]
        new = places[movers] + step * rng.uniform(-1.0, 1.0, (len(movers), dim))
        stays = (np.floor(wrapped(new + shift) * cells).astype(np.int64) % cells == cell[movers]).all(axis=1)
        good = stays & _free(new, movers, places, sizes, near)
        if allowed is not None:
            good &= allowed(places[movers], new)
        places[movers[good]] = new[good]
        tried, kept = tried + len(movers), kept + int(good.sum())
    return kept / max(tried, 1)


def _free(new: Floats, movers: Ints, places: Floats, sizes: Floats, near: Ints) -> NDArray[np.bool_]:
    others = near[movers]
    offset = new[:, None, :] - places[others]
    offset -= np.rint(offset)
    apart = sizes[movers][:, None] + sizes[others]
    clear = ((offset**2).sum(axis=-1) >= apart**2) | (others == movers[:, None])
    return np.asarray(clear.all(axis=1))


def _neighbours(places: Floats, reach: float) -> Ints:
    """Neighbours of every ball ``[n, k]`` nearer than ``reach``, filled up with the ball itself."""
    first, second, _ = pairs(places, min(reach, 0.5 - 1e-9))
    if reach >= 0.5:
        first, second = (np.asarray(k) for k in np.array(list(itertools.combinations(range(len(places)), 2))).T)
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.argsort(one, kind="stable")
    one, other = one[order], other[order]
    counts = np.bincount(one, minlength=len(places))
    filled = np.repeat(np.arange(len(places))[:, None], max(1, int(counts.max(initial=0))), axis=1)
    filled[one, np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)] = other
    return filled
