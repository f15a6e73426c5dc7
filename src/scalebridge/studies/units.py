"""Units of the quantities of interest that the macro models in the box offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By the class that describes the quantity; all in SI, as the macro models are.
UNITS = {
    "ReactionForce": "N",
    "MeanDisplacement": "m",
    "MeanStress": "Pa",
    "MeanStrain": "1",
    "HeatFlow": "W",
    "MeanTemperature": "K",
    "TemperatureAt": "K",
    "MeanFlux": "W/m^2",
    "MeanGradient": "K/m",
}


def units_of(quantities: Mapping[str, Any]) -> dict[str, str]:
    """Return the unit of each quantity of interest whose class is known."""
    named = {name: type(quantity).__name__ for name, quantity in quantities.items()}
    return {name: UNITS[kind] for name, kind in named.items() if kind in UNITS}
