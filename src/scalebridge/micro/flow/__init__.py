"""Flow and diffusion through a pore space: permeability and tortuosity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach
from scalebridge.micro.flow.model import PoreFlow
from scalebridge.micro.flow.result import DARCY, LocalFlow, Permeability, Progress

if TYPE_CHECKING:
    from scalebridge.micro.flow.diffusion import Tortuosity, tortuosity

__all__ = ["DARCY", "LocalFlow", "Permeability", "PoreFlow", "Progress", "Tortuosity", "tortuosity"]

# SciPy comes with the diffusion alone.
__getattr__, _ = attach(__name__, {"Tortuosity": "diffusion", "tortuosity": "diffusion"})
