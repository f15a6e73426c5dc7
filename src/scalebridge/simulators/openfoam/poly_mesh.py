"""Meshes of OpenFOAM: ``polyMesh`` in text or binary, packed or not, whole or decomposed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from scalebridge.data.fields import CellBlock, Mesh
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.cell_shapes import Cells, Faces, Indices, cells_of
from scalebridge.simulators.openfoam.foam_file import FoamFile, text_of
from scalebridge.simulators.openfoam.time_folders import case_folder, chosen_time, mesh_file, processors, times


@dataclass(frozen=True)
class Patch:
    """A part of the boundary.

    Args:
        type: of the patch, such as ``wall``, ``cyclic`` or ``empty``.
        start: number of its first face.
        size: how many faces it has.
    """

    type: str
    start: int
    size: int

    @property
    def faces(self) -> slice:
        """Its faces."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True, eq=False)
class PolyMesh:
    """A mesh of OpenFOAM, as faces and as cells.

    Args:
        mesh: points in m and cells in blocks of one type. Its ``point_sets`` and ``cell_sets`` are the patches:
            their points, and the cells behind them. The tag ``cell`` is a cell's number in the case.
        order: ``[e]``, the number in the case of each cell of ``mesh``: ``values[order]`` belongs to it.
        faces: the faces.
        owner: ``[f]``, number in the case of the cell behind each face.
        n_internal: faces between two cells, which come first.
        patches: name -> the patch.
    """

    mesh: Mesh
    order: Indices
    faces: Faces
    owner: Indices
    n_internal: int
    patches: Mapping[str, Patch]

    def patch(self, name: str) -> Patch:
        """The patch of that name; raise `InputError` where there is none."""
        if name not in self.patches:
            raise InputError(f"The mesh '{self.mesh.name}' has no patch '{name}'{did_you_mean(name, self.patches)}")
        return self.patches[name]

    def normals(self, name: str) -> Floats:
        """Unit normals of a patch's faces, out of the mesh ``[faces, 3]``."""
        patch = self.patch(name)
        starts = self.faces.starts[patch.start : patch.start + patch.size + 1]
        corners = self.mesh.points[self.faces.nodes[starts[0] : starts[-1]]]
        firsts = starts[:-1] - starts[0]
        following = np.arange(1, len(corners) + 1)
        following[starts[1:] - starts[0] - 1] = firsts
        places = corners - np.repeat(corners[firsts], np.diff(starts), axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            areas = np.add.reduceat(np.cross(places, places[following]), firsts) if patch.size else np.zeros((0, 3))
            length = np.linalg.norm(areas, axis=1, keepdims=True)
            return areas / np.where(length > 0.0, length, 1.0)

    def surface(self, name: str) -> tuple[Mesh, Indices]:
        """A patch as a mesh of polygons, and the number in the patch of each of its cells."""
        patch = self.patch(name)
        return surface_mesh(self.mesh.points, self.faces, np.arange(patch.start, patch.start + patch.size), name)


def read_poly_mesh(case: str | os.PathLike[str], time: str | float = "latest") -> PolyMesh:
    """Read the mesh of a case.

    Args:
        case: its folder; of a decomposed case without a mesh of its own, the parts are put together.
        time: of a mesh that moves or changes: ``"latest"``, ``"first"`` or a number.

    Raises:
        InputError: no case, no mesh, no such time, a damaged file.
    """
    folder = case_folder(case)
    parts = [] if (folder / "constant" / "polyMesh").is_dir() else processors(folder)
    if parts:
        from scalebridge.simulators.openfoam.decomposed import assembled

        return assembled(folder, parts, chosen_time(parts[0], time) if times(parts[0]) else 0.0)
    at = chosen_time(folder, time) if times(folder) else 0.0
    return poly_mesh(folder, at)


def poly_mesh(part: Path, time: float) -> PolyMesh:
    """Read the mesh in one folder at a time."""
    points = read_points(mesh_file(part, "points", time))
    faces = _faces(mesh_file(part, "faces", time), len(points))
    owner_path = mesh_file(part, "owner", time)
    owner = _cells(owner_path, len(faces))
    neighbour_path = mesh_file(part, "neighbour", time)
    neighbour = _cells(neighbour_path, len(faces))
    if len(owner) != len(faces) or len(neighbour) > len(faces):
        raise InputError(
            f"The mesh in '{part}' does not fit together: {len(faces)} faces, {len(owner)} owners and "
            f"{len(neighbour)} neighbours ('{owner_path}', '{neighbour_path}'); write the mesh again."
        )
    n_cells = int(max(owner.max(initial=-1), neighbour.max(initial=-1))) + 1
    n_faces = np.bincount(np.concatenate([owner, neighbour]), minlength=n_cells)
    if n_cells and n_faces.min() == 0:
        raise InputError(
            f"The file '{owner_path}' is damaged: it numbers {n_cells} cells, and the cell {int(n_faces.argmin())} has "
            "no face; write the mesh again."
        )
    patches = _patches(mesh_file(part, "boundary", time), len(neighbour), len(faces))
    cells = cells_of(faces, owner, neighbour, n_cells)
    return made(points, cells, faces, owner, len(neighbour), patches, part.resolve().name)


def made(
    points: Floats,
    cells: list[Cells],
    faces: Faces,
    owner: Indices,
    n_internal: int,
    patches: Mapping[str, Patch],
    name: str,
) -> PolyMesh:
    """Put cells and patches together."""
    order = np.concatenate([part.numbers for part in cells]) if cells else np.zeros(0, dtype=np.int64)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    point_sets, cell_sets = {}, {}
    for patch_name, patch in patches.items():
        if patch.size:
            span = faces.starts[patch.start], faces.starts[patch.start + patch.size]
            point_sets[patch_name] = np.unique(faces.nodes[slice(*span)])
            cell_sets[patch_name] = np.unique(place[owner[patch.faces]])
    blocks = tuple(CellBlock(part.type, part.nodes, {"cell": part.numbers}) for part in cells)
    mesh = Mesh(points, blocks, point_sets=point_sets, cell_sets=cell_sets, name=name)
    return PolyMesh(mesh, order, faces, owner, n_internal, MappingProxyType(dict(patches)))


def surface_mesh(points: Floats, faces: Faces, chosen: Indices, name: str) -> tuple[Mesh, Indices]:
    """Some faces as a mesh of triangles, quads and polygons with their points alone; and the order of its cells."""
    sizes = faces.sizes[chosen]
    blocks, order = [], []
    for size in np.unique(sizes).tolist():
        some = np.flatnonzero(sizes == size)
        blocks.append(faces.of(chosen[some], size))
        order.append(some)
    used = np.unique(np.concatenate([b.ravel() for b in blocks])) if blocks else np.zeros(0, dtype=np.int64)
    kinds = {3: "triangle", 4: "quad"}
    cells = tuple(CellBlock(kinds.get(b.shape[1], "polygon"), np.searchsorted(used, b)) for b in blocks)
    return Mesh(points[used], cells, name=name), np.concatenate(order) if order else np.zeros(0, dtype=np.int64)


def read_points(path: Path) -> Floats:
    """The points ``[p, 3]`` of a mesh or a sampled surface."""
    file = FoamFile(path)
    found = file.list_of("vector")
    if len(found.values) != found.size:
        file.fail("all points are one")
    if not np.isfinite(found.values).all():
        file.fail("a point has a coordinate that is no finite number")
    return found.values


def _cells(path: Path, n_faces: int) -> Indices:
    """Numbers of cells; there are fewer cells than two for every face."""
    file = FoamFile(path)
    labels = file.labels()
    if len(labels) and not (labels.min() >= 0 and labels.max() < 2 * n_faces):
        file.fail(f"it numbers the cells from {labels.min()} to {labels.max()}, with {n_faces} faces")
    return labels


def _faces(path: Path, n_points: int) -> Faces:
    file = FoamFile(path)
    return faces_in(file, n_points)


def faces_in(file: FoamFile, n_points: int) -> Faces:
    """The list of faces at the reading position: ``4(0 1 2 3)`` in text, starts and corners in binary."""
    at = file.position
    if file.header.binary:
        starts = file.labels()
        nodes = file.labels()
        good = len(starts) and starts[0] == 0 and starts[-1] == len(nodes) and (np.diff(starts) >= 3).all()
        faces = Faces(starts, nodes) if good else None
    else:
        faces = _written_faces(file)
    if faces is None:
        file.fail("its faces have not the corners that they claim", at)
    if len(faces.nodes) and not (faces.nodes.min() >= 0 and faces.nodes.max() < n_points):
        file.fail(f"a face has the corner {faces.nodes.max()}, and there are {n_points} points", at)
    return faces


def _written_faces(file: FoamFile) -> Faces | None:
    size = file.count()
    file.take("(")
    start = file.position
    end = start if size == 0 else file.end_of_lists()
    numbers = file.numbers(start, end, whole=True)
    if file.data.count(b"(", start, end) != size:
        return None
    starts, at, total = [0], 0, len(numbers)
    lengths = numbers.tolist()
    places = []
    while at < total:
        k = lengths[at]
        if k < 3 or at + 1 + k > total:
            return None
        places.append(at)
        starts.append(starts[-1] + k)
        at += 1 + k
    if len(places) != size:
        return None
    kept = np.ones(total, dtype=bool)
    kept[places] = False
    return Faces(np.array(starts, dtype=np.int64), numbers[kept])


def _patches(path: Path, n_internal: int, n_faces: int) -> dict[str, Patch]:
    file = FoamFile(path)
    size = file.count()
    file.take("(")
    patches: dict[str, Patch] = {}
    while file.peek() != ")":
        name = file.word().strip('"')
        at = file.position
        entries = file.dictionary()
        patches[name] = Patch(
            text_of(entries, "type"), _whole(file, entries, "startFace", at), _whole(file, entries, "nFaces", at)
        )
        if patches[name].start + patches[name].size > n_faces or (
            patches[name].size and patches[name].start < n_internal
        ):
            file.fail(f"the patch '{name}' claims faces that are not there, or not on the boundary", at)
    if len(patches) != size:
        file.fail(f"{size} patches are claimed and {len(patches)} there")
    return patches


def _whole(file: FoamFile, entries: Mapping[str, Any], key: str, at: int) -> int:
    text = text_of(entries, key)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        file.fail(f"a patch has the {key} '{text[:40]}', which is no whole number", at)
    return int(text)
