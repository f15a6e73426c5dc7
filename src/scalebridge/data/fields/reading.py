"""Mesh files of one state, by their suffix."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from scalebridge.data.fields import meshio_files, vtk_xml
from scalebridge.data.fields.assembling import Asked, fields_of, mesh_of
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError

VTK_XML = (".vtu", ".vtp", *vtk_xml.PARALLEL)
SUFFIXES = tuple(sorted((*VTK_XML, *meshio_files.FORMATS)))


def read_mesh(
    path: str | os.PathLike[str],
    *,
    unit: str = "1",
    units: Mapping[str, str] | None = None,
    fields: Collection[str] | None = None,
    memory: int | None = None,
) -> tuple[Mesh, dict[str, Field]]:
    """Read a mesh and the fields on it, by the file's suffix.

    ``.vtu`` and ``.vtp``, of runs in parallel ``.pvtu`` and ``.pvtp``, are read here, with whatever a file claims
    checked against its bytes; the formats of meshio (``.vtk``, ``.msh``, ``.xdmf``, ``.inp``, ``.bdf``, ``.med``,
    ``.e``, ``.stl``, ``.obj``, ...) in a process of their own with limits of memory and time.

    Args:
        path: of the file.
        unit: of the points; files do not say it.
        units: of the fields, by name; a name such as ``"S [MPa]"`` says its own.
        fields: names of those wanted; all by default.
        memory: bytes that reading by meshio may take; by default a GiB and 12 for each byte of the file.

    Returns:
        The mesh and, by name, its fields. Tensors of nine components have the shape (3, 3); a field in cells that has
        the name of one at points is called ``name_cells``; whole numbers such as ``gmsh:physical`` are tags of cells.

    Raises:
        InputError: no such file, a suffix that is not known, a damaged file, a format whose library is not there.
        UnitError: a unit that is not known, or one that contradicts the file's.
    """
    source = Path(path)
    size = opened(source, "mesh").size
    if suffix_of(source) in VTK_XML:
        raw = vtk_xml.read(source)
    else:
        with meshio_files.reading() as process:
            raw = meshio_files.read(process, source, size, memory)
    asked = Asked(unit, units, fields)
    owner = f"The mesh '{path}'"
    mesh = mesh_of(raw, asked, owner, source.stem)
    return mesh, fields_of(raw, mesh, asked, owner)


def suffix_of(path: Path) -> str:
    """The suffix of a mesh file, in small letters.

    Raises:
        InputError: one that no reader knows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"The mesh '{path}' has the suffix '{suffix}', which no reader of meshes knows; valid: "
            f"{', '.join(SUFFIXES)}."
        )
    return suffix
