"""COMSOL: its exports, meshes and model files read without it, and COMSOL driven as a model through MPh.

Names are imported on first use (PEP 562).

::

    fields = sb.simulators.comsol.read_export("busbar.txt").fields("t=0.1")
    capacitor = sb.simulators.comsol.Comsol(
        "capacitor.mph", inputs={"d": ("mm", 1, 5)}, outputs={"C": "pF"}, results={"C": "2*es.intWe/U^2"}
    )
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.simulators.comsol.evaluation import Evaluation, Exported
    from scalebridge.simulators.comsol.export import Export, read_export
    from scalebridge.simulators.comsol.mesh_file import read_mesh, read_meshes
    from scalebridge.simulators.comsol.model import Comsol, stop
    from scalebridge.simulators.comsol.model_file import ModelFile, read_model

_HOME = {
    "Comsol": "model",
    "Evaluation": "evaluation",
    "Export": "export",
    "Exported": "evaluation",
    "ModelFile": "model_file",
    "read_export": "export",
    "read_mesh": "mesh_file",
    "read_meshes": "mesh_file",
    "read_model": "model_file",
    "stop": "model",
}

__all__ = [
    "Comsol",
    "Evaluation",
    "Export",
    "Exported",
    "ModelFile",
    "read_export",
    "read_mesh",
    "read_meshes",
    "read_model",
    "stop",
]

__getattr__, __dir__ = attach(__name__, _HOME)
