"""``scalebridge doctor``: is this machine ready?"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from scalebridge.cli.surface import DONE, INFRASTRUCTURE
from scalebridge.cli.tables import print_json, print_table
from scalebridge.errors import InputError

NEEDED = ("numpy", "scipy", "torch", "scikit-fem", "scikit-learn", "scikit-image", "matplotlib", "meshio", "pydantic")
OPTIONAL = {"numba": "fused loops in micro models (extra 'fast')"}
LEAST_DISK = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One line of the examination: ``state`` is ok, missing or low."""

    part: str
    found: str
    state: str
    advice: str = ""


def examine(as_json: bool) -> int:
    """Print what was found; the exit code says whether anything needed is missing."""
    packages = [*map(_package, NEEDED), *(_optional(name, what) for name, what in OPTIONAL.items())]
    findings = [*_machine(), *packages, *_simulators()]
    if as_json:
        print_json([asdict(f) for f in findings])
    else:
        print_table(["part", "found", "state", "advice"], [(f.part, f.found, f.state, f.advice) for f in findings])
    broken = [f for f in findings if f.state == "missing" and f.part in NEEDED]
    return INFRASTRUCTURE if broken else DONE


def _machine() -> list[Finding]:
    import scalebridge

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = shutil.disk_usage(".").free
    limit = os.environ.get("OMP_NUM_THREADS")
    return [
        Finding("scalebridge", scalebridge.__version__, "ok"),
        Finding("python", platform.python_version(), "ok"),
        Finding("cores", f"{cores}, OMP_NUM_THREADS={limit}" if limit else str(cores), "ok"),
        Finding(
            "disk", f"{free / 1e9:.1f} GB free here", "ok" if free > LEAST_DISK else "low",
            "" if free > LEAST_DISK else "runs are kept on disk; make room or give run.store on another disk",
        ),
        Finding("sqlite", sqlite3.sqlite_version, "ok"),
    ]  # fmt: skip


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name), "ok")
    except PackageNotFoundError:
        return Finding(name, "", "missing", f"pip install {name}, or install ScaleBridge anew")


def _optional(name: str, what: str) -> Finding:
    if find_spec(name) is None:
        return Finding(name, "", "missing", f"optional: {what}")
    try:
        return Finding(name, version(name), "ok", what)
    except PackageNotFoundError:
        return Finding(name, "found", "ok", what)


def _simulators() -> list[Finding]:
    from scalebridge.simulators.ansys.executable import executable
    from scalebridge.simulators.calculix import Ccx
    from scalebridge.simulators.openfoam import find_installation

    return [
        _simulator("LAMMPS", _lammps),
        _simulator("OpenFOAM", lambda: find_installation().label),
        _simulator("CalculiX", lambda: Ccx().path),
        _simulator("ANSYS", executable),
        _optional("mph", "COMSOL, driven live (extra 'comsol'); COMSOL itself is looked for when it first runs"),
    ]


def _lammps() -> str:
    from scalebridge.simulators.lammps.library import find_program, version_of_program

    program = find_program().program
    version = version_of_program(program)
    if version == "not told":
        raise InputError(f"'{program}' does not say its version; see what '{program} -h' says of its libraries.")
    return version


def _simulator(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, look(), "ok", "optional: a simulator that models may be made of")
    except InputError as error:
        return Finding(name, "", "missing", f"optional: {error}")
