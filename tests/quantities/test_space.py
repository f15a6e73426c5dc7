"""A space: order, packing, refusal, and reading one space from another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebridge.errors import InputError, ShapeError, UnitError
from scalebridge.quantities import Space, Variable

MIXED = Space(
    [Variable("T", "K", bounds=(80, 700)), Variable("F", "1", (2, 2)), Variable("e", "1", (3,), kind="symmetric")]
)


def test_components_stand_in_the_order_of_the_space_flattened_in_c_order() -> None:
    assert MIXED.size == 8
    assert MIXED.component_names == ("T", "F[0,0]", "F[0,1]", "F[1,0]", "F[1,1]", "e[0]", "e[1]", "e[2]")
    parts = MIXED.unpack(np.arange(8.0)[None])
    np.testing.assert_array_equal(parts["F"][0], [[1, 2], [3, 4]])


@given(st.integers(0, 4), st.integers(0, 2**31))
def test_unpacking_undoes_packing(b: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((b, 8))
    np.testing.assert_array_equal(MIXED.pack(MIXED.unpack(x)), x)


def test_a_mapping_will_do_for_a_space() -> None:
    space = Space({"T": ("K", 80, 700), "rho": "kg/m^3", "e": Variable("other", "1", (3,))})
    assert space.names == ("T", "rho", "e")
    assert space["T"].bounds == (80, 700)
    assert space["e"].name == "e"
    assert Space(space) == space
    assert len(space) == 3


def test_bounds_hold_for_every_component() -> None:
    space = Space([Variable("v", "m", (2,), (0, 1)), Variable("w")])
    np.testing.assert_array_equal(space.lower, [0, 0, -np.inf])
    np.testing.assert_array_equal(space.upper, [1, 1, np.inf])
    np.testing.assert_array_equal(
        space.inside(np.array([[0, 1, 9], [0, 1.1, 9], [np.nan, 0, 0]])), [True, False, False]
    )


def test_an_empty_space_has_no_components() -> None:
    assert Space([]).size == 0
    assert Space([]).lower.shape == (0,)


@pytest.mark.parametrize("entries", [None, "abc", 3, [1, 2], {"a": 3}, {"a": ("K", 1)}, {"a": (1, 2, 3)}])
def test_what_is_no_space_is_refused(entries: object) -> None:
    with pytest.raises(InputError, match=r"give a list of Variable or a mapping|write a unit \"K\", a triple"):
        Space(entries)


def test_names_must_differ_and_a_missing_one_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'a' stands 2 times"):
        Space([Variable("a"), Variable("a")])
    with pytest.raises(InputError, match="no variable 'TT'; did you mean 'T'"):
        MIXED["TT"]


@pytest.mark.parametrize(
    "x", [np.zeros(8), np.zeros((2, 7)), np.zeros((1, 2, 8)), [["a"] * 8], [[1], [1, 2]], np.zeros((1, 8), complex)]
)
def test_a_batch_of_the_wrong_kind_is_refused_naming_its_owner(x: object) -> None:
    with pytest.raises(ShapeError, match="The plate"):
        MIXED.check(x, "The plate")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": [1.0, 2.0]}, "lacks the value 'b'; it gave a"),
        ({"a": [1.0], "b": [1.0], "c": [1.0]}, "a value 'c' it does not know"),
        ({"a": [1.0, 2.0], "b": [1.0]}, "1 samples of 'b' and 2 of 'a'"),
        ({"a": [[1.0]], "b": [1.0]}, r"'a' in the shape \(1,\) per sample; declared is \(\)"),
        ({"a": 1.0, "b": [1.0]}, "gave 'a' in the shape"),
        ({"a": ["x"], "b": [1.0]}, "values that are not numbers"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Space({"a": "1", "b": "1"}).pack(values, "The model 'm'")


def test_one_space_is_read_from_another_in_its_own_order_and_units() -> None:
    mine = Space({"p": "MPa", "T": "degC"})
    theirs = Space({"T": "K", "p": "Pa"})
    index, factor, offset = mine.conversion_to(theirs, "coupling")
    x = np.array([[2.0, 20.0]])
    np.testing.assert_allclose(factor * x[:, index] + offset, [[293.15, 2e6]])


@given(st.floats(-200, 2000), st.floats(-50, 50))
def test_reading_there_and_back_changes_nothing(t: float, g: float) -> None:
    one = Space({"T": "degC", "g": "K/mm"})
    two = Space({"g": "K/m", "T": "degF"})
    x = np.array([[t, g]])
    for a, b in ((one, two), (two, one)):
        index, factor, offset = a.conversion_to(b, "coupling")
        x = factor * x[:, index] + offset
    np.testing.assert_allclose(x, [[t, g]], rtol=1e-9, atol=1e-9)


def test_arrays_are_read_component_by_component() -> None:
    stress = Variable("s", "GPa", (3,), kind="symmetric")
    index, factor, offset = Space([Variable("a"), stress]).conversion_to(
        Space([Variable("s", "Pa", (3,), kind="symmetric"), Variable("a")]), "coupling"
    )
    np.testing.assert_array_equal(index, [1, 2, 3, 0])
    np.testing.assert_allclose(factor, [1e9, 1e9, 1e9, 1])
    np.testing.assert_array_equal(offset, 0)


def test_spaces_that_do_not_match_are_refused_with_the_call_to_make() -> None:
    one = Space({"T": "K", "rho": "kg/m^3"})
    with pytest.raises(InputError, match=r"'rho' on one side has no partner.*model\.fix"):
        one.conversion_to(Space({"T": "K"}), "coupling")
    with pytest.raises(InputError, match=r"'p' is asked for.*model\.rename"):
        Space({"T": "K"}).conversion_to(Space({"T": "K", "p": "Pa"}), "coupling")
    with pytest.raises(UnitError, match="do not convert"):
        Space({"T": "K"}).conversion_to(Space({"T": "m"}), "coupling")
    with pytest.raises(ShapeError, match=r"symmetric \(3,\) on one side and array \(3,\)"):
        Space([Variable("e", "1", (3,), kind="symmetric")]).conversion_to(Space([Variable("e", "1", (3,))]), "coupling")
