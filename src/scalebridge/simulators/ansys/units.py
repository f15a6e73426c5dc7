"""Units of an ANSYS file: none, unless /UNITS was given when it was written.

The code stands in the header (Mechanical APDL Command Reference, /UNITS): SI (m, kg, s, K), CGS (cm, g, s, degC),
BFT (ft, slug, s, degF), BIN (in, lbf s2/in, s, degF), MKS (m, kg, s, degC), MPA (mm, Mg, s, degC),
uMKS (um, kg, s, degC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class UnitSystem:
    """A system of units: names of the quantities that results have.

    Args:
        name: as ANSYS calls it; empty where the file does not say.
        length, stress, temperature: pint units.
    """

    name: str = ""
    length: str = "1"
    stress: str = "1"
    temperature: str = "1"

    def of(self, field: str) -> str:
        """Unit of a field of results; ``"1"`` where it is not known."""
        if not self.name:
            return "1"
        known: Mapping[str, str] = {
            "displacement": self.length,
            "rotation": "rad",
            "temperature": self.temperature,
            "stress": self.stress,
            "stress_top": self.stress,
            "voltage": "V" if self.name in ("SI", "MKS") else "1",
            "pressure": self.stress,
        }
        return known.get(field, "1")


_SYSTEMS = {
    1: UnitSystem("SI", "m", "Pa", "K"),
    2: UnitSystem("CGS", "cm", "dyn/cm^2", "degC"),
    3: UnitSystem("BFT", "ft", "lbf/ft^2", "degF"),
    4: UnitSystem("BIN", "in", "psi", "degF"),
    5: UnitSystem("MKS", "m", "Pa", "degC"),
    6: UnitSystem("MPA", "mm", "MPa", "degC"),
    7: UnitSystem("uMKS", "um", "MPa", "degC"),
}


def unit_system(code: int) -> UnitSystem:
    """The system of a code in a header; one without a name for 0, -1 and what is not known."""
    return _SYSTEMS.get(code, UnitSystem())


def named_system(name: str) -> UnitSystem:
    """The system of /UNITS,NAME; one without a name where it is USER or not known."""
    wanted = name.strip().upper()
    return next((s for s in _SYSTEMS.values() if s.name.upper() == wanted), UnitSystem())
