"""OpenFOAM's ``dimensions [..]`` as a unit."""

from __future__ import annotations

from collections.abc import Sequence

# Exponents of kg, m, s, K, mol, A, cd, in OpenFOAM's order.
BASE = ("kg", "m", "s", "K", "mol", "A", "cd")
_KNOWN: dict[tuple[float, ...], str] = {
    (1, -1, -2, 0, 0, 0, 0): "Pa",
    (1, -1, -1, 0, 0, 0, 0): "Pa*s",
    (1, 1, -2, 0, 0, 0, 0): "N",
    (1, 2, -2, 0, 0, 0, 0): "J",
    (1, 2, -3, 0, 0, 0, 0): "W",
    (1, 0, -3, 0, 0, 0, 0): "W/m^2",
    (1, 1, -3, -1, 0, 0, 0): "W/(m*K)",
    (1, -3, 0, 0, 0, 0, 0): "kg/m^3",
    (0, 1, -1, 0, 0, 0, 0): "m/s",
    (0, 2, -1, 0, 0, 0, 0): "m^2/s",
    (0, 2, -2, 0, 0, 0, 0): "m^2/s^2",
    (0, 2, -3, 0, 0, 0, 0): "m^2/s^3",
    (0, 0, -1, 0, 0, 0, 0): "1/s",
}
# The Foundation's names of dimension sets: ``dimensions [velocity]``.
NAMED = {
    "dimensionless": "1",
    "length": "m",
    "temperature": "K",
    "velocity": "m/s",
    "pressure": "Pa",
    "kinematicPressure": "m^2/s^2",
    "density": "kg/m^3",
    "dynamicViscosity": "Pa*s",
    "kinematicViscosity": "m^2/s",
    "thermalConductivity": "W/(m*K)",
}


def unit_of(exponents: Sequence[float]) -> str:
    """The unit of seven exponents (or five, without current and light): ``[0 2 -2 0 0 0 0]`` is ``"m^2/s^2"``."""
    whole = (*exponents, *[0.0] * (7 - len(exponents)))
    if whole in _KNOWN:
        return _KNOWN[whole]
    factors = [name if power == 1 else f"{name}^{power:g}" for name, power in zip(BASE, whole, strict=True) if power]
    return "*".join(factors) or "1"


def meaning_of(name: str, unit: str) -> str:
    """What a name says only together with its unit: the pressure of incompressible solvers is divided by density."""
    if name in ("p", "p_rgh") and unit == "m^2/s^2":
        return "kinematic pressure: pressure over density"
    return ""
