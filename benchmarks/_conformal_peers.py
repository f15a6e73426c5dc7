"""MAPIE and crepes on the folds of `benchmarks.conformal`: reads one npz of problems, writes one of intervals.

Runs in an environment of its own: ``python _conformal_peers.py problems.npz intervals.npz``. Every learner is ten
nearest neighbours, so that nothing differs but the calibration.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from crepes import ConformalRegressor
from mapie.regression import ConformalizedQuantileRegressor, CrossConformalRegressor, SplitConformalRegressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsRegressor

LEVEL = 0.9


class NeighboursQuantile(RegressorMixin, BaseEstimator):
    """A quantile of the ten nearest neighbours' values."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def fit(self, x: np.ndarray, y: np.ndarray) -> NeighboursQuantile:
        self.model_, self.values_, self.n_features_in_ = KNeighborsRegressor(10).fit(x, y), y, x.shape[1]
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.quantile(self.values_[self.model_.kneighbors(x, return_distance=False)], self.p, axis=1))


def scatter(model: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Standard deviation of the neighbours' values."""
    return np.asarray(y[model.kneighbors(x, return_distance=False)].std(axis=1))


def methods(x: Any, y: Any, held: Any, fold: Any, at: Any) -> dict[str, Callable[[], np.ndarray]]:
    """Intervals ``[n, 2]`` of each method."""
    learned = ~held
    model = KNeighborsRegressor(10).fit(x[learned], y[learned])
    errors, mean = y[held] - model.predict(x[held]), model.predict(at)
    floor = 1e-6 * y[learned].std()
    units = [np.maximum(scatter(model, z, y[learned]), floor) for z in (x[held], at)]
    side = [(z[:, 0] > 0).astype(int) for z in (x[held], at)]

    def mapie_split() -> np.ndarray:
        made = SplitConformalRegressor(model, confidence_level=LEVEL, prefit=True)
        return np.asarray(made.conformalize(x[held], y[held]).predict_interval(at)[1][:, :, 0])

    def mapie_cross() -> np.ndarray:
        made = CrossConformalRegressor(
            KNeighborsRegressor(10), confidence_level=LEVEL, method="plus", cv=PredefinedSplit(fold)
        )
        return np.asarray(made.fit_conformalize(x, y).predict_interval(at)[1][:, :, 0])

    def mapie_quantile() -> np.ndarray:
        tails = [NeighboursQuantile(p).fit(x[learned], y[learned]) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2, 0.5)]
        made = ConformalizedQuantileRegressor(tails, confidence_level=LEVEL, prefit=True).conformalize(x[held], y[held])
        return np.asarray(made.predict_interval(at, symmetric_correction=True)[1][:, :, 0])

    return {
        "MAPIE split absolute": mapie_split,
        "MAPIE cv+ absolute": mapie_cross,
        "MAPIE split quantile": mapie_quantile,
        "crepes split absolute": lambda: ConformalRegressor().fit(errors).predict_int(mean, confidence=LEVEL),
        "crepes split normalised": lambda: (
            ConformalRegressor().fit(errors, sigmas=units[0]).predict_int(mean, sigmas=units[1], confidence=LEVEL)
        ),
        "crepes split absolute by groups": lambda: (
            ConformalRegressor().fit(errors, bins=side[0]).predict_int(mean, bins=side[1], confidence=LEVEL)
        ),
    }


def main() -> None:
    warnings.filterwarnings("ignore")
    problems = np.load(sys.argv[1], allow_pickle=False)
    found: dict[str, list[np.ndarray]] = {}
    seconds: dict[str, float] = {}
    skipped: dict[str, str] = {}
    for row in zip(*(problems[k] for k in ("x", "y", "held", "fold", "at")), strict=True):
        for name, method in methods(*row).items():
            begun = time.perf_counter()
            try:
                found.setdefault(name, []).append(method())
            except Exception as error:
                skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begun
    versions = {name: importlib.metadata.version(name) for name in ("mapie", "crepes", "scikit-learn")}
    np.savez(sys.argv[2], **{k: np.stack(v) for k, v in found.items() if k not in skipped})
    print(json.dumps({"versions": versions, "seconds": seconds, "skipped": skipped}))


if __name__ == "__main__":
    main()
