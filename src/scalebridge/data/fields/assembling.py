"""From what a mesh file holds to a mesh and its fields: names, units, shapes, tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh
from scalebridge.data.fields.raw import Array, RawMesh
from scalebridge.data.headers import identifier, split
from scalebridge.errors import InputError, UnitError, did_you_mean

# Before the name of a set in files that know only columns.
SET = "set:"


@dataclass(frozen=True)
class Asked:
    """What the user said about the file.

    Args:
        unit: of the points.
        units: of the fields, by their names in the file or as identifiers.
        fields: names of those wanted; None for all.
    """

    unit: str = "1"
    units: Mapping[str, str] | None = None
    fields: Collection[str] | None = None


def mesh_of(raw: RawMesh, asked: Asked, owner: str, name: str) -> Mesh:
    """The mesh of a file, whole numbers in its cells as tags; ``owner`` is what messages call the file."""
    with _damage(owner):
        return _mesh(raw, asked, name)


def _mesh(raw: RawMesh, asked: Asked, name: str) -> Mesh:
    first, blocks = 0, []
    raw = _with_sets(raw)
    marks = {k: v for k, v in raw.cell_data.items() if _is_tag(k, v) and not k.startswith(SET)}
    for kind, nodes in raw.blocks:
        own = slice(first, first + len(nodes))
        first += len(nodes)
        if len(nodes):
            blocks.append(CellBlock(_kind(kind, nodes), nodes, {k: v[own].ravel() for k, v in marks.items()}))
    return Mesh(raw.points, tuple(blocks), asked.unit, raw.point_sets, raw.cell_sets, name)


@contextmanager
def _damage(owner: str) -> Iterator[None]:
    """What a mesh or field refuses, said of the file that it came from."""
    try:
        yield
    except UnitError:
        raise
    except InputError as error:
        raise InputError(f"{owner} does not hold together: {str(error)[0].lower()}{str(error)[1:]}") from None


def _with_sets(raw: RawMesh) -> RawMesh:
    """Columns of 0 and 1 that `write_mesh` made of sets as sets again."""
    points = {k[len(SET) :]: np.flatnonzero(v) for k, v in raw.point_data.items() if k.startswith(SET)}
    cells = {k[len(SET) :]: np.flatnonzero(v) for k, v in raw.cell_data.items() if k.startswith(SET)}
    return replace(raw, point_sets={**raw.point_sets, **points}, cell_sets={**raw.cell_sets, **cells})


def fields_of(raw: RawMesh, mesh: Mesh, asked: Asked, owner: str) -> dict[str, Field]:
    """The fields of a file on ``mesh``; what cells and points call alike is ``name_cells`` in cells."""
    found: list[tuple[str, str, Array]] = [(k, "points", v) for k, v in raw.point_data.items() if not _is_other(k, v)]
    for name, values in raw.cell_data.items():
        if not _is_other(name, values):
            found.append((f"{name}_cells" if name in raw.point_data else name, "cells", values))
    made = _named([text for text, _, _ in found], asked.units or {}, owner)
    _check_asked(made, asked, owner)
    fields = {}
    for (name, unit, text), (_, location, values) in zip(made, found, strict=True):
        if asked.fields is None or name in asked.fields or text in asked.fields:
            described = "" if text == name else text
            with _damage(owner):
                fields[name] = Field(name, unit, _shaped(values), location, mesh, raw.time, described)
    return fields


def _named(texts: list[str], units: Mapping[str, str], owner: str) -> list[tuple[str, str, str]]:
    """An identifier, a unit and the text of each name; a unit in brackets that is none is part of the name.

    Raises:
        UnitError: a unit given that contradicts the one in the name.
    """
    made: list[tuple[str, str, str]] = []
    taken: set[str] = set()
    for text in texts:
        try:
            name, stated, _ = split(text, owner)
        except UnitError:
            name, stated = text, None
        found = identifier(name)
        number = 2
        while found in taken:
            found, number = f"{identifier(name)}_{number}", number + 1
        taken.add(found)
        given = next((units[k] for k in (found, text, name) if k in units), None)
        if given is not None and stated not in (None, "1", given):
            raise UnitError(
                f"{owner} states '{stated}' for the field '{text}', and units= says '{given}'; leave one out, and "
                "convert with in_units(...)."
            )
        made.append((found, given or stated or "1", text))
    return made


def _check_asked(made: list[tuple[str, str, str]], asked: Asked, owner: str) -> None:
    known = {name for name, _, _ in made} | {text for _, _, text in made} | {text.split(" [")[0] for _, _, text in made}
    for name in (*(asked.fields or ()), *(asked.units or ())):
        if name not in known:
            raise InputError(f"{owner} has no field '{name}'{did_you_mean(name, [n for n, _, _ in made])}")


def _kind(kind: str, nodes: Array) -> str:
    """Polygons of three and four corners by their own names, so that they are integrated exactly."""
    return {3: "triangle", 4: "quad"}.get(nodes.shape[1], kind) if kind == "polygon" and nodes.ndim == 2 else kind


def _is_other(name: str, values: Array) -> bool:
    """Whether a column is no field but a set or a tag."""
    return name.startswith(SET) or _is_tag(name, values)


def _is_tag(name: str, values: Array) -> bool:
    flat = values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)
    return flat and values.dtype.kind in "iu" and (":" in name or name == "cell_tags")


def _shaped(values: Array) -> Array:
    """A column of one number as numbers, nine as matrices."""
    if values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    return values.reshape(-1, 3, 3) if values.ndim == 2 and values.shape[1] == 9 else np.asarray(values)
