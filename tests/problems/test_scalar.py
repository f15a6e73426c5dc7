"""The published functions have their published values, indices and extremes, and are models."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from scalebridge import InputError
from scalebridge.problems import (
    ScalarFunction,
    borehole,
    currin,
    forrester,
    ishigami,
    otl_circuit,
    park,
    piston,
    wing_weight,
)
from scalebridge.testing import check_model

FUNCTIONS: dict[str, Callable[..., ScalarFunction]] = {
    "borehole": borehole,
    "otl_circuit": otl_circuit,
    "piston": piston,
    "wing_weight": wing_weight,
    "ishigami": ishigami,
    "forrester": forrester,
    "park": park,
    "currin": currin,
}
WITH_CHEAP = ("borehole", "forrester", "park", "currin")
# At the middle of the box, and at the fractions i/(d+1) of it; by uqtestfuns 0.7.0, where it has the function.
VALUES = {
    "borehole": (70.87291264, 23.39632357),
    "otl_circuit": (5.31061694, 5.78941194),
    "piston": (0.46439702, 0.487181),
    "wing_weight": (267.62469257, 256.24645178),
    "ishigami": (0.0, -1.60880682),
}


def box_points(f: ScalarFunction) -> np.ndarray:
    low, high, d = f.inputs.lower, f.inputs.upper, f.inputs.size
    return np.stack([0.5 * (low + high), low + (np.arange(d) + 1) / (d + 1) * (high - low)])


@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_of_another_implementation(name: str) -> None:
    f = FUNCTIONS[name]()
    np.testing.assert_allclose(f(box_points(f))[:, 0], VALUES[name], rtol=2e-8, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_keeps_the_contract_of_a_model(name: str) -> None:
    f = FUNCTIONS[name]()
    u = np.random.default_rng(0).random((4, f.inputs.size))
    check_model(f, f.inputs.lower + u * (f.inputs.upper - f.inputs.lower))
    assert f.source and np.isfinite(f.inputs.lower).all() and np.isfinite(f.inputs.upper).all()


@pytest.mark.parametrize("name", WITH_CHEAP)
def test_a_cheap_version_knows_the_finer_one_and_follows_it(name: str) -> None:
    cheap, fine = FUNCTIONS[name]("low"), FUNCTIONS[name]()
    assert cheap.finer == fine and fine.finer is None and cheap.inputs == fine.inputs
    u = np.random.default_rng(1).random((500, fine.inputs.size))
    x = fine.inputs.lower + u * (fine.inputs.upper - fine.inputs.lower)
    a, b = cheap(x)[:, 0], fine(x)[:, 0]
    assert not np.allclose(a, b)
    assert np.corrcoef(a, b)[0, 1] > (0.2 if name == "forrester" else 0.9)
    assert dict(cheap.identity()) != dict(fine.identity())


def test_cheap_versions_have_their_published_formulas() -> None:
    x = np.array([[0.3]])
    np.testing.assert_allclose(forrester("low")(x), 0.5 * forrester()(x) + 10 * (0.3 - 0.5) - 5, rtol=1e-14)
    x = np.array([[0.2, 0.4, 0.6, 0.8]])
    expected = (1 + math.sin(0.2) / 10) * park()(x) - 0.4 + 0.16 + 0.36 + 0.5
    np.testing.assert_allclose(park("low")(x), expected, rtol=1e-14)
    x = np.array([[0.5, 0.02]])
    corners = np.array([[0.55, 0.07], [0.55, 0.0], [0.45, 0.07], [0.45, 0.0]])
    np.testing.assert_allclose(currin("low")(x)[0, 0], currin()(corners).mean(), rtol=1e-14)
    # 5/(2 pi) of the flow where the leak dominates by far, as 1.5 instead of 1 then does not matter.
    point = np.array([[0.05, 50000, 63070, 990, 63.1, 820, 1680, 9855]])
    logarithm = math.log(1e6)
    leak = 2 * 1680 * 63070 / (logarithm * 0.05**2 * 9855)
    one = leak + 63070 / 63.1
    ratio = 5 / (2 * math.pi) * (1 + one) / (1.5 + one)
    np.testing.assert_allclose(borehole("low")(point) / borehole()(point), ratio, rtol=1e-13)


def test_the_sobol_indices_of_ishigami_are_the_published_ones_and_true() -> None:
    f = ishigami()
    np.testing.assert_allclose(f.known["first_order"], [0.3139, 0.4424, 0.0], atol=5e-5)
    np.testing.assert_allclose(f.known["total"], [0.5576, 0.4424, 0.2437], atol=5e-5)
    # Jansen's estimators on Gauss-Legendre points: products of trigonometric functions and a quartic, so exact.
    node, weight = np.polynomial.legendre.leggauss(40)
    x1, x2, x3 = np.meshgrid(*[math.pi * node] * 3, indexing="ij")
    y = f(np.stack([x1, x2, x3], axis=-1).reshape(-1, 3)).reshape(40, 40, 40)
    w = weight / 2
    mean = np.einsum("ijk,i,j,k", y, w, w, w)
    variance = np.einsum("ijk,i,j,k", (y - mean) ** 2, w, w, w)
    np.testing.assert_allclose([mean, variance], [f.known["mean"], f.known["variance"]], rtol=1e-10)
    axes = "ijk"
    for a in range(3):
        others = [b for b in range(3) if b != a]
        along = np.einsum(f"ijk,{axes[others[0]]},{axes[others[1]]}->{axes[a]}", y, w, w)
        assert np.sum(w * (along - mean) ** 2) / variance == pytest.approx(f.known["first_order"][a], abs=1e-10)
        given_others = np.einsum(f"ijk,{axes[a]}->{axes[others[0]]}{axes[others[1]]}", y, w)
        explained = np.einsum("ab,a,b", (given_others - mean) ** 2, w, w) / variance
        assert 1 - explained == pytest.approx(f.known["total"][a], abs=1e-10)


@pytest.mark.parametrize("name", ["borehole", "forrester", "park", "currin"])
def test_the_known_extreme_is_taken_where_it_is_said_and_nowhere_passed(name: str) -> None:
    f = FUNCTIONS[name]()
    sign, best = (-1, f.known["minimum"]) if "minimum" in f.known else (1, f.known["maximum"])
    assert f(f.known["at"][None])[0, 0] == pytest.approx(best, rel=1e-11)
    u = np.random.default_rng(0).random((20_000, f.inputs.size))
    x = f.inputs.lower + u * (f.inputs.upper - f.inputs.lower)
    assert (sign * f(x)[:, 0]).max() <= sign * best + 1e-9


def test_the_largest_flow_of_the_borehole_stands_in_a_corner() -> None:
    f = borehole()
    corners = np.array(list(itertools.product(*zip(f.inputs.lower, f.inputs.upper, strict=True))))
    assert f(corners).max() == pytest.approx(309.5755876604079, rel=1e-12)


def test_functions_have_values_on_the_border_where_the_textbook_form_has_none() -> None:
    assert np.isfinite(park()(np.array([[0.0, 0.5, 0.5, 0.5]]))).all()
    assert currin()(np.array([[0.0, 0.0]]))[0, 0] == pytest.approx(3.0)


def test_bad_input_is_answered_in_one_sentence() -> None:
    with pytest.raises(InputError, match="the fidelity 'medium'"):
        borehole("medium")
    with pytest.raises(InputError, match="with the columns x1, x2, x3"):
        ishigami().run(np.zeros((2, 2)))
    runs = ishigami().run(np.array([[0.0, np.nan, 0.0], [0.0, 0.0, 0.0]]))
    assert runs.status.tolist() == ["failed", "ok"]
