"""What the six stiffness columns of a voxel image cost, beside the FFTs alone and beside other programs.

``python -m benchmarks.homogenisation --json FILE [--seed N]``. The case: a box of edge 1, a sphere of radius .3 at
voxel centres, matrix E = 1 and inclusion E = c, nu = .3 both, six unit strains, relative residual 1e-6, one thread.
Times are CPU seconds, the least of some repeats, in which floor and solver take turns in an order drawn from the
seed. The floor is three rfftn and three irfftn per CG iteration, each by the fastest of torch.fft and scipy.fft, all
components at once or one by one, in the same run. Loops are compiled at the first call, which is timed apart.

Written to FILE: ``floor`` (ratios, the binding figure), ``memory`` (of fresh processes, with the compilation's time),
``values`` and iterations beside FANS's HEX8R and in float32, ``profile``, ``scaling`` (against n^3 log n), ``mugrid``,
``fans``, ``gpu``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _homogenisation_peers as peers

RTOL = 1e-6
RATIO = 2.5
MEMORY_MB = 380.0
ITERATIONS = {10.0: 17, 100.0: 31, 1000.0: 34}
# C11, C12, C44 of FANS 0.6.2 with HEX8R, by voxels along an edge and contrast.
FANS_VALUES = {
    (32, 10.0): (1.615130, 0.656496, 0.460501),
    (32, 100.0): (1.682453, 0.664597, 0.479226),
    (32, 1000.0): (1.690837, 0.665227, 0.481651),
    (64, 10.0): (1.614292, 0.657374, 0.460514),
    (64, 100.0): (1.677832, 0.665939, 0.477924),
    (128, 10.0): (1.614208, 0.657788, 0.460502),
}
PRECISIONS = ("float64", "float32")


def sphere(n: int) -> np.ndarray:
    """Labels ``[n, n, n]``: 1 inside."""
    z, y, x = ((np.arange(n) + 0.5) / n - 0.5 for _ in range(3))
    inside = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2 < 0.09
    return inside.astype(np.uint8)


def lame(contrast: float) -> np.ndarray:
    """Lamé's constants ``[2, 2]`` of matrix and inclusion."""
    young = np.array([1.0, contrast])
    return np.stack([young * 0.3 / (1.3 * 0.4), young / 2.6], 1)


def case(n: int, contrast: float, precision: str) -> Callable[[], tuple[np.ndarray, list[int]]]:
    """Return the work that is timed: stiffness ``[6, 6]`` and iterations ``[6]`` of one image, nothing prepared."""
    import scalebridge as sb

    image, laws = sphere(n), [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(contrast, 0.3)]
    chosen: Any = {"float64": "double", "float32": "single"}[precision]

    def work() -> tuple[np.ndarray, list[int]]:
        rve = sb.micro.RVE(image, laws, tolerance=RTOL, precision=chosen)
        stiffness = rve.stiffness()
        return stiffness, rve.solver.effective.cg[0].tolist()

    return work


def loops_alone(n: int, contrast: float, norm: str) -> list[int]:
    """Iterations ``[6]`` where the residual is measured against the first one, in FANS's norm or in the energy."""
    import torch

    from scalebridge.micro.rve.fused.solver import FusedSolver
    from scalebridge.micro.rve.grid import Grid

    solver = FusedSolver(Grid((n, n, n), (1.0 / n,) * 3), _reference(contrast), torch.float64)
    _, iterations, _ = solver.homogenise(_moduli(n, contrast), RTOL, norm="energy" if norm == "energy" else "force")
    found: list[int] = iterations.tolist()
    return found


def _moduli(n: int, contrast: float) -> Any:
    import torch

    from scalebridge.micro.rve.moduli import LabelModuli

    unused = torch.zeros((2, 21), dtype=torch.float64)
    return LabelModuli(torch.from_numpy(sphere(n)), unused, torch.from_numpy(lame(contrast)))


def _reference(contrast: float) -> tuple[float, float]:
    lam, mu = lame(contrast)[0].tolist()
    return lam, mu


def cpu_seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def transforms(n: int, precision: str) -> dict[str, dict[str, Callable[[], Any]]]:
    """Ways to transform three components there and back."""
    import scipy.fft
    import torch

    axes, shape, whole = (0, 1, 2), (n, n, n), (1, 2, 3)
    real = torch.zeros((3, n, n, n), dtype=getattr(torch, precision))
    spectrum = torch.fft.rfftn(real, dim=whole)
    array, modes = real.numpy(), spectrum.numpy()
    each = range(3)
    return {
        "forward": {
            "torch, at once": lambda: torch.fft.rfftn(real, dim=whole, out=spectrum),
            "torch, one by one": lambda: [torch.fft.rfftn(real[c], dim=axes, out=spectrum[c]) for c in each],
            "scipy, at once": lambda: scipy.fft.rfftn(array, axes=whole),
            "scipy, one by one": lambda: [scipy.fft.rfftn(array[c], axes=axes) for c in each],
        },
        "inverse": {
            "torch, at once": lambda: torch.fft.irfftn(spectrum, s=shape, dim=whole, out=real),
            "torch, one by one": lambda: [torch.fft.irfftn(spectrum[c], s=shape, dim=axes, out=real[c]) for c in each],
            "scipy, at once": lambda: scipy.fft.irfftn(modes, s=shape, axes=whole),
            "scipy, one by one": lambda: [scipy.fft.irfftn(modes[c], s=shape, axes=axes) for c in each],
        },
    }


