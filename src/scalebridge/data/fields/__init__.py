"""Meshes and the fields on them: what a simulator computed, where, in which unit.

Names are imported on first use (PEP 562).

::

    mesh, fields = sb.data.read_mesh("plate.vtu", units={"S": "MPa"})
    fields["S"].von_mises().statistic("max")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.data.fields.cells import CellBlock
    from scalebridge.data.fields.columns import sampled
    from scalebridge.data.fields.datasets import fields_dataset
    from scalebridge.data.fields.field import Field
    from scalebridge.data.fields.mesh import Mesh
    from scalebridge.data.fields.pyvista_grids import from_pyvista
    from scalebridge.data.fields.reading import read_mesh
    from scalebridge.data.fields.series import read_steps
    from scalebridge.data.fields.writing import write_mesh

_HOME = {
    "CellBlock": "cells",
    "Field": "field",
    "Mesh": "mesh",
    "fields_dataset": "datasets",
    "from_pyvista": "pyvista_grids",
    "read_mesh": "reading",
    "read_steps": "series",
    "sampled": "columns",
    "write_mesh": "writing",
}

__all__ = [
    "CellBlock",
    "Field",
    "Mesh",
    "fields_dataset",
    "from_pyvista",
    "read_mesh",
    "read_steps",
    "sampled",
    "write_mesh",
]

__getattr__, __dir__ = attach(__name__, _HOME)
