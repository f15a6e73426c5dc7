"""Levels of fidelity fused: cheap runs say where the dear ones would lie, and the answer says how surely."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

from scalebridge.errors import InputError, ShapeError
from scalebridge.learn.fidelity.fusing import Fused, fuse
from scalebridge.learn.fidelity.posterior import FusedPosterior
from scalebridge.learn.learner import Data, Learner, checked, least
from scalebridge.quantities import Floats

# Points whose mean is worked out at once.
PIECE = 512


@dataclass(frozen=True)
class CheapRuns:
    """The runs of a cheaper level; in an identity they stand as a digest."""

    data: Data

    def identity(self) -> Mapping[str, str]:
        """A digest of the runs."""
        digest = hashlib.sha256()
        for array in (self.data.x, self.data.y, self.data.noise_std):
            digest.update(np.ascontiguousarray(array).tobytes())
        return {"runs": digest.hexdigest()[:16]}


class NextRun(NamedTuple):
    """The run that tells most for its cost.

    Args:
        level: where to run, 0 is the cheapest.
        point: its index.
        gain: by how much it reduces the variance of the weighted sum, divided by the level's cost.
    """

    level: int
    point: int
    gain: float


@dataclass(frozen=True)
class MultiFidelity(Learner[Fused]):
    """Levels of fidelity, each a multiple of the level below and a discrepancy; see `scalebridge.models.Surrogate`.

    The outputs are those of the dearest level. `fit` takes its runs, `with_level` those of the cheaper ones, in any
    order and at any points: they need not be nested. Every level shares inputs and outputs, in the same units.

    What is not known (lengths, deviations, the factor and the trend between levels) is not set to its most probable
    value but drawn from what the runs say about it, and the answer is the mixture over the draws: with five dear
    runs, the intervals are those of five runs. The likelihood counts in part only, as none of the covariances is the
    true one.

    Args:
        inputs, outputs, margin: as in `Learner`. The domain is the box of the dearest runs.
        costs: of a run at each level, cheapest first; their number is the number of levels.
        draws: of the parameters that are kept, fewer with many runs.
        seed: of the draws.

    Source: M. C. Kennedy, A. O'Hagan, Predicting the output from a complex computer code when fast approximations are
    available, Biometrika 87 (2000) 1-13; P. Z. G. Qian, C. F. J. Wu, Bayesian hierarchical modeling for integrating
    low-accuracy and high-accuracy experiments, Technometrics 50 (2008) 192-204; P. Gruenwald, T. van Ommen, Bayesian
    Analysis 12 (2017) 1069-1103 (the tempered likelihood).

    Raises:
        InputError: costs that are not positive or fall, fewer draws than one.
    """

    costs: tuple[float, ...] = (1.0, 10.0)
    draws: int = 64
    seed: int = 0
    cheaper: tuple[CheapRuns | None, ...] = field(default=(), kw_only=True, repr=False)

    name = "multi_fidelity"

    def _check_options(self) -> None:
        costs = tuple(float(c) for c in self.costs)
        if not costs or not all(0 < c < np.inf for c in costs) or any(np.diff(costs) < 0):
            raise InputError(
                f"{self.title} got costs = {self.costs!r}; give a positive cost for each level, the cheapest first, as "
                "in (1.0, 20.0)."
            )
        least(self.title, "draws", self.draws, 1)
        object.__setattr__(self, "costs", costs)
        object.__setattr__(self, "cheaper", tuple(self.cheaper) or (None,) * (len(costs) - 1))
        if len(self.cheaper) != len(costs) - 1:
            raise InputError(
                f"{self.title} got runs of {len(self.cheaper)} cheaper levels for {len(costs)} costs; the last cost is "
                "that of the dearest level, whose runs are given to fit."
            )

    def with_level(self, level: int, x: Floats, y: Floats, noise_std: Floats | None = None) -> Self:
        """Return a copy that knows the runs of a cheaper level, in place of earlier ones; fitted anew if it was.

        Args:
            level: 0 is the cheapest.
            x, y: ``[b, d]`` and ``[b, m]``.
            noise_std: standard deviation of each value's own noise, as in `fit`.

        Raises:
            InputError: no such level, or data that `fit` would refuse.
        """
        top = len(self.costs) - 1
        if isinstance(level, bool) or level not in range(top):
            valid = "there is none below" if top == 0 else f"the cheaper levels are 0 to {top - 1}"
            raise InputError(
                f"{self.title} got runs of level {level!r}; {valid}, and the runs of the dearest are given to fit."
            )
        data = checked(f"{self.title} at level {level}", self.inputs, self.outputs, x, y, noise_std)
        cheaper = (*self.cheaper[:level], CheapRuns(data), *self.cheaper[level + 1 :])
        bare = replace(self, cheaper=cheaper, runs=None, fitted=None)
        if self.runs is None:
            return bare
        return bare.fit(self.runs.x, self.runs.y, self.runs.noise_std, self.runs.jacobian)

    def level(self, level: int) -> Self:
        """The surrogate of one level, fitted on its runs and on those of the levels below.

        Raises:
            InputError: no such level, or no runs of it.
        """
        top = len(self.costs) - 1
        if level == top:
            return self
        runs = self.cheaper[level] if level in range(top) else None
        if runs is None:
            raise InputError(
                f"{self.title} has no runs of level {level!r}; it has those of {self._told}: give more by "
                "with_level(level, x, y)."
            )
        bare = replace(self, costs=self.costs[: level + 1], cheaper=self.cheaper[:level], runs=None, fitted=None)
        return bare.fit(runs.data.x, runs.data.y, runs.data.noise_std)

    @property
    def _told(self) -> str:
        known = [str(k) for k, runs in enumerate(self.cheaper) if runs is not None]
        return f"level {', '.join(known)} and the dearest" if known else "the dearest alone"

    def _learn(self, data: Data) -> Fused:
        """Draw the parameters of each level, cheapest first; jacobians are not used."""
        runs = {k: cheap.data for k, cheap in enumerate(self.cheaper) if cheap is not None}
        return fuse({**runs, len(self.costs) - 1: data}, self.draws, self.seed)

    def _mean(self, x: Floats) -> tuple[Floats, Floats]:
        f, top = self.state, len(self.state.levels) - 1
        values, slopes = np.zeros((len(x), len(f.units))), np.zeros((len(x), len(f.units), x.shape[1]))
        for a, chain in enumerate(f.chains):
            for first in range(0, len(x), PIECE):
                part = slice(first, first + PIECE)
                value, slope = chain.apply(f.scaled(x[part]), top)
                values[part, a], slopes[part, a] = value.mean(0).numpy(), slope.mean(0).numpy()
        return values * f.units + f.centres[top], slopes * f.units[:, None] / f.extent

    def posterior(self, x: Floats) -> FusedPosterior:
        """Joint posterior of the dearest level at ``x [n, d]``."""
        x = self.inputs.check(x, self.title)
        top = len(self.state.levels) - 1
        return self._fused(x, np.full(len(x), top), self.predict(x)[0])

    def _fused(self, x: Floats, level: np.ndarray, mean: Floats) -> FusedPosterior:
        f = self.state
        bounds = (self.outputs.lower, self.outputs.upper)
        return FusedPosterior(mean, f.scaled(x), level, f.chains, f.units, f.centres, bounds)

    def next_run(self, points: Floats, weights: Floats | None = None) -> NextRun:
        """Which level to run next, and where: the most reduction of the variance of a weighted sum for its cost.

        Args:
            points: ``[n, d]``, where a run could be made, and over which is summed.
            weights: ``[n]`` or ``[n, m]``, of the dearest level's outputs in the sum; by default their average over
                the points, each output in units of its spread.

        Raises:
            InputError: not fitted.
            ShapeError: weights that do not fit the points.
        """
        f = self.state
        table = self.gains(points, weights)
        row, point = np.unravel_index(int(np.argmax(table)), table.shape)
        return NextRun(f.levels[row], int(point), float(table[row, point]))

    def gains(self, points: Floats, weights: Floats | None = None) -> Floats:
        """For each level with runs and each point, what `next_run` compares: ``[levels, n]``."""
        f = self.state
        points = self.inputs.check(points, self.title)
        n, m, count = len(points), len(f.units), len(f.levels)
        wanted = np.broadcast_to(1 / (n * f.units), (n, m)) if weights is None else np.asarray(weights, np.float64)
        if wanted.shape not in ((n,), (n, m)):
            raise ShapeError(f"{self.title} got weights of shape {wanted.shape}; give {(n,)} or {(n, m)}.")
        summed = np.zeros((count * n, m))
        summed[-n:] = wanted if wanted.ndim == 2 else wanted[:, None]
        x, level = np.tile(points, (count, 1)), np.repeat(np.arange(count), n)
        # Only covariances are asked for: the mean stands for nothing.
        posterior = self._fused(x, level, np.zeros((count * n, m)))
        table = np.zeros((count, n))
        for row, k in enumerate(f.levels):
            cheap = self.cheaper[k] if k < len(self.cheaper) else None
            noise = np.median((self.known if cheap is None else cheap.data).noise_std, axis=0)
            reduction = posterior.reduction(summed, row * n + np.arange(n), noise)
            table[row] = reduction / self.costs[k]
        return table
