"""A stand-in for PyMAPDL 0.7x and Mechanical APDL: the same calls, the same exceptions, one bar of physics.

``Mapdl(..., library="scalebridge.testing.ansys")`` uses it in place of ``ansys.mapdl.core``. Its interpreter knows
``NAME = expression``, comments, and ``SOLVE``, which stretches a bar of two nodes and a third in its middle: the
displacement of node 2 along x is ``force * length / (modulus * area)``, its stress ``force / area``; node 3 has none,
which PyMAPDL gives as 0. Other commands are taken and have no effect.

What it follows: `launch_mapdl` (an executable must be there), `finish`, `clear`, `parameters[...]`, `input_strings`,
`get_value`, `post1`, `set`, `post_processing`, `result_file`, `exit`.

Faults are asked for in the environment variable ``SCALEBRIDGE_FAKE_ANSYS``, a JSON object: ``start`` -> ``"licence"``,
``"crash"``; ``solve`` -> ``"unconverged"``, ``"licence"``, ``"exit"``, ``"hang"``, ``"crash"``, ``"escape"`` (leaves a
process behind that has left its group, then hangs); ``when`` -> ``[parameter, value]`` from which on it misbehaves;
``rst`` -> a result file that a run writes; ``log`` -> a file to which each call is appended.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.testing.comsol import computed
from scalebridge.testing.fakes import append_line


class MapdlRuntimeError(RuntimeError):
    """What PyMAPDL raises for an error of a command."""


class MapdlExitedError(MapdlRuntimeError):
    """What PyMAPDL raises when the program is gone."""


class LicenseServerConnectionError(RuntimeError):
    """What PyMAPDL raises where no licence server answers."""


class PostProcessing:
    """Results of the last set at the nodes (`mapdl.post_processing`)."""

    def __init__(self, mapdl: Mapdl) -> None:
        self._mapdl = mapdl

    def nodal_displacement(self, component: str = "NORM") -> NDArray[np.float64]:
        """Displacements ``[nodes]`` of a component, or ``[nodes, 3]`` for ``"ALL"``."""
        along = np.array([0.0, 1.0, 0.5]) * self._mapdl.solved("displacement")
        if component == "ALL":
            return np.stack([along, 0 * along, 0 * along], axis=1)
        return along if component in ("X", "NORM") else 0 * along

    def nodal_eqv_stress(self) -> NDArray[np.float64]:
        """Equivalent stress ``[nodes]``."""
        return np.array([1.0, 1.0, 0.0]) * self._mapdl.solved("stress")


class Parameters:
    """Parameters of the program, whose names know no case (`mapdl.parameters`)."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}

    def __setitem__(self, name: str, value: float) -> None:
        if not name.isidentifier() or len(name) > 32:
            raise ValueError(f"Parameter name `{name}` must only contain letters, numbers, and underscores.")
        _log(f"parameter {name} {value!r}")
        self._values[name.upper()] = float(value)

    def __getitem__(self, name: str) -> float:
        if name.upper() not in self._values:
            raise IndexError(f"{name} not a valid parameter_name")
        return self._values[name.upper()]

    def __contains__(self, name: str) -> bool:
        return name.upper() in self._values

    def known(self) -> dict[str, float]:
        """All of them, in small letters too."""
        return {**self._values, **{name.lower(): value for name, value in self._values.items()}}


