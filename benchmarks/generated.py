"""Generated microstructures: seconds and peak memory at a given resolution, and exact results beside theirs.

``python -m benchmarks.generated --json FILE [--seed N] [--side 256]``. Each family runs on one thread in a process of
its own, which makes the structure and its labels; time is that of the processor.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._cost import fresh
from scalebridge import microstructure


def spheres(side: int, seed: int) -> float:
    return float(microstructure.packed_spheres(0.5, 500, scatter=0.1, seed=seed).labels(side).mean())


def fibres(side: int, seed: int) -> float:
    return float(microstructure.packed_fibres(0.6, 500, scatter=0.1, seed=seed).labels(side).mean())


def grains(side: int, seed: int) -> float:
    return float(microstructure.random_grains(1000, seed=seed).grain(side).max() + 1)


def foam(side: int, seed: int) -> float:
    return float(microstructure.foam(200, 0.1, seed=seed).labels(side).mean())


def gaussian(side: int, seed: int) -> float:
    medium = microstructure.gaussian_medium(
        0.3, correlation=lambda r: np.exp(-((r / 0.05) ** 2)), points=side, seed=seed
    )
    return float(medium.labels(side).mean())


def weave(side: int, seed: int) -> float:
    return float((microstructure.woven("twill", 0.5).labels(side) > 0).mean())


def cahn_hilliard(side: int, seed: int) -> float:
    """On half as many points along each axis, 100 steps: its energy over that of the beginning."""
    cooled = microstructure.cahn_hilliard(side // 2, time=50.0, step=0.5, seed=seed)
    return float(cooled.energy[-1] / cooled.energy[0])


FAMILIES: dict[str, Callable[[int, int], float]] = {
    "spheres": spheres,
    "fibres": fibres,
    "grains": grains,
    "foam": foam,
    "gaussian": gaussian,
    "weave": weave,
    "cahn_hilliard": cahn_hilliard,
}
"""What each returns is a number that says that the structure is what was asked for, mostly its fraction."""


def voronoi(seed: int) -> dict[str, float]:
    """Mean faces of Poisson-Voronoi cells, and the known value (Meijering 1953)."""
    cells = microstructure.random_grains(5000, seed=seed)
    return {"faces": float(cells.neighbours.mean()), "known": 2 + 48 * math.pi**2 / 35}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=256)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    figures: dict[str, Any] = {"benchmark": "generated", "seed": options.seed, "side": options.side}
    for name, family in FAMILIES.items():
        value, cost = fresh(family, options.side, options.seed)
        figures[name] = {"value": value, **cost}
        print(f"{name}: {value:.4g}; {cost['cpu_s']:.1f} s of processor time, {cost['peak_MB']:.0f} MB", flush=True)
    figures["voronoi"] = voronoi(options.seed)
    print(f"Poisson-Voronoi cells: {figures['voronoi']['faces']:.3f} faces, known {figures['voronoi']['known']:.3f}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
