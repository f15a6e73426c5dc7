"""What an adapter costs above its bare program, and how fast a large dump is read.

``python -m benchmarks.adapters --json F [--seed N] [--repeats 20] [--dump 1000]``: for every simulator that is
installed, runs through the adapter and runs of the same program on the same input by turns; the overhead is the
difference of their medians. Then a dump of a gigabyte (``--dump`` in MB) is written and read frame by frame, its memory
watched, beside the bytes alone and beside NumPy's own reader on the first frames.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._adapter_cases import pairs

ATOMS = 20_000


def main() -> None:
    """Run and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--dump", type=int, default=1000, help="size of the dump in MB")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(streamed(options.read)))
        return
    found = {"seed": options.seed, "overhead": overheads(options.repeats), "dump": dump(options.dump, options.seed)}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def overheads(repeats: int) -> dict[str, Any]:
    """Milliseconds of a run through each adapter, of the bare program, and their difference."""
    found = {}
    with ExitStack() as stack:
        for name, pair in pairs(stack):
            if not pair.adapted():
                raise SystemExit(f"the adapter {name} failed at {pair.what}")
            pair.bare()
            through, bare = [], []
            for _ in range(repeats):
                through.append(_timed(pair.adapted))
                bare.append(_timed(pair.bare))
            with_it, without = 1e3 * statistics.median(through), 1e3 * statistics.median(bare)
            found[name] = {
                "run": pair.what,
                "with_ms": with_it,
                "bare_ms": without,
                "overhead_ms": with_it - without,
                "ratio": with_it / without,
            }
            print(f"{name:18} {with_it:8.1f} ms, bare {without:8.1f} ms: {with_it - without:+7.1f} ms ({pair.what})")
    return found


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def dump(megabytes: int, seed: int) -> dict[str, Any]:
    """Rates of reading a dump, in a process of its own so that its memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dump.lammpstrj"
        frames = _written(path, megabytes, seed)
        size = path.stat().st_size
        start = time.perf_counter()
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 22):
                pass
        bytes_alone = size / (time.perf_counter() - start)
        command = [sys.executable, "-m", "benchmarks.adapters", "--read", str(path)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        plain = _plain(path)
    found = {
        "bytes": size,
        "frames": frames,
        "atoms": ATOMS,
        "rate_mb_s": size / told["seconds"] / 1e6,
        "peak_above_start_mb": told["peak_mb"],
        "peak_after_ten_frames_mb": told["early_mb"],
        "bytes_alone_mb_s": bytes_alone / 1e6,
        "numpy_loadtxt_mb_s": plain / 1e6,
        "ratio_to_loadtxt": size / told["seconds"] / plain,
    }
    print(
        f"dump of {size / 1e9:.2f} GB: {found['rate_mb_s']:.0f} MB/s, {found['ratio_to_loadtxt']:.1f} times "
        f"numpy.loadtxt; memory {told['early_mb']:.0f} MB above the start after ten frames, "
        f"{told['peak_mb']:.0f} MB at the end"
    )
    if told["frames"] != frames:
        raise SystemExit(f"{told['frames']} of {frames} frames were read")
    return found


def streamed(path: Path) -> dict[str, Any]:
    """Read a dump frame by frame: seconds, frames, and memory after ten frames and at the end."""
    from scalebridge.simulators.lammps.dumps import iterate_dump

    # What is compiled or imported on first use is no part of the rate.
    next(iter(iterate_dump(path)))
    before, early, frames = _peak(), 0.0, 0
    start = time.perf_counter()
    for _ in iterate_dump(path):
        frames += 1
        if frames == 10:
            early = _peak() - before
    return {
        "seconds": time.perf_counter() - start,
        "frames": frames,
        "early_mb": early,
        "peak_mb": _peak() - before,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _written(path: Path, megabytes: int, seed: int) -> int:
    """Write a dump of so many megabytes; ten frames are drawn and repeated under new times."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(10):
        text = io.StringIO()
        places, speeds = rng.uniform(0, 30, (ATOMS, 3)), rng.normal(size=(ATOMS, 3))
        table = np.column_stack([np.arange(1, ATOMS + 1), rng.integers(1, 3, ATOMS), places, speeds])
        np.savetxt(text, table, fmt=["%d", "%d"] + ["%.6g"] * 6)
        rows.append(text.getvalue().encode())
    frames, size = 0, 0
    with path.open("wb") as file:
        while size < megabytes * 1e6:
            head = f"ITEM: TIMESTEP\n{1000 * frames}\nITEM: NUMBER OF ATOMS\n{ATOMS}\nITEM: BOX BOUNDS pp pp pp\n"
            head += "0 30\n" * 3 + "ITEM: ATOMS id type x y z vx vy vz\n"
            size += file.write(head.encode()) + file.write(rows[frames % 10])
            frames += 1
    return frames


def _plain(path: Path) -> float:
    """Bytes a second of `numpy.loadtxt` on the first frames."""
    with path.open("rb") as file:
        lines = [next(file) for _ in range(3 * (ATOMS + 9))]
    tables = [b"".join(lines[k * (ATOMS + 9) + 9 : (k + 1) * (ATOMS + 9)]) for k in range(3)]
    start = time.perf_counter()
    for table in tables:
        np.loadtxt(io.BytesIO(table))
    return sum(map(len, tables)) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
