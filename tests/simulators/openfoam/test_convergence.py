"""What the log of a solver says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.openfoam import progress, read_solver_log

_ITERATION = """Time = {time}

smoothSolver:  Solving for Ux, Initial residual = {u}, Final residual = 1e-05, No Iterations 4
smoothSolver:  Solving for Uy, Initial residual = 0.001, Final residual = 1e-05, No Iterations 4
GAMG:  Solving for p, Initial residual = {p}, Final residual = 0.0004, No Iterations 8
GAMG:  Solving for p, Initial residual = 0.5, Final residual = 0.0004, No Iterations 8
time step continuity errors : sum local = 1e-05, global = 1e-06, cumulative = 1e-06
ExecutionTime = 0.06 s  ClockTime = 0 s

"""
_CRITERIA = "SIMPLE: convergence criteria found\n    p\t tolerance 0.01\n"
_START = "trapFpe: Floating point exception trapping enabled (FOAM_SIGFPE).\n"


def _log(tmp_path: Path, *parts: str) -> Path:
    path = tmp_path / "log.simpleFoam"
    path.write_text("".join(parts))
    return path


def test_the_first_residual_of_the_last_iteration_counts(tmp_path: Path) -> None:
    path = _log(tmp_path, _ITERATION.format(time=1, u=0.9, p=0.8), _ITERATION.format(time=2, u=0.02, p=0.03), "End\n")
    log = read_solver_log(path)
    assert log.time == 2.0
    assert log.residuals == {"Ux": 0.02, "Uy": 0.001, "p": 0.03}
    assert log.finished and not log.exception and log.fatal == ""


def test_a_solver_that_says_that_it_converged_is_believed(tmp_path: Path) -> None:
    said = "\nSIMPLE solution converged in 283 iterations\n\nEnd\n\n"
    log = read_solver_log(_log(tmp_path, _CRITERIA, _ITERATION.format(time=283, u=1e-5, p=1e-4), said))
    assert log.converged and log.unconverged(None) == ""


def test_a_steady_solver_that_reaches_its_last_iteration_has_not_converged(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, _CRITERIA, _ITERATION.format(time=500, u=0.02, p=0.03), "End\n"))
    assert log.unconverged(None) == "not converged at time 500: residuals Ux 0.02, Uy 0.001, p 0.03"


def test_a_steady_solver_without_criteria_is_not_believed_without_tolerances(tmp_path: Path) -> None:
    said = "SIMPLE: no convergence criteria found. Calculations will run for 500 steps.\n"
    log = read_solver_log(_log(tmp_path, said, _ITERATION.format(time=500, u=1e-7, p=1e-7), "End\n"))
    assert "give tolerances" in log.unconverged(None)
    assert log.unconverged({"Ux": 1e-6, "p": 1e-6}) == ""


def test_a_tolerance_of_a_vector_is_that_of_all_its_components(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, _ITERATION.format(time=7, u=1e-7, p=1e-7), "End\n"))
    assert "the residual of U is 0.001, above 1e-06" in log.unconverged({"U": 1e-6})
    assert "'T' was not solved for" in log.unconverged({"T": 1e-6})


def test_a_solver_in_time_needs_no_convergence(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, "PISO: Operating solver in PISO mode\n", _ITERATION.format(time=1, u=1, p=1)))
    assert log.steady is None and log.unconverged(None) == ""


def test_an_iteration_that_solves_for_nothing_does_not_hide_the_residuals(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, _ITERATION.format(time=1, u=0.5, p=0.4), "Time = 2\n\nEnd\n"))
    assert log.time == 2.0 and log.residuals["Ux"] == 0.5


def test_a_residual_that_is_no_number_is_divergence(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, _ITERATION.format(time=3, u="nan", p="-nan"), "End\n"))
    assert log.diverged == "the residual of Ux is nan"
    assert "nan" in log.unconverged({"U": 1e-6})


def test_fields_of_a_phase_are_fields(tmp_path: Path) -> None:
    solving = (
        "Time = 1\n\nsmoothSolver:  Solving for {}, Initial residual = {}, Final residual = 1e-09, No Iterations 2\n"
    )
    log = read_solver_log(_log(tmp_path, solving.format("alpha.water", 0.5), "End\n"))
    assert log.residuals == {"alpha.water": 0.5}
    assert "the residual of alpha.water is 0.5" in log.unconverged({"alpha.water": 1e-6})
    assert read_solver_log(_log(tmp_path, solving.format("k.gas", "nan"))).diverged == "the residual of k.gas is nan"
    vector = read_solver_log(_log(tmp_path, solving.format("U.airx", 0.25), "End\n"))
    assert "the residual of U.air is 0.25" in vector.unconverged({"U.air": 1e-6})


def test_a_floating_point_exception_is_divergence_and_the_notice_of_the_trap_is_not(tmp_path: Path) -> None:
    assert read_solver_log(_log(tmp_path, _START, "End\n")).diverged == ""
    trace = "#0  Foam::error::printStack(Foam::Ostream&) at ??:?\n#1  Foam::sigFpe::sigHandler(int) at ??:?\n"
    assert read_solver_log(_log(tmp_path, _START, trace)).diverged == "floating point exception"


def test_a_fatal_error_is_told_in_its_own_words_with_its_place(tmp_path: Path) -> None:
    path = _log(
        tmp_path,
        "\n\n--> FOAM FATAL IO ERROR: \nUnknown patchField type fixdValue\n\nfile: 0/U.boundaryField.lid at line 25.\n"
        "\n    From function void Foam::x()\n    in file y.C at line 3.\n\nFOAM exiting\n\nExec   : icoFoam\n",
    )
    assert read_solver_log(path).fatal == "Unknown patchField type fixdValue (0/U.boundaryField.lid at line 25)"


def test_the_list_of_all_that_would_be_valid_is_left_out(tmp_path: Path) -> None:
    valid = "".join(f"word{i}\n" for i in range(90))
    path = _log(
        tmp_path,
        f"[1] --> FOAM FATAL IO ERROR: \n[1] Unknown type a\n\n\nValid types :\n\n90\n(\n{valid})\n\n\n",
        "[1] file: 0/U.b at line 3.\n[1] \n[1]     From function x\n",
    )
    assert read_solver_log(path).fatal == "Unknown type a Valid types : (0/U.b at line 3)"


def test_an_error_that_is_cut_off_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    log = read_solver_log(_log(tmp_path, "--> FOAM FATAL ERROR: \nCannot find patch"))
    assert log.fatal == "Cannot find patch" and not log.finished


def test_a_parallel_run_ends_after_its_end(tmp_path: Path) -> None:
    path = _log(tmp_path, _ITERATION.format(time=1, u=1, p=1), "End\n\nFinalising parallel run\n")
    assert read_solver_log(path).finished


def test_a_line_without_end_and_bytes_without_meaning_are_read_past(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1_000_000 + b"\0\xff\nTime = 1e999\nSolving for \xff, Initial residual = x,\nEnd\n")
    log = read_solver_log(path)
    assert log.finished and log.residuals == {}


def test_progress_is_the_last_time_over_the_end_time(tmp_path: Path) -> None:
    path = _log(tmp_path, *(_ITERATION.format(time=t, u=1, p=1) for t in range(1, 251)))
    assert progress(path, 1000.0) == 0.25
    assert progress(path, 100.0) == 1.0
    assert progress(_log(tmp_path, _START), 100.0) is None
    assert progress(tmp_path / "none", 100.0) is None


def test_a_log_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_solver_log(tmp_path / "none")
