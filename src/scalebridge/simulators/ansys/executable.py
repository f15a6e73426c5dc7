"""Where Mechanical APDL is installed. PyMAPDL asks at the keyboard where it finds none; we never let it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from scalebridge.errors import InputError

_ROOT = re.compile(r"^AWP_ROOT(\d{3})$")


def executable(given: str | Path | None = None) -> str:
    """Path of the program: the one given, that of ``PYMAPDL_MAPDL_EXEC``, or of the newest installation.

    Raises:
        InputError: none there, or one that cannot be run.
    """
    said = given if given is not None else os.environ.get("PYMAPDL_MAPDL_EXEC")
    if said:
        if not os.access(said, os.X_OK) or Path(said).is_dir():
            raise InputError(
                f"The program '{said}' cannot be run; give exec_file, such as '/ansys_inc/v242/ansys/bin/ansys242'."
            )
        return str(said)
    roots = {m[1]: Path(root) for name, root in os.environ.items() if (m := _ROOT.match(name))}
    for place in (Path("/usr/ansys_inc"), Path("/ansys_inc")):
        roots |= {p.name[1:]: p for p in place.glob("v[0-9][0-9][0-9]")}
    for release in sorted(roots, reverse=True):
        found = roots[release] / "ansys" / "bin" / f"ansys{release}"
        if os.access(found, os.X_OK):
            return str(found)
    raise InputError(
        "Mechanical APDL is not found on this machine; install it with its licence and give exec_file, or set "
        "PYMAPDL_MAPDL_EXEC to its path, such as '/ansys_inc/v242/ansys/bin/ansys242'."
    )
