"""A mesh and its fields to a file, through meshio."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields.assembling import SET
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh, same_mesh
from scalebridge.data.fields.meshio_files import FORMATS
from scalebridge.errors import InputError, did_you_mean

# Formats that know columns of numbers, and those that know sets by name.
COLUMNS, SETS = (".vtu", ".vtk", ".xdmf", ".xmf", ".msh", ".med", ".e"), (".inp",)
WRITTEN = (".bdf", ".e", ".inp", ".med", ".mesh", ".msh", ".nas", ".obj", ".off", ".stl", ".vtk", ".vtu", ".xdmf")


def write_mesh(path: str | os.PathLike[str], mesh: Mesh, fields: Mapping[str, Field] | Iterable[Field] = ()) -> None:
    """Write a mesh and fields on it, by the file's suffix; an older file is replaced when the new one is whole.

    Units stand in the names (``"S [MPa]"``), from where `read_mesh` takes them. Sets become columns of 0 and 1 where
    the format knows columns (``.vtu``, ``.vtk``, ``.xdmf``, ``.msh``), and are read back as sets; ``.inp`` has sets
    and no fields. Of fields at integration points the means over cells are written; of ``.xdmf`` the numbers stand
    in an HDF5 file beside it.

    Args:
        path: ``.vtu``, ``.vtk``, ``.xdmf``, ``.msh`` (gmsh), ``.inp`` (Abaqus), ``.bdf``, ``.med``, ``.stl``, ...
        mesh: to write.
        fields: on that mesh.

    Raises:
        InputError: a suffix that is not known, a folder that is not there, a field of another mesh, cells or fields
            that the format does not know.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in WRITTEN:
        raise InputError(
            f"The mesh cannot be written to '{path}': the suffix '{suffix}'{did_you_mean(suffix, WRITTEN)}"
        )
    if not target.parent.is_dir():
        raise InputError(f"The mesh cannot be written to '{path}': the folder '{target.parent}' does not exist.")
    chosen = list(fields.values() if isinstance(fields, Mapping) else fields)
    for field in chosen:
        if not same_mesh(field.mesh, mesh):
            raise InputError(f"The field '{field.name}' lives on another mesh than the one written to '{path}'.")
    if chosen and suffix not in COLUMNS:
        raise InputError(f"Files of the kind '{suffix}' hold no fields; write '{target.stem}.vtu', or no fields.")
    _write(target, suffix, _meshio_mesh(mesh, chosen, suffix))


def _write(target: Path, suffix: str, made: Any) -> None:
    import meshio

    # The numbers of an XDMF file stand in one that bears its name, so it is written where it stays.
    partial = target if suffix in (".xdmf", ".xmf") else target.with_name(f".{target.stem}.{os.getpid()}{suffix}")
    kind = {".vtu": "vtu", ".msh": "gmsh"}.get(suffix) or FORMATS[suffix][0]
    try:
        meshio.write(partial, made, file_format=kind)
        os.replace(partial, target)
    except ModuleNotFoundError as error:
        raise InputError(
            f"Writing '{target}' needs {error.name}: pip install 'scalebridge[meshes]', or write .vtu."
        ) from None
    except OSError as error:
        raise InputError(f"The mesh cannot be written to '{target}' ({error.strerror or error}).") from error
    except Exception as error:  # meshio raises whatever a format does not know
        why = (str(error).splitlines() or [type(error).__name__])[0][:160].rstrip(". ")
        raise InputError(f"The mesh cannot be written to '{target}' ({why}); write .vtu, which knows all.") from None
    finally:
        if partial != target:
            partial.unlink(missing_ok=True)


def _meshio_mesh(mesh: Mesh, fields: list[Field], suffix: str) -> Any:
    import meshio

    if any(block.type == "polyhedron" for block in mesh.cells):
        raise InputError(f"The mesh '{mesh.name}' has polyhedra, whose faces are not known here; write its parts.")
    ends = np.cumsum([0, *[len(block) for block in mesh.cells]])
    at_points: dict[str, Any] = {}
    in_cells: dict[str, Any] = {}

    def put(name: str, values: Any) -> None:
        in_cells[name] = [values[a:b] for a, b in pairwise(ends)]

    if suffix in COLUMNS:
        shared = [k for k in (mesh.cells[0].tags if mesh.cells else ()) if all(k in b.tags for b in mesh.cells)]
        for name in shared:
            in_cells[name] = [block.tags[name] for block in mesh.cells]
        for name, members in mesh.cell_sets.items():
            put(f"{SET}{_spelt(name, suffix)}", _flags(members, mesh.n_cells))
        at_points = {f"{SET}{_spelt(k, suffix)}": _flags(v, mesh.n_points) for k, v in mesh.point_sets.items()}
    for field in fields:
        own = field.to_cells() if field.location == "integration points" else field
        values = own.values.reshape(len(own.values), -1) if len(own.shape) > 1 else own.values
        name = _spelt(field.name if field.unit == "1" else f"{field.name} [{field.unit}]", suffix)
        if own.location == "points":
            at_points[name] = values
        else:
            put(name, values)
    sets: dict[str, Any] = {}
    if suffix in SETS:
        sets["point_sets"] = {k: np.asarray(v) for k, v in mesh.point_sets.items()}
        sets["cell_sets"] = {k: _by_block(v, ends) for k, v in mesh.cell_sets.items()}
    blocks = [(block.type, block.nodes) for block in mesh.cells]
    return meshio.Mesh(mesh.points, blocks, at_points, in_cells, **sets)


def _by_block(members: Any, ends: Any) -> list[Any]:
    return [members[(members >= a) & (members < b)] - a for a, b in pairwise(ends)]


def _flags(members: Any, count: int) -> Any:
    flags = np.zeros(count, dtype=np.int32)
    flags[members] = 1
    return flags


def _spelt(name: str, suffix: str) -> str:
    """VTK's older format has no spaces in names."""
    return name.replace(" ", "") if suffix == ".vtk" else name
