"""Cases in parts, ``processor0``, ``processor1``, ...: their mesh and fields put together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scalebridge.data.fields import Field
from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.cell_shapes import Cells, Faces, Indices
from scalebridge.simulators.openfoam.field_file import FieldFile, read_field_file
from scalebridge.simulators.openfoam.fields import field_names, field_of
from scalebridge.simulators.openfoam.foam_file import FoamFile
from scalebridge.simulators.openfoam.patch_values import on_patch, wrong_size
from scalebridge.simulators.openfoam.poly_mesh import PolyMesh, made, poly_mesh
from scalebridge.simulators.openfoam.time_folders import mesh_file, times


def read_decomposed(
    folder: Path, parts: list[Path], names: Sequence[str] | None, time: float, patch: str | None
) -> dict[str, Field]:
    """Read fields of the parts at a time and put them together; see `read_fields`."""
    meshes = [poly_mesh(part, time) for part in parts]
    if (folder / "constant" / "polyMesh").is_dir():
        whole = poly_mesh(folder, time)
    elif patch is None:
        whole = assembled(folder, parts, time, meshes)
    else:
        raise InputError(
            f"The patch '{patch}' was asked for, and the case '{folder}' has no whole mesh; run reconstructParMesh."
        )
    places = [times(part).get(time) for part in parts]
    for part, place in zip(parts, places, strict=True):
        if place is None:
            raise InputError(f"The part '{part}' lacks the time {time:g} of the others; run the solver to its end.")
    known = [place for place in places if place is not None]
    found = {}
    for name in field_names(known[0], names, patch):
        files = [read_field_file(place / name) for place in known]
        field = (
            _on_surface(files, parts, meshes, whole, patch, time)
            if patch
            else _in_cells(files, parts, meshes, whole, time)
        )
        found[field.name] = field
    return found


def assembled(folder: Path, parts: list[Path], time: float, meshes: list[PolyMesh] | None = None) -> PolyMesh:
    """The whole mesh of the parts, without faces and patches."""
    meshes = meshes or [poly_mesh(part, time) for part in parts]
    points_of = [_addressing(part, "point", mesh.mesh.n_points, time) for part, mesh in zip(parts, meshes, strict=True)]
    cells_of = [_addressing(part, "cell", mesh.mesh.n_cells, time) for part, mesh in zip(parts, meshes, strict=True)]
    _check_whole(cells_of, sum(mesh.mesh.n_cells for mesh in meshes), parts[0])
    n_points = 1 + max((int(p.max()) for p in points_of if len(p)), default=-1)
    if n_points > sum(len(p) for p in points_of):
        raise InputError(f"The parts of '{folder}' number more points than they hold; decompose the case again.")
    points = np.zeros((n_points, 3))
    cells = []
    for mesh, to_points, to_cells in zip(meshes, points_of, cells_of, strict=True):
        points[to_points] = mesh.mesh.points
        for block in mesh.mesh.cells:
            cells.append(Cells(block.type, to_points[block.nodes], to_cells[block.tags["cell"]]))
    none = np.zeros(0, dtype=np.int64)
    return made(points, cells, Faces(np.zeros(1, dtype=np.int64), none), none, 0, {}, folder.resolve().name)


def _in_cells(files: list[FieldFile], parts: list[Path], meshes: list[PolyMesh], whole: PolyMesh, time: float) -> Field:
    at_points = files[0].place == "point"
    size = whole.mesh.n_points if at_points else whole.mesh.n_cells
    values = None
    numbers = []
    for file, part, mesh in zip(files, parts, meshes, strict=True):
        local = mesh.mesh.n_points if at_points else mesh.mesh.n_cells
        to_whole = _addressing(part, "point" if at_points else "cell", local, time)
        mine = file.values(local)
        if mine is None:
            raise wrong_size(file.path, file.internal.size, local)
        values = np.full((size, *mine.shape[1:]), np.nan) if values is None else values
        if len(to_whole) and to_whole.max() >= size:
            raise InputError(f"The part '{part}' numbers more than the whole mesh has; decompose the case again.")
        values[to_whole] = _alike(mine, values, file)
        numbers.append(to_whole)
    assert values is not None
    if not at_points:
        _check_whole(numbers, size, parts[0])
        values = values[whole.order]
    return field_of(files[0], values, "points" if at_points else "cells", whole.mesh, time)


def _on_surface(
    files: list[FieldFile], parts: list[Path], meshes: list[PolyMesh], whole: PolyMesh, name: str, time: float
) -> Field:
    patch = whole.patch(name)
    surface, order = whole.surface(name)
    values = None
    for file, part, mesh in zip(files, parts, meshes, strict=True):
        mine = mesh.patch(name)
        found = on_patch(file, mesh, name)
        values = np.full((patch.size, *found.shape[1:]), np.nan) if values is None else values
        # A face is numbered from 1, negative where it was turned over.
        numbers = np.abs(_labels(part, "face", time)[mine.faces]) - 1 - patch.start
        if len(numbers) != mine.size or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < patch.size):
            raise InputError(f"The faces of '{name}' in '{part}' are not those of the whole mesh; decompose it again.")
        values[numbers] = _alike(found, values, file)
    assert values is not None
    return field_of(files[0], values[order], "cells", surface, time)


def _alike(mine: Floats, values: Floats, file: FieldFile) -> Floats:
    if mine.shape[1:] != values.shape[1:]:
        raise InputError(f"The file '{file.path}' holds a field of another kind than its neighbours; write it again.")
    return mine


def _check_whole(numbers: list[Indices], size: int, part: Path) -> None:
    """Every cell must be in one part."""
    every = np.sort(np.concatenate(numbers)) if numbers else np.zeros(0, dtype=np.int64)
    if len(every) != size or not np.array_equal(every, np.arange(size)):
        raise InputError(
            f"The parts beside '{part}' do not make up the whole mesh of {size} cells; decompose it again."
        )


def _addressing(part: Path, what: str, size: int, time: float) -> Indices:
    labels = _labels(part, what, time)
    if len(labels) != size or (size and labels.min() < 0):
        raise InputError(
            f"The file '{mesh_file(part, f'{what}ProcAddressing', time)}' does not number the {size} {what}s of its "
            "part; decompose the case again."
        )
    return labels


def _labels(part: Path, what: str, time: float) -> Indices:
    return FoamFile(mesh_file(part, f"{what}ProcAddressing", time)).labels()
