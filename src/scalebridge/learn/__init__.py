"""Surrogates: learned models of models, each with an honest posterior."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.learn import calibration
    from scalebridge.learn.calibration import Conformal, Online, Recalibrated
    from scalebridge.learn.gaussian_process import GaussianProcess

__all__ = ["Conformal", "GaussianProcess", "Online", "Recalibrated", "calibration"]

# One line each: where a name stands. Nothing heavy is imported before a name is asked for.
_PLACES = {
    "Conformal": "calibration.conformal",
    "GaussianProcess": "gaussian_process",
    "Online": "calibration.online",
    "Recalibrated": "calibration.recalibrated",
}


def __getattr__(name: str) -> Any:
    """Import torch and scikit-learn only when a surrogate is asked for."""
    if name == "calibration":
        return import_module("scalebridge.learn.calibration")
    if name in _PLACES:
        return getattr(import_module(f"scalebridge.learn.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'scalebridge.learn' has no attribute '{name}'")
