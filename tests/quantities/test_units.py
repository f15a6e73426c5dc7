"""Units at the edges: straight-line conversion, quantities in words, refusals."""

from __future__ import annotations

import math

import pytest

from scalebridge.errors import UnitError
from scalebridge.quantities.units import conversion, magnitude


@pytest.mark.parametrize(
    ("source", "target", "factor", "offset"),
    [
        ("Pa", "MPa", 1e-6, 0.0),
        ("degC", "K", 1.0, 273.15),
        ("K", "degC", 1.0, -273.15),
        ("degF", "degC", 5 / 9, -160 / 9),
        ("degC/m", "K/m", 1.0, 0.0),
        ("W/(m*K)", "W/(cm*degC)", 0.01, 0.0),
        ("percent", "1", 0.01, 0.0),
        ("anything at all", "anything at all", 1.0, 0.0),
    ],
)
def test_a_conversion_is_a_factor_and_an_offset(source: str, target: str, factor: float, offset: float) -> None:
    assert conversion(source, target, "x") == pytest.approx((factor, offset), rel=1e-12)


def test_a_logarithmic_unit_has_no_straight_line() -> None:
    with pytest.raises(UnitError, match="convert by no straight line"):
        conversion("dB", "1", "The gain")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (3, "m", 3.0),
        ("3 mm", "m", 3e-3),
        ("12", "m", 12.0),
        ("1.2 g/cm^3", "kg/m^3", 1200.0),
        ("20 degC", "K", 293.15),
        ("5 %", "1", 0.05),
        ("3 angstrom", "nm", 0.3),
        (math.inf, "m", math.inf),
    ],
)
def test_a_quantity_is_a_number_or_a_text_with_a_unit(value: object, unit: str, expected: float) -> None:
    assert magnitude(value, unit, "x") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "unit", "message"),
    [
        ("three mm", "m", "is not a quantity|does not convert"),
        ("", "m", "is not a quantity"),
        ("3 K", "m", "does not convert to 'm'"),
        ("5 %", "m", "does not convert to 'm'"),
        (None, "m", "is no number"),
        ([1], "m", "is no number"),
    ],
)
def test_what_is_no_quantity_is_refused_by_name(value: object, unit: str, message: str) -> None:
    with pytest.raises(UnitError, match=message) as refusal:
        magnitude(value, unit, "The gap")
    assert str(refusal.value).startswith("The gap")