def against_floor(n: int, contrast: float, precision: str, repeats: int, seed: int) -> dict[str, Any]:
    """The solver's time over that of its FFTs alone, each the least of ``repeats`` in mixed order."""
    ways = transforms(n, precision)
    work = case(n, contrast, precision)
    stiffness, iterations = work()
    turns: list[tuple[str, str, Callable[[], Any]]] = [("solver", "", work)] * repeats
    for direction, found in ways.items():
        for way, transform in found.items():
            transform()
            turns += [(direction, way, transform)] * (2 * repeats)
    random.Random(seed).shuffle(turns)
    least: dict[tuple[str, str], float] = {}
    for direction, way, task in turns:
        least[direction, way] = min(least.get((direction, way), np.inf), cpu_seconds(task))
    fastest = {d: min((least[d, way], way) for way in found) for d, found in ways.items()}
    one = sum(seconds for seconds, _ in fastest.values())
    floor, solver = one * sum(iterations), least["solver", ""]
    return {
        "n": n, "contrast": contrast, "precision": precision, "iterations": iterations,
        "solver_s": solver, "floor_s": floor, "ratio": solver / floor, "met": solver <= RATIO * floor,
        "floor_per_iteration_s": one, "fastest": {d: way for d, (_, way) in fastest.items()},
        "C11_C12_C44": values(stiffness),
    }  # fmt: skip


def values(stiffness: np.ndarray) -> list[float]:
    """C11, C12, C44 (not Mandel)."""
    return [float(stiffness[0, 0]), float(stiffness[0, 1]), float(stiffness[3, 3]) / 2.0]


