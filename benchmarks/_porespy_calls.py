"""One call of PoreSpy on an array, in the environment that has it: ``python _porespy_calls.py CALL FILE.npy``.

Prints one line of JSON: seconds, peak memory above what the array and a first small call (which compiles) took, values.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import porespy as ps

ps.settings.ncores = 1
ps.settings.tqdm["disable"] = True


def two_point(mask: np.ndarray) -> list[float]:
    """S2 in bins of one pixel, to half of the shortest side."""
    edges = np.arange(min(mask.shape) // 2 + 1)
    return [float(x) for x in ps.metrics.two_point_correlation(mask, bins=edges).probability_scaled]


def chords(mask: np.ndarray) -> list[int]:
    """Numbers of the chords that end inside, by length, along the last axis of every other line inside."""
    lines = ps.filters.apply_chords(mask, spacing=1, axis=mask.ndim - 1, trim_edges=True)
    return [int(n) for n in np.bincount(ps.metrics.chord_counts(lines))]


def local_thickness(mask: np.ndarray) -> list[int]:
    """Pixels by the radius of the largest ball of a whole radius that holds them."""
    found = ps.filters.local_thickness(mask)
    return [int(n) for n in np.bincount(found.astype(np.int64).ravel())]


CALLS: dict[str, Callable[[np.ndarray], Any]] = {
    "two_point": two_point,
    "chords": chords,
    "local_thickness": local_thickness,
}


def main() -> None:
    call, mask = CALLS[sys.argv[1]], np.load(sys.argv[2])
    call(np.ascontiguousarray(mask[(slice(0, 40),) * mask.ndim]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    value = call(mask)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_MB": peak / 1024, "value": value}))


if __name__ == "__main__":
    main()
