"""Fine-scale models in the box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

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

__getattr__, __dir__ = attach(__name__, {name: _FOLDERS.get(name, "rve") for name in __all__})
