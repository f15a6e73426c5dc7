"""Bad input is refused in one sentence before anything runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.bridge.question import Question
from scalebridge.learn import GaussianProcess
from tests.bridge.own import CALLS, Beam, steel


def solve(**options: Any) -> sb.Answer:
    options = {"qoi": "curvature", "rtol": 0.01, "progress": "none", **options}
    macro, micro = options.pop("macro", Beam()), options.pop("micro", steel)
    return sb.solve(macro, micro, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rtol": None}, "No tolerance was given; ask for one"),
        ({"rtol": -0.01}, r"rtol = -0\.01; a tolerance must be a positive number"),
        ({"rtol": 0.0}, r"rtol = 0\.0"),
        ({"rtol": float("nan")}, "rtol = nan"),
        ({"atol": float("inf")}, "atol = inf"),
        ({"confidence": 1.0}, r"confidence = 1\.0; it must lie in \[0\.5, 1\)"),
        ({"confidence": 95}, "confidence = 95"),
        ({"mesh": "inclued"}, "mesh = 'inclued'; did you mean 'include'"),
        ({"budget": 0}, "budget = 0; it must be at least 1"),
        ({"qoi": []}, "No quantity of interest was given"),
        ({"qoi": "curvatura"}, "no quantity of interest 'curvatura'; did you mean 'curvature'"),
        ({"qoi": ["curvature", "moment"]}, "no quantity of interest 'moment'"),
        ({"progress": "loud"}, "progress = 'loud'; valid: 'auto', 'none'"),
        ({"surrogate": "gaussian_proces"}, "'gaussian_proces' is not known; did you mean 'gaussian_process'"),
        ({"surrogate": object()}, "give 'auto', a name such as"),
    ],
)
def test_a_bad_question_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(sb.InputError, match=words):
        solve(**options)


def test_a_surrogate_of_another_material_is_refused_with_both_names() -> None:
    other = GaussianProcess(sb.Space({"gradient": "K/m"}), sb.Space({"stress": "MPa"}))
    with pytest.raises(sb.InputError, match="inputs gradient, the macro problem's closure has strain"):
        solve(surrogate=other)


@pytest.mark.parametrize(
    ("inputs", "outputs", "error", "words"),
    [
        (
            {"strian": "1"},
            {"stress": "Pa"},
            sb.InputError,
            "'strain' on one side has no partner.*did you mean 'strian'",
        ),
        ({"strain": "1"}, {"stres": "Pa"}, sb.InputError, "'stres' on one side has no partner.*did you mean 'stress'"),
        ({"strain": "1"}, {"stress": "K"}, sb.UnitError, "'stress' is in 'K' on one side and in 'MPa' on the other"),
        ({"strain": "m"}, {"stress": "Pa"}, sb.UnitError, "do not convert"),
        ({"strain": "1", "T": "K"}, {"stress": "Pa"}, sb.InputError, r"'T' is asked for.*model\.fix"),
    ],
)
def test_a_micro_model_that_does_not_fit_is_refused_before_it_runs(
    inputs: Any, outputs: Any, error: type[Exception], words: str
) -> None:
    called = []

    @sb.model(inputs=inputs, outputs=outputs)
    def model(**given: float) -> dict[str, float]:
        called.append(given)
        return dict.fromkeys(outputs, 1.0)

    with pytest.raises(error, match=words):
        solve(micro=model)
    assert not called


def test_shapes_that_differ_are_refused() -> None:
    @sb.model(inputs=sb.Space([sb.Variable("strain", "1", (3,))]), outputs={"stress": "Pa"})
    def model(strain: np.ndarray) -> dict[str, float]:
        return {"stress": 1.0}

    with pytest.raises(sb.ShapeError, match="declare the same shape and kind on both"):
        solve(micro=model)


@pytest.mark.parametrize("member", ["closure_inputs", "closure_outputs", "solve"])
def test_a_macro_model_that_lacks_a_member_is_told_which(member: str) -> None:
    class Partial:
        pass

    for name in {"closure_inputs", "closure_outputs", "solve"} - {member}:
        setattr(Partial, name, getattr(Beam, name))
    with pytest.raises(sb.InputError, match=f"macro model is a Partial, which has no '{member}'"):
        solve(macro=Partial())


def test_a_micro_model_that_is_no_model_is_told_what_it_lacks() -> None:
    with pytest.raises(sb.InputError, match="micro model is a function, which has no 'inputs'"):
        solve(micro=lambda strain: strain)


def test_a_model_that_breaks_its_own_declaration_is_bad_input_and_not_a_failed_run() -> None:
    @sb.model(inputs={"strain": "1"}, outputs={"stress": "Pa"})
    def wrong(strain: float) -> dict[str, float]:
        return {"strss": 1.0}

    with pytest.raises(sb.InputError, match=r"'strss'.*did you mean 'stress'"):
        solve(micro=wrong)


def test_start_states_of_the_wrong_shape_are_refused() -> None:
    class Prepared(Beam):
        start_states = np.zeros((2, 3))

    with pytest.raises(sb.ShapeError, match="start_states got an array of shape"):
        solve(macro=Prepared())


def test_nothing_was_run_for_any_refused_question() -> None:
    CALLS.clear()
    for options in ({"rtol": None}, {"mesh": "x"}, {"surrogate": "kriging"}, {"progress": "loud"}):
        with pytest.raises(sb.InputError):
            solve(**options)
    assert CALLS == []


ASKED = Question(("q",), 0.01, None, 0.95, "report", 100, 0)


def test_a_relative_tolerance_is_of_the_end_of_the_interval_nearest_to_zero() -> None:
    assert ASKED.tolerance(90.0, 110.0) == pytest.approx(0.9)
    assert ASKED.tolerance(-110.0, -90.0) == pytest.approx(0.9)
    assert ASKED.tolerance(-1.0, 110.0) == 0.0
    assert replace(ASKED, atol=2.0).tolerance(90.0, 110.0) == 2.0
    assert replace(ASKED, atol=2.0).tolerance(-1.0, 110.0) == 2.0
    assert replace(ASKED, rtol=None, atol=0.5).tolerance(9e3, 1e4) == 0.5


def test_several_quantities_share_the_probability_of_error() -> None:
    assert replace(ASKED, qois=("a", "b", "c", "d")).alpha == pytest.approx(0.0125)
