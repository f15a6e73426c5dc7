"""The bar: exact answers, exact adjoint, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import ClosureValue, MacroModel
from scalebridge.problems import Bar, QuadraticConductivity, direct_closure, random_conduction_laminate
from scalebridge.problems.assumptions import heated_bar, smooth_micro, tapered_bar
from scalebridge.problems.root import increasing_root
from scalebridge.quantities import Variable
from scalebridge.testing import check_macro

MICRO = random_conduction_laminate(np.random.default_rng(1))


def linear(conductivity: float):
    return lambda x: ClosureValue(conductivity * x, np.full((len(x), 1, 1), conductivity), np.ones(len(x), bool))


BARS = {
    "tapered": Bar(area=lambda x: 1 + x, right=("value", 3.0)),
    "pulled at the left": Bar(left=("flow", -1.0), right=("value", 2.0), source=np.sin),
    "pulled at the right": Bar(left=("value", 1.0), right=("flow", 0.3), source=0.2, n_elements=7),
    "one element": Bar(n_elements=1),
}


@pytest.mark.parametrize("name", BARS)
def test_every_bar_keeps_the_contract_with_a_flux(name: str) -> None:
    assert isinstance(BARS[name], MacroModel)
    check_macro(BARS[name], MICRO)


@pytest.mark.parametrize("name", BARS)
def test_every_bar_keeps_the_contract_with_a_conductivity(name: str) -> None:
    check_macro(replace(BARS[name], closure="conductivity"), QuadraticConductivity())


def test_a_heated_bar_visits_gradients_of_both_signs() -> None:
    states = heated_bar().solve(direct_closure(smooth_micro())).states
    assert states.min() < -0.5
    assert states.max() > 0.5


def test_a_linear_bar_of_constant_area_has_the_textbook_answer() -> None:
    solution = Bar(10, 2.0, 3.0, 0.5, ("value", 1.0), ("value", 4.0)).solve(linear(2.0))
    # A k u'' = -s: A k u'(0) = A k (u1 - u0)/L + s L/2; nodal values exact; one state per element.
    assert solution.qois["flow"] == pytest.approx(3 * 2 * 1.5 + 0.5, rel=1e-12)
    x = np.linspace(0, 2, 11)
    np.testing.assert_allclose(solution.fields["value"], 1 + 1.5 * x + 0.5 * x * (2 - x) / 12, rtol=1e-12)
    assert solution.states.shape == (10, 1)


def test_flow_and_mean_of_a_tapered_power_law_bar_agree_with_the_inverse_law() -> None:
    bar = Bar(64, area=lambda x: 1 + x, right=("value", 3.0))
    solution = bar.solve(direct_closure(MICRO))
    # Without a source the flow F is one number, and the gradients that carry it add up to the end value.
    mean_area = 1 + (np.arange(64) + 0.5) / 64

    def gradients(flow: float) -> np.ndarray:
        def excess(g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            runs = MICRO.run(g[:, None])
            return runs.values[:, 0] - flow / mean_area, runs.jacobian[:, 0, 0]

        return increasing_root(excess, np.zeros(64), np.full(64, 1e3))

    np.testing.assert_allclose(gradients(solution.qois["flow"]).sum() / 64, 3.0, rtol=1e-10)


def test_a_bar_pulled_at_the_left_reports_the_flow_at_its_held_right_end() -> None:
    bar = Bar(left=("flow", 2.0), right=("value", 0.0), source=3.0)
    solution = bar.solve(linear(1.0))
    assert solution.qois["flow"] == pytest.approx(2.0 - 3.0, rel=1e-10)


def test_an_elastic_bar_is_the_same_problem_under_other_names() -> None:
    names = (Variable("strain"), Variable("stress", "Pa"))
    bar = Bar(variables=names)
    assert bar.closure_inputs.names == ("strain",)
    assert bar.closure_outputs["stress"].unit == "Pa"
    assert bar.solve(linear(2e9)).qois["flow"] == pytest.approx(2e9)


def test_a_load_that_newton_cannot_take_at_once_is_brought_on_in_steps() -> None:
    def stiffening(x: np.ndarray) -> ClosureValue:
        # A law that overflows far from its solution: one full step from zero leaves the numbers.
        with np.errstate(over="ignore", invalid="ignore"):
            return ClosureValue(np.sinh(x), np.cosh(x)[:, :, None], np.ones(len(x), bool))

    bar = tapered_bar(right=("flow", 1e5))
    assert bar.solve(stiffening).qois["flow"] == pytest.approx(1e5, rel=1e-8)


def test_a_closure_of_few_digits_ends_where_it_can_and_the_rest_is_told() -> None:
    rng, exact = np.random.default_rng(0), BARS["tapered"].solve(direct_closure(MICRO))

    def rounded(x: np.ndarray) -> ClosureValue:
        answer = direct_closure(MICRO)(x)
        return ClosureValue(answer.values + 1e-9 * rng.standard_normal(x.shape), answer.tangent, answer.inside)

    solution = BARS["tapered"].solve(rounded)
    assert solution.converged
    assert 0 < max(solution.algebraic_error.values()) < 1e-6
    assert max(exact.algebraic_error.values()) < 1e-10
    for name, value in exact.qois.items():
        assert abs(solution.qois[name] - value) < 1e-6


def test_a_closure_that_breaks_down_ends_in_a_reason() -> None:
    def broken(x: np.ndarray) -> ClosureValue:
        return ClosureValue(np.full_like(x, np.nan), np.ones((len(x), 1, 1)), np.ones(len(x), bool))

    solution = Bar().solve(broken)
    assert not solution.converged
    assert "not finite" in str(solution.reason)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"left": ("flow", 1.0), "right": ("flow", 1.0)}, "give one end a value"),
        ({"left": ("vlaue", 1.0)}, "did you mean 'value'"),
        ({"closure": "fluxx"}, "did you mean 'flux'"),
        ({"area": lambda x: x - 0.5}, "must be positive all along"),
        ({"area": float("nan")}, "must be positive all along"),
        ({"n_elements": 0}, "n_elements = 0"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Bar(**options)


def test_an_unknown_quantity_is_refused_with_the_nearest_name() -> None:
    solution = Bar().solve(linear(1.0))
    with pytest.raises(InputError, match="did you mean 'flow'"):
        solution.sensitivity("flw")
