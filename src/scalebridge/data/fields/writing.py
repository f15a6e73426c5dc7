"""A mesh and its fields to a file: ``.vtu`` from here, the others through meshio."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.data.fields.assembling import SET
from scalebridge.data.fields.cell_types import cell_type
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh, same_mesh
from scalebridge.data.fields.meshio_child import TURNED
from scalebridge.data.fields.meshio_files import FORMATS
from scalebridge.data.fields.vtu_writing import vtu
from scalebridge.errors import InputError, did_you_mean

# Formats that know columns of numbers, and those that know sets by name.
COLUMNS, SETS = (".vtu", ".vtk", ".xdmf", ".xmf", ".msh", ".med", ".e"), (".inp",)
# Types of cells of formats whose writer leaves others out without a word.
KNOWN = {
    ".mesh": ("line", "triangle", "quad", "tetra", "pyramid", "wedge", "hexahedron"),
    ".off": ("triangle",),
    ".stl": ("triangle",),
}
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
    for one in chosen:
        if not same_mesh(one.mesh, mesh):
            raise InputError(f"The field '{one.name}' lives on another mesh than the one written to '{path}'.")
    if chosen and suffix not in COLUMNS:
        raise InputError(f"Files of the kind '{suffix}' hold no fields; write '{target.stem}.vtu', or no fields.")
    _check_cells(mesh, target, suffix)
    _write(target, suffix, mesh, _columns(mesh, chosen, suffix))


@dataclass
class _Columns:
    """Numbers at points and in cells, through all blocks, by the names that they have in the file."""

    at_points: dict[str, Any] = field(default_factory=dict)
    in_cells: dict[str, Any] = field(default_factory=dict)


def _check_cells(mesh: Mesh, target: Path, suffix: str) -> None:
    kinds = dict.fromkeys(block.type for block in mesh.cells)
    if "polyhedron" in kinds:
        raise InputError(f"The mesh '{mesh.name}' has polyhedra, whose faces are not known here; write its parts.")
    lost, beside = [kind for kind in kinds if kind not in KNOWN.get(suffix, kinds)], ""
    if suffix in (".xdmf", ".xmf") and len(mesh.cells) > 1:  # in several blocks no reader knows those
        lost, beside = [k for k in kinds if cell_type(k).corners != k or k == "vertex"], " in several blocks"
    if lost:
        raise InputError(
            f"The mesh cannot be written to '{target}' (such a file holds no {', '.join(lost)} cells{beside}); write "
            ".vtu, which knows all."
        )


def _write(target: Path, suffix: str, mesh: Mesh, columns: _Columns) -> None:
    # The numbers of an XDMF file stand in one that bears its name, so it is written where it stays.
    partial = target if suffix in (".xdmf", ".xmf") else target.with_name(f".{target.stem}.{os.getpid()}{suffix}")
    try:
        if suffix == ".vtu":
            partial.write_bytes(vtu(mesh.points, mesh.cells, columns.at_points, columns.in_cells))
        else:
            _by_meshio(partial, suffix, mesh, columns)
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


def _by_meshio(file: Path, suffix: str, mesh: Mesh, columns: _Columns) -> None:
    import meshio

    ends = np.cumsum([0, *[len(block) for block in mesh.cells]])
    in_cells = {name: [values[a:b] for a, b in pairwise(ends)] for name, values in columns.in_cells.items()}
    sets: dict[str, Any] = {}
    if suffix in SETS:
        sets["point_sets"] = {k: np.asarray(v) for k, v in mesh.point_sets.items()}
        sets["cell_sets"] = {k: _by_block(v, ends) for k, v in mesh.cell_sets.items()}
    turned = "wedge" if suffix == ".vtk" else ""
    blocks = [(block.type, block.nodes[:, TURNED] if block.type == turned else block.nodes) for block in mesh.cells]
    # Version 4 of gmsh's format wants to know of the geometry behind several blocks.
    kind = ("gmsh22" if len(blocks) > 1 else "gmsh") if suffix == ".msh" else FORMATS[suffix][0]
    if kind == "gmsh22":  # which has both of every cell
        for name in ("gmsh:physical", "gmsh:geometrical"):
            in_cells.setdefault(name, [np.zeros(len(block), dtype=np.int32) for block in mesh.cells])
    meshio.write(file, meshio.Mesh(mesh.points, blocks, columns.at_points, in_cells, **sets), file_format=kind)


def _columns(mesh: Mesh, fields: list[Field], suffix: str) -> _Columns:
    found = _Columns()
    if suffix in COLUMNS:
        for name in mesh.cells[0].tags if mesh.cells else ():
            if all(name in block.tags for block in mesh.cells):
                found.in_cells[name] = np.concatenate([block.tags[name] for block in mesh.cells])
        for name, members in mesh.cell_sets.items():
            found.in_cells[f"{SET}{_spelt(name, suffix)}"] = _flags(members, mesh.n_cells)
        for name, members in mesh.point_sets.items():
            found.at_points[f"{SET}{_spelt(name, suffix)}"] = _flags(members, mesh.n_points)
    for one in fields:
        own = one.to_cells() if one.location == "integration points" else one
        values = own.values.reshape(len(own.values), -1) if len(own.shape) > 1 else own.values
        name = _spelt(one.name if one.unit == "1" else f"{one.name} [{one.unit}]", suffix)
        (found.at_points if own.location == "points" else found.in_cells)[name] = values
    return found


def _by_block(members: Any, ends: Any) -> list[Any]:
    return [members[(members >= a) & (members < b)] - a for a, b in pairwise(ends)]


def _flags(members: Any, count: int) -> Any:
    flags = np.zeros(count, dtype=np.int32)
    flags[members] = 1
    return flags


def _spelt(name: str, suffix: str) -> str:
    """VTK's older format has no spaces in names."""
    return name.replace(" ", "") if suffix == ".vtk" else name
