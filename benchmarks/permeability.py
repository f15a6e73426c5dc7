"""Permeability of pore spaces: arrays with published values, and Berea sandstone beside its literature values.

``python -m benchmarks.permeability --json FILE [--seed N] [--data DIR] [--size 100] [--full]``. ``DIR``, by default
the folder named by the environment variable ``SCALEBRIDGE_EXTRA_DATA``, holds ``pore-networks-icl``; without it
only the arrays are run. ``--size`` is the edge of the cut, placed by the seed; ``--full`` takes all 200 voxels.
Each case runs in a process of its own, so that its peak memory is its own; the solver uses one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scalebridge.micro.flow import PoreFlow

Mask = NDArray[np.bool_]
Boundary = Literal["periodic", "mirror", "walls"]

FILE = Path("pore-networks-icl") / "berea_100_to_300.npz"
# 2.138 mm in 400 voxels; the file holds voxels 100 to 300 each way.
VOXEL = 5.345e-6
# Edge of the cut whose voxels are split, for the error of the discretisation.
SPLIT = 80
# Of the whole cube of 400 voxels; Dong and Blunt, Phys. Rev. E 80, 036307 (2009).
LITERATURE = {"voxel lattice-Boltzmann, 400^3, mD": 1286.0, "pore network, 400^3, mD": 1111.0}
# Sangani and Acrivos (1982), Zick and Homsy (1982): solid fraction -> drag.
CYLINDERS = {0.05: 15.56, 0.20: 51.53, 0.50: 532.55}
SPHERES = {0.125: 4.292, 0.343: 15.4, math.pi / 6: 42.1}


def berea(path: Path, size: int, seed: int) -> Mask:
    """A cube of ``size`` voxels from Berea, True = pore, placed by the seed."""
    with np.load(path) as file:
        image: Mask = file["im"]
    rng = np.random.default_rng(seed)
    first = [int(rng.integers(0, n - size + 1)) for n in image.shape]
    return np.ascontiguousarray(image[tuple(slice(f, f + size) for f in first)])


def refined(fluid: Mask, times: int) -> Mask:
    """Every voxel split in ``times`` each way."""
    for axis in range(fluid.ndim):
        fluid = np.repeat(fluid, times, axis=axis)
    return fluid


def peak_memory() -> float:
    """Largest resident set of this process so far, MB."""
    status = Path("/proc/self/status")
    if status.exists():  # the figure of getrusage starts from that of the parent
        return next(float(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solve(fluid: Mask, edge: float, boundary: Boundary, axes: str, tolerance: float) -> dict[str, Any]:
    """One solve with its cost, in a fresh process."""
    before = peak_memory()
    model = PoreFlow(fluid, fluid=True, voxel_size=edge, boundary=boundary, tolerance=tolerance)
    wall, cpu = time.perf_counter(), time.process_time()
    found = model.permeability(axes if axes == "all" else list(axes))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_memory() - before
    return {
        "shape": list(fluid.shape), "boundary": boundary, "axes": list(found.axes), "porosity": found.porosity,
        "isolated": found.isolated, "fluid_voxels": int(fluid.sum()), "tolerance": tolerance,
        "voxel2": found.voxel2.tolist(), "mD": found.millidarcy.tolist(), "iterations": list(found.iterations),
        "error": list(found.error), "power_gap": list(found.power_gap), "cpu_s": cpu, "wall_s": wall,
        "peak_MB": peak, "expected_MB": model.expected_memory / 1e6, "note": found.note,
    }  # fmt: skip


def schur(fluid: Mask, kind: str) -> dict[str, Any]:
    """Iterations with another approximation of the Schur complement: what ours is worth."""
    from scalebridge.micro.flow import solve as solving
    from scalebridge.micro.flow import stokes

    def reciprocal_diagonal(self: stokes.Stokes) -> Any:
        return 1.0 / self.grid.momentum.diagonal()

    solving._LIMIT = 3000
    if kind == "identity":  # a Darcy part of no weight
        stokes.Stokes._own_permeability = lambda self: np.full(self.grid.momentum.shape[0], 1e12)  # type: ignore[method-assign]
    elif kind == "simple":
        stokes.Stokes._own_permeability = reciprocal_diagonal  # type: ignore[method-assign]
        stokes._IDENTITY_SHARE = 0.0
    cpu = time.process_time()
    found = PoreFlow(fluid, fluid=True, boundary="mirror").permeability("x")
    return {"kind": kind, "iterations": found.iterations[0], "cpu_s": time.process_time() - cpu}


def fresh(function: Any, *arguments: Any) -> Any:
    """Call in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def arrays() -> list[dict[str, Any]]:
    """Cylinders and spheres: permeability over the published one."""
    rows = []
    for fraction, drag in CYLINDERS.items():
        for n in (64, 128, 256):
            place = (np.indices((n, n)) + 0.5) / n - 0.5
            found = PoreFlow((place**2).sum(axis=0) > fraction / math.pi, fluid=True).permeability("x")
            ratio = float(found.voxel2[0, 0]) / n**2 * drag
            rows.append({"array": "square, cylinders", "solid": fraction, "n": n, "over_published": ratio})
    for fraction, drag in SPHERES.items():
        radius = (3.0 * fraction / (4.0 * math.pi)) ** (1.0 / 3.0)
        for n in (32, 64, 96):
            # An eighth of the cell between its planes of symmetry.
            place = (np.indices((n // 2,) * 3) + 0.5) / n
            fluid = (place**2).sum(axis=0) > radius**2
            found = PoreFlow(fluid, fluid=True, boundary="mirror").permeability("x")
            ratio = float(found.voxel2[0, 0]) / n**2 * 6.0 * math.pi * radius * drag
            rows.append({"array": "simple cubic, spheres", "solid": fraction, "n": n, "over_published": ratio})
    return rows


def sandstone(path: Path, size: int, seed: int, splits: Sequence[int]) -> dict[str, Any]:
    """Berea at every boundary, its sensitivity to the voxels, and the preconditioners."""
    image = berea(path, size, seed)
    cases: list[tuple[Boundary, str, float]] = [
        ("periodic", "all", 1e-6), ("mirror", "all", 1e-6), ("walls", "x", 1e-6), ("mirror", "x", 1e-3),
    ]  # fmt: skip
    rows = []
    for boundary, axes, tolerance in cases:
        row = fresh(solve, image, VOXEL, boundary, axes, tolerance)
        rows.append(row)
        diagonal = ", ".join(f"{v:.0f}" for v in np.diag(row["mD"]))
        print(
            f"Berea {size}^3 {boundary:8s} {axes:3s} tolerance {tolerance:.0e}: {diagonal} mD, porosity "
            f"{row['porosity']:.4f}, {row['iterations']} iterations, {row['cpu_s']:.1f} CPU s, "
            f"{row['peak_MB']:.0f} MB", flush=True,
        )  # fmt: skip
    cut = berea(path, SPLIT, seed)
    levels = []
    for times in splits:
        row = fresh(solve, refined(cut, times), VOXEL / times, "mirror", "x", 1e-4)
        levels.append({"times": times, "mD": row["mD"][0][0], "cpu_s": row["cpu_s"], "peak_MB": row["peak_MB"]})
        print(
            f"Berea {SPLIT}^3, voxels split in {times}: {row['mD'][0][0]:.0f} mD, {row['cpu_s']:.1f} CPU s", flush=True
        )
    small = berea(path, 64, seed + 2)
    kinds = [fresh(schur, small, kind) for kind in ("pores", "simple", "identity")]
    print("Schur complement, 64^3:", ", ".join(f"{k['kind']} {k['iterations']} iterations" for k in kinds))
    return {"cases": rows, "literature": LITERATURE, "refinement": levels, "schur": kinds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=os.environ.get("SCALEBRIDGE_EXTRA_DATA"))
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": "permeability", "seed": options.seed, "arrays": arrays()}
    for row in figures["arrays"]:
        print(f"{row['array']}, solid {row['solid']:.3f}, n {row['n']}: {row['over_published']:.4f} of the published")
    path = None if options.data is None else options.data / FILE
    if path is not None and path.exists():
        size, splits = (200, (1, 2, 3)) if options.full else (options.size, (1, 2))
        figures["berea"] = sandstone(path, size, options.seed, splits)
    else:
        figures["berea"] = None
        print("No Berea image: give --data or set SCALEBRIDGE_EXTRA_DATA to the folder that holds pore-networks-icl.")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
