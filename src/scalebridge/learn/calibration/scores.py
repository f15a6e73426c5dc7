"""The scores of one posterior on values held back; a comparison ranks by CRPS and shows coverage and width beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.learn.calibration import metrics
from scalebridge.models import Posterior
from scalebridge.quantities import Floats

# Midpoints of a hundred equal shares: twice the mean pinball loss over them is the CRPS.
LEVELS = (np.arange(100) + 0.5) / 100


@dataclass(frozen=True)
class Scores:
    """Scores on ``n`` rows; every array is ``[m]``, one per output.

    Args:
        n: rows.
        level: of the interval.
        rmse, crps, width, interval_score: in the outputs' units.
        nrmse, r2: relative to the spread of the values, NaN where they do not vary.
        nll: natural logarithm, of densities in the outputs' units.
        coverage: share of the values in the interval.
        ncrps: CRPS over the spread of the values.
    """

    n: int
    level: float
    rmse: Floats
    nrmse: Floats
    r2: Floats
    nll: Floats
    crps: Floats
    ncrps: Floats
    coverage: Floats
    width: Floats
    interval_score: Floats

    @property
    def rank(self) -> float:
        """What comparisons are sorted by, smallest first: the mean over outputs of CRPS over spread."""
        varying = self.ncrps[np.isfinite(self.ncrps)]
        return float(np.mean(varying if len(varying) else self.crps))

    def row(self) -> dict[str, float]:
        """Means over the outputs, for a table: the error always with coverage and width."""
        names = ("rmse", "nrmse", "r2", "nll", "crps", "ncrps", "coverage", "width", "interval_score")
        return {"n": self.n, "level": self.level, **{k: float(np.mean(getattr(self, k))) for k in names}}


def score(posterior: Posterior, y: Floats, *, level: float = 0.9, law: str = "normal") -> Scores:
    """Score a posterior at ``n`` points against the values ``y [n, m]`` found there.

    Args:
        posterior: at the points; intervals are its own ``interval(level)`` where it has one, else its quantiles.
        y: ``[n, m]``, not seen when fitting.
        level: of the interval.
        law: ``"normal"`` reads NLL and CRPS from mean and std, ``"quantiles"`` from a hundred quantiles (for
            posteriors far from normal, such as those of quantile forests).

    Raises:
        InputError: an unknown law, a level outside (0, 1), values that do not fit the posterior.
    """
    metrics.check_level(level)
    y = np.asarray(y, dtype=np.float64)
    mean = posterior.mean
    if law == "normal":
        std = posterior.std
        nll, crps = metrics.nll_normal(y, mean, std), metrics.crps_normal(y, mean, std)
    elif law == "quantiles":
        quantiles = np.stack([posterior.quantile(float(p)) for p in LEVELS])
        nll, crps = metrics.nll_quantiles(y, LEVELS, quantiles), metrics.crps_quantiles(y, LEVELS, quantiles)
    else:
        raise InputError(f"A score was asked for the law '{law}'; valid: normal, quantiles.")
    lower, upper = interval_of(posterior, level)
    return Scores(
        n=len(y),
        level=level,
        rmse=metrics.rmse(y, mean),
        nrmse=metrics.nrmse(y, mean),
        r2=metrics.r2(y, mean),
        nll=nll,
        crps=crps,
        ncrps=crps / metrics.spread_of(y),
        coverage=metrics.coverage(y, lower, upper),
        width=metrics.mean_width(lower, upper),
        interval_score=metrics.interval_score(y, lower, upper, level),
    )


def interval_of(posterior: Any, level: float) -> tuple[Floats, Floats]:
    """Central interval ``[n, m]``, ``[n, m]`` of any posterior: calibrated where it is, else between its quantiles."""
    if hasattr(posterior, "interval"):
        lower, upper = posterior.interval(level)
        return lower, upper
    return posterior.quantile(0.5 * (1 - level)), posterior.quantile(0.5 * (1 + level))
