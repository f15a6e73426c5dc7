"""Fine-scale models in the box."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.micro.flow import PoreFlow, Tortuosity, tortuosity
    from scalebridge.micro.rve import (
        J2,
        RVE,
        Anisotropic,
        AnisotropicConductor,
        ConductivityModel,
        Conductor,
        Elastic,
        Ensemble,
        FibreReinforced,
        GeneralisedMaxwell,
        HistoryPhase,
        IsotropicDamage,
        LocalFields,
        NeoHooke,
        Orthotropic,
        Parameter,
        PathResponse,
        Phase,
        PowerLaw,
        Response,
        Rigid,
        RVEState,
        TemperatureConductor,
        TorchHistoryLaw,
        TorchLaw,
        TransverselyIsotropic,
        Void,
        effective_expansion,
        effective_tensor,
        engineering_constants,
        hashin_shtrikman,
        hashin_shtrikman_conductivity,
        homogenise_many,
        mean_stress,
        nearest_isotropic,
        nearest_transversely_isotropic,
        voigt,
        voigt_reuss,
        with_parameters,
    )

__all__ = [
    "J2",
    "RVE",
    "Anisotropic",
    "AnisotropicConductor",
    "ConductivityModel",
    "Conductor",
    "Elastic",
    "Ensemble",
    "FibreReinforced",
    "GeneralisedMaxwell",
    "HistoryPhase",
    "IsotropicDamage",
    "LocalFields",
    "NeoHooke",
    "Orthotropic",
    "Parameter",
    "PathResponse",
    "Phase",
    "PoreFlow",
    "PowerLaw",
    "RVEState",
    "Response",
    "Rigid",
    "TemperatureConductor",
    "TorchHistoryLaw",
    "TorchLaw",
    "Tortuosity",
    "TransverselyIsotropic",
    "Void",
    "effective_expansion",
    "effective_tensor",
    "engineering_constants",
    "hashin_shtrikman",
    "hashin_shtrikman_conductivity",
    "homogenise_many",
    "mean_stress",
    "nearest_isotropic",
    "nearest_transversely_isotropic",
    "tortuosity",
    "voigt",
    "voigt_reuss",
    "with_parameters",
]

# Names that are not in the folder of the RVE.
_FOLDERS: dict[str, str] = {"PoreFlow": "flow", "Tortuosity": "flow", "tortuosity": "flow"}


def __getattr__(name: str) -> Any:
    """Import a model's folder on first use (PEP 562)."""
    if name in __all__:
        return getattr(importlib.import_module(f"scalebridge.micro.{_FOLDERS.get(name, 'rve')}"), name)
    raise AttributeError(f"module 'scalebridge.micro' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
