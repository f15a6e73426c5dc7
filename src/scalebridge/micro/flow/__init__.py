"""Flow and diffusion through a pore space: permeability and tortuosity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalebridge.micro.flow.model import PoreFlow
from scalebridge.micro.flow.result import DARCY, LocalFlow, Permeability, Progress

if TYPE_CHECKING:
    from scalebridge.micro.flow.diffusion import Tortuosity, tortuosity

__all__ = ["DARCY", "LocalFlow", "Permeability", "PoreFlow", "Progress", "Tortuosity", "tortuosity"]


def __getattr__(name: str) -> Any:
    """Import the diffusion, and SciPy with it, on first use (PEP 562)."""
    if name in ("Tortuosity", "tortuosity"):
        from scalebridge.micro.flow import diffusion

        return getattr(diffusion, name)
    raise AttributeError(f"module 'scalebridge.micro.flow' has no attribute '{name}'")
