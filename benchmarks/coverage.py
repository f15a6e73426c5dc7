"""Does the 95 % interval hold? Random two-scale problems, each audited against direct coupling.

``python -m benchmarks.coverage --problems 200 --json FILE [--seed N] [--processes 2]``. Beside the method, on the
same problems: stopping at two posterior deviations (with goal-oriented, largest-deviation and random choice of the
runs), and the method with its surrogate sabotaged (mean off by 10 %, deviation divided by ten).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from benchmarks._naive import two_deviations
from benchmarks._two_scale import Problem, random_problem
from scalebridge.learn import GaussianProcess

RTOL = 0.01
# Sabotage may only cost runs; it is given up on here.
SABOTAGE_BUDGET = 50
# Problems near a limit load take many runs; after this many one counts as not converged.
BUDGET = 150


@dataclass(frozen=True)
class DampedPosterior:
    """A posterior with its mean times a factor and its deviation divided by another."""

    base: Any
    factor: float
    sureness: float

    @property
    def mean(self) -> Any:
        return self.factor * self.base.mean

    @property
    def std(self) -> Any:
        return self.base.std / self.sureness

    @property
    def blocks(self) -> Any:
        return self.base.blocks / self.sureness**2

    def functional(self, weights: Any) -> Any:
        f = self.base.functional(weights)
        return replace(f, mean=self.factor * f.mean, std=f.std / self.sureness, cov=f.cov / self.sureness**2)

    def reduction(self, *arguments: Any, **options: Any) -> Any:
        return self.base.reduction(*arguments, **options) / self.sureness**2


@dataclass(frozen=True)
class Sabotaged:
    """A surrogate whose mean is off by 10 % and whose deviation is ten times too small, however often refitted."""

    base: GaussianProcess

    def __getattr__(self, name: str) -> Any:
        return getattr(self.base, name)

    def fit(self, *arguments: Any, **options: Any) -> Sabotaged:
        return Sabotaged(self.base.fit(*arguments, **options))

    def predict(self, x: Any) -> tuple[Any, Any]:
        values, slope = self.base.predict(x)
        return 1.1 * values, 1.1 * slope

    def posterior(self, x: Any) -> DampedPosterior:
        return DampedPosterior(self.base.posterior(x), 1.1, 10.0)


def audit_problem(task: tuple[int, int, Sequence[str]]) -> dict[str, Any] | None:
    """Solve one problem by every method; ``None`` where the direct coupling itself has no solution."""
    import torch

    torch.set_num_threads(1)
    seed, number, methods = task
    problem = random_problem(seed, number)
    begun = time.perf_counter()
    answer = sb.solve(
        problem.macro, problem.micro, qoi=problem.qoi, rtol=RTOL, seed=number, progress="none", budget=BUDGET
    )
    taken = time.perf_counter() - begun
    # The direct solution starts from the surrogate's: it ends at the same equilibrium in fewer iterations.
    start = None
    if answer.surrogate is not None:
        closure = sb.bridge.closures.SurrogateClosure(answer.surrogate, problem.macro.closure_inputs)
        start = problem.macro.solve(closure, None).restart
    truth = problem.direct(start)
    if truth is None:
        return None
    row: dict[str, Any] = {
        "number": number, "kind": problem.kind, "geometry": problem.geometry, "local": problem.local,
        "qoi": problem.qoi, "truth": truth, "seconds": taken, "method": _judged(answer, truth),
        "elements": len(problem.macro.domain.mesh.t[0]),
    }  # fmt: skip
    others: dict[str, Callable[[], dict[str, Any]]] = {
        "sabotaged": lambda: _sabotaged(problem, truth, number),
        "two_deviations": lambda: two_deviations(problem, truth, RTOL, "goal", number),
        "largest_deviation": lambda: two_deviations(problem, truth, RTOL, "deviation", number),
        "random_choice": lambda: two_deviations(problem, truth, RTOL, "random", number),
    }
    for name in methods:
        row[name] = others[name]()
    return row


def _sabotaged(problem: Problem, truth: float, number: int) -> dict[str, Any]:
    structure = sb.Structure(potential=True, even=True)
    broken = Sabotaged(GaussianProcess(problem.macro.closure_inputs, problem.macro.closure_outputs, structure))
    answer = sb.solve(
        problem.macro, problem.micro, qoi=problem.qoi, rtol=RTOL, seed=number, progress="none",
        surrogate=broken, budget=SABOTAGE_BUDGET,
    )  # fmt: skip
    return _judged(answer, truth)


def _judged(answer: Any, truth: float) -> dict[str, Any]:
    low, high = answer.interval
    half = 0.5 * (high - low) if math.isfinite(high - low) else None
    error = abs(answer.value - truth)
    return {
        "converged": answer.converged,
        "covers": bool(low <= truth <= high),
        "runs": answer.micro_runs,
        "half_width": None if half is None else half / (RTOL * abs(truth)),
        "error": error / (RTOL * abs(truth)),
        "error_over_half_width": None if not half else error / half,
        "reason": answer.reason,
        "parts": {k: None if v is None else float(v) / (RTOL * abs(truth)) for k, v in answer.parts.items()},
        "macro_solves": answer.macro_solves,
        "rounds": len(answer.record["rounds"]),
    }


def summary(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """Coverage, widths and counts of one method over all problems; widths and errors in units of the tolerance."""
    found = [row[name] for row in rows]
    runs = np.array([f["runs"] for f in found])
    finite = [f for f in found if f["half_width"] is not None]
    errors = np.array([f["error"] if math.isfinite(f["error"]) else np.inf for f in found])
    done = np.array([f["converged"] for f in found])
    return {
        "problems": len(found),
        "converged": float(done.mean()),
        "coverage": float(np.mean([f["covers"] for f in found])),
        "coverage_converged": float(np.mean([f["covers"] for f in found if f["converged"]])) if done.any() else None,
        "runs_median": float(np.median(runs)),
        "runs_p95": float(np.percentile(runs, 95)),
        "half_width_median": float(np.median([f["half_width"] for f in finite])) if finite else None,
        "error_median": float(np.median(errors)),
        "error_p95": float(np.percentile(errors, 95)) if np.isfinite(errors).all() else None,
        "error_max_converged": float(errors[done].max()) if done.any() else None,
        "error_over_half_width_median": float(np.median([f["error_over_half_width"] for f in finite]))
        if finite
        else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--methods", nargs="*", default=["sabotaged", "two_deviations", "largest_deviation", "random_choice"]
    )
    options = parser.parse_args()
    begun = time.perf_counter()
    tasks = [(options.seed, number, tuple(options.methods)) for number in range(options.problems)]
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for done, row in enumerate(pool.map(audit_problem, tasks), 1):
            if row is not None:
                rows.append(row)
            if done % 20 == 0:
                left = (time.perf_counter() - begun) * (len(tasks) - done) / done
                print(f"{done}/{len(tasks)} problems, about {left:.0f} s left", flush=True)
    results = {name: summary(rows, name) for name in ("method", *options.methods)}
    groups = {
        "global_96": [r for r in rows if not r["local"] and r["elements"] == 96],
        "local": [r for r in rows if r["local"]],
        "laminate": [r for r in rows if r["kind"] == "laminate"],
        "rve": [r for r in rows if r["kind"] == "rve"],
    }
    figures = {
        "benchmark": "coverage",
        "seed": options.seed,
        "rtol": RTOL,
        "without_direct_solution": options.problems - len(rows),
        "results": results,
        "method_by_group": {name: summary(group, "method") for name, group in groups.items() if group},
        "seconds": time.perf_counter() - begun,
        "problems": rows,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1, allow_nan=True))
    for name, result in {**results, **figures["method_by_group"]}.items():  # type: ignore[dict-item]
        line = "  ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in result.items())
        print(f"{name:18s} {line}")
    print(f"{figures['seconds']:.0f} s, {figures['without_direct_solution']} problems without a direct solution")


if __name__ == "__main__":
    main()
