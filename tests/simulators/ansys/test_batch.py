"""Mechanical APDL as a program, and what its output says of errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Pattern, Program
from scalebridge.simulators.ansys.batch import apdl
from scalebridge.simulators.ansys.output import errors_in, reason
from scalebridge.simulators.ansys.results import read_results
from tests.simulators.ansys.writing import result_file

OUTPUT = b"""
 *** NOTE ***                            CP =       0.406   TIME= 10:20:29
 The automatic domain decomposition logic has selected nothing.

 *** WARNING ***                         CP =       0.410   TIME= 10:20:30
 Element shape checking is currently inactive.

 *** ERROR ***                           CP =       0.422   TIME= 10:20:31
 Solution not converged at time 1 (load step 1 substep 3).
 Run terminated.

 *** ERROR ***                           CP =       0.500   TIME= 10:20:32
 Element type 3 is not defined.
"""

# What the stand-in for the program does: reads thick from in.dat, writes values, and what it says of errors.
FAKE = """
import re, shutil, sys
text = open(sys.argv[sys.argv.index("-i") + 1]).read()
thick = float(re.search(r"thick=(\\S+)", text)[1])
glued = [word[2:] for word in sys.argv if word.startswith("-o") and word != "-o"]
name = sys.argv[sys.argv.index("-o") + 1] if "-o" in sys.argv else "".join(glued)
out = open(name, "w") if name else sys.stdout
print(" *** WARNING ***   CP = 0.1\\n nothing of note\\n", file=out)
if thick > 5:
    print(" *** ERROR ***      CP = 1.0   TIME= 10:00:00\\n Solution not converged at time 1.\\n", file=out)
    sys.exit(8 if thick < 8 else 15)
open("tip.txt", "w").write(f"UX = {10 / thick}\\n")
out.flush()
sys.exit(8)
"""


def model(tmp_path: Path, *more: str, **options: Any) -> Program:
    program = tmp_path / "ansys.py"
    program.write_text(FAKE)
    given: dict[str, Any] = {
        "command": [sys.executable, program, "-b", "-i", "in.dat", *more],
        "results": {"tip": Pattern("tip.txt", "UX = {number}", unit="mm")},
        "folder": tmp_path / "runs",
    }
    (tmp_path / "runs").mkdir(exist_ok=True)
    script = "/PREP7\nthick={{ thick [mm] }}\nSOLVE\n"
    return apdl(script, {"thick": ("m", 1e-3, 1e-2)}, {"tip": "m"}, **(given | options))


def test_errors_of_an_output_are_sentences_and_warnings_are_none() -> None:
    assert errors_in(OUTPUT.splitlines()) == (
        "Solution not converged at time 1 (load step 1 substep 3). Run terminated.",
        "Element type 3 is not defined.",
    )
    assert errors_in([b"all is well"]) == ()
    assert errors_in([b" ANSYS LICENSE MANAGER ERROR: no server"]) == ("ANSYS LICENSE MANAGER ERROR: no server",)


def test_a_kind_stands_in_front_of_its_words() -> None:
    assert reason("Solution not  converged\nat time 1") == "it did not converge: Solution not converged at time 1"
    assert reason("license not available") == "ANSYS has no licence for it: license not available"
    assert reason("Element type 3 is not defined.") == "Element type 3 is not defined."


@pytest.mark.parametrize("more", [(), ("-o", "out.txt")])
def test_a_run_is_read_in_units_and_its_end_may_be_the_code_8(tmp_path: Path, more: tuple[str, ...]) -> None:
    runs = model(tmp_path, *more).run(np.array([[0.002], [0.004]]))
    assert np.allclose(runs.values[:, 0], [5e-3, 2.5e-3]) and runs.ok.all(), runs.reason
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize("more", [(), ("-o", "out.txt")])
def test_an_error_in_the_output_fails_the_row_with_its_words(tmp_path: Path, more: tuple[str, ...]) -> None:
    runs = model(tmp_path, *more).run(np.array([[0.006], [0.002]]))
    assert runs.status.tolist() == ["failed", "ok"]
    assert "ANSYS says in 'out.txt': it did not converge: Solution not converged at time 1." in runs.reason[0]


@pytest.mark.parametrize("more", [("-o", "solve.out"), ("-osolve.out",), ("-o", "./solve.out")])
def test_errors_are_read_from_the_file_that_the_command_names(tmp_path: Path, more: tuple[str, ...]) -> None:
    runs = model(tmp_path, *more).run(np.array([[0.006], [0.002]]))
    assert runs.status.tolist() == ["failed", "ok"]
    assert "solve.out': it did not converge" in runs.reason[0]


def test_a_run_that_says_nothing_is_not_believed(tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("open('tip.txt', 'w').write('UX = 1')\n")
    runs = model(tmp_path, command=[sys.executable, silent]).run(np.array([[0.002]]))
    assert runs.status[0] == "failed" and "ANSYS wrote nothing to 'out.txt'" in runs.reason[0]
    with pytest.raises(InputError, match="outside of the working folder"):
        model(tmp_path, "-o", "/tmp/solve.out")


def test_another_exit_code_fails_the_row_with_the_last_words(tmp_path: Path) -> None:
    runs = model(tmp_path).run(np.array([[0.009]]))
    assert "exit code 15" in runs.reason[0] and "Solution not converged" in runs.reason[0]


def test_a_result_file_is_read_by_a_function(tmp_path: Path) -> None:
    ready = result_file(tmp_path / "file.rst")

    def tip(folder: Path) -> float:
        return float(np.abs(read_results(folder / "file.rst", length="m").fields()["displacement"].values).max())

    made = model(tmp_path, results={"tip": tip}, files=[ready])
    assert made.run(np.array([[0.002]])).values[0, 0] == 23.0
    again = model(tmp_path, results={"tip": tip}, files=[ready])
    assert made.identity() == again.identity()


def test_a_missing_script_and_an_unused_input_are_one_sentence(tmp_path: Path) -> None:
    for missing in (tmp_path / "no.inp", "no.inp"):
        with pytest.raises(InputError, match="There is no APDL input file"):
            apdl(missing, {"a": "1"}, {"b": "1"}, {"b": Pattern("x", "{number}")})
    with pytest.raises(InputError, match="thick"):
        apdl("SOLVE\n", {"thick": "m"}, {"b": "1"}, {"b": Pattern("x", "{number}")})
