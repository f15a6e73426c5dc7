"""Means of correlated series with an error that can be trusted: equilibration, correlation time, blocks, interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.data.averaging.blocks import Blocking, blocking
    from scalebridge.data.averaging.inefficiency import Correlated, autocorrelation, correlated
    from scalebridge.data.averaging.mean import SeriesMean, mean_of_series
    from scalebridge.data.averaging.scales import ErrorOfMean, error_of_mean
    from scalebridge.data.averaging.settling import chodera, equilibration, mser

_HOME = {
    "Blocking": "blocks",
    "Correlated": "inefficiency",
    "ErrorOfMean": "scales",
    "SeriesMean": "mean",
    "autocorrelation": "inefficiency",
    "blocking": "blocks",
    "chodera": "settling",
    "correlated": "inefficiency",
    "equilibration": "settling",
    "error_of_mean": "scales",
    "mean_of_series": "mean",
    "mser": "settling",
}

__all__ = [
    "Blocking",
    "Correlated",
    "ErrorOfMean",
    "SeriesMean",
    "autocorrelation",
    "blocking",
    "chodera",
    "correlated",
    "equilibration",
    "error_of_mean",
    "mean_of_series",
    "mser",
]

__getattr__, __dir__ = attach(__name__, _HOME)
