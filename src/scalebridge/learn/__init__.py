"""Surrogates: learned models of models, each with an honest posterior."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebridge.learn import acquisition, calibration
    from scalebridge.learn.archive import load, save
    from scalebridge.learn.calibration import Conformal, Online, Recalibrated
    from scalebridge.learn.card import model_card
    from scalebridge.learn.ensemble import Ensemble
    from scalebridge.learn.found import known_surrogates, surrogate_named
    from scalebridge.learn.gaussian_process import GaussianProcess
    from scalebridge.learn.gradient_boosting import GradientBoosting
    from scalebridge.learn.polynomial_chaos import PolynomialChaos
    from scalebridge.learn.quantile_forest import QuantileForest
    from scalebridge.learn.random_forest import RandomForest
    from scalebridge.learn.scikit_learn import ScikitLearn

__all__ = [
    "Conformal",
    "Ensemble",
    "GaussianProcess",
    "GradientBoosting",
    "Online",
    "PolynomialChaos",
    "QuantileForest",
    "RandomForest",
    "Recalibrated",
    "ScikitLearn",
    "acquisition",
    "calibration",
    "known_surrogates",
    "load",
    "model_card",
    "save",
    "surrogate_named",
]

# One line each: where a name stands. Nothing heavy is imported before a name is asked for.
_PLACES = {
    "Conformal": "calibration.conformal",
    "Ensemble": "ensemble",
    "GaussianProcess": "gaussian_process",
    "GradientBoosting": "gradient_boosting",
    "Online": "calibration.online",
    "PolynomialChaos": "polynomial_chaos",
    "QuantileForest": "quantile_forest",
    "RandomForest": "random_forest",
    "Recalibrated": "calibration.recalibrated",
    "ScikitLearn": "scikit_learn",
    "known_surrogates": "found",
    "load": "archive",
    "model_card": "card",
    "save": "archive",
    "surrogate_named": "found",
}


def __getattr__(name: str) -> Any:
    """Import torch and scikit-learn only when a surrogate is asked for."""
    if name in ("acquisition", "calibration"):
        return import_module(f"scalebridge.learn.{name}")
    if name in _PLACES:
        return getattr(import_module(f"scalebridge.learn.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'scalebridge.learn' has no attribute '{name}'")
