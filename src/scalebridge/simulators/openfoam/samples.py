"""Lines and surfaces that ``sets`` and ``surfaces`` sampled: raw, csv, vtk, or OpenFOAM's own format.

::

    line = read_samples("case", "profiles", "centreLine")    # name -> Field
    line["U"].mesh.points[:, 1], line["U"].values[:, 0]
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scalebridge.data.fields import CellBlock, Field, Mesh, read_mesh
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.components import SHAPES, shaped
from scalebridge.simulators.openfoam.dimensions import meaning_of
from scalebridge.simulators.openfoam.foam_file import COMPONENTS, FoamFile
from scalebridge.simulators.openfoam.function_objects import identifier
from scalebridge.simulators.openfoam.legacy_vtk import Found, read_legacy_vtk
from scalebridge.simulators.openfoam.poly_mesh import faces_in, read_points, surface_mesh
from scalebridge.simulators.openfoam.result_tables import damaged, lines_of, start_folders
from scalebridge.simulators.openfoam.time_folders import case_folder, chosen_time, times
from scalebridge.simulators.openfoam.units_in_case import components_in_case, unit_in_case

_COMPONENT = re.compile(r"(.+)_([xyz]{1,2}|[0-8])")
_WRONG_PLACES = (["xx", "xy", "xz", "yy", "yz", "zz"], ["xx", "xy", "xz", "yx", "yy", "yz", "zx", "zy", "zz"])
_MESHES = (".vtk", ".vtp", ".vtu")
# The largest number stands for a place outside of the mesh.
OUTSIDE = 1e300


def read_samples(
    case: str | os.PathLike[str],
    name: str,
    sample: str,
    *,
    time: str | float = "latest",
    units: Mapping[str, str] | None = None,
) -> dict[str, Field]:
    """Read what was sampled on one line or surface at one time.

    Args:
        case: its folder.
        name: of the function object: a folder of ``postProcessing``.
        sample: of the set or surface in it.
        time: ``"latest"``, ``"first"`` or a number.
        units: of fields that are not in the case's own time folders.

    Returns:
        Name -> field on a mesh in m. A set is a line of points; where it was written with the axis ``distance`` (or
        ``x``, ``y``, ``z``) alone, the points lie along x. A raw surface is a cloud of points (of corners, or of the
        centres of faces); surfaces in vtk and in OpenFOAM's format have their faces.

    Raises:
        InputError: no such function object, sample or time; a damaged file.
    """
    folder = case_folder(case)
    seconds, place = _time_folder(folder, name, time)
    if (place / sample).is_dir():
        found = _in_foam_format(place / sample)
    else:
        files = _files(folder, place, sample)
        if not files:
            known = sorted({_sample_of(p) for p in place.iterdir()})
            raise InputError(f"There is no sample '{sample}' in '{place}'{did_you_mean(sample, known)}")
        found = [part for path in files if path.suffix != ".xy" for part in _in_file(path)]
        plain = {path: _table(path)[1] for path in files if path.suffix == ".xy"}
        if plain:
            n, widths = _n_places(folder, plain, sample)
            found += [f for path, rows in plain.items() for f in _columns_without_names(path, sample, rows, widths, n)]
    fields = {}
    for written, values, location, mesh in found:
        unit = unit_in_case(folder, written, units) or "1"
        kept = np.where(np.isfinite(values) & (np.abs(values) < OUTSIDE), values, np.nan)
        label = identifier(written)
        fields[label] = Field(label, unit, kept, location, mesh, seconds, meaning_of(written, unit))
    return fields


def _time_folder(case: Path, name: str, time: str | float) -> tuple[float, Path]:
    known = dict(start_folders(case, name))
    if time in ("latest", "first"):
        seconds = max(known) if time == "latest" else min(known)
        return seconds, known[seconds]
    seconds = chosen_time(known[min(known)].parent, time)
    return seconds, times(known[seconds].parent)[seconds]


def _files(case: Path, place: Path, sample: str) -> list[Path]:
    """Files of a sample: ``line_p.xy`` and ``line_U.xy`` of a set, ``p_wall.raw`` and ``U_wall.raw`` of a surface."""
    found = [path for path in sorted(place.iterdir()) if path.is_file() and _belongs(path, sample)]
    # 'line_2_U.xy' is of the set 'line_2', not of 'line', where the case has no field '2'.
    sure = [path for path in found if all(components_in_case(case, name) for name in _fields_of(path, sample))]
    return sure or found


def _fields_of(path: Path, sample: str) -> list[str]:
    """Words of a file's name beside the sample's."""
    return [word for word in path.stem.removeprefix(sample).removesuffix(sample).split("_") if word]


def _belongs(path: Path, sample: str) -> bool:
    before, after = path.stem.startswith(f"{sample}_"), path.stem.endswith(f"_{sample}")
    if path.suffix == ".raw":
        return after
    if path.suffix in (".xy", ".csv"):
        return before or path.stem == sample
    return path.suffix in _MESHES and (before or after or path.stem == sample)


def _sample_of(path: Path) -> str:
    if path.is_dir():
        return path.name
    return path.stem.partition("_")[2] if path.suffix == ".raw" else path.stem.partition("_")[0]


def _in_file(path: Path) -> list[Found]:
    if path.suffix in _MESHES:
        if path.suffix == ".vtk":
            return read_legacy_vtk(path)
        try:
            _, fields = read_mesh(path, unit="m")
        except InputError as error:
            raise InputError(
                f"{error} OpenFOAM v1912 claims wrong sizes in base64, which a surface written with "
                "'formatOptions { vtk { format ascii; } }' or in 'surfaceFormat foam' avoids."
            ) from None
        return [(name, f.values, f.location, f.mesh) for name, f in fields.items() if name != "TimeValue"]
    headings, rows = _table(path)
    return _named_columns(path, headings, rows)


def _table(path: Path) -> tuple[list[str], Floats]:
    """Headings (none in ``.xy``) and rows ``[n, k]``."""
    headings: list[str] = []
    rows: list[list[float]] = []
    comma = path.suffix == ".csv"
    for number, line in lines_of(path):
        text = line.decode(errors="replace").strip()
        if not text:
            continue
        if text.startswith("#") or (comma and not rows and not headings):
            words = text.lstrip("# ").replace(",", " ").split()
            headings = words if not rows else headings
            continue
        try:
            row = [float(word) for word in (text.split(",") if comma else text.split())]
        except ValueError:
            damaged(path, number, "what is no number stands there")
        if rows and len(row) != len(rows[0]):
            damaged(path, number, f"{len(row)} values stand there, and {len(rows[0])} in the rows above")
        rows.append(row)
    if not rows:
        damaged(path, 1, "it holds no row")
    return headings, np.array(rows)


def _columns_without_names(path: Path, sample: str, rows: Floats, widths: dict[str, int], n_places: int) -> list[Found]:
    """Columns of ``line_p_T.xy``: places, then the fields of its name, all of one kind."""
    for names, k in _readings(path, sample, rows.shape[1], n_places):
        if all(widths.get(name, k) == k for name in names):
            return _on_line(path, names, rows[:, :n_places], rows[:, n_places:], k)
    damaged(path, 1, f"its {rows.shape[1]} columns do not fit {n_places} of places and the fields of its name")


def _readings(path: Path, sample: str, width: int, n_places: int) -> list[tuple[list[str], int]]:
    """Names of fields and the components of each that a file's name and number of columns allow."""
    words = _fields_of(path, sample)
    found = []
    # A name may hold '_' itself: as many fields as fit, the first of them joined from what is left.
    for n in range(len(words), 0, -1):
        k, rest = divmod(width - n_places, n)
        if rest == 0 and k in SHAPES:
            found.append((["_".join(words[: len(words) - n + 1]), *words[len(words) - n + 1 :]], k))
    return found


