"""Material laws of an RVE, one file each."""

from scalebridge.micro.rve.phases.elastic import Elastic
from scalebridge.micro.rve.phases.phase import Parameter, Phase
from scalebridge.micro.rve.phases.power_law import PowerLaw

__all__ = ["Elastic", "Parameter", "Phase", "PowerLaw"]
