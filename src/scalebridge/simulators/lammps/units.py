"""From a quantity's own unit to the number that a LAMMPS script counts with, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scalebridge.errors import UnitError
from scalebridge.quantities.units import conversion, magnitude, registry
from scalebridge.simulators.lammps.reading import Reading
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES


@dataclass(frozen=True)
class Converted:
    """A straight line from a quantity's own unit to the number the script counts with.

    Args:
        factor: script number per unit.
        offset: script number at zero.
    """

    factor: float
    offset: float = 0.0

    def to_script(self, value: float) -> float:
        """Return the number for the script."""
        return self.factor * value + self.offset

    def reading(self, found: Reading) -> Reading:
        """Return a result of the script in the quantity's own unit."""
        return found.scaled(1.0 / self.factor, -self.offset / self.factor)


def converted(unit: str, style: str, given: str | None, owner: str) -> Converted:
    """Return how a quantity in ``unit`` is counted in a script.

    Args:
        unit: the quantity's own unit.
        style: the script's ``units``.
        given: what one in the script means, a unit or a quantity such as ``"119.8 K"`` for reduced numbers;
            ``None``: by the style.
        owner: whose unit it is, for messages.

    Raises:
        UnitError: units that do not convert, or a quantity the style says nothing of.
    """
    if given is not None:
        return _by_the_user(unit, given, owner)
    if unit == "1":
        return Converted(1.0)
    if style == "lj":
        raise UnitError(
            f"{owner} is in '{unit}', but the script has units lj, which are reduced numbers; give it the unit '1', "
            "or say what one is with script_unit, as in '119.8 K'."
        )
    found = _unit_of_style(unit, style)
    if found is None:
        raise UnitError(
            f"{owner} is in '{unit}', and units {style} of LAMMPS name no unit of that kind; say in what unit the "
            "script counts it with script_unit."
        )
    return Converted(*conversion(unit, found, owner))


def _by_the_user(unit: str, given: str, owner: str) -> Converted:
    if given != "1" and given.lstrip()[:1] in tuple("0123456789.+"):
        one = magnitude(given, unit, f"{owner}, one in the script,")
        if not one > 0:
            raise UnitError(f"{owner} counts by '{given}' in the script; give a positive quantity.")
        return Converted(1.0 / one)
    return Converted(*conversion(unit, given, owner))


@cache
def _unit_of_style(unit: str, style: str) -> str | None:
    """Return the style's unit of the same kind: a listed one, one per particle, or of length and time alone."""
    units = registry()
    try:
        wanted = units.Unit(unit).dimensionality
    except Exception as error:
        raise UnitError(f"The unit '{unit}' is not known; write units as in 'kg/m^3' or 'MPa'.") from error
    table = UNIT_STYLES[style]
    # What the style counts per mole is, for one particle, that over Avogadro's number.
    single = [f"{u}/avogadro_constant" for u in table.values() if u.startswith(("g/mol", "kcal/mol"))]
    for candidate in (*table.values(), *single):
        if units.Unit(candidate).dimensionality == wanted:
            return candidate
    powers = dict(wanted)
    if not powers or set(powers) - {"[length]", "[time]"}:
        return None
    return f"{table['length']}**{powers.get('[length]', 0)} * {table['time']}**{powers.get('[time]', 0)}"
