"""Models that misbehave on request, for tests of campaigns, stores and executors.

They cross process boundaries: frozen, of module level, and what they did can be counted in a file outside.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scalebridge.models import Runs, Scale
from scalebridge.quantities import Floats, Space


@dataclass(frozen=True)
class FakeModel:
    """The model ``y = sin(x) + x``, of one input and one output, with faults by the value of x.

    Args:
        seconds: how long each row takes.
        crash_above: rows with a larger x end the process at once (no exception, no clean-up).
        raise_above: rows with a larger x raise.
        nan_above: rows with a larger x return NaN.
        fail_above: rows with a larger x are returned as failed, with a reason.
        failing_attempts: how often a faulty row misbehaves before it succeeds, counted in ``log``; None: always.
        log: a file to which every started row appends one line; the count outside the process.
    """

    seconds: float = 0.0
    crash_above: float = math.inf
    raise_above: float = math.inf
    nan_above: float = math.inf
    fail_above: float = math.inf
    failing_attempts: int | None = None
    log: str | None = None
    name: str = "fake"
    version: str = "1"
    scale: Scale | None = None
    inputs: Space = field(default=Space({"x": "1"}))
    outputs: Space = field(default=Space({"y": "1"}))

    def identity(self) -> Mapping[str, str]:
        """Name and version: its faults do not change what a finished run is worth."""
        return {"name": "scalebridge.testing.FakeModel", "version": self.version}

    def run(self, x: Floats) -> Runs:
        """Run the rows one after the other."""
        x = self.inputs.check(x, f"The model '{self.name}'")
        return Runs.join([self._row(float(row[0])) for row in x]) if len(x) else Runs(np.zeros((0, 1)))

    def _row(self, x: float) -> Runs:
        start = time.perf_counter()
        earlier = count_lines(self.log, repr(x)) if self.log else 0
        if self.log:
            append_line(self.log, repr(x))
        if self.seconds:
            time.sleep(self.seconds)
        if not math.isfinite(x):
            return Runs.refused(1, 1, "failed", "the input is not finite")
        y = math.sin(x) + x
        if self.failing_attempts is None or earlier < self.failing_attempts:
            if x > self.crash_above:
                os._exit(86)
            if x > self.raise_above:
                raise RuntimeError(f"the solver broke down at x = {x}")
            if x > self.fail_above:
                return Runs.refused(1, 1, "failed", "the solver did not converge", time.perf_counter() - start)
            if x > self.nan_above:
                y = math.nan
        return Runs(np.array([[y]]), cost_s=np.array([time.perf_counter() - start]))


def flaky_model(log: str | Path, failing_attempts: int = 1, above: float = 0.0) -> FakeModel:
    """Return a model whose rows above a value fail so many times before they succeed."""
    return FakeModel(fail_above=above, failing_attempts=failing_attempts, log=str(log), name="flaky")


def slow_model(seconds: float, log: str | Path | None = None) -> FakeModel:
    """Return a model of which every row takes so long."""
    return FakeModel(seconds=seconds, log=None if log is None else str(log), name="slow")


def crashing_model(above: float = 0.0, log: str | Path | None = None) -> FakeModel:
    """Return a model that kills its own process in rows above a value."""
    return FakeModel(crash_above=above, log=None if log is None else str(log), name="crashing")


def append_line(path: str | Path, line: str) -> None:
    """Append one line in one write, so that lines of several processes do not mix."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def count_lines(path: str | Path, line: str | None = None) -> int:
    """How many lines a file has, or how many times it has ``line``; 0 where there is no file."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    return len(lines) if line is None else lines.count(line)
