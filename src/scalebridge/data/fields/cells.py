"""Cells of one type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scalebridge.data.columns import frozen
from scalebridge.data.fields.cell_types import CellType, cell_type
from scalebridge.errors import InputError, ShapeError


@dataclass(frozen=True, eq=False)
class CellBlock:
    """Cells of one type, as rows of node numbers.

    Args:
        type: meshio's name, such as ``"triangle"``, ``"tetra10"`` or ``"hexahedron"``.
        nodes: ``[e, k]`` whole numbers, rows of the mesh's points from 0; corners first, in VTK's order.
        tags: from name to ``[e]`` numbers, such as a material or a region.

    Raises:
        InputError: an unknown type, node numbers that are no whole numbers.
        ShapeError: a number of nodes that the type does not have, tags of another length.
    """

    type: str
    nodes: NDArray[np.int64]
    tags: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kind, nodes = cell_type(self.type), np.asarray(self.nodes)
        if nodes.ndim != 2 or nodes.shape[1] != (kind.n_nodes or nodes.shape[1]) or nodes.shape[1] < 1:
            raise ShapeError(
                f"Cells of the type '{self.type}' have nodes of the shape {nodes.shape}; give [cells, "
                f"{kind.n_nodes or 'nodes'}]."
            )
        object.__setattr__(self, "nodes", frozen(whole(nodes, f"The nodes of the '{self.type}' cells")))
        tags = {name: frozen(np.asarray(tag)) for name, tag in self.tags.items()}
        for name, tag in tags.items():
            if tag.shape != (len(nodes),) or tag.dtype.kind not in "buif":
                raise ShapeError(
                    f"The tag '{name}' of '{self.type}' cells has the shape {tag.shape} and holds {tag.dtype}; give "
                    f"one number for each of the {len(nodes)} cells."
                )
        object.__setattr__(self, "tags", MappingProxyType(tags))

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def kind(self) -> CellType:
        """Dimension, nodes and corners of the type."""
        return cell_type(self.type)

    @property
    def corners(self) -> NDArray[np.int64]:
        """The corner nodes ``[e, c]``."""
        corners: NDArray[np.int64] = self.nodes[:, : cell_type(self.kind.corners).n_nodes or None]
        return corners


def whole(values: Any, owner: str) -> NDArray[np.int64]:
    """``values`` as int64.

    Raises:
        InputError: values that are no whole numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array.astype(np.int64, copy=False)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype.kind == "f" and bool(np.all(np.abs(array) < 2**53)) and bool(np.all(array == np.floor(array))):
        return array.astype(np.int64)
    raise InputError(f"{owner} hold values that are no whole numbers ({array.dtype}); give numbers of points from 0.")
