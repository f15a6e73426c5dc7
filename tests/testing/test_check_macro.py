"""check_macro passes what keeps the contract and catches each planted fault with the right words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from scalebridge.models import ClosureValue, MacroSolution, MeshEstimate
from scalebridge.problems import Bar
from scalebridge.problems.assumptions import smooth_micro
from scalebridge.testing import check_macro

MICRO = smooth_micro()
BAR = Bar(12, area=lambda x: 1 + x, right=("value", 4.0))


@dataclass(frozen=True)
class Faulty:
    """A sound bar with one fault planted in its solution."""

    fault: Callable[[MacroSolution, Any], Any]
    bar: Bar = BAR

    @property
    def closure_inputs(self) -> Any:
        return self.bar.closure_inputs

    @property
    def closure_outputs(self) -> Any:
        return self.bar.closure_outputs

    def solve(self, closure: Any, start: Any = None) -> Any:
        return self.fault(self.bar.solve(closure, start), start)


def test_a_sound_bar_passes_with_a_model_and_with_a_closure() -> None:
    check_macro(BAR, MICRO)
    check_macro(BAR, lambda x: ClosureValue(2 * x + x**3, (2 + 3 * x**2)[:, :, None], np.ones(len(x), dtype=bool)))


def test_a_macro_model_without_adjoint_passes() -> None:
    check_macro(Faulty(lambda s, start: replace(s, sensitivity=None)), MICRO)


def scaled(factor: float | np.ndarray) -> Callable[[MacroSolution, Any], MacroSolution]:
    return lambda s, start: replace(s, sensitivity=lambda q: factor * s.sensitivity(q)) if s.sensitivity else s


def without_explicit(s: MacroSolution, start: Any) -> MacroSolution:
    if s.sensitivity is None:
        return s

    def sensitivity(qoi: str) -> np.ndarray:
        weights = s.sensitivity(qoi).copy()
        if qoi == "flow":
            weights[0] -= BAR.n_elements * 0.9 / 12
        return weights

    return replace(s, sensitivity=sensitivity)


def turned(s: MacroSolution, start: Any) -> MacroSolution:
    return s if start is None else replace(s, states=s.states[::-1].copy())


def jumping(s: MacroSolution, start: Any) -> MacroSolution:
    return s if start is None else replace(s, qois={k: 1.001 * v for k, v in s.qois.items()})


def confident(s: MacroSolution, start: Any) -> MacroSolution:
    return s if s.converged else replace(s, qois={"flow": 0.0}, converged=True, reason=None)


def silent(s: MacroSolution, start: Any) -> MacroSolution:
    return replace(s, reason=None)


FAULTS = {
    "a wrong sign": (scaled(-1.0), "the sign of the adjoint is wrong"),
    "a wrong quadrature weight": (scaled(1 / 12), "a quadrature weight or a factor is wrong"),
    "a wrong weight at some states": (scaled(np.linspace(0.5, 1.5, 12)[:, None]), "the adjoint, or the explicit"),
    "a forgotten explicit dependence": (without_explicit, "the explicit dependence on the closure, is wrong"),
    "a sensitivity of the wrong shape": (
        lambda s, start: replace(s, sensitivity=lambda q: s.sensitivity(q)[:-1]),
        "one row per state",
    ),
    "states in another order": (turned, "asks for its states in another order when it is solved from its own restart"),
    "states never asked for": (lambda s, start: replace(s, states=s.states + 7.0), "never asked for"),
    "flat states": (lambda s, start: replace(s, states=s.states[:, 0]), "one row per state"),
    "a restart that moves the answer": (jumping, "when it is solved from its own restart"),
    "a quantity that is NaN": (lambda s, start: replace(s, qois={"flow": np.nan}), "which is not finite"),
    "no quantity": (lambda s, start: replace(s, qois={}), "no quantity of interest"),
    "a tuple": (lambda s, start: (s.qois, s.states), "return MacroSolution"),
    "confidence without a solution": (confident, "calls a solution converged whose closure gave NaN"),
    "silence without a solution": (silent, "gave no reason"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    plant, sentence = FAULTS[fault]
    with pytest.raises(AssertionError, match=sentence):
        check_macro(Faulty(plant), MICRO)


def test_an_answer_that_is_not_deterministic_is_caught() -> None:
    rng = np.random.default_rng(0)
    noisy = Faulty(lambda s, start: replace(s, qois={k: v + 1e-3 * rng.random() for k, v in s.qois.items()}))
    with pytest.raises(AssertionError, match=r"moves by .* when it is solved again"):
        check_macro(noisy, MICRO)


def test_a_macro_model_that_raises_on_a_broken_closure_is_caught() -> None:
    def fragile(s: MacroSolution, start: Any) -> MacroSolution:
        if not s.converged:
            raise RuntimeError("singular matrix")
        return s

    with pytest.raises(AssertionError, match="return an unconverged solution with a reason"):
        check_macro(Faulty(fragile), MICRO)


def test_a_macro_model_that_asks_in_the_wrong_shape_is_caught() -> None:
    class Flat(Faulty):
        def solve(self, closure: Any, start: Any = None) -> Any:
            return self.bar.solve(lambda x: closure(x[:, 0]), start)

    with pytest.raises(AssertionError, match="asked its closure for states of shape"):
        check_macro(Flat(lambda s, start: s), MICRO)


def test_start_states_of_the_wrong_width_are_caught() -> None:
    class Started(Faulty):
        start_states = np.zeros((3, 2))

    with pytest.raises(AssertionError, match=r"start_states have the shape \(3, 2\)"):
        check_macro(Started(lambda s, start: s), MICRO)


def test_a_mesh_estimate_that_its_elements_do_not_add_up_to_is_caught() -> None:
    class Estimating(Faulty):
        def mesh_estimate(self, solution: MacroSolution, closure: Any, qoi: str) -> MeshEstimate:
            return MeshEstimate(1.0, np.full(12, 1.0))

        def refined(self, local: np.ndarray) -> Any:
            return self

    with pytest.raises(AssertionError, match="not the sum of what its elements add"):
        check_macro(Estimating(lambda s, start: s), MICRO)
