"""Answers that rise, or fall, along named inputs, whatever the surrogate inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.learn.transforms.posteriors import MovedPosterior
from scalebridge.learn.transforms.transform import Inside, Step, Transform, columns_of, names_given
from scalebridge.quantities import Floats, Space

# Points of the grid along each of one, two or three inputs.
GRIDS = (257, 33, 13)
# The grid reaches this part of the runs' extent beyond them; farther out the answer stands still.
MARGIN = 0.25
# What points of the grid beyond the runs weigh: what is extrapolated gives way.
BEYOND = 1e-3
CHUNK = 1 << 17


@dataclass(frozen=True)
class Monotone(Transform):
    """Make the mean monotone along named inputs: by isotonic regression on a grid, by straight lines between.

    The mean is monotone exactly and everywhere, is no farther from any monotone truth than before (on the grid within
    the runs), stays as it is where it was monotone already (but for the straight lines), and stands still beyond the
    grid. Deviations stay those inside; quantiles move with the mean. Each prediction asks the inside at 257 points for
    one input, 1089 for two, 2197 for three. Where a learner has an option of its own, take that instead:
    ``ScikitLearn(inputs, outputs, HistGradientBoostingRegressor(monotonic_cst=[1, 0]))``.

    Args:
        along: from the names of one to three inputs to 1 (rising) or -1 (falling), as in ``{"load": 1}``.
        outputs: names; by default all.
        points: of the grid along each input.

    Raises:
        InputError: signs that are not 1 or -1; more than three inputs; on fitting, an unknown name.

    Source: R. E. Barlow, D. J. Bartholomew, J. M. Bremner and H. D. Brunk, Statistical inference under order
    restrictions (1972); that projecting an estimate helps it, as does sorting it: V. Chernozhukov, I. Fernandez-Val
    and A. Galichon, Improving point and interval estimators of monotone functions by rearrangement, Biometrika 96
    (2009) 559-575.
    """

    along: tuple[tuple[str, int], ...] | Mapping[str, int]
    outputs: tuple[str, ...] | None = None
    points: int | None = None

    def __post_init__(self) -> None:
        along = dict(self.along)
        if not along or len(along) > len(GRIDS) or not all(sign in (1, -1) for sign in along.values()):
            raise InputError(
                f"Monotone got {along!r}; give one to three inputs with 1 (rising) or -1 (falling), as in "
                'Monotone({"load": 1}).'
            )
        if self.points is not None and self.points < 2:
            raise InputError(f"Monotone got points = {self.points!r}; give at least 2.")
        object.__setattr__(self, "along", tuple((name, int(sign)) for name, sign in along.items()))
        if self.outputs is not None:
            object.__setattr__(self, "outputs", names_given(self.outputs, "Monotone"))

    def fit(self, data: Data, inputs: Space, outputs: Space) -> Projected:
        """Lay the grids."""
        columns, signs = [], []
        for name, sign in dict(self.along).items():
            own = columns_of(inputs, name, "Monotone")
            if len(own) > 1:
                raise InputError(f"Monotone got the array '{name}'; name one of its components, as in '{name}[0]'.")
            columns += own
            signs.append(float(sign))
        low, high = data.x[:, columns].min(axis=0), data.x[:, columns].max(axis=0)
        size = np.maximum(np.abs(low), np.abs(high))
        reach = np.maximum(MARGIN * (high - low), 1e-6 * np.where(size > 0, size, 1.0))
        count = self.points or GRIDS[len(columns) - 1]
        names = outputs.names if self.outputs is None else self.outputs
        chosen = np.zeros(outputs.size, dtype=bool)
        for name in names:
            chosen[columns_of(outputs, name, "Monotone")] = True
        words = tuple(f"{'rising' if s > 0 else 'falling'} along {n}" for n, s in dict(self.along).items())
        ends = np.stack([low - reach, high + reach])
        grid = ends[0] + np.linspace(0.0, 1.0, count)[:, None] * (ends[1] - ends[0])
        weights = np.where((grid >= low - 1e-9 * reach) & (grid <= high + 1e-9 * reach), 1.0, BEYOND).T
        return Projected(inputs, outputs, tuple(columns), np.array(signs), ends, weights, chosen, words)


@dataclass(frozen=True)
class Projected(Step):
    """Grids along some inputs.

    Args:
        inputs, outputs: of the inside, as outside.
        columns: of the inputs.
        signs: 1 or -1 for each.
        ends: ``[2, k]``, of the grids.
        weights: of the points of each grid ``[k, points]``.
        chosen: ``[m]``, outputs that are monotone.
        words: what was declared.
    """

    inputs: Space
    outputs: Space
    columns: tuple[int, ...]
    signs: Floats
    ends: Floats
    weights: Floats
    chosen: NDArray[np.bool_]
    words: tuple[str, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """What was declared."""
        return self.words

    def inward(self, data: Data) -> Data:
        """The data as they are."""
        return Data(data.x, data.y, data.noise_std)

    def predict(self, inside: Inside, x: Floats) -> tuple[Floats, Floats]:
        """Monotone mean, and its derivative almost everywhere."""
        size = max(1, CHUNK // self.weights.shape[1] ** len(self.columns))
        parts = [self._along(inside, x[start : start + size], 0) for start in range(0, max(len(x), 1), size)]
        mean, slope = (np.concatenate(part) for part in zip(*parts, strict=True))
        if not self.chosen.all():
            plain, plain_slope = inside.predict(x)
            mean = np.where(self.chosen, mean, plain)
            slope = np.where(self.chosen[:, None], slope, plain_slope)
        return mean, slope

    def posterior(self, inside: Inside, x: Floats) -> MovedPosterior:
        """That of the inside about the monotone mean."""
        free = np.full(self.outputs.size, np.inf)
        return MovedPosterior(inside.posterior(x), self.predict(inside, x)[0], (-free, free))

    def contains(self, inside: Inside, x: Floats) -> NDArray[np.bool_]:
        """The domain inside."""
        return inside.contains(x)

    def _along(self, inside: Inside, x: Floats, k: int) -> tuple[Floats, Floats]:
        """Monotone along the inputs from number ``k`` on.

        Isotonic regression never lowers an answer when its data are raised, and straight lines do not either: what is
        monotone along one input stays so when the next is treated.
        """
        if k == len(self.columns):
            return inside.predict(x)
        n, d, column = *x.shape, self.columns[k]
        count, (low, high) = self.weights.shape[1], self.ends[:, k]
        points = np.repeat(x[:, None], count, axis=1)
        points[:, :, column] = np.linspace(low, high, count)
        mean, slope = self._along(inside, points.reshape(n * count, d), k + 1)
        m = mean.shape[1]
        mean, slope = mean.reshape(n, count, m), slope.reshape(n, count, m, d)
        place = np.clip((x[:, column] - low) / (high - low), 0.0, 1.0) * (count - 1)
        cell = np.minimum(place.astype(np.int64), count - 2)
        part = place - cell
        still = (x[:, column] <= low) | (x[:, column] >= high)
        value, change = np.empty((n, m)), np.empty((n, m, d))
        for a in range(m):
            before, after, d_before, d_after = _isotonic(
                self.signs[k] * mean[:, :, a], slope[:, :, a], self.weights[k], cell
            )
            value[:, a] = self.signs[k] * ((1 - part) * before + part * after)
            change[:, a] = (1 - part)[:, None] * d_before + part[:, None] * d_after
            rate = np.maximum(after - before, 0.0) * (count - 1) / (high - low)
            change[:, a, column] = np.where(still, 0.0, self.signs[k] * rate)
        return value, change


def _isotonic(
    values: Floats, slopes: Floats, weights: Floats, cell: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Isotonic regression of each line of ``values [n, g]`` at the points ``cell`` and ``cell + 1``.

    Returns:
        The two values ``[n]`` each, and the same averages of ``slopes [n, g, d]``, ``[n, d]`` each.
    """
    from scipy.optimize import isotonic_regression

    rows = np.arange(len(values))
    ends = [values[rows, cell], values[rows, cell + 1]]
    changes = [slopes[rows, cell], slopes[rows, cell + 1]]
    for row in np.flatnonzero((np.diff(values, axis=1) < 0).any(axis=1)):
        found = isotonic_regression(values[row], weights=weights)
        for side, point in enumerate((cell[row], cell[row] + 1)):
            block = int(np.searchsorted(found.blocks, point, side="right")) - 1
            pooled = slice(found.blocks[block], found.blocks[block + 1])
            ends[side][row] = found.x[point]
            # Not by BLAS, whose last bits follow where an array lies in memory.
            changes[side][row] = (weights[pooled, None] * slopes[row, pooled]).sum(axis=0) / weights[pooled].sum()
    return ends[0], ends[1], changes[0], changes[1]
