"""A user's own function and own class work through the documented protocol alone."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.models import MacroModel, failed_solution
from scalebridge.problems import Bar, direct_closure
from scalebridge.testing import check_macro
from tests.bridge.own import CALLS, MODULUS, YIELD, Beam, exact_curvature, steel

TRUTH = exact_curvature(Beam())


def solve(beam: Any = None, micro: Any = steel, **options: Any) -> sb.Answer:
    options = {"qoi": "curvature", "rtol": 0.01, "progress": "none", **options}
    return sb.solve(beam or Beam(), micro, **options)


def holds(answer: sb.Answer, truth: float) -> bool:
    return bool(answer.interval[0] <= truth <= answer.interval[1])


def test_the_own_class_is_a_macro_model_and_keeps_the_contract() -> None:
    assert isinstance(Beam(), MacroModel)
    check_macro(Beam(), _in_mega_pascal())


def _in_mega_pascal() -> Any:
    @sb.model(inputs={"strain": "1"}, outputs={"stress": "MPa"})
    def same(strain: float) -> dict[str, float]:
        return {"stress": 1e-6 * MODULUS * YIELD * math.asinh(strain / YIELD)}

    return same


@pytest.mark.parametrize("seed", range(4))
def test_own_function_and_own_class_are_answered_in_the_units_of_the_class(seed: int) -> None:
    answer = solve(seed=seed)
    assert answer.converged
    assert holds(answer, TRUTH)
    assert answer.half_width <= 0.01 * abs(answer.value)
    assert answer.micro_runs <= 40
    # Pa in, MPa out: the runs speak the macro problem's units.
    largest = max(answer.runs, key=lambda r: abs(r.x[0]))
    assert largest.y[0] == pytest.approx(1e-6 * MODULUS * YIELD * math.asinh(largest.x[0] / YIELD), rel=1e-12)


def test_the_function_is_called_once_for_every_run_that_was_counted() -> None:
    CALLS.clear()
    answer = solve(seed=7)
    assert len(CALLS) == answer.micro_runs == len(answer.runs)
    assert answer.to_dict()["executed_runs"] == answer.micro_runs
    # No state was asked for twice but the one that tests for history and noise.
    states = [r.x for r in answer.runs]
    assert len(states) - len(set(states)) == sum(r.replicate for r in answer.runs) == 1


def test_temperatures_in_celsius_and_kelvin_meet_with_their_offset() -> None:
    @sb.model(inputs={"temperature": "K"}, outputs={"conductivity": "mW/(m*K)"})
    def ceramic(temperature: float) -> dict[str, float]:
        return {"conductivity": 1e3 * (2.0 + 300.0 / temperature)}

    variables = (sb.Variable("temperature", "degC"), sb.Variable("conductivity", "W/(m*K)"))
    bar = Bar(16, left=("value", 20.0), right=("value", 500.0), closure="conductivity", variables=variables)

    @sb.model(inputs={"temperature": "degC"}, outputs={"conductivity": "W/(m*K)"})
    def in_celsius(temperature: float) -> dict[str, float]:
        return {"conductivity": 2.0 + 300.0 / (temperature + 273.15)}

    truth = bar.solve(direct_closure(in_celsius)).qois["flow"]
    # Kirchhoff: the integral of k from 293.15 K to 773.15 K.
    assert truth == pytest.approx(2 * 480 + 300 * math.log(773.15 / 293.15), rel=1e-4)
    answer = sb.solve(bar, ceramic, qoi="flow", rtol=0.01, progress="none")
    assert answer.converged
    assert holds(answer, truth)
    for run in answer.runs:
        assert run.y[0] == pytest.approx(2.0 + 300.0 / (run.x[0] + 273.15), rel=1e-12)


def test_an_offset_takes_a_declared_evenness_away_and_a_common_factor_does_not() -> None:
    from scalebridge.bridge.coupling import connect

    def micro(unit: str) -> Any:
        @sb.model(inputs={"t": unit}, outputs={"f": "1"}, structure=sb.Structure(potential=True, even=True))
        def odd(t: float) -> dict[str, float]:
            return {"f": t}

        return odd

    class Macro:
        closure_inputs = sb.Space({"t": "degC"})
        closure_outputs = sb.Space({"f": "1"})

        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            raise NotImplementedError

    assert connect(Macro(), micro("degC")).structure == sb.Structure(potential=True, even=True)
    assert connect(Macro(), micro("K")).structure == sb.Structure(potential=True, even=False)
    Macro.closure_inputs = sb.Space({"t": "m"})
    assert connect(Macro(), micro("mm")).structure == sb.Structure(potential=True, even=True)


def test_the_same_seed_gives_the_same_answer_and_another_seed_draws_others() -> None:
    one, same, other = solve(seed=1), solve(seed=1), solve(seed=2)
    assert (one.value, one.interval) == (same.value, same.interval)
    assert [r.x for r in one.runs] == [r.x for r in same.runs]
    drawn = [{r.x for r in a.runs if r.phase == "verify"} for a in (one, other)]
    assert drawn[0] != drawn[1]


def test_a_second_solve_on_the_same_store_runs_nothing_and_gives_the_same_answer(tmp_path: Path) -> None:
    first = solve(store=tmp_path / "runs", seed=5)
    CALLS.clear()
    second = solve(store=tmp_path / "runs", seed=5)
    assert CALLS == []
    assert (second.value, second.interval) == (first.value, first.interval)
    assert second.micro_runs == first.micro_runs
    told = second.to_dict()
    assert (told["executed_runs"], told["reused_runs"]) == (0, first.micro_runs)


def test_a_solve_stopped_by_its_budget_goes_on_from_its_store(tmp_path: Path) -> None:
    part = solve(store=tmp_path, seed=5, budget=8)
    CALLS.clear()
    whole = solve(store=tmp_path, seed=5)
    assert whole.converged
    assert len(CALLS) == whole.micro_runs - sum(r.reused for r in whole.runs)
    assert sum(r.reused for r in whole.runs) >= len({r.key for r in part.runs} & {r.key for r in whole.runs}) > 0


@pytest.mark.parametrize("moment", [70e3, 90e3, 105e3])
def test_a_second_load_on_the_same_material_costs_little_more_than_its_verification(moment: float) -> None:
    known = solve(seed=0).surrogate
    beam = Beam(moment=moment)
    answer = solve(beam, surrogate=known, seed=3)
    assert answer.converged
    assert holds(answer, exact_curvature(beam))
    assert answer.micro_runs <= 16
    assert "start" not in {r.phase for r in answer.runs}


@pytest.mark.parametrize("budget", [5, 10, 12, 16, 25])
def test_a_budget_is_kept_and_what_it_buys_is_said(budget: int) -> None:
    answer = solve(budget=budget, seed=budget, rtol=1e-4)
    assert answer.micro_runs <= budget
    assert holds(answer, TRUTH)
    if not answer.converged:
        assert f"budget of {budget} micro runs" in answer.reason
        assert "larger budget" in answer.reason
    looked = any(r.phase == "verify" for r in answer.runs)
    # Without a completed round there is no interval; with one there is, however wide.
    assert np.isfinite(answer.half_width) == looked


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_budget_too_small_to_begin_with_ends_without_an_interval(budget: int) -> None:
    answer = solve(budget=budget)
    assert answer.micro_runs <= budget
    assert not answer.converged
    assert answer.interval == (-math.inf, math.inf)
    assert answer.reason


def test_several_quantities_share_the_confidence_and_each_has_its_interval() -> None:
    answer = solve(qoi=["curvature", "top_strain"], rtol=0.02, seed=1)
    assert answer.converged
    assert tuple(answer.quantities) == ("curvature", "top_strain")
    assert holds(answer, TRUTH)
    low, high = answer.quantities["top_strain"].interval
    assert low <= 5 * TRUTH <= high
    # The one is five times the other: the same audits give both.
    assert answer.quantities["top_strain"].value == pytest.approx(5 * answer.value, rel=1e-9)
    alone = solve(rtol=0.02, seed=1)
    assert answer.record["rounds"][0]["level"] == pytest.approx(alone.record["rounds"][0]["level"] / 2)


def test_states_to_start_with_are_run_first() -> None:
    class Prepared(Beam):
        start_states = np.array([[-0.002], [0.001], [0.002]])

    answer = solve(Prepared(), seed=0)
    assert [r.x[0] for r in answer.runs[:3]] == [-0.002, 0.001, 0.002]
    assert {r.phase for r in answer.runs[:3]} == {"start"}
    assert answer.converged
    assert holds(answer, TRUTH)


def test_bounds_of_the_inputs_are_where_a_solve_starts() -> None:
    class Bounded(Beam):
        closure_inputs = sb.Space({"strain": ("1", -0.004, 0.003)})

    answer = solve(Bounded(), seed=0)
    first = [r.x[0] for r in answer.runs if r.phase == "start"]
    assert len(first) == 3
    assert all(-0.004 <= x <= 0.003 for x in first)
    assert answer.converged


def test_an_interval_that_holds_zero_needs_an_absolute_tolerance() -> None:
    @sb.model(inputs={"gradient": "K/m"}, outputs={"flux": "W/m^2"})
    def uneven(gradient: float) -> dict[str, float]:
        return {"flux": gradient + 0.1 * math.sin(3 * gradient)}

    variables = (sb.Variable("gradient", "K/m"), sb.Variable("flux", "W/m^2"))
    # The right end is as cold as makes the mean zero to the last digits: heating and cooling cancel.
    bar = Bar(16, source=4.0, left=("value", 0.0), right=("value", -0.6585763336904109), variables=variables)
    assert abs(bar.solve(direct_closure(uneven)).qois["mean_temperature"]) < 1e-9
    options: dict[str, Any] = {"qoi": "mean_temperature", "rtol": 0.01, "progress": "none", "budget": 40}
    relative = sb.solve(bar, uneven, **options)
    assert not relative.converged
    assert holds(relative, 0.0)
    assert "give atol" in relative.reason
    absolute = sb.solve(bar, uneven, atol=0.02, **options)
    assert absolute.converged
    assert holds(absolute, 0.0)
    assert absolute.half_width <= 0.02


def test_a_quantity_that_is_exactly_zero_ends_in_words_and_not_in_an_overflow() -> None:
    bar = Bar(16, left=("value", 0.0), right=("value", 0.0), source=lambda x: x - 0.5)
    model = _in_watts()
    answer = sb.solve(bar, model, qoi="end_value", rtol=0.01, progress="none", budget=30)
    assert not answer.converged
    assert "does not depend on the closure" in answer.reason


def _in_watts() -> Any:
    @sb.model(
        inputs=sb.Space([sb.Variable("gradient", "K/m", (1,))]), outputs=sb.Space([sb.Variable("flux", "W/m^2", (1,))])
    )
    def linear(gradient: np.ndarray) -> dict[str, np.ndarray]:
        return {"flux": 2 * gradient}

    return linear


def test_a_macro_model_that_raises_ends_in_its_own_words() -> None:
    class Raising(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            closure(np.zeros((3, 1)))
            raise RuntimeError("the mesh is tangled")

    answer = solve(Raising())
    assert not answer.converged
    assert answer.interval == (-math.inf, math.inf)
    assert "the macro model raised RuntimeError: the mesh is tangled" in answer.reason


def test_a_macro_model_without_a_solution_ends_in_its_reason() -> None:
    class Hopeless(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            closure(np.full((3, 1), 1e-3))
            return failed_solution(np.zeros((0, 1)), "the beam buckled")

    answer = solve(Hopeless())
    assert not answer.converged
    assert "the beam buckled" in answer.reason


def test_a_macro_model_that_asks_nothing_is_told_so() -> None:
    class Silent(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            return sb.MacroSolution({"curvature": 1.0}, np.zeros((1, 1)), lambda qoi: np.ones((1, 1)))

    answer = solve(Silent())
    assert not answer.converged
    assert "never called its closure" in answer.reason


def test_a_macro_model_with_states_of_the_wrong_shape_is_told_so() -> None:
    class Flat(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            solution = super().solve(closure, start)
            return replace(solution, states=solution.states[:, 0])

    answer = solve(Flat())
    assert not answer.converged
    assert "states of shape (40,)" in answer.reason


def test_a_solver_too_loose_for_the_tolerance_is_refused_by_solving_again_from_its_own_solution() -> None:
    class Loose(Beam):
        """Goes a fifth of the way to the balance, and on from there when it is asked again."""

        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            found = super().solve(closure, start)
            begun = 0.0 if start is None else start
            value = found.qois["curvature"]
            left = value + 0.8 * (begun - value)
            return replace(found, qois={"curvature": left, "top_strain": 5 * left}, restart=left)

    answer = solve(Loose(), rtol=0.01)
    assert not answer.converged
    assert answer.interval == (-math.inf, math.inf)
    assert "solving the macro problem again from its own solution moved 'curvature'" in answer.reason
    assert "tighten the macro solver" in answer.reason


def test_a_model_with_a_finer_version_has_its_discretisation_in_the_interval() -> None:
    class Finer:
        """The same steel, two per mille stiffer at a finer grid."""

        finer = None

        def __init__(self, factor: float, finer: Any = None) -> None:
            self.factor, self.finer = factor, finer

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(steel, name)

        def identity(self) -> dict[str, str]:
            return {**steel.identity(), "factor": repr(self.factor)}

        def run(self, x: np.ndarray) -> sb.Runs:
            return sb.Runs(self.factor * steel.run(x).values)

    parts = []
    for seed in range(3):
        answer = solve(micro=Finer(1.0, Finer(1.002)), rtol=0.02, seed=seed)
        finer = [r for r in answer.runs if r.phase == "finer"]
        assert 2 <= len(finer) <= 4
        parts.append(answer.parts["micro_discretisation"])
        assert answer.half_width == pytest.approx(sum(v for v in answer.parts.values() if v is not None))
    # What the finer version would change, to first order: the same two per mille of sum w f.
    beam = Beam()
    stiffer = exact_curvature(replace(beam, moment=beam.moment / 1.002))
    change = abs(stiffer - TRUTH)
    assert np.median(parts) >= 0.8 * change
    assert np.median(parts) <= 10 * change
    assert solve(rtol=0.02).parts["micro_discretisation"] is None


@pytest.mark.parametrize("stated", [0.01, {"curvature": 0.01}], ids=["one number", "by name"])
def test_a_solver_that_states_an_error_too_large_for_the_tolerance_is_taken_at_its_word(stated: Any) -> None:
    class Frank(Beam):
        def solve(self, closure: Any, start: Any = None) -> sb.MacroSolution:
            return replace(super().solve(closure, start), algebraic_error=stated)

    answer = solve(Frank(), rtol=0.01)
    assert not answer.converged and "states an error of 0.01 in 'curvature'" in answer.reason
    assert solve(Frank(), atol=1.0, rtol=None).converged
