"""COMSOL: its exports, meshes and model files read without it, and COMSOL driven as a model through MPh.

Names are imported on first use (PEP 562).

::

    fields = sb.simulators.comsol.read_export("busbar.txt").fields("t=0.1")
    fields["T"].statistic("max")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.comsol.export import Export, read_export
    from scalebridge.simulators.comsol.mesh_file import read_mesh, read_meshes
    from scalebridge.simulators.comsol.model_file import ModelFile, read_model

_HOME = {
    "Export": "export",
    "ModelFile": "model_file",
    "read_export": "export",
    "read_mesh": "mesh_file",
    "read_meshes": "mesh_file",
    "read_model": "model_file",
}

__all__ = ["Export", "ModelFile", "read_export", "read_mesh", "read_meshes", "read_model"]

__getattr__, __dir__ = attach(__name__, _HOME)
