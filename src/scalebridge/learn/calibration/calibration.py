"""The state of a conformal calibration: models, scores, and the intervals they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.calibration import ranks
from scalebridge.learn.calibration.frames import FRAMES, Frame
from scalebridge.learn.learner import Data
from scalebridge.models import Posterior, Surrogate
from scalebridge.quantities import Floats

# Entries of the largest array over calibration rows, points and outputs.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Calibration:
    """What fitting a conformal surrogate finds.

    Args:
        data: all runs.
        model: the surrogate whose mean is given.
        parts: the surrogates that scored rows they had not seen; with a single split, the model alone.
        spreads: ``[p, m]``, standard deviation of the values that each of them was fitted on.
        rows: ``[k]``, which rows were scored.
        part: ``[k]``, by which of the parts.
        score: name of the score.
        level: of the scores.
        scores: ``[k, m]``, in units of their frames.
        most: ``[m]``, the factor by which the parts' deviations are too small on average.
        typical: ``[m]``, root mean square of the parts' deviations.
        specimens: ``[k]`` labels of what counts as one draw, where rows do not.
        groups: ``[k]`` labels of what is calibrated apart.
    """

    data: Data
    model: Surrogate
    parts: tuple[Surrogate, ...]
    spreads: Floats
    rows: NDArray[np.int64]
    part: NDArray[np.int64]
    score: str
    level: float
    scores: Floats
    most: Floats
    typical: Floats
    specimens: NDArray[Any] | None
    groups: NDArray[Any] | None

    def scores_at(self, level: float) -> Floats:
        """Scores ``[k, m]`` for another level: those of quantiles depend on it."""
        if self.score != "quantile" or level == self.level:
            return self.scores
        return scored(self.parts, self.spreads, self.part, self.rows, self.data, self.score, level).scores

    def bounds(
        self, x: Floats, labels: NDArray[Any] | None, own: Posterior, level: float, joint: bool
    ) -> tuple[Floats, Floats]:
        """Conformal interval at ``x [n, d]``, two arrays ``[n, m]``.

        Args:
            x: the points.
            labels: ``[n]``, their groups.
            own: the model's posterior there.
            level: of the interval.
            joint: all outputs inside at once.

        Raises:
            InputError: too few calibration rows for the level, or none in a group.
        """
        scores = self.scores_at(level)
        if joint:
            scores = scores.max(axis=1, keepdims=True)
        single = len(self.parts) == 1
        posteriors = [own] if single else [part.posterior(x) for part in self.parts]
        make = FRAMES[self.score]
        frames = [make(p, spread, level) for p, spread in zip(posteriors, self.spreads, strict=True)]
        lower, upper = np.empty(own.mean.shape), np.empty(own.mean.shape)
        for points, chosen in self._grouped(len(x), labels, level):
            weights = None if self.specimens is None else ranks.specimen_weights(self.specimens[chosen])
            step = len(points) if single else max(1, CHUNK // (len(chosen) * own.mean.shape[1]))
            for start in range(0, len(points), step):
                at = points[start : start + step]
                low, high = self._ends(frames, at, chosen, scores[chosen], level, weights)
                lower[at], upper[at] = low, high
        # A negative quantile may cross the ends of a narrow frame: what is left is their middle.
        middle = 0.5 * (lower + upper)
        return np.minimum(lower, middle), np.maximum(upper, middle)

    def _ends(
        self,
        frames: list[Frame],
        points: NDArray[np.int64],
        chosen: NDArray[np.int64],
        scores: Floats,
        level: float,
        weights: Floats | None,
    ) -> tuple[Floats, Floats]:
        if len(frames) == 1:
            f, q = frames[0].take(points), ranks.upper_quantile(scores, level, weights)
            return f.lower - q * f.unit, f.upper + q * f.unit
        lower, upper, unit = (np.stack([getattr(f, k)[points] for f in frames]) for k in ("lower", "upper", "unit"))
        of = self.part[chosen]
        reach = scores[:, None, :] * unit[of]
        return (
            -ranks.upper_quantile(reach - lower[of], level, weights),
            ranks.upper_quantile(reach + upper[of], level, weights),
        )

    def _grouped(
        self, n: int, labels: NDArray[Any] | None, level: float
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Points and calibration rows of each group, both as indices."""
        if self.groups is None or labels is None:
            self.check_rows(np.arange(len(self.rows)), level, "The calibration")
            return [(np.arange(n), np.arange(len(self.rows)))]
        found = []
        for label in np.unique(labels):
            chosen = np.flatnonzero(self.groups == label)
            self.check_rows(chosen, level, f"The group '{label}' of the calibration")
            found.append((np.flatnonzero(labels == label), chosen))
        return found

    def check_rows(self, chosen: NDArray[np.int64], level: float, owner: str) -> None:
        """Refuse a level for which the rows chosen do not suffice; see `ranks.check_rows`."""
        if self.specimens is None:
            ranks.check_rows(len(chosen), level, owner)
        else:
            ranks.check_rows(len(np.unique(self.specimens[chosen])), level, owner, "distinct specimens")


@dataclass(frozen=True)
class Scored:
    """Scores of rows by surrogates that had not seen them, ``[k, m]`` each.

    Args:
        scores: in units of the frames.
        unit, half: unit and half width of the frames.
        std, lower, upper: deviation and interval that the surrogates themselves claim.
    """

    scores: Floats
    unit: Floats
    half: Floats
    std: Floats
    lower: Floats
    upper: Floats


def scored(
    parts: tuple[Surrogate, ...],
    spreads: Floats,
    part: NDArray[np.int64],
    rows: NDArray[np.int64],
    data: Data,
    score: str,
    level: float,
) -> Scored:
    """Score rows by the parts that have not seen them."""
    x, y = data.x, data.y
    scores, unit, half, std, lower, upper = (np.empty((len(rows), y.shape[1])) for _ in range(6))
    for k, model in enumerate(parts):
        mine = part == k
        posterior = model.posterior(x[rows[mine]])
        frame = FRAMES[score](posterior, spreads[k], level)
        scores[mine], unit[mine], half[mine] = (
            frame.scores(y[rows[mine]]),
            frame.unit,
            0.5 * (frame.upper - frame.lower),
        )
        std[mine] = posterior.std
        lower[mine], upper[mine] = posterior.quantile(0.5 * (1 - level)), posterior.quantile(0.5 * (1 + level))
    return Scored(scores, unit, half, std, lower, upper)
