"""A series of time steps: a ``.pvd`` file, the steps of an ``.xdmf`` file, numbered files."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from scalebridge.data.fields import meshio_files, vtk_xml
from scalebridge.data.fields.assembling import Asked, fields_of, mesh_of
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.raw import RawMesh
from scalebridge.data.fields.reading import VTK_XML, suffix_of
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError

LARGEST_LIST = 64 * 2**20


def read_steps(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    times: Sequence[float] | None = None,
    unit: str = "1",
    units: Mapping[str, str] | None = None,
    fields: Collection[str] | None = None,
    memory: int | None = None,
) -> list[dict[str, Field]]:
    """Read time steps, each the fields of `read_mesh`; steps whose mesh does not change share one.

    Args:
        source: a ``.pvd`` file, an ``.xdmf`` file with steps, a list of files, or a pattern such as
            ``"out/plate_*.vtu"``, whose files are taken in the order of the last number in their names.
        times: of the steps in s, where the files do not say them.
        unit, units, fields, memory: as of `read_mesh`.

    Raises:
        InputError: no files, as many times as there are no steps, or as `read_mesh`.
    """
    asked = Asked(unit, units, fields)
    steps: list[dict[str, Field]] = []
    mesh: Mesh | None = None
    before: RawMesh | None = None
    for name, raw in _raws(source, memory):
        if mesh is None or before is None or not _alike(raw, before):
            mesh, before = mesh_of(raw, asked, f"The mesh '{name}'", Path(name).stem), raw
        steps.append(fields_of(raw, mesh, asked, f"The mesh '{name}'"))
    if times is None:
        return steps
    if len(times) != len(steps):
        raise InputError(f"'{source}' has {len(steps)} steps, and {len(times)} times were given; give one for each.")
    return [
        {k: f.with_values(f.values, time=float(t)) for k, f in step.items()}
        for step, t in zip(steps, times, strict=True)
    ]


def files_of(source: str | os.PathLike[str]) -> list[tuple[float | None, Path]]:
    """Times and files of a ``.pvd`` file, or the files of a pattern without times.

    Raises:
        InputError: no such file, a damaged one, a pattern that fits no file.
    """
    path = Path(source)
    if path.suffix.lower() == ".pvd":
        return _collection(path)
    if "*" in path.name:
        found = sorted(path.parent.glob(path.name), key=_number)
        if not found:
            raise InputError(f"No file fits the pattern '{source}'; check the folder and the name.")
        return [(None, file) for file in found]
    return [(None, path)]


def _raws(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], memory: int | None
) -> Iterator[tuple[str, RawMesh]]:
    if isinstance(source, str | os.PathLike):
        listed = files_of(source)
    else:
        listed = [(None, Path(file)) for file in source]
    with ExitStack() as stack:
        process = None
        for time, path in listed:
            size, suffix = opened(path, "mesh").size, suffix_of(path)
            if suffix in VTK_XML:
                found = [vtk_xml.read(path)]
            else:
                process = process or stack.enter_context(meshio_files.reading())
                several = suffix in (".xdmf", ".xmf") and len(listed) == 1
                found = (
                    meshio_files.read_steps(process, path, size, memory)
                    if several
                    else [meshio_files.read(process, path, size, memory)]
                )
            for raw in found:
                raw.time = raw.time if time is None else time
                yield str(path), raw


def _collection(path: Path) -> list[tuple[float | None, Path]]:
    opened(path, "series", largest=LARGEST_LIST)
    try:
        content = path.read_bytes()
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise ValueError("it declares entities")
        root = ElementTree.fromstring(content)
        found: list[tuple[float | None, Path]] = []
        for entry in root.iter("DataSet"):
            time = float(entry.get("timestep", "nan"))
            found.append((time if np.isfinite(time) else None, path.parent / entry.attrib["file"]))
    except (ElementTree.ParseError, ValueError, KeyError, OSError) as error:
        raise InputError(
            f"The series '{path}' cannot be read ({str(error).splitlines()[0]}); it may be truncated: export it again."
        ) from None
    if not found:
        raise InputError(f"The series '{path}' lists no file; it is a .pvd file with one DataSet for each step.")
    return found


def _number(path: Path) -> tuple[int, str]:
    digits = re.findall(r"\d+", path.stem)
    return (int(digits[-1][:18]) if digits else -1, path.name)


def _alike(one: RawMesh, other: RawMesh) -> bool:
    if len(one.blocks) != len(other.blocks) or not np.array_equal(one.points, other.points):
        return False
    return all(a == c and np.array_equal(b, d) for (a, b), (c, d) in zip(one.blocks, other.blocks, strict=True))
