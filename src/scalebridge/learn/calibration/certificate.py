"""What a calibration promises and what it found, small enough for a manifest."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.learn.calibration.ranks import ROUNDING, specimen_weights, upper_quantile
from scalebridge.quantities import Floats, Space

# A share of fewer rows says more about them than about the surrogate.
SLAB_ROWS = 10


@dataclass(frozen=True)
class Certificate:
    """How a surrogate was calibrated; it holds for new rows drawn as the calibration rows were.

    Args:
        method: ``"split"``, ``"cv+"``, ``"jackknife+"`` or the name of a recalibration.
        score: what was calibrated.
        level: of the interval.
        guarantee: coverage that is proven for exchangeable rows, over the draw of all of them; 0 where none is.
        rows: calibration rows.
        specimens: what counts as one draw; as many as rows where each stands alone.
        groups: calibration rows of each group, empty without groups.
        coverage: share of calibration rows inside the interval that the others give, mean over outputs.
        coverage_before: share inside the surrogate's own interval of the same level.
        width, width_before: mean widths in units of the spread of the values, mean over outputs.
        worst: the least coverage over thirds of every input, and ``where`` it was found.
        digest: of scores and settings, so that two calibrations can be told apart.
    """

    method: str
    score: str
    level: float
    guarantee: float
    rows: int
    specimens: int
    groups: dict[str, int]
    coverage: float
    coverage_before: float
    width: float
    width_before: float
    worst: float
    where: str
    digest: str

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        proven = f"at least {100 * self.guarantee:g} % is proven" if self.guarantee else "none is proven"
        return (
            f"{100 * self.level:g} % interval by {self.method} ({self.score}) from {self.rows} rows: found "
            f"{100 * self.coverage:.1f} % (before: {100 * self.coverage_before:.1f} %), least {100 * self.worst:.1f} % "
            f"{self.where or 'anywhere'}; for exchangeable rows {proven}."
        )


def left_out(
    scores: Floats, level: float, specimens: NDArray[Any] | None, groups: NDArray[Any] | None
) -> NDArray[np.bool_]:
    """Which scores ``[k, m]`` lie below the quantile that the others of their group give, ``[k, m]``."""
    covered = np.ones(scores.shape, dtype=bool)
    labels = np.zeros(len(scores), dtype=np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if specimens is None:
            # No more than the rank less one of the others may lie below.
            below = np.stack([np.searchsorted(np.sort(c), c) for c in scores[rows].T], axis=1)
            rank = math.ceil(len(rows) * level - ROUNDING)
            covered[rows] = (below < rank) | (rank > len(rows) - 1)
            continue
        for unit in np.unique(specimens[rows]):
            mine, others = rows[specimens[rows] == unit], rows[specimens[rows] != unit]
            if len(others):
                covered[mine] = scores[mine] <= upper_quantile(
                    scores[others], level, specimen_weights(specimens[others])
                )
    return covered


def worst_third(covered: NDArray[np.bool_], x: Floats, inputs: Space) -> tuple[float, str]:
    """The least coverage over thirds of every input, and a sentence part that says where; the mean if rows are few."""
    share, where = float(covered.mean()), ""
    for j, name in enumerate(inputs.component_names):
        edges = np.quantile(x[:, j], [0.0, 1 / 3, 2 / 3, 1.0])
        for low, high in pairwise(edges):
            inside = (x[:, j] >= low) & (x[:, j] <= high)
            if inside.sum() >= SLAB_ROWS and covered[inside].mean() < share:
                share, where = float(covered[inside].mean()), f"for {name} in [{low:.4g}, {high:.4g}]"
    return share, where
