import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebridge.reports import numbers


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (41.3712, 0.331, ("41.37", "0.33", "")),
        (12345.6, 98.0, ("12\u202f346", "98", "")),
        (-0.5, 0.0123, ("−0.500", "0.012", "")),
        (4.137e-11, 3.3e-13, ("4.137", "0.033", "10⁻¹¹")),
        (1.0, None, ("1.0000", "", "")),
    ],
)
def test_a_value_has_the_digits_its_half_width_justifies(
    value: float, half: float | None, shown: tuple[str, str, str]
) -> None:
    assert numbers.uncertain(value, half) == shown


@given(st.floats(-1e30, 1e30), st.floats(1e-30, 1e30))
def test_any_interval_is_written_in_order_with_ends_that_differ(low: float, width: float) -> None:
    text = numbers.pair(low, low + width)
    assert text.startswith("[") and "nan" not in text
    assert text == numbers.pair(low + width, low)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_written_is_within_a_digit_of_itself(x: float) -> None:
    text = numbers.plain(x, 4).replace("−", "-").replace("\u202f", "")
    mantissa, _, power = text.partition(" × 10")
    digits = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    assert math.isclose(float(f"{mantissa}e{digits or 0}"), x, rel_tol=6e-4, abs_tol=1e-300)


def test_what_is_no_number_is_a_dash() -> None:
    assert numbers.plain(None) == numbers.plain(math.nan) == numbers.seconds(None) == numbers.percent(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.012, "12 ms"), (3.21, "3.2 s"), (143.0, "2.4 min"), (7300.0, "2.0 h"), (260000.0, "3.0 days")],
)
def test_durations_are_said_as_people_say_them(seconds: float, shown: str) -> None:
    assert numbers.seconds(seconds) == shown


def test_units_are_printed_and_take_prefixes() -> None:
    assert numbers.unit_text("W/(m*K)") == "W/(m·K)"
    assert numbers.unit_text("kg/m^3") == "kg/m³" and numbers.unit_text("m**-2") == "m⁻²"
    assert numbers.unit_text("1") == ""
    assert numbers.prefixed("Pa", 2.5e8) == (pytest.approx(1e-6), "MPa")
    assert numbers.prefixed("K", 300.0) == (1.0, "K")
    assert numbers.prefixed("W/(m*K)", 2.5e7)[1] == "10⁶ W/(m·K)"


def test_a_share_is_written_in_per_cent() -> None:
    assert [numbers.percent(p) for p in (0.01, 0.95, 0.0123, 1.0, 206.3, 2.9e-12)] == [
        "1\u00a0%", "95\u00a0%", "1.2\u00a0%", "100\u00a0%", "20\u202f630\u00a0%", "2.9 × 10⁻¹⁰\u00a0%",
    ]  # fmt: skip
