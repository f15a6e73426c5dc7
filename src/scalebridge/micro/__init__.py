"""Fine-scale models in the box."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.micro.rve import RVE, Elastic, LocalFields, Parameter, Phase, PowerLaw, Response

__all__ = ["RVE", "Elastic", "LocalFields", "Parameter", "Phase", "PowerLaw", "Response"]


def __getattr__(name: str) -> Any:
    """Import a model's folder on first use (PEP 562)."""
    if name in __all__:
        return getattr(importlib.import_module("scalebridge.micro.rve"), name)
    raise AttributeError(f"module 'scalebridge.micro' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
