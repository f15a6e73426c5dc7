"""A flow whose viscosity is a closure, with the stand-in for OpenFOAM; the real one in test_macro_real.py."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.errors import InputError
from scalebridge.learn import GaussianProcess, Transformed
from scalebridge.learn.transforms import ScalingLaw
from scalebridge.models import ClosureValue
from scalebridge.quantities import Floats
from scalebridge.simulators.openfoam import Case, CaseRun, Channel, MacroCase, Pipe
from scalebridge.simulators.openfoam.running import Step
from scalebridge.testing import check_macro

CONSISTENCY, INDEX = 0.5, 0.5


def power_law(x: Floats) -> ClosureValue:
    """K rate^(n-1) in Pa*s."""
    values = CONSISTENCY * x ** (INDEX - 1)
    return ClosureValue(values, ((INDEX - 1) * values / x)[:, :, None], np.ones(len(x), dtype=bool))


def exact_channel(index: float = INDEX) -> float:
    """Pressure drop over 1 m of a gap of 10 mm at 0.1 m/s."""
    return float(CONSISTENCY / 0.005 * ((2 * index + 1) / index * 0.1 / 0.005) ** index)


@pytest.fixture
def channel() -> Channel:
    return Channel(height="10 mm", length="1 m", velocity="100 mm/s", cells=20)


def test_a_power_law_takes_the_pressure_drop_of_theory(fake: Path, channel: Channel) -> None:
    solution = channel.solve(power_law)
    assert solution.converged and solution.reason is None
    assert solution.qois["pressure_drop"] == pytest.approx(exact_channel(), rel=2e-3)
    assert solution.qois["wall_shear_stress"] == pytest.approx(0.005 * solution.qois["pressure_drop"])


def test_the_whole_sensitivity_is_that_of_a_thicker_fluid_and_no_folder_is_left(
    fake: Path, channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """q is homogeneous of degree one in the viscosity: sum(w * viscosity) = q (Euler)."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    solution = channel.solve(power_law)
    assert solution.sensitivity is not None
    weights = solution.sensitivity("pressure_drop")
    assert weights.shape == (len(solution.states), 1)
    total = float((weights * power_law(solution.states).values).sum())
    assert total == pytest.approx(solution.qois["pressure_drop"], rel=3e-3)
    assert list((tmp_path / "temporary").iterdir()) == []
    with pytest.raises(InputError, match="no quantity of interest 'drag'"):
        solution.sensitivity("drag")


def test_it_keeps_the_contract_of_a_macro_model(fake: Path, channel: Channel) -> None:
    check_macro(channel.problem, power_law, restart_rtol=1e-6)


def test_its_mesh_estimate_keeps_the_contract(fake: Path, channel: Channel) -> None:
    solution = channel.solve(power_law)
    estimate = channel.mesh_estimate(solution, power_law, "pressure_drop")
    assert len(estimate.local) == 20 and estimate.local.sum() == pytest.approx(estimate.error)
    finer = channel.refined(estimate.local)
    assert finer.cells == 40 and len(finer.solve(power_law).states) > len(solution.states)
    with pytest.raises(InputError, match="no quantity of interest 'drag'"):
        channel.mesh_estimate(solution, power_law, "drag")


def test_the_answer_holds_the_exact_one_at_two_per_cent(fake: Path, channel: Channel) -> None:
    @sb.model(inputs={"shear_rate": ("1/s", 0, None)}, outputs={"viscosity": ("mPa*s", 0, None)})
    def fluid(shear_rate: float) -> dict[str, float]:
        return {"viscosity": 1e3 * CONSISTENCY * max(shear_rate, 1e-6) ** (INDEX - 1)}

    process = GaussianProcess(channel.closure_inputs, channel.closure_outputs)
    answer = sb.solve(
        channel,
        fluid,
        qoi="pressure_drop",
        rtol=0.02,
        mesh="include",
        surrogate=Transformed(process, (ScalingLaw(),)),
        progress="none",
    )
    assert answer.converged, answer.reason
    assert answer.interval[0] <= exact_channel() <= answer.interval[1]
    assert answer.half_width <= 0.02 * exact_channel()
    assert answer.micro_runs <= 30


