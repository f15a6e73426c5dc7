"""How many runs until a surrogate is right to 1 %: chosen by active learning, beside Sobol and random designs.

    python -m benchmarks.active --json active.json

Borehole (8 inputs) and Ishigami (3), their inputs scaled to the unit cube, with the same Gaussian process for all
(squared exponential: both functions are analytic), fitted anew on the same numbers of runs; 5 seeds, medians. The
error is the root mean square over 1024 Sobol points that no method sees, by the deviation of the function there. A
method that has not reached 1 % when the runs end counts as needing more than these; the median is then a lower bound,
which the figures say. Beside the error stands what active learning itself estimated it to be at that moment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge.learn import GaussianProcess
from scalebridge.problems import ScalarFunction, borehole, ishigami

GOAL = 0.01
ACTIVE = ("integrated_variance", "maximum_deviation")
# Function, runs at a time, most runs.
PROBLEMS: dict[str, tuple[Callable[[], ScalarFunction], int, int]] = {
    "borehole": (borehole, 5, 150),
    "ishigami": (ishigami, 10, 400),
}


@dataclass(frozen=True)
class UnitCube:
    """A function with each input scaled to [0, 1]."""

    function: ScalarFunction

    @property
    def inputs(self) -> sb.Space:
        return sb.Space(dict.fromkeys(self.function.inputs.names, ("1", 0, 1)))

    @property
    def outputs(self) -> sb.Space:
        return self.function.outputs

    def run(self, u: Any) -> sb.Runs:
        low, high = self.function.inputs.lower, self.function.inputs.upper
        return self.function.run(low + u * (high - low))

    def __call__(self, u: Any) -> Any:
        return self.run(u).values


@dataclass(frozen=True)
class Task:
    """A function with the points at which a surrogate is judged."""

    function: UnitCube
    batch: int
    most: int
    test: Any
    truth: Any

    def surrogate(self) -> GaussianProcess:
        return GaussianProcess(self.function.inputs, self.function.outputs, profile="squared_exponential")

    def error(self, surrogate: Any) -> float:
        gap = surrogate.predict(self.test)[0] - self.truth
        return float(np.sqrt(np.mean(gap**2)) / self.truth.std())

    def counts(self) -> range:
        first = 2 * (self.function.inputs.size + 1)
        return range(first, self.most + 1, self.batch)


def task_of(name: str) -> Task:
    made, batch, most = PROBLEMS[name]
    function = UnitCube(made())
    test = sb.designs.sobol(function.inputs, 1024, seed=10_007).x
    return Task(function, batch, most, test, function(test))


def by_design(task: Task, kind: str, seed: int) -> Iterator[tuple[int, float, float | None]]:
    if kind == "sobol":
        x = sb.designs.sobol(task.function.inputs, task.most, seed=seed).x
    else:
        x = np.random.default_rng(seed).random((task.most, task.function.inputs.size))
    y = task.function(x)
    for n in task.counts():
        yield n, task.error(task.surrogate().fit(x[:n], y[:n])), None


def by_choice(task: Task, acquisition: str, seed: int) -> Iterator[tuple[int, float, float | None]]:
    loop = sb.Active(task.surrogate(), acquisition=acquisition, seed=seed)
    state = loop.init()
    for n in task.counts():
        x, state = loop.ask(state, n - state.spent)
        state = loop.tell(state, x, task.function.run(x))
        yield n, task.error(loop.fitted(state)), loop.error(state)


def measure(task: Task, method: str, seed: int) -> dict[str, Any]:
    """Runs until the goal is met, the path to it, and the estimate at that moment."""
    start, path, told, reached = time.process_time(), [], None, None
    steps = by_choice(task, method, seed) if method in ACTIVE else by_design(task, method, seed)
    for n, error, estimate in steps:
        path.append([n, error])
        told = estimate if estimate is not None and np.isfinite(estimate) else None
        if error <= GOAL:
            reached = n
            break
    return {
        "method": method, "seed": seed, "runs": reached, "error": path[-1][1], "estimated_error": told,
        "path": path, "cpu_s": time.process_time() - start,
    }  # fmt: skip


def summary(task: Task, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Median runs by method; a run that never got there counts one batch beyond the last."""
    beyond = task.most + task.batch
    medians = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        runs = [row["runs"] or beyond for row in rows if row["method"] == method]
        median = statistics.median(runs)
        medians[method] = {
            "median_runs": median,
            "is_lower_bound": median > task.most,
            "reached": sum(n <= task.most for n in runs),
            "seeds": len(runs),
            "median_error_at_end": statistics.median(row["error"] for row in rows if row["method"] == method),
        }
    first = medians[ACTIVE[0]]["median_runs"]
    ratios = {f"ratio_to_{m}": first / medians[m]["median_runs"] for m in ("sobol", "random")}
    return {"methods": medians, **ratios, "most_runs": task.most, "rows": rows}


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="first of the seeds")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"benchmark": "active", "goal": GOAL, "seed": options.seed}
    for name in options.problems:
        task, rows = task_of(name), []
        for method in (*ACTIVE, "sobol", "random"):
            for seed in range(options.seed, options.seed + options.seeds):
                rows.append(measure(task, method, seed))
                row = rows[-1]
                got = f"{row['runs']} runs" if row["runs"] else f"not in {task.most}"
                told = "" if row["estimated_error"] is None else f", estimated {row['estimated_error']:.4f}"
                print(f"{name} {method} seed {seed}: {got}, {row['error']:.4f}{told}, {row['cpu_s']:.0f} s", flush=True)
        figures[name] = summary(task, rows)
        told_medians = {m: v["median_runs"] for m, v in figures[name]["methods"].items()}
        print(f"{name}: median runs to {GOAL:.0%}: {told_medians}", flush=True)
        if options.json is not None:
            options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
