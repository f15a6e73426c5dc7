"""What a call costs, in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def costed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[str, float]]:
    """Return the answer with wall and CPU seconds and the peak memory above what was there before, in MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    answer = function(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return answer, {"wall_s": wall, "cpu_s": cpu, "peak_MB": peak / 1024}


def fresh(function: Callable[..., Any], *arguments: Any) -> tuple[Any, dict[str, float]]:
    """Call in a process of its own, so that its peak memory is its own; with one thread."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread) as pool:
        return pool.submit(costed, function, *arguments).result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
