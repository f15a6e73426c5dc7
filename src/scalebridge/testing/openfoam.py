"""A stand-in for an installation of OpenFOAM: programs that write the files and log lines of the real ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scalebridge.testing import openfoam_program

PROGRAMS = ("blockMesh", "decomposePar", "icoFoam", "postProcess", "reconstructPar", "simpleFoam")


def fake_openfoam(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Write programs into ``folder/bin`` and return the environment (PATH and more) in which they are found.

    What they do is told in `scalebridge.testing.openfoam_program`. ``mpirun`` is among them and starts one process.

    ::

        for name, value in fake_openfoam(tmp_path).items():
            monkeypatch.setenv(name, value)
    """
    place = Path(folder).absolute() / "bin"
    place.mkdir(parents=True)
    (place.parent / "etc").mkdir()
    (place.parent / "etc" / "controlDict").write_text("")
    python, script = sys.executable, openfoam_program.__file__
    for name in PROGRAMS:
        _executable(place / name, f"#!/bin/sh\nexec '{python}' -E -S -u '{script}' {name} \"$@\"\n")
    _executable(place / "mpirun", '#!/bin/sh\nshift 2\nexec "$@"\n')
    path = os.pathsep.join([str(place), os.environ.get("PATH", "")])
    return {"PATH": path, "WM_PROJECT_DIR": str(place.parent)}


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
