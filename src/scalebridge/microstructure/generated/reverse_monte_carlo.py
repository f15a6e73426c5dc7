"""Centres moved until their pair correlation and nearest neighbours are those measured: reverse Monte Carlo.

A move is accepted with probability exp(-change of chi^2 / 2), where chi^2 counts the differences in units of the
error of the measurement: what comes out is as near to the measured statistics as another sample of the material would
be, not nearer. Source: R. L. McGreevy, L. Pusztai, Mol. Simul. 1 (1988) 359-367.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Target:
    """Statistics to be met, lengths in sides of the cell.

    Args:
        ends: ends of the rings of distance, ``[rings + 1]``, below one half.
        pairs: pairs in each ring, ``[rings]``.
        pairs_std: their deviation, ``[rings]``.
        nearest: sorted distances to nearest neighbours at even quantiles, ``[n]``.
        nearest_std: deviation of each quantile, ``[n]``, counted so that all together are worth the number of
            independent quantiles.
    """

    ends: Floats
    pairs: Floats
    pairs_std: Floats
    nearest: Floats
    nearest_std: Floats

    def misfit(self, pairs: Floats, nearest: Floats) -> float:
        """Chi^2 of pairs by ring and of distances to nearest neighbours in any order."""
        one = (pairs - self.pairs) / self.pairs_std
        other = (np.sort(nearest) - self.nearest) / self.nearest_std
        return float(one @ one + other @ other)


class _State:
    """Places with all that is known of their distances; changed move by move."""

    def __init__(self, places: Floats, ends: Floats) -> None:
        self.places, self.ends = places.copy(), ends
        offset = self.places[:, None] - self.places[None]
        offset -= np.rint(offset)
        self.apart: Floats = np.sqrt((offset**2).sum(axis=-1))
        np.fill_diagonal(self.apart, np.inf)
        self.pairs: Floats = 0.5 * np.array([self.rings(row) for row in self.apart]).sum(axis=0)
        self.nearest: Floats = self.apart.min(axis=1)

    def rings(self, distances: Floats) -> Floats:
        """Distances counted by ring, ``[rings]``; rings are equally wide."""
        count = len(self.ends) - 1
        ring = (distances[distances < self.ends[-1]] * (count / self.ends[-1])).astype(np.int64)
        return np.bincount(ring, minlength=count)[:count].astype(np.float64)

    def row(self, k: int, place: Floats) -> Floats:
        """Distances ``[n]`` of ball ``k`` at another place."""
        offset = self.places - place
        offset -= np.rint(offset)
        found = np.sqrt((offset**2).sum(axis=1))
        found[k] = np.inf
        return np.asarray(found)

    def moved_nearest(self, k: int, row: Floats) -> Floats:
        """Distances to nearest neighbours ``[n]`` once ball ``k`` has gone to where ``row`` are its distances."""
        found = np.minimum(self.nearest, row)
        # Who had this ball as the nearest one has to look again.
        left = np.flatnonzero((self.apart[k] <= self.nearest) & (row > self.nearest))
        if len(left):
            others = self.apart[left].copy()
            others[:, k] = row[left]
            found[left] = others.min(axis=1)
        found[k] = row.min()
        return np.asarray(found)


def fitted(
    places: Floats, sizes: Floats, target: Target, moves: int, rng: np.random.Generator
) -> tuple[Floats, float, float]:
    """Return centres ``[n, d]`` moved towards the target without overlap, and chi^2 before and after.

    Args:
        places: without overlap, ``[n, d]`` in the cell of side 1.
        sizes: radii with half the gap to be kept, ``[n]``.
        target: statistics to be met.
        moves: moves to try; one in five is to any place, the others are short.
        rng: of the moves.
    """
    state = _State(places, target.ends)
    before = now = target.misfit(state.pairs, state.nearest)
    step = 0.3 * float(target.nearest.mean())
    for _ in range(moves):
        k = int(rng.integers(len(sizes)))
        jump = rng.random() < 0.2
        drawn = rng.random((places.shape[1],))
        place = drawn if jump else np.asarray((state.places[k] + step * (2.0 * drawn - 1.0)) % 1.0)
        row = state.row(k, place)
        chance = float(rng.random())
        if (row < sizes + sizes[k]).any():
            continue
        pairs = state.pairs - state.rings(state.apart[k]) + state.rings(row)
        nearest = state.moved_nearest(k, row)
        then = target.misfit(pairs, nearest)
        if then <= now or chance < np.exp(0.5 * (now - then)):
            state.places[k], state.pairs, state.nearest, now = place, pairs, nearest, then
            state.apart[k], state.apart[:, k] = row, row
    return state.places, before, now
