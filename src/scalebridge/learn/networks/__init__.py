"""Surrogates around neural networks: ensembles whose spread is fitted on rows that members had not seen.

Names are imported on first use; torch only when a network is fitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

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

__getattr__, __dir__ = attach(__name__, _HOME)
