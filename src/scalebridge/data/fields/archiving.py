"""A field as plain values beside its arrays, and back: what datasets are saved with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from scalebridge.data.fields.cells import CellBlock
from scalebridge.data.fields.field import Field
from scalebridge.data.fields.mesh import Mesh

Keep = Callable[[NDArray[Any]], str]
Fetch = Callable[[str], NDArray[Any]]


def described(field: Field, keep: Keep) -> dict[str, Any]:
    """``field`` as plain values; ``keep`` stores an array once and says under which name."""
    mesh = field.mesh
    return {
        "name": field.name,
        "unit": field.unit,
        "values": keep(field.values),
        "location": field.location,
        "time": field.time,
        "description": field.description,
        "mesh": {
            "name": mesh.name,
            "unit": mesh.unit,
            "points": keep(mesh.points),
            "cells": [
                {"type": b.type, "nodes": keep(b.nodes), "tags": {k: keep(v) for k, v in b.tags.items()}}
                for b in mesh.cells
            ],
            "point_sets": {k: keep(v) for k, v in mesh.point_sets.items()},
            "cell_sets": {k: keep(v) for k, v in mesh.cell_sets.items()},
        },
    }


def restored(tree: Mapping[str, Any], fetch: Fetch, meshes: dict[str, Mesh]) -> Field:
    """The field of a tree that `described` made; ``meshes`` holds those made already, by their description."""
    key = json.dumps(tree["mesh"], sort_keys=True)
    if key not in meshes:
        meshes[key] = _mesh(tree["mesh"], fetch)
    return Field(
        tree["name"],
        tree["unit"],
        fetch(tree["values"]),
        tree["location"],
        meshes[key],
        tree["time"],
        tree["description"],
    )


def _mesh(tree: Mapping[str, Any], fetch: Fetch) -> Mesh:
    def all_of(entries: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        return {name: fetch(key) for name, key in entries.items()}

    blocks = tuple(CellBlock(b["type"], fetch(b["nodes"]), all_of(b["tags"])) for b in tree["cells"])
    points, cells = all_of(tree["point_sets"]), all_of(tree["cell_sets"])
    return Mesh(fetch(tree["points"]), blocks, tree["unit"], points, cells, tree["name"])
