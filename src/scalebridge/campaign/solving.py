"""Calling a model on a batch, with everything that can go wrong turned into results."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scalebridge.campaign.rows import Result, results_of
from scalebridge.errors import InputError
from scalebridge.models.model import Model
from scalebridge.models.runs import Runs
from scalebridge.quantities import Floats

# Iterative solvers stop at 1e-6 or so, in batches a little earlier or later; garbage is of order one.
SPOT_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """One row of an accepted batch, solved once more by itself; no run of its own, but it costs time.

    Args:
        key: key of the row.
        difference: largest difference, relative to the largest value of the row.
        agreed: whether it is within the tolerance.
        cost_s: seconds of the single solve.
    """

    key: str
    difference: float
    agreed: bool
    cost_s: float


def is_batched(model: object) -> bool:
    """Whether a model solves rows together; one that says nothing does, as ``run(x [b, d])`` is the contract."""
    while (declared := getattr(model, "batched", None)) is None:
        inner = getattr(model, "model", None)
        if inner is None:
            return True
        model = inner
    return bool(declared)


def solve(model: Model, x: Floats, seeds: tuple[int, ...] | None) -> list[Result]:
    """Run ``x [b, d]`` and return one result per row; an exception fails every row of the batch.

    Raises:
        InputError: the model returned what does not fit its declaration, or says so itself.
    """
    start = time.perf_counter()
    run: Callable[..., Any] = model.run
    try:
        runs = run(x) if seeds is None else run(x, seeds)
    except InputError:
        raise
    except Exception as error:
        cost = (time.perf_counter() - start) / len(x)
        return [Result(None, "failed", f"{type(error).__name__}: {error}", cost)] * len(x)
    if not isinstance(runs, Runs):
        raise InputError(f"The model '{model.name}' returned a {type(runs).__name__} from run(x); return sb.Runs.")
    if runs.values.shape != (len(x), model.outputs.size):
        raise InputError(
            f"The model '{model.name}' returned values of shape {runs.values.shape}; for {len(x)} rows and the outputs "
            f"{', '.join(model.outputs.component_names)} it is {(len(x), model.outputs.size)}."
        )
    results = results_of(runs)
    if not any(r.cost_s for r in results):
        cost = (time.perf_counter() - start) / len(x)
        results = [Result(r.row, r.status, r.reason, cost) for r in results]
    return results


def solve_singly(model: Model, x: Floats, seeds: tuple[int, ...] | None) -> list[Result]:
    """Run the rows of ``x [b, d]`` one by one."""
    return [r for i in range(len(x)) for r in solve(model, x[i : i + 1], None if seeds is None else seeds[i : i + 1])]


def solve_together(model: Model, x: Floats, seeds: tuple[int, ...] | None) -> list[Result]:
    """Run the batch at once; where all of it fails, one by one: a single row may have spoilt it."""
    results = solve(model, x, seeds)
    if len(x) > 1 and all(r.status == "failed" for r in results):
        return solve_singly(model, x, seeds)
    return results


def spot_check(model: Model, x: Floats, keys: Sequence[str], results: Sequence[Result], seed: int) -> SpotCheck | None:
    """Solve one finished row of a batch by itself; None where there is nothing to compare.

    Which row is fixed by the keys and ``seed``. A model with noise is not compared.
    """
    finished = [i for i, r in enumerate(results) if r.row is not None]
    if len(finished) < 2 or any(r.row is not None and r.row.noise_std is not None for r in results):
        return None
    digest = hashlib.sha256(f"spot/{seed}/{'/'.join(keys)}".encode()).digest()
    i = finished[int.from_bytes(digest[:8]) % len(finished)]
    start = time.perf_counter()
    alone = solve(model, x[i : i + 1], None)[0]
    cost = time.perf_counter() - start
    batch = results[i].row
    if alone.row is None or batch is None:
        return SpotCheck(keys[i], float("inf"), False, cost)
    error = 0.0 if batch.error_std is None else 3.0 * float(np.max(batch.error_std))
    distance = float(np.max(np.abs(alone.row.values - batch.values), initial=0.0))
    size = float(np.max(np.abs(alone.row.values), initial=0.0))
    agreed = distance <= SPOT_TOLERANCE * size + error
    return SpotCheck(keys[i], distance / size if size else distance, agreed, cost)
