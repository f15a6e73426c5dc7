"""Flow and diffusion through a pore space: permeability and tortuosity."""

from scalebridge.micro.flow.diffusion import Tortuosity, tortuosity
from scalebridge.micro.flow.model import PoreFlow
from scalebridge.micro.flow.result import DARCY, LocalFlow, Permeability, Progress

__all__ = ["DARCY", "LocalFlow", "Permeability", "PoreFlow", "Progress", "Tortuosity", "tortuosity"]
