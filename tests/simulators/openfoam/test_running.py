"""Every way in which the programs of a case end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Limits, working_folder
from scalebridge.simulators.openfoam import Case, CaseRun


def _run(files: Mapping[str, str], **options: object) -> CaseRun:
    case = Case(files, **options)
    with working_folder() as folder:
        case.prepare(folder.path)
        return case.run(folder.path)


def _in_trouble(files: Mapping[str, str], word: str) -> Mapping[str, str]:
    return {**files, "system/controlDict": f"{files['system/controlDict']}\nfake {word};\n"}


def test_a_case_that_runs_is_ok_and_says_what_it_took(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(cavity)
    assert run.ok and run.reason == ""
    assert [(step.name, step.status) for step in run.steps] == [("blockMesh", "ok"), ("icoFoam", "ok")]
    assert run.solver_log is not None and run.solver_log.time == 0.5
    assert 0 < run.seconds < 30


def test_a_parallel_case_is_decomposed_run_and_reconstructed(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(cavity, processors=2)
    assert run.ok, run.reason
    assert [step.name for step in run.steps] == ["blockMesh", "decomposePar", "icoFoam", "reconstructPar"]


def test_a_mesh_that_fails_ends_the_case_in_openfoams_own_words(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run({**cavity, "system/blockMeshDict": "blocks ();"})
    assert (run.status, len(run.steps)) == ("failed", 1)
    assert run.reason == "blockMesh failed: Cannot find an open bracket in the list of blocks"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("fatal", "icoFoam failed: Maximum number of iterations exceeded"),
        ("diverge", "icoFoam diverged: floating point exception (at time 1, residuals Ux 0.5)"),
        ("nan", "icoFoam diverged: the residual of Ux is nan (at time 2, residuals Ux nan)"),
        ("silent", "icoFoam failed: its log ends without 'End' (at time 1, residuals Ux 0.5)"),
    ],
)
def test_every_failure_has_its_reason(fake: Path, cavity: Mapping[str, str], word: str, reason: str) -> None:
    run = _run(_in_trouble(cavity, word))
    assert (run.status, run.reason) == ("failed", reason)


def test_a_run_that_writes_nothing_has_no_results_but_its_start(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(_in_trouble(cavity, "unwritten"))
    assert run.status == "failed" and "came to time 1 and wrote neither fields nor results" in run.reason
    assert "writeInterval" in run.reason


@pytest.mark.parametrize("written", ["1", "processor0/1", "processors2/1"])
def test_a_time_that_was_written_is_a_result_whole_or_in_parts(
    fake: Path, cavity: Mapping[str, str], written: str
) -> None:
    case = Case(_in_trouble(cavity, "unwritten"))
    with working_folder() as folder:
        case.prepare(folder.path)
        (folder.path / written).mkdir(parents=True)
        assert case.run(folder.path).ok


def test_a_solver_that_is_killed_is_told_with_its_signal(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(_in_trouble(cavity, "killed"))
    assert run.status == "failed" and "SIGKILL" in run.reason


def test_a_solver_that_hangs_is_a_timeout_that_says_how_far_it_came(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(_in_trouble(cavity, "hang"), limits=Limits(timeout=1.5))
    assert run.status == "timeout"
    assert "at time 1, residuals Ux 0.5" in run.reason


def test_residuals_above_the_tolerances_are_a_failure_that_names_them(fake: Path, cavity: Mapping[str, str]) -> None:
    run = _run(_in_trouble(cavity, "unconverged"), tolerances={"U": 1e-6})
    assert run.status == "failed"
    assert "the residual of U is 0.03, above 1e-06: residuals Ux 0.03" in run.reason


@pytest.mark.parametrize(
    ("schemes", "in_time"),
    [
        ("ddtSchemes { default Euler; }", True),
        ("/* ddtSchemes { default Euler; } */ ddtSchemes\n{\n    default steadyState;\n}", False),
        ("ddtSchemes { default localEuler; }", False),
        ("ddtSchemes { default steadyState; ddt(T) bounded backward; }", False),
        ("divSchemes { default none; }", False),
    ],
)
def test_a_solver_in_time_needs_no_criteria_though_it_says_that_it_found_none(
    fake: Path, cavity: Mapping[str, str], schemes: str, in_time: bool
) -> None:
    # Some, such as scalarTransportFoam, print "SIMPLE: no convergence criteria found" as a steady solver does.
    steady = _in_trouble({**cavity, "system/fvSchemes": schemes}, "unconverged")
    run = _run(steady, solver="simpleFoam")
    assert run.ok if in_time else "give tolerances" in run.reason


def test_a_solver_that_takes_no_step_has_not_run(fake: Path, cavity: Mapping[str, str]) -> None:
    assert "took no step" in _run(cavity, solver="decomposePar").reason


def test_a_folder_that_openfoam_cannot_read_is_refused(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    with working_folder(tmp_path / "my work") as folder, pytest.raises(InputError, match="no path with blanks"):
        Case(cavity).run(folder.path)


def test_nothing_is_left_behind(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    root = tmp_path / "work"
    case = Case(_in_trouble(cavity, "fatal"))
    with working_folder(root) as folder:
        case.prepare(folder.path)
        assert not case.run(folder.path).ok
    assert list(root.iterdir()) == []
