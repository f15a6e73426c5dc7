"""One candidate of a comparison and its figures of merit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError
from scalebridge.learn.held_out import HeldOut, cluster_error
from scalebridge.models import Surrogate
from scalebridge.quantities import Floats


@dataclass(frozen=True, repr=False)
class Entry:
    """One candidate of a comparison.

    Args:
        name: label of the candidate.
        surrogate: as it was given, not fitted.
        held: its answers at the rows held back; None where it failed.
        seconds: ``[splits, 2]`` of fits and predictions.
        spread: ``[m]``, standard deviation of the values seen, by which relative figures are divided.
        units: ``[n]`` labels of rows that are not independent.
        failure: why there is no figure, else empty.
        behind: how much its relative CRPS is above the best one's, and the standard error of that.
    """

    name: str
    surrogate: Surrogate
    held: HeldOut | None
    seconds: Floats
    spread: Floats
    units: NDArray[np.int64]
    failure: str = ""
    behind: tuple[float, float] = (0.0, 0.0)

    def __repr__(self) -> str:
        told = self.failure or f"relative CRPS {float(np.mean(self.crps / self.spread)):.3g}"
        return f"Entry({self.name}: {told})"

    @property
    def known(self) -> HeldOut:
        """Its answers.

        Raises:
            InputError: it failed.
        """
        if self.held is None:
            raise InputError(f"The candidate '{self.name}' has no figures: {self.failure}.")
        return self.held

    @property
    def rmse(self) -> Floats:
        """Root mean square error ``[m]``, in the outputs' units."""
        error: Floats = np.sqrt(np.mean((self.known.y - self.known.mean) ** 2, axis=0))
        return error

    @property
    def nrmse(self) -> Floats:
        """The same over the standard deviation of the values ``[m]``."""
        return self.rmse / self.spread

    @property
    def r2(self) -> Floats:
        """Coefficient of determination ``[m]``."""
        return 1 - self.nrmse**2

    @property
    def nll(self) -> Floats:
        """Mean negative log likelihood ``[m]`` of the normal law with the mean and deviation told."""
        return np.asarray(self.known.nll.mean(axis=0), dtype=np.float64)

    @property
    def crps(self) -> Floats:
        """Mean CRPS ``[m]``, in the outputs' units."""
        return np.asarray(self.known.crps.mean(axis=0), dtype=np.float64)

    @property
    def coverage(self) -> Floats:
        """Share of the values inside their intervals ``[m]``."""
        return np.asarray(self.known.covered.mean(axis=0), dtype=np.float64)

    @property
    def coverage_error(self) -> float:
        """Standard error of the coverage, the mean over the outputs, by the number of rows that were held back."""
        held, covered = self.known, self.known.covered.mean(axis=1)
        # Never less than one row more or less: where all are inside, the sample says nothing of its own error.
        floor = 1 / (len(np.unique(self.units[held.rows])) + 4)
        return max(cluster_error(covered, self.units[held.rows]), floor)

    @property
    def width(self) -> Floats:
        """Mean width of the intervals ``[m]``, in the outputs' units."""
        return np.asarray((self.known.upper - self.known.lower).mean(axis=0), dtype=np.float64)

    @property
    def fit_seconds(self) -> float:
        """Of one fit, the mean over the splits."""
        return float(self.seconds[:, 0].mean())

    @property
    def predict_seconds(self) -> float:
        """Of the prediction at the rows held back, the mean over the splits."""
        return float(self.seconds[:, 1].mean())

    @property
    def score(self) -> float:
        """CRPS over the standard deviation of the values, the mean over the outputs: what ranks."""
        return float(np.mean(self.crps / self.spread))

    def in_split(self, split: int) -> Entry:
        """The same from one split alone."""
        held = self.known
        rows = held.split == split
        part = HeldOut(*(np.asarray(value)[rows] for value in vars(held).values()))
        return replace(self, held=part, seconds=self.seconds[[split]])

    def figures(self) -> dict[str, Any]:
        """All figures of merit by name, plain numbers and lists."""
        if self.held is None:
            return {"name": self.name, "failure": self.failure}
        told = {
            "score": self.score,
            **{
                name: getattr(self, name).tolist()
                for name in ("crps", "rmse", "nrmse", "r2", "nll", "coverage", "width")
            },
            "coverage_error": self.coverage_error,
            "fit_seconds": self.fit_seconds,
            "predict_seconds": self.predict_seconds,
            "behind": list(self.behind),
        }
        return {"name": self.name, **told}
