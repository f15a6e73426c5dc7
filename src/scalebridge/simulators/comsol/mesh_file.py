"""Meshes of COMSOL's text format (``.mphtxt``), read without COMSOL.

Source: COMSOL Multiphysics Programming Reference Manual, "The COMSOL file formats": objects ``Mesh`` and
``Selection``. Versions 1 and 2 of a mesh hold parameters and up/down pairs of boundaries too, which are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.fields import CellBlock, Mesh
from scalebridge.data.readers.opening import opened
from scalebridge.errors import InputError, did_you_mean
from scalebridge.quantities import Floats
from scalebridge.simulators.comsol.elements import ElementKind, element_kind
from scalebridge.simulators.comsol.tokens import Tokens

_WHAT = "COMSOL mesh"
_LARGEST = 1 << 36
_MOST = 1000


@dataclass(eq=False)
class _Draft:
    """A mesh as far as it has been read."""

    points: Floats
    blocks: list[CellBlock] = field(default_factory=list)
    # Name of a selection -> dimension and geometric entities.
    selections: dict[str, tuple[int, NDArray[np.int64]]] = field(default_factory=dict)


def read_meshes(path: str | Path, *, length: str = "1") -> dict[str, Mesh]:
    """All meshes of a ``.mphtxt`` file by their tag.

    The cells of each dimension carry the tag ``entity``: the number of the geometric entity (domain, boundary, edge,
    point) that they lie on, as in the file (boundaries, edges and points from 0, domains from 1; the user interface
    counts all from 1). Selections are cell sets.

    Args:
        path: of the file.
        length: unit of the coordinates; the file does not say it.

    Raises:
        InputError: no such file, another one, a damaged one, elements of an unknown type or numbering.
        UnitError: ``length`` is no length.
    """
    opened(path, _WHAT, largest=_LARGEST)
    with Tokens(path, _WHAT) as tokens:
        if tokens.whole("the major version") != 0 or tokens.whole("the minor version") != 1:
            raise tokens.damaged("another version of the format than 0.1, or no mesh of COMSOL at all")
        tags = [tokens.text("a tag") for _ in range(tokens.whole("the number of tags", _MOST))]
        for _ in range(tokens.whole("the number of types", _MOST)):
            tokens.text("a type")
        drafts: dict[str, _Draft] = {}
        others: list[str] = []
        for tag in tags:
            others += _object(tokens, tag, drafts)
            if others and tokens.at_end():
                break
    if not drafts:
        raise InputError(f"The {_WHAT} '{path}' holds no mesh, only {', '.join(others[:5]) or 'nothing'}; export one.")
    return {tag: _mesh(draft, tag, length) for tag, draft in drafts.items()}


def read_mesh(path: str | Path, name: str | None = None, *, length: str = "1") -> Mesh:
    """The mesh of a ``.mphtxt`` file.

    Args:
        path: of the file.
        name: tag of the mesh, where the file holds several.
        length: unit of the coordinates; the file does not say it.

    Raises:
        InputError: as `read_meshes`; several meshes and no ``name``.
    """
    meshes = read_meshes(path, length=length)
    if name is None and len(meshes) > 1:
        raise InputError(f"The {_WHAT} '{path}' holds several meshes; give one of them: {', '.join(meshes)}.")
    chosen = next(iter(meshes)) if name is None else name
    if chosen not in meshes:
        raise InputError(f"The {_WHAT} '{path}' holds no mesh '{chosen}'{did_you_mean(chosen, meshes)}")
    return meshes[chosen]


def _object(tokens: Tokens, tag: str, drafts: dict[str, _Draft]) -> list[str]:
    """Read an object; return what it is where it is none that is read here."""
    for what in ("a first number", "a second number", "a third number"):
        tokens.whole(f"{what} of an object")
    kind = tokens.text("a class")
    if kind == "Mesh":
        drafts[tag] = _read_mesh(tokens)
    elif kind == "Selection":
        _read_selection(tokens, drafts)
    else:
        # A geometry, an attribute: left out up to the line with which COMSOL starts the next object.
        tokens.skip_to(b"# --------- Object")
        return [f"'{tag}' ({kind[:40]})"]
    return []


def _read_mesh(tokens: Tokens) -> _Draft:
    version = tokens.whole("the version of the mesh", 100)
    dimension = tokens.whole("the number of dimensions", 3)
    if dimension == 0:
        return _Draft(np.zeros((0, 3)))
    n_points = tokens.whole("the number of points")
    lowest = tokens.whole("the lowest number of a point")
    draft = _Draft(tokens.reals(n_points * dimension, "the coordinates").reshape(-1, dimension))
    for _ in range(tokens.whole("the number of types of elements", _MOST)):
        draft.blocks.append(_read_block(tokens, version, draft.points, lowest))
    return draft


def _read_block(tokens: Tokens, version: int, points: Floats, lowest: int) -> CellBlock:
    name = tokens.text("a type of elements")
    width, count = tokens.whole("the number of nodes", 100), tokens.whole("the number of elements")
    kind = element_kind(name, width)
    if kind is None:
        raise tokens.damaged(f"elements '{name[:20]}' of {width} nodes, which are not known")
    nodes = tokens.wholes(count * width, f"the nodes of '{name}' elements").reshape(-1, width) - lowest
    if nodes.size and (nodes.min() < 0 or nodes.max() >= len(points)):
        raise tokens.damaged(f"the end of '{name}' elements, one of which has a node that is none of the points")
    comment = tokens.next_comment()
    older = "parameter" in comment if comment else version <= 2
    if older:
        tokens.whole("the number of values of a parameter", _MOST)
        # How many values stand in a row depends on version and type; a row is a line.
        tokens.skip_lines(tokens.whole("the number of parameters"), "the parameters")
    entities = tokens.wholes(tokens.whole("the number of geometric entities"), "the geometric entities")
    if older:
        tokens.wholes(2 * tokens.whole("the number of up/down pairs"), "the up/down pairs")
    return _block(tokens, kind, points, nodes, entities)


def _block(
    tokens: Tokens, kind: ElementKind, points: Floats, nodes: NDArray[np.int64], entities: NDArray[np.int64]
) -> CellBlock:
    ordered = nodes[:, list(kind.columns)]
    if not kind.follows(points, ordered):
        raise tokens.damaged(
            f"the end of '{kind.name}' elements, whose nodes do not stand in the order that is known (middle nodes "
            "are not near the middle of their edges)"
        )
    if len(entities) not in (0, len(nodes)):
        raise tokens.damaged(f"{len(entities)} geometric entities for {len(nodes)} elements")
    return CellBlock(kind.cell, ordered, {"entity": entities} if len(entities) == len(nodes) else {})


def _read_selection(tokens: Tokens, drafts: dict[str, _Draft]) -> None:
    tokens.whole("the version of the selection", 100)
    label = tokens.text("the label of the selection")
    owner = tokens.text("the mesh of the selection")
    dimension = tokens.whole("the dimension of the selection", 3)
    entities = tokens.wholes(tokens.whole("the number of entities"), "the entities")
    if owner in drafts:
        drafts[owner].selections[label] = (dimension, entities)


def _mesh(draft: _Draft, tag: str, length: str) -> Mesh:
    mesh = Mesh(draft.points if len(draft.points) else np.zeros((0, 3)), tuple(draft.blocks), length, name=tag)
    sets = {label: _selected(mesh, dimension, entities) for label, (dimension, entities) in draft.selections.items()}
    return replace(mesh, cell_sets=sets)


def _selected(mesh: Mesh, dimension: int, entities: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the cells that lie on the entities of a dimension."""
    found, start = [np.zeros(0, dtype=np.int64)], 0
    for block in mesh.cells:
        if block.kind.dimension == dimension and "entity" in block.tags:
            found.append(start + np.flatnonzero(np.isin(block.tags["entity"], entities)))
        start += len(block)
    return np.concatenate(found)