def _n_places(case: Path, tables: Mapping[Path, Floats], sample: str) -> tuple[int, dict[str, int]]:
    """How many columns of ``.xy`` files are places, 1 or 3, and the components of fields that the case knows."""
    widths: dict[str, int] = {}
    possible = []
    for n in (1, 3):
        fits = True
        for path, rows in tables.items():
            readings = _readings(path, sample, rows.shape[1], n)
            for names, _ in readings:
                widths |= {name: k for name in names if (k := components_in_case(case, name))}
            fits = fits and any(all(widths.get(name, k) == k for name in names) for names, k in readings)
        possible += [n] if fits else []
    if len(possible) == 1:
        return possible[0], widths
    path = next(iter(tables))
    if possible:
        raise InputError(
            f"The columns of '{path}' may be one of places and a vector, or three of places and a number; set "
            "'setFormat csv', whose columns have names, or keep the case's own fields beside it."
        )
    damaged(path, 1, f"its {tables[path].shape[1]} columns do not fit places and the fields of its name")


def _named_columns(path: Path, headings: list[str], rows: Floats) -> list[Found]:
    """Columns with headings: ``x y z U_x U_y U_z`` (raw) or ``distance,U_0,U_1,U_2`` (csv)."""
    for wrong in _WRONG_PLACES:
        # Surfaces of v1912 name the components of a tensor where its places stand.
        if (
            path.suffix == ".raw"
            and headings[: len(wrong)] == wrong
            and len(headings) == rows.shape[1] + len(wrong) - 3
        ):
            headings = ["x", "y", "z", *headings[len(wrong) :]]
    if len(headings) != rows.shape[1]:
        damaged(path, 1, f"{len(headings)} headings stand over {rows.shape[1]} columns")
    n_places = 3 if headings[:3] == ["x", "y", "z"] else 1
    groups: dict[str, list[int]] = {}
    for i, heading in enumerate(headings[n_places:], start=n_places):
        match = _COMPONENT.fullmatch(heading)
        groups.setdefault(match[1] if match else heading, []).append(i)
    found: list[Found] = []
    for name, columns in groups.items():
        if len(columns) not in SHAPES:
            damaged(path, 1, f"the field '{name[:40]}' has {len(columns)} components")
        found += _on_line(path, [name], rows[:, :n_places], rows[:, columns], len(columns))
    return found


