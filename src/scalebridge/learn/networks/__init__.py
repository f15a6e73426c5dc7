"""Surrogates around neural networks: ensembles whose spread is fitted on rows that members had not seen.

Names are imported on first use; torch only when a network is fitted.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.learn.networks.branched_network import BranchedNetwork, BranchImportance
    from scalebridge.learn.networks.convolutional_network import ConvolutionalNetwork
    from scalebridge.learn.networks.network import Network
    from scalebridge.learn.networks.recipe import Recipe

_HOME = {
    "BranchImportance": "branched_network",
    "BranchedNetwork": "branched_network",
    "ConvolutionalNetwork": "convolutional_network",
    "Network": "network",
    "Recipe": "recipe",
}

__all__ = ["BranchImportance", "BranchedNetwork", "ConvolutionalNetwork", "Network", "Recipe"]


def __getattr__(name: str) -> Any:
    """Import the module of a public name on first use."""
    if name in _HOME:
        return getattr(importlib.import_module(f"scalebridge.learn.networks.{_HOME[name]}"), name)
    raise AttributeError(f"module 'scalebridge.learn.networks' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
