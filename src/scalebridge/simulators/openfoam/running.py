"""The programs of a case in order, each with a status and a reason of its own."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.models.program import Ended, Limits, carry_out
from scalebridge.simulators.openfoam.convergence import SolverLog, read_solver_log
from scalebridge.simulators.openfoam.dictionaries import without_comments
from scalebridge.simulators.openfoam.installation import Installation, find_installation
from scalebridge.simulators.openfoam.time_folders import times

NO_LIMITS = Limits()
# Characters that OpenFOAM strips from the name of a file.
_UNREADABLE = re.compile(r"[\s\"'{};]")
_TIME_SCHEMES = re.compile(r"\bddtSchemes\s*\{([^}]*)\}")
# Not those with a step of its own for each cell (CoEuler, SLTS, localEuler), which lead to a steady state.
_ADVANCING = ("Euler", "backward", "CrankNicolson")


@dataclass(frozen=True)
class Step:
    """One program of a case.

    Args:
        argv: program and arguments, as in ``("snappyHexMesh", "-overwrite")``.
        solver: whether it is the solver, whose convergence is judged.
        ranks: MPI ranks; 1 for none.
    """

    argv: tuple[str, ...]
    solver: bool = False
    ranks: int = 1

    @property
    def name(self) -> str:
        """Name of the program."""
        return Path(self.argv[0]).name

    @property
    def log(self) -> str:
        """Name of the file in the case that takes its output."""
        return f"log.{self.name}"


@dataclass(frozen=True)
class StepEnd:
    """How one program of a case ended: ``status`` is ok, failed or timeout; ``reason`` is empty where ok."""

    name: str
    status: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class CaseRun:
    """How a case was run.

    Args:
        status: ``ok``, ``failed`` or ``timeout``.
        reason: empty where ok; else which program failed and why.
        steps: the programs that were run, in order; the last is the one that failed.
        solver_log: what the (last) solver wrote; ``None`` where none was reached.
    """

    status: str
    reason: str
    steps: tuple[StepEnd, ...] = ()
    solver_log: SolverLog | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether every program succeeded and the solver converged."""
        return self.status == "ok"

    @property
    def seconds(self) -> float:
        """Seconds that the programs took."""
        return sum(step.seconds for step in self.steps)


def run_steps(
    folder: Path,
    steps: Sequence[Step],
    *,
    tolerances: Mapping[str, float] | None = None,
    limits: Limits = NO_LIMITS,
    installation: Installation | None = None,
) -> CaseRun:
    """Run the programs of a case in its folder, until one fails.

    Args:
        folder: of the case.
        steps: programs, in order.
        tolerances: residuals that the solver must reach; see `SolverLog.unconverged`.
        limits: ``timeout`` is that of all programs together.
        installation: the OpenFOAM to use; `find_installation` by default.

    Raises:
        InputError: OpenFOAM or one of the programs is missing; a folder with blanks in its path.
    """
    installation = installation or find_installation()
    if _UNREADABLE.search(str(folder)):
        raise InputError(
            f"OpenFOAM reads no path with blanks, quotes or braces, and the case is to be run in '{folder}'; name "
            "another folder for working folders (TMPDIR, where none is given)."
        )
    start, ends, log = time.monotonic(), [], None
    for step in steps:
        left = None if limits.timeout is None else max(limits.timeout - (time.monotonic() - start), 0.01)
        end, found = _carried_out(folder, step, replace(limits, timeout=left), tolerances, installation)
        ends.append(end)
        log = found or log
        if end.status != "ok":
            return CaseRun(end.status, f"{end.name} {end.reason}", tuple(ends), log)
    return CaseRun("ok", "", tuple(ends), log)


def _carried_out(
    folder: Path,
    step: Step,
    limits: Limits,
    tolerances: Mapping[str, float] | None,
    installation: Installation,
) -> tuple[StepEnd, SolverLog | None]:
    # OpenFOAM compares PWD with where it is, and warns.
    environment = {**installation.environment, "PWD": str(folder)}
    before = {step.log, *os.listdir(folder)}
    ended = carry_out(_argv(step, installation), folder, limits=limits, environment=environment, log=step.log)
    log = read_solver_log(folder / step.log) if (folder / step.log).is_file() else SolverLog()
    log = replace(log, steady=None) if _in_time(folder) else log
    reason = _failure(ended, log).replace(f"{folder}/", "")
    if not reason and step.solver:
        reason = _unfinished(log) or log.unconverged(tolerances) or _unwritten(folder, log, before)
    status = "ok" if not reason else ("timeout" if ended.status == "timeout" else "failed")
    return StepEnd(step.name, status, reason, ended.seconds), log if step.solver else None


def _in_time(folder: Path) -> bool:
    """Whether the schemes of a case advance it in time, whatever its solver says of convergence."""
    schemes = folder / "system" / "fvSchemes"
    text = without_comments(schemes) if schemes.is_file() else ""
    found = _TIME_SCHEMES.search(text)
    words = set(re.findall(r"\w+", found[1])) if found else set()
    return not words.isdisjoint(_ADVANCING) and "steadyState" not in words


def _argv(step: Step, installation: Installation) -> list[str]:
    program = [installation.program(step.argv[0]), *step.argv[1:]]
    return ["mpirun", "-n", str(step.ranks), *program, "-parallel"] if step.ranks > 1 else program


def _failure(ended: Ended, log: SolverLog) -> str:
    """Why a program failed, in OpenFOAM's own words where it has any; empty where it succeeded."""
    if ended.status == "timeout":
        # What the log tells says more than its last lines.
        words = ended.reason if log.time is None else ended.reason.partition("; its last words")[0]
        return f"{words.removeprefix('it ')}{_reached(log)}"
    if log.fatal:
        return f"failed: {log.fatal}"
    if log.diverged:
        return f"diverged: {log.diverged}{_reached(log)}"
    return "" if ended.status == "ok" else f"failed: {ended.reason}"


def _unfinished(log: SolverLog) -> str:
    if not log.finished:
        return f"failed: its log ends without 'End'{_reached(log)}"
    if log.time is None and not log.residuals:
        return "failed: it took no step; see startTime, endTime and deltaT in system/controlDict"
    return ""


def _unwritten(folder: Path, log: SolverLog, before: set[str]) -> str:
    """Why nothing of a run can be read: what stands in the case is its start, which readers would take for its end."""
    roots = (root for root in (folder, *folder.glob("processor*")) if root.is_dir())
    if not log.time or not before.issuperset(os.listdir(folder)) or any(max(times(r), default=0.0) for r in roots):
        return ""
    return (
        f"failed: it came to time {log.time:g} and wrote neither fields nor results of function objects; see "
        "writeControl and writeInterval in system/controlDict"
    )


def _reached(log: SolverLog) -> str:
    return "" if log.time is None else f" (at time {log.time:g}, residuals {log.shown()})"
