"""What a surrogate says of rows that it has not seen, and the figures of merit of that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.errors import InputError, ScaleBridgeError
from scalebridge.learn.calibration.metrics import CERTAIN, crps_normal_rows
from scalebridge.learn.calibration.splits import Split
from scalebridge.learn.calibration.wrapped import fit_on
from scalebridge.learn.learner import Data
from scalebridge.models import Posterior, Surrogate
from scalebridge.quantities import Floats

# At which levels a law that is not normal is read.
LEVELS = (np.arange(50) + 0.5) / 50
PROBES = (0.02, 0.2, 0.4, 0.6, 0.8, 0.98)
# Standard errors beyond which a difference is told.
TOLD = 2.0


@dataclass(frozen=True)
class HeldOut:
    """Answers at rows held back, row for row, with declared noise of the runs added to the deviation.

    Args:
        rows: ``[k]``, which of the data; a row may stand in several splits.
        split: ``[k]``, in which split.
        y: the values seen there ``[k, m]``.
        mean, std: of the answers ``[k, m]``.
        lower, upper: ends of the central intervals ``[k, m]``.
        crps: continuous ranked probability score ``[k, m]``, in the outputs' units.
        level: the share of the law below the value seen ``[k, m]``; evenly spread where the law is honest.
    """

    rows: NDArray[np.int64]
    split: NDArray[np.int64]
    y: Floats
    mean: Floats
    std: Floats
    lower: Floats
    upper: Floats
    crps: Floats
    level: Floats

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which values lie inside their intervals ``[k, m]``."""
        inside: NDArray[np.bool_] = (self.y >= self.lower) & (self.y <= self.upper)
        return inside

    @property
    def nll(self) -> Floats:
        """Negative log likelihood ``[k, m]`` of the normal law with the mean and the deviation told."""
        # A claim of certainty is scored as one part in 1e12 of the values.
        std = np.maximum(self.std, CERTAIN * (np.abs(self.y).max(axis=0) + 1e-290))
        loss: Floats = 0.5 * np.log(2 * np.pi * std**2) + 0.5 * ((self.y - self.mean) / std) ** 2
        return loss


def held_out(
    surrogate: Surrogate, data: Data, splits: Sequence[Split], level: float = 0.9, first: int = 0
) -> tuple[HeldOut, Floats]:
    """Fit on one side of every split and answer on the other.

    Args:
        surrogate: not fitted, or fitted on none of the rows held back.
        data: all rows.
        splits: of the rows.
        level: of the central intervals.
        first: number of the first split.

    Returns:
        the answers, and the seconds of every split's fit and prediction ``[splits, 2]``.

    Raises:
        InputError: answers that are not finite; whatever the surrogate itself refuses.
    """
    parts, seconds = [], []
    for k, split in enumerate(splits, start=first):
        begun = time.perf_counter()
        fitted = fit_on(surrogate, data, split.train)
        learned = time.perf_counter()
        posterior = fitted.posterior(data.x[split.test])
        parts.append(_seen(posterior, data, split.test, k, level))
        seconds.append((learned - begun, time.perf_counter() - learned))
    return joined(parts), np.array(seconds)


def joined(parts: Sequence[HeldOut]) -> HeldOut:
    """The answers of several splits, in order."""
    return HeldOut(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(HeldOut)))


def _seen(posterior: Posterior, data: Data, rows: NDArray[np.int64], split: int, level: float) -> HeldOut:
    from scipy.special import ndtr

    y, mean, own, noise = data.y[rows], posterior.mean, posterior.std, data.noise_std[rows]
    std = np.sqrt(own**2 + noise**2)
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        raise InputError("it predicts values that are not finite")
    where = np.full(len(rows), split)
    if _is_normal(posterior, mean, own):
        reach = NormalDist().inv_cdf(0.5 * (1 + level)) * std
        place = ndtr((y - mean) / np.maximum(std, CERTAIN * (np.abs(y).max(axis=0) + 1e-290)))
        return HeldOut(rows, where, y, mean, std, mean - reach, mean + reach, crps_normal_rows(y, mean, std), place)
    # Noise of the runs widens a law of any form about its mean.
    wider = std / np.where(own > 0, own, 1.0)

    def quantile(p: float) -> Floats:
        widened: Floats = mean + wider * (posterior.quantile(p) - mean)
        return widened

    table, p = np.stack([quantile(float(level)) for level in LEVELS]), LEVELS[:, None, None]
    crps = 2 * np.mean(np.maximum(p * (y - table), (p - 1) * (y - table)), axis=0)
    place = 0.5 * ((table < y).mean(axis=0) + (table <= y).mean(axis=0))
    ends = quantile(0.5 * (1 - level)), quantile(0.5 * (1 + level))
    return HeldOut(rows, where, y, mean, std, *ends, crps, place)


def _is_normal(posterior: Posterior, mean: Floats, std: Floats) -> bool:
    """Whether quantiles are those of the normal law with the mean and the deviation told."""
    slack = 1e-6 * std + 1e-12 * np.abs(mean)
    return all(
        bool((np.abs(posterior.quantile(p) - mean - NormalDist().inv_cdf(p) * std) <= slack).all()) for p in PROBES
    )


def cluster_error(values: Floats, labels: NDArray[Any]) -> float:
    """Standard error of the mean of ``values [k]`` whose rows of one label ``[k]`` are not independent."""
    index = np.unique(labels, return_inverse=True)[1].reshape(-1)
    sums = np.bincount(index, values - values.mean())
    clusters = len(sums)
    return float(np.sqrt(clusters / max(clusters - 1, 1) * np.sum(sums**2)) / len(values))


def overlap(splits: Sequence[Split]) -> float:
    """By how much the variance of a mean over splits exceeds that over independent rows.

    Surrogates of several splits learned from common rows: ``1 + K n_test / n_train`` for K splits.

    Source: C. Nadeau and Y. Bengio, Inference for the generalization error, Machine Learning 52 (2003) 239-281.
    """
    return 1 + sum(len(s.test) / len(s.train) for s in splits)


def reason_of(error: Exception) -> str:
    """Why a fit failed, in a line."""
    told = str(error).strip().replace("\n", " ")
    return told if isinstance(error, ScaleBridgeError) else f"{type(error).__name__}: {told}"
