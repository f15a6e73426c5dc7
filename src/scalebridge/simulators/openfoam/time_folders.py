"""The times of a case, and where each file of its mesh was written last."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from scalebridge.errors import InputError, did_you_mean

_PROCESSOR = re.compile(r"processor\d+")


def case_folder(case: str | os.PathLike[str]) -> Path:
    """The folder of a case.

    Raises:
        InputError: no such folder.
    """
    folder = Path(case).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'; name the folder of a case, which holds 'system'.")
    return folder


def processors(case: Path) -> list[Path]:
    """The folders of a decomposed case, in the order of their numbers.

    Raises:
        InputError: a case in the collated format, whose last time was not put together.
    """
    parts = [path for path in case.iterdir() if path.is_dir() and _PROCESSOR.fullmatch(path.name)]
    collated = [path for path in case.glob("processors*") if path.is_dir()]
    if not parts and collated and max(times(case), default=-1.0) < max(max(times(c), default=0.0) for c in collated):
        raise InputError(
            f"The case '{case}' is decomposed in the collated format, which is not read; run reconstructPar in it."
        )
    return sorted(parts, key=lambda path: int(path.name[9:]))


def times(folder: Path) -> dict[float, Path]:
    """Time -> folder, ascending."""
    found = {}
    for path in folder.iterdir():
        seconds = as_time(path.name)
        if seconds is not None and path.is_dir():
            found[seconds] = path
    return dict(sorted(found.items()))


def as_time(name: str) -> float | None:
    """The time that a folder is named after; ``None`` where it is no time."""
    try:
        seconds = float(name)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and "_" not in name else None


def chosen_time(folder: Path, time: str | float) -> float:
    """The time of a case that ``"latest"``, ``"first"`` or a number names.

    Raises:
        InputError: there is no such time.
    """
    known = list(times(folder))
    if not known:
        raise InputError(f"The case '{folder}' holds no time; run a solver in it first.")
    if time in ("latest", "first"):
        return known[-1 if time == "latest" else 0]
    if isinstance(time, str):
        wanted = as_time(time)
        if wanted is None:
            raise InputError(f"The time '{time}' was asked for{did_you_mean(time, ('latest', 'first'))}")
        time = wanted
    near = min(known, key=lambda t: abs(t - time))
    if not math.isclose(near, time, rel_tol=1e-6, abs_tol=1e-12):
        shown = ", ".join(f"{t:g}" for t in known[-8:])
        raise InputError(f"The case '{folder}' has no time {time:g}; the last of its {len(known)} times: {shown}.")
    return near


def mesh_file(part: Path, name: str, time: float) -> Path:
    """The file of the mesh that holds at a time: points move and cells change, and only what changed is written."""
    folders = [folder for t, folder in times(part).items() if t <= time]
    for folder in [*reversed(folders), part / "constant"]:
        path = folder / "polyMesh" / name
        if path.is_file() or path.with_name(name + ".gz").is_file():
            return path
    raise InputError(f"There is no mesh in '{part}': 'constant/polyMesh/{name}' is missing; run blockMesh in the case.")
