"""What the log of a solver says: how far it came, its residuals, whether it converged, how it failed."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scalebridge.errors import InputError

# A line of a log is short; what is longer is no line of a solver.
_LINE = 1 << 16
_TAIL = 1 << 16
_SENTENCE = 400
_MESSAGE_LINES = 2
# What Open MPI's ranks put before their words on errors.
_RANK = re.compile(rb"^\[\d+\] ?")
_TIME = re.compile(rb"^Time = ([0-9.eE+-]+)")
_SOLVING = re.compile(rb"Solving for ([\w.:()]+), Initial residual = ([^,\s]+),")
# Where the message of a fatal error ends and the place in the program's own source begins.
_MESSAGE_ENDS = (b"From function", b"From ", b"FOAM exiting", b"FOAM aborting", b"in file ")


@dataclass(frozen=True)
class SolverLog:
    """What a solver wrote.

    Args:
        time: the last time or iteration it began; ``None`` where it began none.
        residuals: field or component (``Ux``, ``p``) -> its initial residual in that iteration.
        converged: it said so itself (``SIMPLE solution converged``).
        steady: it looks for convergence: True, with criteria; False, without any; ``None`` for a solver in time. Its
            log alone may not tell: some solvers in time say that they found no criteria.
        fatal: sentence of OpenFOAM's fatal error; empty where there is none.
        exception: it ended on a floating point exception.
        finished: its last word was ``End``.
    """

    time: float | None = None
    residuals: Mapping[str, float] = field(default_factory=dict)
    converged: bool = False
    steady: bool | None = None
    fatal: str = ""
    exception: bool = False
    finished: bool = False

    @property
    def diverged(self) -> str:
        """Why the solution is no number; empty where it is one."""
        if self.exception:
            return "floating point exception"
        lost = [name for name, value in self.residuals.items() if not math.isfinite(value)]
        return f"the residual of {lost[0]} is {self.residuals[lost[0]]}" if lost else ""

    def shown(self) -> str:
        """Residuals for people: ``Ux 0.0031, p 0.02``."""
        return ", ".join(f"{name} {value:.3g}" for name, value in self.residuals.items()) or "none"

    def unconverged(self, tolerances: Mapping[str, float] | None) -> str:
        """Why it counts as not converged; empty where it does.

        Args:
            tolerances: field (``U``) or component (``Ux``) -> residual wanted. None: the solver must say itself that it
                converged, if it is one that looks for convergence.
        """
        if tolerances is not None:
            return self._above(tolerances)
        if self.steady is None or self.converged:
            return ""
        if self.steady:
            return f"not converged at time {_shown(self.time)}: residuals {self.shown()}"
        return (
            f"whether it converged is not known (residuals {self.shown()}): give tolerances, as in "
            'tolerances={"U": 1e-6, "p": 1e-5}, or residualControl in system/fvSolution'
        )

    def _above(self, tolerances: Mapping[str, float]) -> str:
        for name, limit in tolerances.items():
            found = [value for key, value in self.residuals.items() if key in (name, *(f"{name}{c}" for c in "xyz"))]
            if not found:
                return f"'{name}' was not solved for, so its residual is not known: residuals {self.shown()}"
            if not all(value <= limit for value in found):
                return (
                    f"not converged at time {_shown(self.time)}: the residual of {name} is {max(found):.3g}, "
                    f"above {limit:.3g}: residuals {self.shown()}"
                )
        return ""


def read_solver_log(path: str | os.PathLike[str]) -> SolverLog:
    """Read the log of a solver, in memory that does not grow with it.

    Raises:
        InputError: it cannot be read.
    """
    reading = _Reading()
    try:
        with open(path, "rb") as file:
            while line := file.readline(_LINE):
                reading.take(line)
    except OSError as error:
        raise InputError(f"The log '{path}' cannot be read ({error.strerror}).") from error
    return reading.log()


def progress(path: str | os.PathLike[str], end_time: float) -> float | None:
    """How far a running solver is, from 0 to 1: the last time in its log over ``end_time``.

    None where the log says nothing yet. A steady solver may converge, and end, before 1.
    """
    try:
        with open(path, "rb") as file:
            file.seek(max(0, Path(path).stat().st_size - _TAIL))
            times = [found[1] for line in file.read(_TAIL).splitlines() if (found := _TIME.match(line))]
    except OSError:
        return None
    last = _number(times[-1]) if times else math.nan
    return min(max(last / end_time, 0.0), 1.0) if math.isfinite(last) and end_time > 0 else None


class _Reading:
    """The state of one pass over a log."""

    def __init__(self) -> None:
        self.time: float | None = None
        self.residuals: dict[str, float] = {}
        self.begun = self.converged = self.exception = self.finished = False
        self.steady: bool | None = None
        self.message: list[bytes] | None = None
        self.fatal = ""

    def take(self, line: bytes) -> None:
        """Take the next line."""
        line = _RANK.sub(b"", line)
        if self.message is not None:
            self._fatal(line)
        elif (solving := _SOLVING.search(line)) is not None:
            self._residual(solving[1].decode(), _number(solving[2]))
        elif (time := _TIME.match(line)) is not None:
            self.time, self.begun = _number(time[1]), True
        else:
            self._words(line)

    def _residual(self, name: str, value: float) -> None:
        # A last iteration that solves for nothing must not hide the residuals before it.
        if self.begun:
            self.residuals, self.begun = {}, False
        # The first solve of an iteration is the one that is judged; correctors follow.
        self.residuals.setdefault(name, value)

    def _words(self, line: bytes) -> None:
        if line.startswith(b"--> FOAM FATAL"):
            self.message = []
        elif b"solution converged" in line:
            self.converged = True
        elif line.startswith(b"SIMPLE: "):
            self.steady = b"no convergence" not in line
        elif b"sigFpe::sigHandler" in line or line.startswith(b"Floating point exception"):
            self.exception = True
        if line.strip() and not line.startswith(b"Finalising parallel run"):
            self.finished = line.strip() == b"End"

    def _fatal(self, line: bytes) -> None:
        assert self.message is not None
        words = line.strip()
        ended = words.startswith(_MESSAGE_ENDS)
        if words and not ended:
            # The place in the user's file belongs to what is told, a list of all that is valid does not.
            if words.startswith(b"file: "):
                self.message = [*self.message[:_MESSAGE_LINES], b"(" + words[6:].rstrip(b".") + b")"]
            elif len(self.message) < _MESSAGE_LINES:
                self.message.append(words)
        if ended:
            # An error may bring another one with it; the first says why.
            self.fatal = self.fatal or _sentence(self.message)
            self.message = None

    def log(self) -> SolverLog:
        """What was read."""
        fatal = self.fatal or _sentence(self.message or [])
        return SolverLog(
            self.time, self.residuals, self.converged, self.steady, fatal, self.exception, self.finished and not fatal
        )


def _sentence(words: list[bytes]) -> str:
    text = " ".join(word.decode(errors="replace") for word in words)
    return text if len(text) <= _SENTENCE else f"{text[:_SENTENCE]}..."


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _shown(time: float | None) -> str:
    return "0" if time is None else f"{time:g}"
