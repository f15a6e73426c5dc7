"""Units between pint and COMSOL: everything travels in base units of the SI, which both spell alike."""

from __future__ import annotations

from functools import cache

from scalebridge.errors import UnitError
from scalebridge.quantities.units import conversion, registry

_BASE = {"kilogram": "kg", "meter": "m", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd"}
_BASE |= {"radian": "rad"}


@cache
def in_base_units(unit: str, owner: str) -> tuple[float, float, str]:
    """Factor and offset from ``unit`` to the base units, and those as COMSOL writes them: ``"kg*m^-1*s^-2"``.

    Raises:
        UnitError: a unit that has none (bits, money); one of turns (rpm), which are 2 pi here and 1 in COMSOL.
    """
    if unit == "1":
        return 1.0, 0.0, "1"
    turns = [name for name in registry().Unit(unit)._units if "turn" in name or "revolution" in name]
    if turns:
        raise UnitError(
            f"{owner} has the unit '{unit}'; a turn is 2 pi rad here and 1 in COMSOL (its rpm is 1/60 Hz); "
            "give 'rad/s', or '1/min' where the model counts turns."
        )
    powers = registry().Quantity(1, unit).to_base_units().units._units
    unknown = [name for name in powers if name not in _BASE]
    if unknown:
        raise UnitError(f"{owner} has the unit '{unit}', whose base unit '{unknown[0]}' COMSOL does not have.")
    parts = [f"{_BASE[name]}^{power:g}" if power != 1 else _BASE[name] for name, power in sorted(powers.items())]
    base = "*".join(parts) or "1"
    factor, offset = conversion(unit, base if parts else "dimensionless", owner)
    return factor, offset, base
