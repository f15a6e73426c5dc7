"""The levels' runs made into chains, level by level from the cheapest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scalebridge.learn.fidelity.beliefs import ADDED, FIRST, Below
from scalebridge.learn.fidelity.chain import Chain, conditioned
from scalebridge.learn.fidelity.draws import draw
from scalebridge.learn.fidelity.terms import Terms
from scalebridge.learn.learner import Data
from scalebridge.quantities import Floats

# With more runs fewer draws are kept: the parameters are known better, and each has a factor of its own.
FEW_RUNS, FEWEST_DRAWS = 250, 8


@dataclass(frozen=True)
class Fused:
    """What fitting finds.

    Args:
        middle, extent: ``[d]``, of the box of all runs: scaled inputs are ``(x - middle) / extent``.
        units: ``[m]``, of scaled outputs.
        centres: ``[levels, m]``, of the outputs at each level that has runs.
        levels: which these are, cheapest first.
        chains: one for each output.
        effective: ``[levels, m]``, how many draws of equal weight the proposals were worth.
    """

    middle: Floats
    extent: Floats
    units: Floats
    centres: Floats
    levels: tuple[int, ...]
    chains: tuple[Chain, ...]
    effective: Floats

    def scaled(self, x: Floats) -> Tensor:
        """Scaled inputs ``[n, d]``."""
        return torch.from_numpy((x - self.middle) / self.extent)


def fuse(runs: dict[int, Data], count: int, seed: int) -> Fused:
    """Learn from the runs of one level and more.

    Args:
        runs: of each level that has any.
        count: draws that are kept.
        seed: of the draws.
    """
    levels = tuple(sorted(runs))
    x = np.concatenate([runs[k].x for k in levels])
    low, high = x.min(axis=0), x.max(axis=0)
    extent = _width(high - low, np.abs(x).max(axis=0))
    units = _units([runs[k].y for k in levels])
    centres = np.stack([runs[k].y.mean(axis=0) for k in levels])
    fused = Fused(0.5 * (low + high), extent, units, centres, levels, (), np.zeros((len(levels), len(units))))
    total = sum(len(runs[k]) for k in levels)
    kept = max(min(FEWEST_DRAWS, count), int(count * min(1.0, (FEW_RUNS / total) ** 2)))
    chains = []
    for a in range(len(units)):
        rng = np.random.default_rng([seed, a])
        points = tuple(fused.scaled(runs[k].x) for k in levels)
        values = tuple(torch.from_numpy((runs[k].y[:, a] - centres[i, a]) / units[a]) for i, k in enumerate(levels))
        nugget = tuple(torch.from_numpy((runs[k].noise_std[:, a] / units[a]) ** 2) for k in levels)
        chain, fused.effective[:, a] = _chain(points, values, nugget, kept, rng)
        chains.append(chain)
    return Fused(fused.middle, extent, units, centres, levels, tuple(chains), fused.effective)


def _chain(
    points: tuple[Tensor, ...],
    values: tuple[Tensor, ...],
    nugget: tuple[Tensor, ...],
    count: int,
    rng: np.random.Generator,
) -> tuple[Chain, list[float]]:
    first = draw(FIRST, points[0], values[0], nugget[0], None, count, rng)
    terms: tuple[Terms, ...] = (first.terms,)
    effective = [first.effective]
    chain = conditioned(terms, points[:1], values[:1], nugget[:1])
    for k in range(1, len(points)):
        added = draw(ADDED, points[k], values[k], nugget[k], _below(chain, points[k]), count, rng)
        terms = (*(t.rows(added.parent) for t in terms), added.terms)
        effective.append(added.effective)
        chain = conditioned(terms, points[: k + 1], values[: k + 1], nugget[: k + 1])
    return chain, effective


def _below(chain: Chain, x: Tensor) -> Below:
    """The dearest level so far at the runs of the next."""
    top = len(chain.points) - 1
    white = chain.white(x, top)
    return Below(chain.mean(x, top), chain.prior(x, top, x, top) - white.transpose(1, 2) @ white)


def _units(values: list[Floats]) -> Floats:
    """The spread of the cheapest level whose values differ; else their size, or one."""
    units = np.zeros(values[0].shape[1])
    size = np.max([np.abs(y).max(axis=0) for y in values], axis=0)
    for y in values:
        spread = y.std(axis=0)
        units = np.where((units == 0) & (spread > 1e-9 * size), spread, units)
    return np.where(units > 0, units, np.where(size > 0, size, 1.0))


def _width(extent: Floats, size: Floats) -> Floats:
    """The extent of a column, or where there is none its size, or one."""
    return np.where(extent > 1e-12 * size, extent, np.where(size > 0, size, 1.0))