def against_fans(contrasts: Sequence[float], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Values and iterations beside those of FANS, and the iterations in the preconditioner's norm."""
    rows = []
    for (n, contrast), known in FANS_VALUES.items():
        if n not in sizes or contrast not in contrasts:
            continue
        stiffness, iterations = case(n, contrast, "float64")()
        # Six decimals are known, the last one rounded.
        error = float(np.abs(np.array(values(stiffness)) - known).max())
        rows.append({
            "n": n, "contrast": contrast, "ours": values(stiffness), "fans": known, "error": error,
            "met": error <= 1e-6, "iterations": iterations, "most": max(iterations),
            "iterations_by_force": loops_alone(n, contrast, "force"),
            "iterations_by_energy": loops_alone(n, contrast, "energy"),
            "single_precision_off_by": _single_precision(n, contrast, stiffness),
        })  # fmt: skip
        rows[-1]["iterations_met"] = max(iterations + rows[-1]["iterations_by_force"]) <= ITERATIONS[contrast]
    return rows


def _single_precision(n: int, contrast: float, exact: np.ndarray) -> dict[str, Any]:
    """Largest error of float32 in the stiffness, over its largest entry; its iterations; its true residual.

    CG updates its residual; the one computed anew from the fluctuation, here in float64, stays above in float32.
    """
    stiffness, iterations = case(n, contrast, "float32")()
    found = {"relative": float(np.abs(stiffness - exact).max() / np.abs(exact).max()), "iterations": iterations}
    return found if n > 64 else {**found, "true_residual": _true_residual(n, contrast)}


def _true_residual(n: int, contrast: float) -> float:
    """Largest norm of the force out of balance after float32, over that without fluctuation, in float64."""
    import torch

    from scalebridge.micro.rve.fused.solver import FusedSolver
    from scalebridge.micro.rve.grid import Grid

    grid, moduli, first = Grid((n, n, n), (1.0 / n,) * 3), _moduli(n, contrast), _reference(contrast)
    _, _, kept = FusedSolver(grid, first, torch.float32).homogenise(moduli, RTOL, keep_fluctuations=True)
    assert kept is not None
    exact, largest = FusedSolver(grid, first), 0.0
    for j in range(6):
        strain, norms = torch.eye(6, dtype=torch.float64)[j], []
        for u in (kept[j].double(), torch.zeros((3, n, n, n), dtype=torch.float64)):
            force = torch.empty_like(u)
            exact.force(moduli, strain, u, force)
            norms.append(float(force.norm()))
        largest = max(largest, norms[0] / norms[1])
    return largest


def scaling(sizes: Sequence[int], contrast: float, repeats: int) -> dict[str, Any]:
    """Seconds per iteration against n^3 log n, and the power of it that fits best."""
    rows = []
    for n in sizes:
        work = case(n, contrast, "float64")
        iterations = sum(work()[1]) if n <= 64 else 0
        least = np.inf
        for _ in range(repeats if n <= 96 else 1):
            start = time.process_time()
            iterations = sum(work()[1])
            least = min(least, time.process_time() - start)
        unit = n**3 * np.log2(n)
        rows.append(
            {"n": n, "solver_s": least, "iterations": iterations, "ns_per_n3logn": 1e9 * least / iterations / unit}
        )
        print(f"  {n}^3: {least:.2f} s, {rows[-1]['ns_per_n3logn']:.2f} ns per iteration and n^3 log2 n", flush=True)
    if len(rows) < 2:
        return {"rows": rows}
    x = [np.log(r["n"] ** 3 * np.log2(r["n"])) for r in rows]
    y = [np.log(r["solver_s"] / r["iterations"]) for r in rows]
    return {"rows": rows, "power_of_n3logn": float(np.polyfit(x, y, 1)[0])}


@contextmanager
def _timed(parts: dict[str, float]) -> Iterator[None]:
    """Time the solver's passes: the transforms, the stencil, the preconditioner, the steps of the iterates."""
    from scalebridge.micro.rve.fused import loops, solver
    from scalebridge.micro.rve.fused.transforms import Transforms

    places: list[tuple[Any, str, str]] = [
        (Transforms, "forward", "fft"), (Transforms, "inverse", "fft"), (Transforms, "along_z", "fft"),
        (loops, "forces", "stencil"), (loops, "close", "stencil"), (loops, "stress_sums", "mean stress"),
        (solver, "precondition", "preconditioner"), (loops, "advance", "vectors"), (loops, "finish", "vectors"),
        (loops, "scaled", "vectors"), (loops, "unscaled", "vectors"),
    ]  # fmt: skip
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]

    def wrapped(function: Callable[..., Any], part: str, *given: Any, **named: Any) -> Any:
        start = time.process_time()
        made = function(*given, **named)
        parts[part] = parts.get(part, 0.0) + time.process_time() - start
        return made

    for (owner, name, function), (_, _, part) in zip(kept, places, strict=True):
        timed = partial(wrapped, function, part)
        # A method must take its instance.
        setattr(owner, name, (lambda *given, timed=timed, **named: timed(*given, **named)))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def profile(n: int, precision: str, repeats: int) -> dict[str, Any]:
    """Share of each pass in the solver's time."""
    work = case(n, 10.0, precision)
    work()
    best: tuple[float, dict[str, float]] = (np.inf, {})
    for _ in range(repeats):
        parts: dict[str, float] = {}
        with _timed(parts):
            total = cpu_seconds(work)
        best = min(best, (total, parts), key=lambda found: found[0])
    total, parts = best
    shares = {part: seconds / total for part, seconds in parts.items()}
    return {"n": n, "precision": precision, "total_s": total, "share": {**shares, "rest": 1.0 - sum(shares.values())}}


