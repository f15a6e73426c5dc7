"""scikit-learn and MAPIE on the splits of `benchmarks.uci`; runs in an environment of its own.

``python _uci_peers.py ANSWER.json SPLITS SEED SET...``.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

# Run as a script, this folder is where Python looks first.
from _uci_data import read, splits
from mapie.regression import CrossConformalRegressor
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.preprocessing import StandardScaler

LEVEL = 0.9
# A fit grows with the third power of the rows.
MOST_ROWS = 400


def process(x: Any, y: Any, at: Any, seed: int) -> tuple[Any, Any]:
    """Mean and deviation, noise included."""
    scaler = StandardScaler().fit(x)
    kernel = ConstantKernel(1.0) * Matern(np.ones(x.shape[1]), (1e-2, 1e3), nu=2.5) + WhiteKernel(1e-2, (1e-6, 1.0))
    made = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed).fit(scaler.transform(x), y)
    mean, std = made.predict(scaler.transform(at), return_std=True)
    return np.asarray(mean), np.asarray(std)


def process_scores(x: Any, y: Any, at: Any, truth: Any, seed: int) -> dict[str, float]:
    mean, std = process(x, y, at, seed)
    z = (truth - mean) / std
    reach = norm.ppf(0.5 * (1 + LEVEL)) * std
    crps = std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    return {
        "rmse": float(np.sqrt(np.mean((truth - mean) ** 2))),
        "nll": float(np.mean(0.5 * np.log(2 * np.pi * std**2) + 0.5 * z**2)),
        "coverage": float(np.mean(np.abs(truth - mean) <= reach)),
        "width": float(2 * reach.mean()),
        "crps": float(crps.mean()),
    }


def boosting_scores(x: Any, y: Any, at: Any, truth: Any, seed: int) -> dict[str, float]:
    """Intervals alone: MAPIE tells no density."""
    booster = HistGradientBoostingRegressor(random_state=seed)
    made = CrossConformalRegressor(booster, confidence_level=LEVEL, method="plus", cv=5, random_state=seed)
    mean, ends = made.fit_conformalize(x, y).predict_interval(at)
    low, high = ends[:, 0, 0], ends[:, 1, 0]
    return {
        "rmse": float(np.sqrt(np.mean((truth - mean) ** 2))),
        "coverage": float(np.mean((truth >= low) & (truth <= high))),
        "width": float(np.mean(high - low)),
    }


def main() -> None:
    warnings.filterwarnings("ignore")
    answer, count, seed, *sets = sys.argv[1:]
    rows: dict[str, dict[str, list[dict[str, float]]]] = {}
    skipped: dict[str, str] = {}
    for name in sets:
        x, y = read(name)
        y = y[:, 0]
        methods = {"histogram gradient boosting + MAPIE": boosting_scores}
        if len(x) <= MOST_ROWS:
            methods["Gaussian process (scikit-learn)"] = process_scores
        else:
            skipped[f"Gaussian process (scikit-learn) on {name}"] = f"{len(x)} rows: a fit takes minutes"
        for k, (train, test) in enumerate(splits(name)[: int(count)]):
            for method, run in methods.items():
                begun = time.perf_counter()
                told = run(x[train], y[train], x[test], y[test], int(seed) + k)
                told["seconds"] = time.perf_counter() - begun
                rows.setdefault(name, {}).setdefault(method, []).append(told)
    versions = {name: importlib.metadata.version(name) for name in ("mapie", "scikit-learn")}
    Path(answer).write_text(json.dumps({"rows": rows, "versions": versions, "skipped": skipped}))


if __name__ == "__main__":
    main()