class Mapdl:
    """A running program (`ansys.mapdl.core.Mapdl`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._exited = False
        self._solved: dict[str, float] = {}
        self.parameters = Parameters()

    @property
    def post_processing(self) -> PostProcessing:
        """Results of the last set."""
        return PostProcessing(self)

    @property
    def result_file(self) -> str:
        """Path of the result file."""
        return str(self._folder / "file.rst")

    def finish(self, **kwargs: Any) -> str:
        """Leave the processor."""
        return self._answered("FINISH")

    def clear(self, read: str = "", **kwargs: Any) -> str:
        """Clear the database, parameters too."""
        self.parameters = Parameters()
        self._solved = {}
        return self._answered("/CLEAR")

    def post1(self, **kwargs: Any) -> str:
        """Enter the postprocessor."""
        return self._answered("/POST1")

    def set(self, lstep: str = "", sbstep: str = "", **kwargs: Any) -> str:
        """Choose a result set."""
        if not self._solved:
            raise MapdlRuntimeError(
                "\n *** ERROR ***        CP = 0.1   TIME= 10:00:00\n There is no data set to read.\n"
            )
        return self._answered("SET")

    def input_strings(self, commands: str) -> str:
        """Run several lines of APDL."""
        for line in commands.splitlines():
            words = line.partition("!")[0].strip()
            name, equals, expression = words.partition("=")
            if equals and name.strip().isidentifier():
                self.parameters._values[name.strip().upper()] = float(
                    computed(expression.strip(), self.parameters.known())
                )
            elif words.upper() == "SOLVE":
                self._solve()
        return self._answered("input")

    def get_value(
        self,
        entity: str = "",
        entnum: str | int = "",
        item1: str = "",
        it1num: str | float = "",
        item2: str = "",
        it2num: str | float = "",
    ) -> float:
        """What ``*GET`` gives."""
        self._answered("*GET")
        if (entity.upper(), item1.upper(), str(it1num).upper()) == ("NODE", "U", "X"):
            return self.solved("displacement") if int(entnum) == 2 else 0.0
        raise MapdlRuntimeError(
            f"\n *** ERROR ***   CP = 0.1\n  {item1} is not a valid item of {entity} for the *GET command.\n"
        )

    def exit(self, save: bool = False, force: bool = False, **kwargs: Any) -> None:
        """End the program."""
        _log("exit")
        self._exited = True

    def solved(self, what: str) -> float:
        """A value of the solution."""
        if not self._solved:
            raise MapdlRuntimeError("\n *** ERROR ***        CP = 0.1   TIME= 10:00:00\n No results are available.\n")
        return self._solved[what]

    def _solve(self) -> None:
        p = self.parameters.known()
        _log("solve")
        self._misbehave(p)
        self._solved = {
            "displacement": p["force"] * p["length"] / (p["modulus"] * p["area"]),
            "stress": p["force"] / p["area"],
        }
        if _faults().get("rst"):
            shutil.copy(_faults()["rst"], self.result_file)

    def _misbehave(self, values: dict[str, float]) -> None:
        name, limit = _faults().get("when", ["force", -math.inf])
        fault = _faults().get("solve")
        if fault is None or values.get(name, -math.inf) < limit:
            return
        if fault == "unconverged":
            raise MapdlRuntimeError(
                "\n\nError in instance\n\n *** ERROR ***                           CP =       1.2   TIME= 10:00:00\n"
                " Solution not converged at time 1 (load step 1 substep 1).\n Run terminated.\n\n"
                " *** WARNING *** more\n"
            )
        if fault == "licence":
            raise MapdlRuntimeError(
                "\n *** ERROR ***   CP = 0.1\n ANSYS license manager error: licence not available.\n"
            )
        if fault == "exit":
            self._exited = True
            raise MapdlExitedError("MAPDL session has terminated")
        if fault == "escape":
            escaped = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            _log(f"escaped {escaped.pid}")
        if fault in ("hang", "escape"):
            time.sleep(3600)
        if fault == "crash":
            os._exit(66)

    def _answered(self, command: str) -> str:
        if self._exited:
            raise MapdlExitedError("MAPDL session has terminated")
        _log(command)
        return f" {command}\n"


def launch_mapdl(
    exec_file: str | None = None,
    run_location: str | None = None,
    jobname: str = "file",
    *,
    nproc: int | None = None,
    start_instance: bool | None = None,
    override: bool = False,
    cleanup_on_exit: bool = True,
    loglevel: str = "ERROR",
    start_timeout: int | None = None,
) -> Mapdl:
    """Start the program (`ansys.mapdl.core.launch_mapdl`)."""
    if exec_file is None or not os.access(exec_file, os.X_OK):
        raise FileNotFoundError(f"The executable '{exec_file}' could not be found; PyMAPDL would ask for it here.")
    _log(f"start {run_location}")
    fault = _faults().get("start")
    if fault == "licence":
        raise LicenseServerConnectionError("Error: Failover feature 'Ansys Mechanical' license is not available.")
    if fault == "crash":
        os._exit(66)
    return Mapdl(Path(run_location or "."))


def _faults() -> dict[str, Any]:
    text = os.environ.get("SCALEBRIDGE_FAKE_ANSYS")
    return dict(json.loads(text)) if text else {}


def _log(line: str) -> None:
    path = _faults().get("log")
    if path:
        append_line(path, f"{os.getpid()} {line}")
