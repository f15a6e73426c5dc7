"""One stored row of a batch, and rows as `Runs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scalebridge.errors import printable
from scalebridge.models.runs import Runs
from scalebridge.quantities import Floats

OPTIONAL = ("jacobian", "noise_std", "error_std")


@dataclass(frozen=True, slots=True)
class Row:
    """A finished run: ``values [m]`` and, where the model gives them, ``jacobian [m, d]`` and deviations ``[m]``."""

    values: Floats
    cost_s: float = 0.0
    jacobian: Floats | None = None
    noise_std: Floats | None = None
    error_std: Floats | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt: a row, or a status with its reason."""

    row: Row | None
    status: str
    reason: str
    cost_s: float

    def __post_init__(self) -> None:
        # The words of an exception may name a file whose name is no text; the ledger and records are UTF-8.
        object.__setattr__(self, "reason", printable(self.reason))


def results_of(runs: Runs) -> list[Result]:
    """Take a batch apart into one `Result` per row."""
    optional = [getattr(runs, name) for name in OPTIONAL]
    statuses, costs = runs.status.tolist(), runs.cost_s.tolist()
    results = []
    for i, status in enumerate(statuses):
        row = None
        if status == "ok":
            row = Row(runs.values[i], costs[i], *(None if a is None else a[i] for a in optional))
        results.append(Result(row, status, runs.reason[i], costs[i]))
    return results


def runs_of(results: Sequence[Result], m: int) -> Runs:
    """Join results into `Runs` ``[b, m]``; an optional array is kept where every finished row has it."""
    finished = [r.row for r in results if r.row is not None]
    values = np.full((len(results), m), np.nan)
    for i, result in enumerate(results):
        if result.row is not None:
            values[i] = result.row.values
    optional: dict[str, Floats | None] = {}
    for name in OPTIONAL:
        arrays = [getattr(row, name) for row in finished]
        if not arrays or any(a is None for a in arrays):
            optional[name] = None
            continue
        joined = np.full((len(results), *arrays[0].shape), np.nan)
        joined[[i for i, r in enumerate(results) if r.row is not None]] = arrays
        optional[name] = joined
    return Runs(
        values,
        np.array([r.status for r in results], dtype="<U8") if results else np.zeros(0, dtype="<U8"),
        tuple(r.reason for r in results),
        np.array([r.cost_s for r in results]),
        **optional,
    )
