"""Material laws of an RVE, one file each."""

from scalebridge.micro.rve.phases.anisotropic import Anisotropic
from scalebridge.micro.rve.phases.conductor import AnisotropicConductor, Conductor, TemperatureConductor
from scalebridge.micro.rve.phases.damage import IsotropicDamage
from scalebridge.micro.rve.phases.elastic import Elastic
from scalebridge.micro.rve.phases.fibre_reinforced import FibreReinforced
from scalebridge.micro.rve.phases.j2 import J2
from scalebridge.micro.rve.phases.maxwell import GeneralisedMaxwell
from scalebridge.micro.rve.phases.neo_hooke import NeoHooke
from scalebridge.micro.rve.phases.orthotropic import Orthotropic
from scalebridge.micro.rve.phases.phase import HistoryPhase, Parameter, Phase, with_parameters
from scalebridge.micro.rve.phases.power_law import PowerLaw
from scalebridge.micro.rve.phases.rigid import Rigid
from scalebridge.micro.rve.phases.torch_law import TorchHistoryLaw, TorchLaw
from scalebridge.micro.rve.phases.transversely_isotropic import TransverselyIsotropic
from scalebridge.micro.rve.phases.void import Void

__all__ = [
    "J2",
    "Anisotropic",
    "AnisotropicConductor",
    "Conductor",
    "Elastic",
    "FibreReinforced",
    "GeneralisedMaxwell",
    "HistoryPhase",
    "IsotropicDamage",
    "NeoHooke",
    "Orthotropic",
    "Parameter",
    "Phase",
    "PowerLaw",
    "Rigid",
    "TemperatureConductor",
    "TorchHistoryLaw",
    "TorchLaw",
    "TransverselyIsotropic",
    "Void",
    "with_parameters",
]
