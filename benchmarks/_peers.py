"""Other libraries, each in an environment of its own: pinned, and apart from what is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def python_with(packages: Sequence[str], environment: Path, constraints: Path | None = None) -> tuple[Path | None, str]:
    """Return an interpreter that has the packages, making its environment where there is none, or the reason why not.

    An environment that is there is taken as it is.
    """
    python = environment.resolve() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists():
        return python, ""
    bound = () if constraints is None else ("-c", str(constraints))
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *bound, *packages],
    ):
        _, reason = _ended(command)
        if reason:
            shutil.rmtree(environment, ignore_errors=True)
            return None, reason
    return python, ""


def run(python: Path, script: Path, *arguments: object) -> tuple[str, str]:
    """Run a script on one thread; return what it printed, and why it failed or nothing."""
    return _ended([str(python), str(script), *map(str, arguments)], ONE_THREAD)


def _ended(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[str, str]:
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if not ended.returncode:
        return ended.stdout, ""
    said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
    return "", said[-1] if said else f"it ended with {ended.returncode}"
