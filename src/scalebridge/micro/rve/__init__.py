"""Representative volume elements: FFT homogenisation of phase images in plane strain."""

from scalebridge.micro.rve.model import RVE
from scalebridge.micro.rve.phases import Elastic, Parameter, Phase, PowerLaw
from scalebridge.micro.rve.response import LocalFields, Response

__all__ = ["RVE", "Elastic", "LocalFields", "Parameter", "Phase", "PowerLaw", "Response"]