def _on_line(path: Path, names: list[str], places: Floats, values: Floats, k: int) -> list[Found]:
    """Fields of ``k`` components each on points: joined to a line in a set, loose on a surface."""
    if not np.isfinite(places).all():
        damaged(path, int(np.flatnonzero(~np.isfinite(places).all(axis=1))[0]) + 1, "a place is no finite number")
    n = len(places)
    steps = np.arange(n)
    if path.suffix == ".raw" or n < 2:
        cells = CellBlock("vertex", steps[:, None])
    else:
        cells = CellBlock("line", np.column_stack([steps[:-1], steps[1:]]))
    mesh = Mesh(places, (cells,), name=path.stem)
    return [(name, shaped(values[:, i * k : (i + 1) * k]), "points", mesh) for i, name in enumerate(names)]


def _in_foam_format(folder: Path) -> list[Found]:
    """A surface as OpenFOAM writes it: ``points``, ``faces`` and ``scalarField/p``, ``vectorField/U``."""
    points = read_points(folder / "points")
    faces = faces_in(FoamFile(folder / "faces"), len(points))
    mesh, order = surface_mesh(points, faces, np.arange(len(faces)), folder.name)
    found: list[Found] = []
    for part in sorted(folder.iterdir()):
        kind = part.name.removesuffix("Field")
        if not part.is_dir() or kind not in COMPONENTS:
            continue
        for path in sorted(part.iterdir()):
            file = FoamFile(path)
            values = file.list_of(kind)
            if values.size not in (len(faces), len(points)):
                file.fail(f"it holds {values.size} values for {len(faces)} faces and {len(points)} points")
            rows = shaped(values.expanded())
            if values.size == len(faces):
                found.append((path.name, rows[order], "cells", mesh))
            else:
                found.append((path.name, rows, "points", Mesh(points, mesh.cells, name=folder.name)))
    return found