def test_the_finer_mesh_is_solved_once_for_all_quantities_and_its_runs_are_counted(
    fake: Path, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[bool] = []
    run = Case.run

    def counted(case: Case, folder: Path, steps: Sequence[Step] | None = None) -> CaseRun:
        began.extend(step.solver for step in (case.steps if steps is None else steps) if step.solver)
        return run(case, folder, steps)

    monkeypatch.setattr(Case, "run", counted)
    solution = channel.solve(power_law)
    before = len(began)
    errors = [channel.mesh_estimate(solution, power_law, qoi).error for qoi in ("pressure_drop", "wall_shear_stress")]
    once = len(began) - before
    assert once > 0 and channel.n_runs == len(began)
    assert errors[1] == pytest.approx(0.005 * errors[0])
    channel.mesh_estimate(channel.solve(power_law), power_law, "pressure_drop")
    assert channel.n_runs == len(began) == before + once + before + once


@pytest.mark.parametrize(
    "text",
    [
        "functions { drag { type forces; bins { n 2; } rho rhoInf; rhoInf 1.2; } }",
        "functions { c { type forceCoeffs; rhoInf 1000; } drag { bins { n 2; } rhoInf rhoInf [1 -3 0 0 0] 1.2;\n"
        "/* rhoInf 1000; */ type forces; } }",
    ],
)
def test_forces_of_another_density_are_refused(fake: Path, channel: Channel, text: str) -> None:
    files = dict(channel.problem.case.template)
    files["system/controlDict"] += text
    problem = replace(channel.problem, case=Case(files, tolerances={"Ux": 1e-9}))
    with pytest.raises(InputError, match=r"density of 1000 kg/m\^3, and the forces in 'system/controlDict' .* 1.2"):
        problem.solve(power_law)
    assert replace(problem, density="1.2 g/l").solve(power_law).converged


def test_a_finer_mesh_does_not_start_from_the_fields_of_a_coarser_one(fake: Path, channel: Channel) -> None:
    restart = channel.solve(power_law).restart
    finer = replace(channel, cells=40)
    assert finer.solve(power_law, restart).qois == finer.solve(power_law).qois


def test_the_table_grows_with_the_rates_that_are_visited(fake: Path, channel: Channel) -> None:
    """Rates expected far too low: the knots follow the flow."""
    problem = replace(channel.problem, rates=(1e-3, 1e-2))
    solution = problem.solve(power_law)
    assert solution.converged
    assert solution.qois["pressure_drop"] == pytest.approx(channel.solve(power_law).qois["pressure_drop"], rel=1e-6)
    assert solution.fields is not None and solution.fields["n_runs"] >= 2


def test_a_restart_keeps_its_knots_unless_the_flow_leaves_them(fake: Path, channel: Channel) -> None:
    solution = channel.solve(power_law)

    def thicker(x: Floats) -> ClosureValue:
        value = power_law(x)
        return ClosureValue(1.2 * value.values, value.tangent, value.inside)

    again = channel.solve(thicker, solution.restart)
    np.testing.assert_array_equal(again.states, solution.states)


def test_a_closure_outside_its_domain_is_told(fake: Path, channel: Channel) -> None:
    def unsure(x: Floats) -> ClosureValue:
        value = power_law(x)
        return ClosureValue(value.values, value.tangent, x[:, 0] < 50.0)

    solution = channel.solve(unsure)
    assert solution.converged and solution.reason is not None and "outside its domain" in solution.reason
    assert solution.fields is not None
    assert not solution.fields["inside"][-1] and solution.fields["inside"][0]


def test_a_closure_that_breaks_down_is_no_solution(fake: Path, channel: Channel) -> None:
    def negative(x: Floats) -> ClosureValue:
        value = power_law(x)
        return ClosureValue(value.values - 1.0, value.tangent, value.inside)

    solution = channel.solve(negative)
    assert not solution.converged and solution.reason is not None and "a viscosity is positive" in solution.reason


def test_a_stress_that_falls_with_the_rate_is_refused_where_it_falls(fake: Path, channel: Channel) -> None:
    def banded(x: Floats) -> ClosureValue:
        value = power_law(x)
        return ClosureValue(
            np.where(x > 10, 10.0**1.5 * value.values / x**1.5, value.values), value.tangent, value.inside
        )

    solution = channel.solve(banded)
    assert not solution.converged and solution.reason is not None and "no steady flow is stable" in solution.reason
    assert solution.states.min() == pytest.approx(10.0)


def test_a_solver_in_time_is_steady_where_tolerances_say_so(fake: Path, channel: Channel) -> None:
    files = dict(channel.problem.case.template)
    files["system/fvSchemes"] = files["system/fvSchemes"].replace("steadyState", "Euler")
    solution = replace(channel.problem, case=Case(files)).solve(power_law)
    assert not solution.converged and solution.reason is not None and "give the case tolerances" in solution.reason
    assert replace(channel.problem, case=Case(files, tolerances={"Ux": 1e-9})).solve(power_law).converged


def test_a_solver_that_fails_is_no_solution_with_its_reason(fake: Path, channel: Channel) -> None:
    files = dict(channel.problem.case.template)
    files["system/controlDict"] += "\nfake diverge;\n"
    solution = replace(channel.problem, case=Case(files, tolerances={"Ux": 1e-9})).solve(power_law)
    assert not solution.converged
    assert solution.reason is not None and solution.reason.startswith("simpleFoam diverged: floating point exception")


def test_a_solver_that_does_not_converge_is_run_on_and_then_given_up(fake: Path, channel: Channel) -> None:
    files = dict(channel.problem.case.template)
    files["system/controlDict"] += "\nfake unconverged;\n"
    problem = replace(channel.problem, case=Case(files, tolerances={"Ux": 1e-9}))
    solution = problem.solve(power_law)
    assert not solution.converged and solution.reason is not None
    assert "the residual of Ux is 0.03, above 1e-09" in solution.reason


def test_a_reader_that_gives_no_number_is_no_solution(fake: Path, channel: Channel) -> None:
    solution = replace(channel.problem, qois={"drag": lambda folder: float("nan")}).solve(power_law)
    assert not solution.converged and solution.reason == "the quantity of interest 'drag' is nan"
    missing = {"drag": lambda folder: float((folder / "nothing").read_text())}
    solution = replace(channel.problem, qois=missing).solve(power_law)
    assert solution.reason is not None and "'drag' was not read: FileNotFoundError" in solution.reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"height": "10 kg"}, "does not convert to 'm'"),
        ({"height": -1.0}, "half gap of the channel is -0.5"),
        ({"velocity": 0.0}, "velocity of the channel is 0"),
        ({"cells": 3}, "at least 4"),
        ({"timeout": "1 m"}, "timeout = '1 m' does not convert to 's'"),
        ({"timeout": -5}, "timeout = -5 leaves the program nothing"),
        ({"grading": 0.0}, "grading"),
    ],
)
def test_a_channel_that_is_none_is_one_sentence(channel: Channel, changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(channel, **changes)


def test_a_pipe_has_its_radius_and_its_force_balance() -> None:
    pipe = Pipe(diameter="20 mm", length=1.0, velocity=0.1)
    assert pipe.reach == pytest.approx(0.01) and pipe.gap.dimensions == 2
    assert pipe.units == {"pressure_drop": "Pa", "wall_shear_stress": "Pa"}


def test_a_macro_case_needs_quantities_rates_and_a_density(channel: Channel) -> None:
    problem = channel.problem
    for changes, words in (
        ({"qois": {}}, "no quantity of interest"),
        ({"rates": (2.0, 1.0)}, "shear rates expected"),
        ({"density": 0.0}, "density"),
    ):
        with pytest.raises(InputError, match=words):
            replace(problem, **changes)
    assert isinstance(problem, MacroCase) and problem.start_states.shape == (4, 1)
