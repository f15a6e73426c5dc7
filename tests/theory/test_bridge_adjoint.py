"""Everything rests on the sensitivity: a wrong one is refused in the right words, a missing one replaced or said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge import macro
from scalebridge.bridge.closures import SurrogateClosure
from scalebridge.bridge.sensitivity import MOST_DIFFERENCES, Refused, check_sensitivity, difference_sensitivity
from scalebridge.models import MacroSolution
from scalebridge.problems import Bar, direct_closure, random_conduction_laminate, random_laminate
from tests.bridge.surrogates import process_for

Change = Callable[[np.ndarray, MacroSolution], Any]


def waisted(x: np.ndarray) -> np.ndarray:
    return 1 - 0.5 * np.sin(np.pi * x) ** 2


def bar(n_elements: int = 24) -> Bar:
    return Bar(n_elements, area=waisted, source=1.0, left=("value", 0.0), right=("value", 3.0))


def plate() -> Any:
    sides = {"left": (0.0, None), "bottom": (None, 0.0), "right": (0.02, None)}
    mesh = macro.meshes.plate_with_hole(2.0, 2.0, 0.4, 4, part="quarter")
    qois = {"force": macro.ReactionForce("right", "x"), "lift": macro.MeanDisplacement("top", "y")}
    return macro.Solid(mesh, sides, qois=qois)


HEAT = random_conduction_laminate(np.random.default_rng(1))
SOLID = random_laminate(np.random.default_rng(2))
PROBLEMS: dict[str, Any] = {"bar": (bar(), HEAT, "flow"), "solid": (plate(), SOLID, "force")}


@dataclass(frozen=True)
class Altered:
    """A macro model whose sensitivity is changed on its way out."""

    base: Any
    change: Change | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.base, name)

    def solve(self, closure: Any, start: Any = None) -> MacroSolution:
        solution = self.base.solve(closure, start)
        if not solution.converged or self.change is None:
            return replace(solution, sensitivity=None)
        sensitivity, change = solution.sensitivity, self.change
        return replace(solution, sensitivity=lambda qoi: change(sensitivity(qoi), solution))


def answer(name: str, change: Change | None, seed: int = 0, **options: Any) -> sb.Answer:
    body, micro, qoi = PROBLEMS[name]
    options = {"rtol": 0.02, "progress": "none", "seed": seed, "qoi": qoi, **options}
    return sb.solve(Altered(body, change), micro, **options)


def refused(found: sb.Answer) -> bool:
    return not found.converged and found.interval == (-np.inf, np.inf)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_correct_adjoint_passes(name: str) -> None:
    assert answer(name, lambda w, _: w).converged


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_wrong_sign_is_answered_by_the_sign_of_the_adjoint(name: str, seed: int) -> None:
    found = answer(name, lambda w, _: -w, seed)
    assert refused(found)
    assert "sign of the adjoint" in found.reason


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("factor", [0.5, 3.0, 24.0])
def test_a_constant_factor_is_answered_by_the_quadrature_weight_and_its_size(name: str, factor: float) -> None:
    found = answer(name, lambda w, _: factor * w)
    assert refused(found)
    assert "quadrature weight" in found.reason
    # What the check measures is the movement over what the weights say: the inverse of the factor.
    assert f"factor {1 / factor:.2g}"[:10] in found.reason


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_refused_adjoint_costs_a_verification_run(name: str) -> None:
    assert "verify" not in {r.phase for r in answer(name, lambda w, _: -w).runs}


def without_explicit_part(w: np.ndarray, solution: MacroSolution) -> np.ndarray:
    # The flow at the left end is A p of the first element: the derivative by its own flux is 1/h of its volume.
    n = len(solution.states)
    points = (np.arange(n)[:, None] + np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])) / n
    volume = waisted(points) @ (np.array([5.0, 8.0, 5.0]) / 18) / n
    explicit = np.zeros_like(w)
    explicit[0] = volume[0] * n
    return w - explicit


def test_an_adjoint_without_its_explicit_part_is_refused_and_told_where_to_look() -> None:
    found = answer("bar", without_explicit_part)
    assert refused(found)
    assert "explicit dependence on the closure" in found.reason


def test_an_adjoint_that_forgets_the_areas_of_its_elements_is_refused() -> None:
    found = answer("solid", lambda w, s: w / np.linspace(0.2, 3.0, len(w))[:, None])
    assert refused(found)
    assert "sensitivity of 'force'" in found.reason


def test_a_quantity_of_several_with_a_wrong_adjoint_is_named() -> None:
    body, micro, _ = PROBLEMS["bar"]

    def only_mean(solution: MacroSolution) -> MacroSolution:
        true = solution.sensitivity
        return replace(solution, sensitivity=lambda q: -true(q) if q == "mean_temperature" else true(q))

    class OneWrong(Altered):
        def solve(self, closure: Any, start: Any = None) -> MacroSolution:
            solution = self.base.solve(closure, start)
            return only_mean(solution) if solution.converged else solution

    found = sb.solve(OneWrong(body, None), micro, qoi=["flow", "mean_temperature"], rtol=0.02, progress="none")
    assert refused(found)
    assert "'mean_temperature' has the wrong sign" in found.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w, _: w[:-1], r"has shape \(23, 1\); it must be \(24, 1\)"),
        (lambda w, _: 0 * w, "is zero everywhere"),
        (lambda w, _: np.where(np.arange(len(w)) == 3, np.nan, w.T).T, "is not finite"),
    ],
)
def test_an_impossible_sensitivity_is_refused_in_words(change: Change, words: str) -> None:
    found = answer("bar", change)
    assert refused(found)
    assert re.search(words, found.reason)


def test_without_a_sensitivity_finite_differences_replace_it() -> None:
    body, micro, qoi = PROBLEMS["bar"]
    closure = direct_closure(micro)
    solution = body.solve(closure)
    found = difference_sensitivity(body.solve, closure, solution, (qoi, "mean_temperature"))
    assert not isinstance(found, Refused)
    for name in (qoi, "mean_temperature"):
        exact = solution.sensitivity(name)
        np.testing.assert_allclose(found[name], exact, atol=1e-3 * np.abs(exact).max())
    truth = solution.qois[qoi]
    with_differences, with_adjoint = answer("bar", None), answer("bar", lambda w, _: w)
    assert with_differences.converged
    assert with_differences.interval[0] <= truth <= with_differences.interval[1]
    assert with_differences.value == pytest.approx(with_adjoint.value, rel=1e-4)


def test_beyond_four_hundred_differences_no_adjoint_is_said_and_no_convergence_claimed() -> None:
    assert MOST_DIFFERENCES == 400
    found = sb.solve(Altered(bar(401), None), HEAT, qoi="flow", rtol=0.02, progress="none")
    assert refused(found)
    assert found.reason.startswith("no adjoint")
    assert "401 x 1" in found.reason
    assert "scalebridge.macro.adjoint" in found.reason


class Turned(Altered):
    """Asks its states from the right to the left in every second solve, and gives no sensitivity."""

    solves: list[int] = []  # noqa: RUF012

    def solve(self, closure: Any, start: Any = None) -> MacroSolution:
        turned = len(self.solves) % 2 == 1
        self.solves.append(1)

        def asked(x: np.ndarray) -> Any:
            value = closure(x[::-1] if turned else x)
            return replace(value, values=value.values[::-1], tangent=value.tangent[::-1]) if turned else value

        solution = self.base.solve(asked, start)
        return replace(solution, sensitivity=None, states=solution.states[::-1] if turned else solution.states)


def test_a_macro_model_that_asks_in_another_row_order_every_time_gets_no_differences() -> None:
    tapered = Bar(24, area=lambda x: 1 + 3 * x, right=("value", 3.0))
    found = sb.solve(Turned(tapered, None), HEAT, qoi="flow", rtol=0.02, progress="none")
    assert refused(found)
    assert "row order" in found.reason


def test_the_check_itself_passes_exact_weights_and_takes_no_micro_run() -> None:
    body, micro, _ = PROBLEMS["solid"]
    x = np.random.default_rng(0).normal(0.0, 0.01, (6, 3))
    process = process_for(body, micro).fit(x, micro.run(x).values)
    closure = SurrogateClosure(process, process.inputs)
    solution = body.solve(closure)
    weights = {q: solution.sensitivity(q) for q in ("force", "lift")}
    rng = np.random.default_rng(0)
    assert check_sensitivity(body.solve, closure, solution, weights, rng) is None
    lift = {"lift": -weights["lift"]}
    told = check_sensitivity(body.solve, closure, solution, lift, rng)
    assert isinstance(told, Refused)
    assert "sign of the adjoint" in told.reason
