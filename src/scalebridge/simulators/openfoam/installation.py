"""Where OpenFOAM is on this machine, and the environment its programs need."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.models.program import Limits, carry_out, working_folder

# Debian puts the programs on the PATH and what they read here; without the variable they find no "etc".
_DEBIAN = Path("/usr/share/openfoam")
# Where the two vendors put a release: openfoam2312, openfoam11, OpenFOAM-v2312.
_VENDORS = (("/usr/lib/openfoam", "openfoam*"), ("/opt", "openfoam*"), ("/opt", "OpenFOAM-*"), ("/opt/OpenFOAM", "*"))
# How long a program may take to tell its release, in seconds.
_PATIENCE = 30.0
# Reads a vendor's settings and prints the environment that results: a constant text, the file stays an argument.
_SOURCE = '. "$1" >/dev/null 2>&1; env -0 > environment'


@dataclass(frozen=True)
class Installation:
    """OpenFOAM as it is installed.

    Args:
        label: for people: "Debian's package", or the folder of a vendor's release.
        environment: variables that its programs need, beside those of this process.
    """

    label: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def program(self, name: str) -> str:
        """Return the whole path of a program, such as ``blockMesh``.

        Raises:
            InputError: it is not part of this installation.
        """
        found = shutil.which(name, path=self.environment.get("PATH"))
        if found is None:
            raise InputError(
                f"The OpenFOAM program '{name}' is not in {self.label}; check its name, or compile it and put it on "
                "the PATH."
            )
        return found


def release() -> str:
    """Return what OpenFOAM says its release is, such as ``1912``; ``unknown`` where there is none or it says none."""
    try:
        installation = find_installation()
        program = installation.program("blockMesh")
        status = os.stat(program)
    except (InputError, OSError):
        return "unknown"
    return _told(program, status.st_mtime_ns, status.st_size, tuple(installation.environment.items()))


@cache
def _told(program: str, changed: int, size: int, environment: tuple[tuple[str, str], ...]) -> str:
    """The release of a program; asked once for as long as the file stays as it is."""
    try:
        with working_folder(name="openfoam") as folder:
            limits = Limits(timeout=_PATIENCE)
            said = carry_out([program, "-help"], folder, limits=limits, environment=dict(environment)).tail
    except InputError:
        # A file that may be executed and is no program.
        return "unknown"
    # One vendor writes the release after the name, Debian in the brackets that follow it.
    match = re.search(r"^Using: OpenFOAM-(\S*) *\(?(\w*)", said, re.MULTILINE)
    return (match[1] or match[2] or "unknown") if match else "unknown"


def find_installation() -> Installation:
    """Return the OpenFOAM to use: the one whose environment is loaded, else Debian's, else the newest of a vendor.

    Raises:
        InputError: there is none.
    """
    return _found(os.environ.get("WM_PROJECT_DIR", ""), os.environ.get("PATH", ""))


@cache
def _found(project: str, path: str) -> Installation:
    on_path = shutil.which("blockMesh", path=path) is not None
    if on_path and project:
        return Installation("the OpenFOAM that is loaded", _parallel())
    if on_path and (_DEBIAN / "etc" / "controlDict").is_file():
        return Installation("Debian's package", {"WM_PROJECT_DIR": str(_DEBIAN), **_parallel()})
    for settings in _vendor_settings():
        environment = _sourced(settings)
        if shutil.which("blockMesh", path=environment.get("PATH")) is not None:
            return Installation(str(settings.parent.parent), {**environment, **_parallel()})
    raise InputError(
        "OpenFOAM is not installed, or its environment is not loaded: there is no 'blockMesh' on the PATH and no "
        "release below /opt or /usr/lib/openfoam; on Debian, 'apt-get install openfoam', else source its etc/bashrc."
    )


def _vendor_settings() -> list[Path]:
    """Files ``etc/bashrc`` of vendors' releases, the newest first."""
    found = [p for root, pattern in _VENDORS for p in Path(root).glob(f"{pattern}/etc/bashrc")]
    return sorted(found, key=_age, reverse=True)


def _age(settings: Path) -> tuple[int, str]:
    """Sort key: by the number in the name; v2312 of one vendor stands above 11 of the other."""
    numbers = re.findall(r"\d+", settings.parent.parent.name)
    return (int(numbers[0]) if numbers else 0, str(settings))


def _sourced(settings: Path) -> dict[str, str]:
    with working_folder(name="openfoam") as folder:
        argv = ["bash", "-c", _SOURCE, "bash", str(settings)]
        if carry_out(argv, folder, limits=Limits(timeout=60.0)).status != "ok":
            return {}
        entries = (folder / "environment").read_text(errors="replace").split("\0")
    pairs = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    return {name: value for name, value in pairs.items() if os.environ.get(name) != value and name not in ("_", "PWD")}


def _parallel() -> dict[str, str]:
    """What Open MPI wants to be told before it runs as root, or with more ranks than cores."""
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} if os.geteuid() == 0 else {}
    return {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMP_NUM_THREADS": "1", **root}
