"""Values of a field on a patch of the boundary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.errors import InputError
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam.components import symmetric, whole
from scalebridge.simulators.openfoam.field_file import FieldFile
from scalebridge.simulators.openfoam.foam_file import FoamList
from scalebridge.simulators.openfoam.poly_mesh import PolyMesh

# Patches whose values are those of the cells behind them.
_CONTINUED = ("zeroGradient", "empty", "inletOutlet", "calculated")
# Patches whose values are halfway between those of the cells behind them and their mirror images.
_MIRRORS = ("symmetry", "symmetryPlane", "slip")
# Patches that join cells: what a file says there, if anything, depends on how the case is decomposed.
_JOINTS = re.compile(r"cyclic\w*|processor\w*")
_PATTERN = re.compile(r"(\w|\.\*|\((\w+\|)*\w+\))+")


def on_patch(file: FieldFile, mesh: PolyMesh, name: str) -> Floats:
    """Values ``[faces, *shape]`` on a patch: what the file says there, else what the cells behind it tell.

    NaN where neither does: where the patch joins cells (``cyclic``), or has a condition that needs more than a cell.

    Raises:
        InputError: no such patch; a field that does not fit the mesh.
    """
    patch = mesh.patch(name)
    inside = file.values(len(mesh.order))
    if inside is None:
        raise wrong_size(file.path, file.internal.size, len(mesh.order))
    behind: Floats = inside[mesh.owner[patch.faces]]
    entries = _entries(file, name)
    kind, given = str(entries.get("type")), entries.get("value")
    if isinstance(given, FoamList) and not _JOINTS.fullmatch(kind):
        values = file.values(patch.size, given)
        if values is None:
            raise wrong_size(file.path, given.size, patch.size)
        return values
    if kind == "noSlip":
        return np.zeros_like(behind)
    if kind in _MIRRORS:
        normals = mesh.normals(name)
        mirror = np.eye(3) - 2.0 * normals[:, :, None] * normals[:, None, :]
        return 0.5 * behind + 0.5 * _turned(behind, mirror)
    if kind == "wedge":
        return _turned(behind, _to_the_side(mesh.normals(name)))
    return behind if kind in _CONTINUED else np.full_like(behind, np.nan)


def wrong_size(path: Path, found: int, wanted: int) -> InputError:
    """The sentence of a field that does not fit its mesh."""
    return InputError(
        f"The file '{path}' has {found} values, and its mesh has room for {wanted}; read a field with the mesh that "
        "it was computed on."
    )


def _turned(values: Floats, matrices: Floats) -> Floats:
    """Numbers, vectors or tensors ``[f, *shape]`` in turned or mirrored axes; ``matrices [f, 3, 3]``."""
    if values.ndim == 1:
        return values
    # Values of a damaged file may be of any size.
    with np.errstate(over="ignore", invalid="ignore"):
        if values.shape[1:] == (3,):
            vectors: Floats = (matrices @ values[:, :, None])[:, :, 0]
            return vectors
        tensors = whole(values) if values.shape[1:] == (6,) else values
        turned: Floats = matrices @ tensors @ matrices.transpose(0, 2, 1)
        return symmetric(turned) if values.shape[1:] == (6,) else turned


def _to_the_side(normals: Floats) -> Floats:
    """Rotations ``[f, 3, 3]`` from the middle plane of a wedge, which lies along the axes, to its side."""
    flat = np.sign(normals) * np.maximum(np.abs(normals) - 0.5, 0.0)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    middle = flat / np.where(length > 0.0, length, 1.0)
    cosine = np.sum(middle * normals, axis=1)[:, None, None]
    outer = normals[:, :, None] * middle[:, None, :]
    across = outer - outer.transpose(0, 2, 1)
    rotations: Floats = np.eye(3) + across + across @ across / (1.0 + cosine)
    return rotations


def _entries(file: FieldFile, name: str) -> Mapping[str, Any]:
    """The entries of a patch, by its name or by a pattern that matches it."""
    if name in file.patches:
        return file.patches[name]
    for pattern in reversed(list(file.patches)):
        # Only what a pattern of patches needs: nothing that could take for ever.
        if (
            len(pattern) < 100
            and _PATTERN.fullmatch(pattern)
            and pattern.count("*") < 4
            and re.fullmatch(pattern, name)
        ):
            return file.patches[pattern]
    return {}
