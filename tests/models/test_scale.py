"""The scale of a model."""

from __future__ import annotations

import pytest

import scalebridge as sb
from scalebridge.errors import InputError, UnitError


def test_spans_are_read_in_metres_and_seconds() -> None:
    scale = sb.Scale(length=("3 angstrom", "5 nm"), time=(1e-15, "1 ns"))
    assert scale.span("length") == pytest.approx((3e-10, 5e-9))
    assert scale.span("time") == pytest.approx((1e-15, 1e-9))
    assert sb.Scale().span("time") is None


@pytest.mark.parametrize("span", [(0, 1), (2, 1), (-1, 1), (float("nan"), 1), (1, float("inf")), (1,), "1 mm", 3])
def test_a_span_that_is_none_is_refused(span: object) -> None:
    with pytest.raises(InputError, match=r"give \(grain, extent\) with 0 < grain <= extent"):
        sb.Scale(length=span)


def test_a_length_in_seconds_is_refused() -> None:
    with pytest.raises(UnitError, match="does not convert to 'm'"):
        sb.Scale(length=("1 s", "2 s"))