def fresh_process(n: int, precision: str) -> dict[str, Any]:
    """Compile in a process without kept code, then measure memory and the first call in one that has it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.homogenisation", "--inside", str(n), precision]
        environment = {**os.environ, **peers.ONE_THREAD, "NUMBA_CACHE_DIR": folder}
        cold, warm = (
            json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
            for _ in range(2)
        )
    return {
        "n": n, "precision": precision, "peak_mb": warm["peak_mb"], "met": warm["peak_mb"] <= MEMORY_MB,
        "peak_while_compiling_mb": cold["peak_mb"], "compilation_s": cold["first_s"] - warm["again_s"],
        "loading_kept_code_s": warm["first_s"] - warm["again_s"],
    }  # fmt: skip


def inside(n: int, precision: str) -> None:
    """What `fresh_process` runs: peak memory above that of the imports, seconds of the first call and of another."""
    import psutil  # type: ignore[import-untyped]
    import scipy.fft  # noqa: F401

    process = psutil.Process()
    work = case(n, 10.0, precision)
    single_thread()
    resting = process.memory_info().rss
    first, again = cpu_seconds(work), cpu_seconds(work)
    peak = _peak_bytes(process)
    print(json.dumps({"peak_mb": (peak - resting) / 2**20, "first_s": first, "again_s": again}))


def _peak_bytes(process: Any) -> int:
    if sys.platform == "win32":
        return int(process.memory_info().peak_wset)
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which a child takes over from its parent.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def with_mugrid(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """muGrid on the same cases, and our time over its own (its set-up left out)."""
    python, reason = peers.mugrid_python()
    if python is None:
        return {"skipped": f"{peers.MUGRID} could not be installed: {reason}"}
    made = []
    for row in rows:
        found = peers.mugrid(python, row["n"], row["contrast"], row["precision"], RTOL)
        if "solve_s" in found:
            found["ours_over_theirs"] = row["solver_s"] / found["solve_s"]
        made.append({"n": row["n"], "contrast": row["contrast"], "precision": row["precision"], **found})
        print(f"  muGrid {row['n']}^3 {row['precision']}: {found}", flush=True)
    return {"rows": made}


def with_fans(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """FANS on the cases in float64, where it is at hand."""
    missing = peers.fans_missing()
    if missing:
        return {"skipped": missing}
    made = []
    for row in rows:
        if row["precision"] != "float64":
            continue
        found = peers.fans(sphere(row["n"]), lame(row["contrast"]), RTOL)
        if "solve_s" in found:
            found["ours_over_theirs"] = row["solver_s"] / found["solve_s"]
        made.append({"n": row["n"], "contrast": row["contrast"], **found})
    return {"rows": made}


def on_gpu(device: str, n: int, many: int, small: int, seed: int) -> dict[str, Any]:
    """Wall seconds of one large image and of a batch of small ones (random balls), through the public API."""
    import torch

    import scalebridge as sb

    materials = [sb.micro.Elastic(1.0, 0.3), sb.micro.Elastic(10.0, 0.3)]

    def wall(work: Callable[[], Any]) -> float:
        work()
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    noise = np.random.default_rng(seed)
    shifts = noise.integers(0, small, (many, 3))
    images = np.stack([np.roll(sphere(small), tuple(shift), (0, 1, 2)) for shift in shifts])
    return {
        "machine": torch.cuda.get_device_name(),
        "large": {"n": n, "wall_s": wall(lambda: sb.micro.RVE(sphere(n), materials, device=device).stiffness())},
        "many": {
            "n": small,
            "count": many,
            "wall_s": wall(lambda: sb.micro.homogenise_many(images, materials, device=device)),
        },
    }


def single_thread() -> None:
    import torch

    torch.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=[32, 64, 128])
    parser.add_argument("--contrasts", type=float, nargs="*", default=[10.0, 100.0, 1000.0])
    parser.add_argument("--scaling", type=int, nargs="*", default=[32, 48, 64, 96, 128, 160, 192])
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--inside", nargs=2, metavar=("N", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        inside(int(options.inside[0]), options.inside[1])
        return
    if options.json is None:
        parser.error("--json FILE is needed.")
    single_thread()
    figures = measure(options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures["met"], indent=1))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run all parts; see the top of this file."""
    import torch

    memory = [fresh_process(64, precision) for precision in PRECISIONS]
    print(json.dumps(memory), flush=True)
    rows = []
    for n in options.sizes:
        for precision in PRECISIONS:
            repeats = options.repeats if n <= 64 else max(2, options.repeats // 2)
            row = against_floor(n, 10.0, precision, repeats, options.seed)
            rows.append(row)
            print(f"{n}^3 {precision}: {row['solver_s']:.3f} s, {row['ratio']:.2f} times the FFTs", flush=True)
    validation = against_fans(options.contrasts, options.sizes)
    skipped = {"skipped": "--no-peers"}
    figures: dict[str, Any] = {
        "benchmark": "homogenisation",
        "seed": options.seed,
        "machine": {"processor": platform.processor() or platform.machine(), "threads": 1, "torch": torch.__version__},
        "rtol": RTOL,
        "floor": rows,
        "memory": memory,
        "values": validation,
        "profile": [profile(n, p, options.repeats if n <= 64 else 2) for n in options.sizes for p in PRECISIONS],
        "scaling": scaling(options.scaling, 10.0, 2),
        "mugrid": skipped if options.no_peers else with_mugrid(rows),
        "fans": skipped if options.no_peers else with_fans(rows),
        "gpu": on_gpu("cuda", 256, 4096, 32, options.seed)
        if torch.cuda.is_available()
        else {"skipped": "torch sees no CUDA device"},
    }
    binding = [row for row in rows if row["n"] in (64, 128)]
    figures["met"] = {
        "ratio_to_floor": {f"{r['n']} {r['precision']}": [round(r["ratio"], 2), r["met"]] for r in binding},
        "memory_mb": {m["precision"]: [round(m["peak_mb"], 1), m["met"]] for m in memory},
        "iterations": {f"{v['n']} c={v['contrast']:g}": [v["most"], v["iterations_met"]] for v in validation},
        "values": {f"{v['n']} c={v['contrast']:g}": [v["error"], v["met"]] for v in validation},
    }
    return figures


if __name__ == "__main__":
    main()
