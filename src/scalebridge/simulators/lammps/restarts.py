"""Restart files: what their header says, read here; all of it through LAMMPS, which turns one into a data file.

The header's layout is that of LAMMPS' ``write_restart`` since 2016 (format revisions 1 to 3).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from scalebridge.errors import InputError
from scalebridge.models.program import Limits, carry_out, working_folder
from scalebridge.simulators.lammps.data_files import DataFile, read_data
from scalebridge.simulators.lammps.data_sections import ATOM_STYLES
from scalebridge.simulators.lammps.library import find_program, missing_library
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES

MAGIC = b"LammpS RestartT\0"
# Bytes in which every header ends.
_HEADER = 1 << 16
_STRING, _INT, _BIG, _DOUBLE, _INTS, _DOUBLES, _STYLE = "s", "i", "q", "d", "I", "D", "S"
# By the numbers that LAMMPS gives the entries of the header: name and kind.
_ENTRIES = {
    0: ("version", _STRING),
    1: ("smallint", _INT),
    2: ("tagint", _INT),
    3: ("bigint", _INT),
    4: ("units", _STRING),
    5: ("step", _BIG),
    6: ("dimension", _INT),
    7: ("n_processes", _INT),
    8: ("grid", _INTS),
    9: ("newton_pair", _INT),
    10: ("newton_bond", _INT),
    11: ("x_periodic", _INT),
    12: ("y_periodic", _INT),
    13: ("z_periodic", _INT),
    14: ("boundary", _INTS),
    15: ("atom_style", _STYLE),
    16: ("n_atoms", _BIG),
    17: ("n_types", _INT),
    48: ("imageint", _INT),
    49: ("boundary_minimum", _DOUBLES),
}


@dataclass(frozen=True)
class RestartHeader:
    """What a restart file says of itself.

    Attributes:
        version: of LAMMPS that wrote it.
        units: style of units.
        step: time step.
        atom_style: of LAMMPS.
        n_atoms: of the system.
        n_types: of atoms.
        dimension: 2 or 3.
        n_processes: that wrote it.
        periodic: whether each direction is.
    """

    version: str
    units: str
    step: int
    atom_style: str
    n_atoms: int
    n_types: int
    dimension: int
    n_processes: int
    periodic: tuple[bool, bool, bool]


def read_restart_header(path: str | os.PathLike[str]) -> RestartHeader:
    """Read the header of a restart file; needs no LAMMPS.

    Raises:
        InputError: no such file, no restart file, one that is cut off or of a revision that is not known.
    """
    shown = os.fspath(path)
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(_HEADER)
    except OSError as error:
        raise InputError(f"The restart file '{shown}' cannot be read ({error.strerror}); check its path.") from error
    if not head.startswith(MAGIC):
        raise InputError(f"The file '{shown}' does not begin as LAMMPS' restart files do; give one of write_restart.")
    try:
        found = _entries(head)
        return RestartHeader(
            version=str(found["version"]),
            units=_known_units(str(found["units"])),
            step=int(found["step"]),
            atom_style=str(found["atom_style"]),
            n_atoms=int(found["n_atoms"]),
            n_types=int(found["n_types"]),
            dimension=int(found["dimension"]),
            n_processes=int(found["n_processes"]),
            periodic=(bool(found["x_periodic"]), bool(found["y_periodic"]), bool(found["z_periodic"])),
        )
    except (struct.error, KeyError, ValueError, IndexError) as error:
        raise InputError(
            f"The restart file '{shown}' ends or is damaged in its header ({error}); write it again, or read it by the "
            "LAMMPS that wrote it."
        ) from error


def read_restart(
    path: str | os.PathLike[str], *, program: str | os.PathLike[str] | None = None, timeout: float = 300.0
) -> DataFile:
    """Read a restart file through LAMMPS: ``lmp -restart2data``, and the data file it writes.

    A restart file is binary and bound to the version and the packages that wrote it; only LAMMPS can read its atoms.
    Without LAMMPS, `read_restart_header` tells what the file is of.

    Args:
        path: of the file, written by one process (without ``%`` in its name).
        program: the executable ``lmp``; found as for runs by default.
        timeout: in seconds.

    Raises:
        InputError: no restart file, no LAMMPS, or LAMMPS could not read it, with its words.
    """
    header = read_restart_header(path)
    if header.atom_style not in ATOM_STYLES:
        raise InputError(
            f"The restart file '{os.fspath(path)}' has atoms of the style '{header.atom_style}', whose columns are not "
            f"known here; valid: {', '.join(ATOM_STYLES)}. Dump such atoms by LAMMPS."
        )
    found = find_program(None if program is None else os.fspath(program))
    source = Path(path).resolve()
    with working_folder(name="restart", keep="never") as folder:
        place = folder.path
        (place / "in.restart").symlink_to(source)
        argv = [found.program, "-restart2data", "in.restart", "out.data", "-log", "none"]
        ended = carry_out(
            argv, place, limits=Limits(timeout=timeout), environment={"OMP_NUM_THREADS": "1", **found.environment}
        )
        if ended.status != "ok" or not (place / "out.data").is_file():
            words = missing_library(ended.tail) or _last_words(ended.tail) or ended.reason
            raise InputError(
                f"LAMMPS could not read the restart file '{os.fspath(path)}' of version {header.version}: {words}"
            )
        made = read_data(place / "out.data", atom_style=header.atom_style, units=header.units)
        return replace(made, path=os.fspath(path))


def _entries(head: bytes) -> dict[str, str | int]:
    """The header's entries up to the number of types."""
    at = len(MAGIC)
    order = "<" if struct.unpack_from("<i", head, at)[0] == 1 else ">"
    revision = struct.unpack_from(f"{order}i", head, at + 4)[0]
    if struct.unpack_from(f"{order}i", head, at)[0] != 1 or not 0 <= revision <= 99:
        raise ValueError(f"revision {revision}")
    at += 8
    found: dict[str, str | int] = {}
    while "n_types" not in found:
        flag = struct.unpack_from(f"{order}i", head, at)[0]
        if flag not in _ENTRIES:
            raise ValueError(f"entry {flag} at byte {at}")
        name, kind = _ENTRIES[flag]
        found[name], at = _entry(head, at + 4, kind, order)
    return found


def _entry(head: bytes, at: int, kind: str, order: str) -> tuple[str | int, int]:
    """The value of one entry (0 for those of several numbers), and where the next begins."""
    if kind == _INT:
        return struct.unpack_from(f"{order}i", head, at)[0], at + 4
    if kind == _BIG:
        return struct.unpack_from(f"{order}q", head, at)[0], at + 8
    n = struct.unpack_from(f"{order}i", head, at)[0]
    if not 0 <= n <= _HEADER:
        raise ValueError(f"{n} items at byte {at}")
    at += 4
    if kind == _INTS:
        return 0, at + 4 * n
    if kind == _DOUBLES:
        return 0, at + 8 * n
    text = head[at : at + n].rstrip(b"\0").decode("ascii")
    at += n
    if kind == _STYLE:
        arguments = struct.unpack_from(f"{order}i", head, at)[0]
        at += 4
        for _ in range(min(arguments, 100)):
            at += 4 + struct.unpack_from(f"{order}i", head, at)[0]
    return text, at


def _known_units(word: str) -> str:
    if word not in UNIT_STYLES:
        raise ValueError(f"units '{word}'")
    return word


def _last_words(tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR")]
    return (told or lines[-1:] or [""])[0]
