"""What a campaign costs per run, beside the bare model and beside a ``ProcessPoolExecutor``.

    python -m benchmarks.campaign --json campaign.json

The model multiplies two numbers, so all that is measured is overhead: microseconds per row, and ratios
measured in the same run, interleaved: in memory and on disk against the bare call, worker processes with a
store against a plain pool of as many processes of the standard library, which keeps no record.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import scalebridge as sb
from scalebridge.campaign import Campaign, LocalProcessExecutor, Store

WORKERS = 2


@sb.model(inputs={"a": "1", "b": "1"}, outputs={"y": "1"})
def product(a: float, b: float) -> dict[str, float]:
    return {"y": a * b}


@sb.model(inputs={"a": "1", "b": "1"}, outputs={"y": "1"}, batched=True)
def products(a: Any, b: Any) -> dict[str, Any]:
    return {"y": a * b}


def multiply(row: list[float]) -> float:
    return row[0] * row[1]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(rows: int, repeats: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    taken: dict[str, list[float]] = {}
    with (
        ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool,
        LocalProcessExecutor(WORKERS) as processes,
    ):
        list(pool.map(multiply, [[1.0, 2.0]] * 20))
        list(processes.map(multiply, [[1.0, 2.0]] * 20))
        for _ in range(repeats):
            x = random.normal(size=(rows, 2))
            for name, work in _kinds(x, pool, processes).items():
                taken.setdefault(name, []).append(work() / rows)
    median = {name: statistics.median(times) for name, times in taken.items()}
    return {
        "benchmark": "campaign",
        "rows": rows,
        "repeats": repeats,
        "seed": seed,
        "microseconds_per_row": {name: round(1e6 * t, 2) for name, t in median.items()},
        "ratio_memory_to_bare": median["memory"] / median["bare"],
        "ratio_disk_to_bare": median["disk"] / median["bare"],
        "ratio_processes_to_pool": median["processes, memory"] / median["pool of the standard library"],
        "ratio_processes_disk_to_pool": median["processes, disk"] / median["pool of the standard library"],
    }


def _kinds(x: Any, pool: ProcessPoolExecutor, processes: LocalProcessExecutor) -> dict[str, Callable[[], float]]:
    def run(campaign: Campaign) -> float:
        return seconds(lambda: campaign.run(x, phase="benchmark", why="overhead"))

    def on_disk(model: Any, again: bool = False, executor: Any = None) -> float:
        with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
            campaign = Campaign(model, store, executor)
            first = run(campaign)
            return run(campaign) if again else first

    def stored() -> float:
        campaign = Campaign(product)
        run(campaign)
        return run(campaign)

    return {
        "bare": lambda: seconds(lambda: product.run(x)),
        "memory": lambda: run(Campaign(product)),
        "memory, one batch": lambda: run(Campaign(products)),
        "memory, reused": stored,
        "disk": lambda: on_disk(product),
        "disk, one batch": lambda: on_disk(products),
        "disk, reused": lambda: on_disk(product, again=True),
        "pool of the standard library": lambda: seconds(lambda: list(pool.map(multiply, x.tolist()))),
        "processes, memory": lambda: run(Campaign(product, executor=processes)),
        "processes, disk": lambda: on_disk(product, executor=processes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    figures = measure(arguments.rows, arguments.repeats, arguments.seed)
    print(json.dumps(figures, indent=2))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
