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


def test_tables_of_a_law_fit_the_width_and_keep_thirteen_digits():
    values = np.array([-1 / 3, 1e-300, -7e250, *np.arange(18.0)])
    constants = list(deck.anisotropic(values.tolist()))[1].split("\n")
    assert [len(row.split(",")) for row in constants] == [8, 8, 5]
    stresses = list(deck.initial_stresses(values.reshape(1, 7, 3)))[1:]
    words = [w for row in [*constants, *(r.split(",", 2)[2] for r in stresses)] for w in row.split(",")]
    assert all(len(word) <= 20 for word in words)
    np.testing.assert_allclose([float(w) for row in constants for w in row.split(",")], values, rtol=1e-12)
    assert stresses[6].startswith("1,7,1.5") and stresses[6].split(",")[4] == "0."
