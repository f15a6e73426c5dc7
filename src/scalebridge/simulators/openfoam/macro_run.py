"""One run of a flow with a table of viscosities, from given fields, and what is kept of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from scalebridge.errors import InputError
from scalebridge.models.program import WorkingFolder, working_folder
from scalebridge.models.program.folders import remove_folder
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.case import Case
from scalebridge.simulators.openfoam.forces import reference_densities
from scalebridge.simulators.openfoam.running import CaseRun, Step
from scalebridge.simulators.openfoam.viscosity import ViscosityTable, append, use_table, visited_rates

# Restarts and differences need all digits, and fields that can be read without OpenFOAM.
_CONTROL = "startFrom startTime;\nstartTime 0;\nwriteFormat ascii;\nwritePrecision 16;\nwriteCompression off;\n"
_IN_TIME = (
    "the solver advances in time, and whether its flow has become steady is not known; give the case tolerances, as in "
    'tolerances={"U": 1e-8}, or a steady solver'
)
_RATES = Step(("postProcess", "-func", "grad(U)", "-latestTime"))


@dataclass(frozen=True, eq=False)
class Flow:
    """A flow that was computed.

    Args:
        reason: why there is none; empty where there is.
        qois: name -> value.
        rates: ``[n]``, strain rates in cells and at boundaries, 1/s; empty where they were not asked for.
        files: name -> content of the fields of the last iteration, as they would stand in ``0``.
        residual: the largest of the last iteration, of those that are judged.
    """

    reason: str = ""
    qois: Mapping[str, float] = field(default_factory=dict)
    rates: Floats = field(default_factory=lambda: np.zeros(0))
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    residual: float = 0.0


@dataclass(eq=False)
class FlowRuns:
    """Runs a case again and again; its mesh is made once.

    Args:
        case: the case.
        qois: name -> reader of a finished case.
        density: kg/m^3.
        attempts: how often the solver is run on where it has not converged.
        count: runs of the solver so far.
    """

    case: Case
    qois: Mapping[str, Callable[[Path], float]]
    density: float
    attempts: int
    count: int = 0
    _mesh: dict[str, bytes] = field(default_factory=dict, repr=False)

    def solved(self, table: ViscosityTable, files: Mapping[str, bytes] | None, rates: bool = True) -> Flow:
        """Run with a table of viscosities, from fields where given; ``rates``: whether to read those visited."""
        with working_folder(name="openfoam") as folder:
            reason = self._prepared(folder.path, table, files)
            if reason:
                return Flow(reason)
            run = self._converged(folder)
            if not run.ok:
                return Flow(run.reason)
            if self.case.tolerances is None and run.solver_log is not None and run.solver_log.steady is None:
                return Flow(_IN_TIME)
            return self._read(folder.path, run, rates)

    def _prepared(self, folder: Path, table: ViscosityTable, files: Mapping[str, bytes] | None) -> str:
        self.case.prepare(folder)
        if not self._mesh:
            self._check_density(folder)
        use_table(folder)
        table.write(folder, self.density)
        append(folder, "system/controlDict", _CONTROL)
        if not self._mesh:
            made = self.case.run(folder, self.case.mesh_steps)
            if not made.ok:
                return made.reason
            self._mesh = _contents(folder / "constant" / "polyMesh")
        _write(folder / "constant" / "polyMesh", self._mesh)
        if files is not None:
            _write(folder / "0", files)
        return ""

    def _check_density(self, folder: Path) -> None:
        for file, density in reference_densities(folder).items():
            if not math.isclose(density, self.density, rel_tol=1e-9):
                raise InputError(
                    f"The OpenFOAM macro problem has a density of {self.density:g} kg/m^3, and the forces in '{file}' "
                    f'are computed with rhoInf {density:g}; give the same, as in density="{density:g} kg/m^3".'
                )

    def _converged(self, folder: WorkingFolder) -> CaseRun:
        """Run the solver, and again from where it ended while it comes closer to convergence."""
        for _ in range(max(1, self.attempts)):
            self.count += 1
            run = self.case.run(folder.path, self.case.flow_steps)
            log = run.solver_log
            if run.ok or log is None or not log.finished or log.diverged or run.status == "timeout":
                return run
            last = _last_time(folder.path)
            if last is None:
                return run
            _write(folder / "0", _contents(last))
            for time in _later_times(folder.path):
                remove_folder(time)
        return run

    def _read(self, folder: Path, run: CaseRun, rates: bool) -> Flow:
        last = _last_time(folder)
        if last is None:
            return Flow("the solver wrote no fields; let it write its last iteration (writeInterval, endTime)")
        qois: dict[str, float] = {}
        for name, read in self.qois.items():
            try:
                qois[name] = float(read(folder))
            except Exception as error:
                return Flow(f"the quantity of interest '{name}' was not read: {type(error).__name__}: {error}")
            if not math.isfinite(qois[name]):
                return Flow(f"the quantity of interest '{name}' is {qois[name]}")
        files = _contents(last)
        flow = Flow("", qois, np.zeros(0), files, _residual(self.case, run))
        return self._with_rates(folder, last, flow) if rates else flow

    def _with_rates(self, folder: Path, last: Path, flow: Flow) -> Flow:
        found = self.case.run(folder, [_RATES])
        if not found.ok:
            return Flow(found.reason)
        visited = visited_rates(last / "grad(U)")
        if len(visited) == 0 or not np.isfinite(visited).all() or visited.max() <= 0:
            return Flow("the flow is at rest or no flow at all: its strain rates are zero or no numbers")
        return replace(flow, rates=visited)


def _residual(case: Case, run: CaseRun) -> float:
    log = run.solver_log
    if log is None:
        return 0.0
    wanted = None if case.tolerances is None else [f"{name}{c}" for name in case.tolerances for c in ("", *"xyz")]
    return max((value for name, value in log.residuals.items() if wanted is None or name in wanted), default=0.0)


def _last_time(folder: Path) -> Path | None:
    """The folder of the last time, but not that of the start."""
    return max(_later_times(folder), key=lambda path: float(path.name), default=None)


def _later_times(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _is_number(path.name) and float(path.name) > 0 and path.is_dir()]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
