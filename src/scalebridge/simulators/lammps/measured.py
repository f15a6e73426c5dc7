"""What runs gave, with every deviation by parts, and the same as `Runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scalebridge.models import Runs
from scalebridge.simulators.lammps.reading import Reading


@dataclass(frozen=True)
class Measured:
    """What one run gave.

    Args:
        status: ``ok``, ``failed`` or ``timeout``.
        reason: empty where ok.
        seconds: that it took.
        readings: output -> value and deviations in the output's unit.
    """

    status: str
    reason: str = ""
    seconds: float = 0.0
    readings: Mapping[str, Reading] = field(default_factory=dict)


def as_runs(rows: Sequence[Measured], names: Sequence[str], *, noise: bool, error: bool) -> Runs:
    """Return measured rows as `Runs`.

    Args:
        rows: one per run.
        names: of the outputs, in their order.
        noise: whether the model says its statistical deviation.
        error: whether it says its systematic one.
    """
    parts = []
    for row in rows:
        if row.status != "ok":
            parts.append(Runs.refused(1, len(names), row.status, row.reason, row.seconds))
            continue
        readings = [row.readings[name] for name in names]
        noise_std = np.array([[r.noise_std for r in readings]]) if noise else None
        error_std = np.array([[r.error_std for r in readings]]) if error else None
        cost = np.array([row.seconds])
        parts.append(
            Runs(np.array([[r.value for r in readings]]), cost_s=cost, noise_std=noise_std, error_std=error_std)
        )
    return Runs.join(parts) if parts else Runs(np.zeros((0, len(names))))
