"""Stokes flow through a pore space: permeability."""

from scalebridge.micro.flow.model import PoreFlow
from scalebridge.micro.flow.result import DARCY, LocalFlow, Permeability, Progress

__all__ = ["DARCY", "LocalFlow", "Permeability", "PoreFlow", "Progress"]
