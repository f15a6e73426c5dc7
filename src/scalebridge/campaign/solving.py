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


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to run: ``x [b, d]`` with their keys, the seeds of a stochastic model, and how.

    Args:
        together: as one batch; else row by row.
        checked: one finished row is solved by itself, and all are where it differs.
        seed: chooses that row.
    """

    keys: tuple[str, ...]
    x: Floats
    seeds: tuple[int, ...] | None = None
    together: bool = False
    checked: bool = False
    seed: int = 0


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


def solve_batch(model: Model, batch: Batch) -> tuple[list[Result], SpotCheck | None]:
    """Run a batch; row by row where all of it fails (one may have spoilt it) or a spot check disagrees."""
    x, seeds = batch.x, batch.seeds
    if not batch.together or len(x) == 1:
        return _singly(model, batch), None
    results = solve(model, x, seeds)
    if all(r.status == "failed" for r in results):
        return _singly(model, batch), None
    check = _spot_check(model, batch, results) if batch.checked and seeds is None else None
    if check is not None and not check.agreed:
        return _singly(model, batch), check
    return results, check


def _singly(model: Model, batch: Batch) -> list[Result]:
    seeds = batch.seeds
    return [
        r
        for i in range(len(batch.x))
        for r in solve(model, batch.x[i : i + 1], None if seeds is None else seeds[i : i + 1])
    ]


def _spot_check(model: Model, batch: Batch, results: Sequence[Result]) -> SpotCheck | None:
    """Solve one finished row by itself; None where there is nothing to compare, as with noise."""
    finished = [i for i, r in enumerate(results) if r.row is not None]
    if len(finished) < 2 or any(r.row is not None and r.row.noise_std is not None for r in results):
        return None
    digest = hashlib.sha256(f"spot/{batch.seed}/{'/'.join(batch.keys)}".encode()).digest()
    i = finished[int.from_bytes(digest[:8]) % len(finished)]
    start = time.perf_counter()
    key = batch.keys[i]
    alone = solve(model, batch.x[i : i + 1], None)[0]
    cost = time.perf_counter() - start
    together = results[i].row
    if alone.row is None or together is None:
        return SpotCheck(key, float("inf"), False, cost)
    error = 0.0 if together.error_std is None else 3.0 * float(np.max(together.error_std))
    distance = float(np.max(np.abs(alone.row.values - together.values), initial=0.0))
    size = float(np.max(np.abs(alone.row.values), initial=0.0))
    agreed = distance <= SPOT_TOLERANCE * size + error
    return SpotCheck(key, distance / size if size else distance, agreed, cost)
