"""How long the package and its command take to start, against an interpreter that does nothing.

``python -m benchmarks.startup --json FILE [--repeats N] [--seed N]``. Each command runs in a process of its
own; the order is shuffled by the seed, so that a machine that slows down slows all of them alike.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "numpy": [sys.executable, "-c", "import numpy"],
    "import": [sys.executable, "-c", "import scalebridge"],
    "help": [sys.executable, "-c", "from scalebridge.cli import main; main()", "--help"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(repeats: int, seed: int) -> dict[str, list[float]]:
    """Wall seconds of every command, ``repeats`` each, after one run that fills the caches."""
    for command in COMMANDS.values():
        seconds(command)
    turns = [name for name in COMMANDS for _ in range(repeats)]
    random.Random(seed).shuffle(turns)
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for name in turns:
        taken[name].append(seconds(COMMANDS[name]))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    taken = measure(options.repeats, options.seed)
    median_s = {name: statistics.median(values) for name, values in taken.items()}
    figures = {
        "benchmark": "startup",
        "seed": options.seed,
        "repeats": options.repeats,
        "python": platform.python_version(),
        "median_s": median_s,
        "import_over_python": median_s["import"] / median_s["python"],
        "import_over_numpy": median_s["import"] / median_s["numpy"],
        "help_over_python": median_s["help"] / median_s["python"],
        "all_s": taken,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(", ".join(f"{name} {value:.3f} s" for name, value in median_s.items()))


if __name__ == "__main__":
    main()
