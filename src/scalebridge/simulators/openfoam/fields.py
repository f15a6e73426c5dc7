"""Fields of a case at one time, in cells, at points or on a patch, with their units.

::

    fields = read_fields("cavity")                      # the last time, every field
    fields["U"].norm().statistic("max")
    wall = read_fields("cavity", ["p"], patch="movingWall")
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from scalebridge.data.fields import Field, Mesh
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.dimensions import meaning_of
from scalebridge.simulators.openfoam.field_file import FieldFile, class_of, is_field, read_field_file
from scalebridge.simulators.openfoam.patch_values import on_patch, wrong_size
from scalebridge.simulators.openfoam.poly_mesh import PolyMesh, poly_mesh
from scalebridge.simulators.openfoam.time_folders import case_folder, chosen_time, processors, times


def read_fields(
    case: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    *,
    time: str | float = "latest",
    patch: str | None = None,
) -> dict[str, Field]:
    """Read fields of a case.

    Args:
        case: its folder; parts of a decomposed case are put together.
        names: of the files, such as ``"U"`` or ``"grad(U)"``; None: every field in cells and at points.
        time: ``"latest"``, ``"first"`` or a number.
        patch: read the values on this patch of the boundary, on a mesh of its faces, instead of those in cells.

    Returns:
        Identifier (``grad(U)`` is ``grad_U``) -> field, in the unit of its ``dimensions``. A symmetric tensor has the
        components xx, yy, zz, xy, yz, zx. A value that is no number is NaN.

    Raises:
        InputError: no case, mesh, time, field or patch of that name; a damaged file.
    """
    folder = case_folder(case)
    parts = processors(folder)
    root = chosen_time(folder, time) if _has(folder, time, parts) else None
    if root is None:
        from scalebridge.simulators.openfoam.decomposed import read_decomposed

        return read_decomposed(folder, parts, names, chosen_time(parts[0], time), patch)
    place = times(folder)[root]
    files = [read_field_file(place / name) for name in field_names(place, names, patch)]
    whole = poly_mesh(folder, root)
    if patch is not None:
        surface, order = whole.surface(patch)
        found = (on_patch(file, whole, patch)[order] for file in files)
        return {f.name: f for f in (field_of(o, v, "cells", surface, root) for o, v in zip(files, found, strict=True))}
    return {f.name: f for f in (_in_cells(file, whole, root) for file in files)}


def _has(folder: Path, time: str | float, parts: list[Path]) -> bool:
    """Whether the undecomposed case holds the time asked for."""
    if not parts or not times(parts[0]):
        return True
    known, apart = times(folder), times(parts[0])
    if not known:
        return False
    if time == "latest":
        return max(known) >= max(apart) and (folder / "constant" / "polyMesh").is_dir()
    try:
        chosen_time(folder, time)
    except InputError:
        return False
    return True


def field_names(place: Path, names: Sequence[str] | None, patch: str | None = None) -> list[str]:
    """Names of the files of fields in a time folder; raise `InputError` where one that was asked for is none."""
    wanted = ("vol",) if patch is not None else ("vol", "point")
    known = {path.name.removesuffix(".gz"): path for path in sorted(place.iterdir()) if path.is_file()}
    if names is None:
        return [name for name, path in known.items() if is_field(class_of(path), wanted)]
    for name in names:
        if name not in known:
            raise InputError(f"There is no field '{name}' in '{place}'{did_you_mean(name, known)}")
        if is_field(class_of(known[name]), ("surface",)):
            raise InputError(
                f"The field '{name}' in '{place}' lives on the faces between cells, which a mesh of cells cannot hold; "
                "ask for fields in cells or at points."
            )
    return list(names)


def _in_cells(file: FieldFile, whole: PolyMesh, time: float) -> Field:
    at_points = file.place == "point"
    size = whole.mesh.n_points if at_points else whole.mesh.n_cells
    values = file.values(size)
    if values is None:
        raise wrong_size(file.path, file.internal.size, size)
    return field_of(
        file, values if at_points else values[whole.order], "points" if at_points else "cells", whole.mesh, time
    )


def field_of(file: FieldFile, values: Floats, location: str, mesh: Mesh, time: float) -> Field:
    """A field of a file and its values in the order of the mesh."""
    written = file.path.name.removesuffix(".gz")
    name = re.sub(r"\W+", "_", written).strip("_") or "field"
    name = name if name.isidentifier() else f"field_{name}"
    meaning = meaning_of(written, file.unit) or (f"{written} of OpenFOAM" if written != name else "")
    return Field(name, file.unit, values, location, mesh, time, meaning)
