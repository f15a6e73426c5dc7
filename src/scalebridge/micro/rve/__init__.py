"""Representative volume elements: FFT homogenisation of phase images, in the plane and in space."""

from scalebridge.micro.rve.bounds import hashin_shtrikman, hashin_shtrikman_conductivity, voigt_reuss
from scalebridge.micro.rve.constants import engineering_constants, nearest_isotropic, voigt
from scalebridge.micro.rve.differentiable import effective_expansion, effective_tensor, mean_stress
from scalebridge.micro.rve.ensemble import Ensemble, homogenise_many
from scalebridge.micro.rve.model import RVE
from scalebridge.micro.rve.paths import PathResponse, RVEState
from scalebridge.micro.rve.phases import (
    J2,
    Anisotropic,
    AnisotropicConductor,
    Conductor,
    Elastic,
    FibreReinforced,
    GeneralisedMaxwell,
    HistoryPhase,
    IsotropicDamage,
    NeoHooke,
    Orthotropic,
    Parameter,
    Phase,
    PowerLaw,
    Rigid,
    TemperatureConductor,
    TorchHistoryLaw,
    TorchLaw,
    TransverselyIsotropic,
    Void,
    with_parameters,
)
from scalebridge.micro.rve.response import LocalFields, Response
from scalebridge.micro.rve.temperature import ConductivityModel
from scalebridge.micro.rve.transverse import nearest_transversely_isotropic

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
    "PowerLaw",
    "RVEState",
    "Response",
    "Rigid",
    "TemperatureConductor",
    "TorchHistoryLaw",
    "TorchLaw",
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
    "voigt",
    "voigt_reuss",
    "with_parameters",
]
