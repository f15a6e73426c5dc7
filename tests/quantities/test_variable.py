"""A variable: what it holds, what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scalebridge.errors import InputError, UnitError
from scalebridge.quantities import Variable


def test_a_number_has_one_component_and_no_bounds() -> None:
    v = Variable("T", "K")
    assert v.size == 1
    assert v.shape == ()
    assert v.limits == (-math.inf, math.inf)


def test_bounds_may_be_open_on_a_side() -> None:
    assert Variable("mu", "Pa*s", bounds=(0, None)).limits == (0.0, math.inf)
    assert Variable("mu", "Pa*s", bounds=[None, np.float64(3)]).limits == (-math.inf, 3.0)


def test_a_variable_is_a_value_that_can_be_a_key() -> None:
    assert Variable("a", bounds=[0, 1]) == Variable("a", bounds=(0, 1))
    assert len({Variable("a", bounds=[0, 1]), Variable("a", bounds=(0, 1))}) == 1
    assert Variable("a", shape=[2, 3]).shape == (2, 3)


def test_a_renamed_variable_keeps_everything_else() -> None:
    v = Variable("strain", "1", (3,), (-0.1, 0.1), "symmetric", "small")
    w = v.renamed("e")
    assert (w.name, w.shape, w.bounds, w.kind, w.description) == ("e", (3,), (-0.1, 0.1), "symmetric", "small")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "a b"}, "which is no identifier"),
        ({"name": ""}, "which is no identifier"),
        ({"name": 3}, "named '3', which is no identifier"),
        ({"shape": 3}, "shape 3; give a tuple"),
        ({"shape": (0,)}, r"shape \(0,\); give a tuple of whole numbers of at least 1"),
        ({"shape": (2.5,)}, "give a tuple of whole numbers"),
        ({"shape": "ab"}, "shape 'ab'"),
        ({"bounds": (1,)}, r"bounds \(1,\); give \(lower, upper\)"),
        ({"bounds": ("0", 1)}, r"give \(lower, upper\), numbers in 'm'"),
        ({"bounds": (2, 1)}, "the lower must be below the upper"),
        ({"bounds": (1, 1)}, "the lower must be below the upper"),
        ({"bounds": (math.nan, 1)}, "the lower must be below the upper"),
        ({"kind": "symetric"}, "did you mean 'symmetric'"),
        ({"kind": "symmetric", "shape": (4,)}, r"shape \(3,\) in plane strain and \(6,\) in a solid"),
    ],
)
def test_bad_declarations_are_refused_in_one_sentence(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        Variable(**{"name": "x", "unit": "m", **options})
    assert "\n" not in str(refusal.value)


def test_an_unknown_unit_is_refused_with_examples() -> None:
    with pytest.raises(UnitError, match="unit 'kelvins_', which is not known; write units as in"):
        Variable("T", "kelvins_")
