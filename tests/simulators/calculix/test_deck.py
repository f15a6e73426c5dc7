"""Decks: what CalculiX reads of a number is what was meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebridge.errors import InputError
from scalebridge.simulators.calculix import deck


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_digits_within_twenty_characters(value):
    text = deck.number(value)
    assert len(text) <= 20
    # Numbers below the smallest normal one have fewer digits themselves.
    assert float(text) == pytest.approx(value, rel=1e-12, abs=1e-300)


def test_a_number_that_fits_is_exact():
    assert deck.number(0.1) == "0.1" and float(deck.number(-1.25e-7)) == -1.25e-7


def test_a_number_that_is_none_is_refused():
    with pytest.raises(InputError, match="nan"):
        deck.number(float("nan"))


def test_an_element_of_twenty_nodes_goes_on_in_a_second_line():
    rows = list(deck.elements("C3D20", np.arange(20)[None]))
    assert rows[1].endswith(",") and len(rows[1].rstrip(",").split(",")) == 16
    assert rows[2] == "16,17,18,19,20"


def test_constants_are_eight_to_a_line():
    rows = list(deck.anisotropic([float(i) for i in range(21)]))
    assert [len(row.split(",")) for row in rows[1:]] == [8, 8, 5]
