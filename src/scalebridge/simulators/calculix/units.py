"""Units of CalculiX's results: a deck has none, its author keeps to one system."""

from __future__ import annotations

from scalebridge.errors import InputError, did_you_mean

# What each result of the file is.
_DIMENSIONS = {
    "DISP": "length",
    "STRESS": "stress",
    "TOSTRAIN": "strain",
    "MESTRAIN": "strain",
    "PE": "strain",
    "FORC": "force",
    "NDTEMP": "temperature",
    "FLUX": "flux",
    "RFL": "power",
    "VELO": "velocity",
    "ENER": "stress",
    "ZZSTR": "stress",
    "THSTRAIN": "strain",
    "ERROR": "percentage",
    "HERROR": "percentage",
    # Imaginary parts, of steady-state dynamics and cyclic symmetry.
    "DISPI": "length",
    "STRESSI": "stress",
    "ZZSTRI": "stress",
    "TOSTRAII": "strain",
    "MESTRAII": "strain",
    "FORCI": "force",
    "ERRORI": "percentage",
    "HERRORI": "percentage",
}
SYSTEMS = {
    "m, kg, s": {
        "length": "m",
        "stress": "Pa",
        "strain": "1",
        "force": "N",
        "temperature": "K",
        "percentage": "percent",
        "flux": "W/m^2",
        "power": "W",
        "velocity": "m/s",
    },
    "mm, t, s": {
        "length": "mm",
        "stress": "MPa",
        "strain": "1",
        "force": "N",
        "temperature": "K",
        "percentage": "percent",
        "flux": "mW/mm^2",
        "power": "mW",
        "velocity": "mm/s",
    },
}


def field_units(system: str | None) -> dict[str, str]:
    """Return the unit of each result by its name in the ``.frd``, and of ``length``; all 1 where nobody said it.

    A result that is not listed has the unit 1. Temperatures are K: a deck in degrees Celsius is read without a system.

    Raises:
        InputError: an unknown system.
    """
    if system is None:
        return {"length": "1"}
    if system not in SYSTEMS:
        raise InputError(f"CalculiX's results were asked for in the units '{system}'{did_you_mean(system, SYSTEMS)}")
    units = SYSTEMS[system]
    return {"length": units["length"], **{name: units[what] for name, what in _DIMENSIONS.items()}}
