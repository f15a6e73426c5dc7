"""Does the interval hold where the closure has a kink that no smooth surrogate can follow?

``python -m benchmarks.kink --json FILE [--seeds 30] [--seed N]``: one bar whose conductivity jumps in slope at one
temperature (`scalebridge.problems.kinked_bar`), solved with many seeds, each audited against the direct solution.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import scalebridge as sb
from scalebridge.problems import kinked_bar


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=30)
    options = parser.parse_args()
    case = kinked_bar()
    truth = case.direct().qois["flow"]
    rows = []
    for seed in range(options.seed, options.seed + options.seeds):
        answer = sb.solve(case.macro, case.micro, qoi="flow", rtol=0.01, seed=seed, progress="none", budget=150)
        low, high = answer.interval
        rows.append({"covers": low <= truth <= high, "runs": answer.micro_runs, "converged": answer.converged})
    figures = {
        "benchmark": "kink",
        "seed": options.seed,
        "coverage": float(np.mean([r["covers"] for r in rows])),
        "converged": float(np.mean([r["converged"] for r in rows])),
        "median_runs": float(np.median([r["runs"] for r in rows])),
        "rows": rows,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))
    print({k: v for k, v in figures.items() if k != "rows"})


if __name__ == "__main__":
    main()
