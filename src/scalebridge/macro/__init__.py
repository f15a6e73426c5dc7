"""Macro models in the box: solids, heat, flow through beds, with adjoints and mesh estimates; laminates, creep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.macro import laminate, meshes
    from scalebridge.macro.bed import Compression
    from scalebridge.macro.creep import CreepCompliance
    from scalebridge.macro.darcy import Darcy, FlowRate, MeanPressure
    from scalebridge.macro.heat import Heat
    from scalebridge.macro.quantities_of_interest import (
        HeatFlow,
        MeanDisplacement,
        MeanFlux,
        MeanGradient,
        MeanStrain,
        MeanStress,
        MeanTemperature,
        ReactionForce,
        Region,
        TemperatureAt,
    )
    from scalebridge.macro.solid import Solid
    from scalebridge.macro.torch_residual import adjoint

_LAZY = {
    "Compression": "bed",
    "CreepCompliance": "creep",
    "Darcy": "darcy",
    "FlowRate": "darcy",
    "Heat": "heat",
    "HeatFlow": "quantities_of_interest",
    "MeanDisplacement": "quantities_of_interest",
    "MeanFlux": "quantities_of_interest",
    "MeanGradient": "quantities_of_interest",
    "MeanPressure": "darcy",
    "MeanStrain": "quantities_of_interest",
    "MeanStress": "quantities_of_interest",
    "MeanTemperature": "quantities_of_interest",
    "ReactionForce": "quantities_of_interest",
    "Region": "quantities_of_interest",
    "Solid": "solid",
    "TemperatureAt": "quantities_of_interest",
    "adjoint": "torch_residual",
}

__all__ = [
    "Compression",
    "CreepCompliance",
    "Darcy",
    "FlowRate",
    "Heat",
    "HeatFlow",
    "MeanDisplacement",
    "MeanFlux",
    "MeanGradient",
    "MeanPressure",
    "MeanStrain",
    "MeanStress",
    "MeanTemperature",
    "ReactionForce",
    "Region",
    "Solid",
    "TemperatureAt",
    "adjoint",
    "laminate",
    "meshes",
]

__getattr__, __dir__ = attach(__name__, _LAZY, ("laminate", "meshes"))
