"""Published scalar functions from few runs: error and honesty of the intervals, beside scikit-learn, BoTorch and SMT.

``python -m benchmarks.scalar --json FILE [--seed N] [--seeds 5] [--functions borehole ...]``. Borehole, OTL circuit,
piston, wing weight and Ishigami; 10 d runs of a Latin hypercube, 1024 points of a scrambled Sobol sequence to judge by,
five draws of both. Ours is one choice for all functions, ``GaussianProcess(profile="auto", average=32)``, which weighs
its covariances by the runs alone; ``quick`` is ``GaussianProcess`` as it comes. The peers run on the same runs in an
environment of their own.

Written to FILE: for each function and method nRMSE, coverage and mean width at 95 %, CRPS over the spread, seconds of
the fit, and for ours ``met``: nRMSE at most 1.05 of the best peer's, coverage in [.92, .98].
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, qmc

import scalebridge as sb
from benchmarks import _peers
from scalebridge.learn import GaussianProcess
from scalebridge.problems import scalar

RATIO, RANGE, LEVEL = 1.05, (0.92, 0.98), 0.95
ENVIRONMENT = Path("out/peers/scalar")
PEERS = ("scikit-learn", "botorch==0.18.1", "gpytorch==1.15.2", "smt==2.15.0")
SCRIPT = Path(__file__).with_name("_scalar_peers.py")
FUNCTIONS = {
    "borehole": scalar.borehole(),
    "otl_circuit": scalar.otl_circuit(),
    "piston": scalar.piston(),
    "wing_weight": scalar.wing_weight(),
    "ishigami": scalar.ishigami(),
}
OURS: dict[str, dict[str, Any]] = {"ours": {"profile": "auto", "average": 32}, "quick": {}}
Case = dict[str, np.ndarray]


def draw(name: str, seed: int) -> Case:
    """Runs and test points in the unit cube, and the values at both."""
    function = FUNCTIONS[name]
    low, high = function.inputs.lower, function.inputs.upper
    d = len(low)
    x = qmc.LatinHypercube(d, rng=seed).random(10 * d)
    at = qmc.Sobol(d, rng=10_000 + seed).random(1024)
    return {
        "x": x,
        "y": function(low + x * (high - low))[:, 0],
        "at": at,
        "truth": function(low + at * (high - low))[:, 0],
    }


def judged(mean: np.ndarray, std: np.ndarray, truth: np.ndarray, seconds: float) -> dict[str, float]:
    """Figures of one normal law at the test points."""
    error, reach = mean - truth, float(norm.ppf(0.5 + LEVEL / 2))
    std = np.maximum(std, 1e-12 * truth.std())
    z = error / std
    crps = std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    return {
        "nrmse": float(np.sqrt(np.mean(error**2)) / truth.std()),
        "cov95": float(np.mean(np.abs(z) <= reach)),
        "width": float(2 * reach * std.mean() / truth.std()),
        "crps": float(crps.mean() / truth.std()),
        "fit_seconds": seconds,
    }


def ours(case: Case, options: dict[str, Any]) -> dict[str, float]:
    d = case["x"].shape[1]
    made = GaussianProcess(sb.Space([sb.Variable("x", "1", (d,))]), sb.Space({"y": "1"}), **options)
    begun = time.perf_counter()
    fitted = made.fit(case["x"], case["y"][:, None])
    seconds = time.perf_counter() - begun
    posterior = fitted.posterior(case["at"])
    return judged(posterior.mean[:, 0], posterior.std[:, 0], case["truth"], seconds)


def peers(cases: dict[str, Case]) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, Any]]:
    """Figures of each peer on each case, and what it said of itself."""
    python, reason = _peers.python_with(PEERS, ENVIRONMENT, Path("constraints.txt"))
    if python is None:
        return {}, {"skipped": reason}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "cases.npz", Path(folder) / "laws.npz"
        parts = {f"{key}|{part}": case[part] for key, case in cases.items() for part in ("x", "y", "at")}
        np.savez(asked, **parts)  # type: ignore[arg-type]
        said, reason = _peers.run(python, SCRIPT, asked, answered)
        if reason:
            return {}, {"skipped": reason}
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
        laws = dict(np.load(answered, allow_pickle=False))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for run, seconds in told.pop("seconds").items():
        peer, key = run.split("|", 1)
        figures = judged(laws[f"{run}|mean"], laws[f"{run}|std"], cases[key]["truth"], seconds)
        found.setdefault(peer, {})[key] = figures
    return found, told


def averaged(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Means over the seeds, and the nRMSE and coverage of each."""
    told: dict[str, Any] = {k: float(np.mean([row[k] for row in rows])) for k in rows[0]}
    return {**told, "each_nrmse": [row["nrmse"] for row in rows], "each_cov95": [row["cov95"] for row in rows]}


def table(name: str, seeds: list[int], methods: dict[str, dict[str, dict[str, float]]]) -> dict[str, Any]:
    """One function: every method, and what ours meets."""
    rows: dict[str, Any] = {}
    for method, found in methods.items():
        of = [found[f"{name}|{s}"] for s in seeds if f"{name}|{s}" in found]
        if of:
            rows[method] = averaged(of)
    best = min((rows[m]["nrmse"] for m in rows if m not in OURS), default=None)
    for method in OURS:
        row = rows[method]
        row["ratio_to_best_peer"] = None if best is None else row["nrmse"] / best
        row["met"] = {
            "nrmse": None if best is None else row["nrmse"] <= RATIO * best,
            "cov95": RANGE[0] <= row["cov95"] <= RANGE[1],
        }
    for method, row in rows.items():
        line = "  ".join(f"{k} {row[k]:.4f}" for k in ("nrmse", "cov95", "width", "crps", "fit_seconds"))
        print(f"{name:12s} {method:13s} {line}  {row.get('met', '')}", flush=True)
    return rows


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--functions", nargs="*", default=list(FUNCTIONS), choices=list(FUNCTIONS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.perf_counter()
    seeds = list(range(options.seed, options.seed + options.seeds))
    cases = {f"{name}|{seed}": draw(name, seed) for name in options.functions for seed in seeds}
    methods = {m: {key: ours(case, how) for key, case in cases.items()} for m, how in OURS.items()}
    theirs, told = peers(cases)
    figures: dict[str, Any] = {
        "benchmark": "scalar",
        "seeds": seeds,
        "target": {"nrmse_over_best_peer": RATIO, "cov95": RANGE},
        "peers": told,
        "functions": {name: table(name, seeds, methods | theirs) for name in options.functions},
    }
    figures["seconds"] = time.perf_counter() - begun
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))
    met = [figures["functions"][name]["ours"]["met"] for name in options.functions]
    print(f"met: nRMSE {sum(bool(m['nrmse']) for m in met)}, coverage {sum(m['cov95'] for m in met)} of {len(met)}")


if __name__ == "__main__":
    main()
