"""Unit conversion by pint, imported on first use only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from scalebridge.errors import UnitError

if TYPE_CHECKING:
    import pint


@cache
def registry() -> pint.UnitRegistry[Any]:
    """Return the one unit registry of this process (offset units such as degC included)."""
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def check_unit(unit: str, owner: str) -> None:
    """Raise `UnitError` unless ``unit`` can be parsed; ``owner`` names whose unit it is."""
    if unit == "1":
        return
    try:
        registry().Unit(unit)
    except Exception as error:
        raise UnitError(
            f"{owner} has the unit '{unit}', which is not known; "
            "write units as in 'kg/m^3', 'MPa', 'W/(m*K)' or '1' for none."
        ) from error


def conversion(source: str, target: str, owner: str) -> tuple[float, float]:
    """Return ``(factor, offset)`` with ``value_target = factor * value_source + offset``.

    Raises `UnitError` when the two units measure different things.
    """
    if source == target:
        return 1.0, 0.0
    check_unit(source, owner)
    check_unit(target, owner)
    quantity, goal = registry().Quantity, _unit(target)
    try:
        zero = float(quantity(0.0, _unit(source)).to(goal).magnitude)
        one = float(quantity(1.0, _unit(source)).to(goal).magnitude)
        two = float(quantity(2.0, _unit(source)).to(goal).magnitude)
    except Exception as error:
        raise UnitError(
            f"{owner} is in '{source}' on one side and in '{target}' on the other, which do not convert; "
            "give both sides units of the same kind."
        ) from error
    if abs(two - 2 * one + zero) > 1e-9 * abs(two - zero):
        raise UnitError(
            f"{owner} is in '{source}' on one side and in '{target}' on the other, which convert by no straight line "
            "(a logarithmic unit); give both sides the same unit."
        )
    return one - zero, zero


def magnitude(value: str | float, unit: str, owner: str) -> float:
    """Return a number in ``unit`` from ``value``: a number already in it or a text such as ``"1.2 g/cm^3"``."""
    if not isinstance(value, str):
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise UnitError(f"{owner} = {value!r} is no number; write a number in '{unit}' or a text.") from error
    try:
        quantity: Any = registry().Quantity(value)
    except Exception as error:
        raise UnitError(f"{owner} = '{value}' is not a quantity; write a number and a unit, as in '3 mm'.") from error
    # "12" alone is a number in the unit wanted; "5 %" is not, though it has no dimension either.
    if unit != "1" and quantity.units == registry().dimensionless:
        return float(quantity.magnitude)
    try:
        return float(quantity.to(_unit(unit)).magnitude)
    except Exception as error:
        raise UnitError(f"{owner} = '{value}' does not convert to '{unit}'; give it in such a unit.") from error


def _unit(name: str) -> Any:
    return registry().Unit("dimensionless" if name == "1" else name)
