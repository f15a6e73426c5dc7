"""Surrogates: learned models of models, each with an honest posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.learn.gaussian_process import GaussianProcess

__all__ = ["GaussianProcess"]


def __getattr__(name: str) -> Any:
    """Import torch only when a surrogate is asked for."""
    if name == "GaussianProcess":
        from scalebridge.learn.gaussian_process import GaussianProcess

        return GaussianProcess
    raise AttributeError(f"module 'scalebridge.learn' has no attribute '{name}'")
