"""``kind = "ansys"`` in a study."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Program
from scalebridge.simulators.ansys import Mapdl, Nodal, Scalar, Value, stop
from scalebridge.studies.kinds import parsed

LIVE = "length = 1000\nmodulus = 2e5\narea = 10*thick\nSOLVE\n"
PROGRAM = """
import sys
thick = float(open("in.dat").read().split("=")[1])
open("tip.txt", "w").write(f"UX = {10 / thick}")
print("all is well")
sys.exit(8)
"""


def built(tmp_path: Path, **changed: Any) -> Any:
    (tmp_path / "bar.inp").write_text(LIVE)
    table = {
        "kind": "ansys",
        "script": "bar.inp",
        "inputs": {"thick": ["mm", 1, 5], "force": "N"},
        "outputs": {"tip": "mm"},
        "results": {"tip": {"get": ["NODE", 2, "U", "X"]}},
    }
    table |= {} if "command" in changed else {"exec_file": sys.executable}
    return parsed("bar", table | changed).build("bar", tmp_path).model


def test_a_table_makes_a_live_model_that_runs(tmp_path: Path) -> None:
    made = built(tmp_path)
    assert isinstance(made, Mapdl) and made.results == {"tip": Value("NODE", 2, "U", "X")}
    try:
        runs = replace(made, library="scalebridge.testing.ansys").run(np.array([[5.0, 1000.0]]))
    finally:
        stop()
    assert runs.values[0, 0] == pytest.approx(0.1)


def test_parameters_and_nodal_results_are_read_by_their_tables(tmp_path: Path) -> None:
    results = {"s": {"nodal": "nodal_eqv_stress", "statistic": "max"}, "w": {"parameter": "work"}}
    made = built(tmp_path, outputs={"s": "MPa", "w": "J"}, results=results)
    assert made.results == {"s": Nodal("nodal_eqv_stress", None, "max"), "w": Scalar("work")}


def test_a_command_makes_a_batch_model_that_runs(tmp_path: Path) -> None:
    (tmp_path / "batch.inp").write_text("thick={{ thick [mm] }}\n")
    (tmp_path / "ansys.py").write_text(PROGRAM)
    made = built(
        tmp_path,
        script="batch.inp",
        inputs={"thick": "m"},
        command=[sys.executable, "ansys.py", "-b", "-i", "in.dat"],
        results={"tip": {"file": "tip.txt", "pattern": "UX = {number}"}},
    )
    assert isinstance(made, Program)
    runs = made.run(np.array([[0.002]]))
    assert runs.values[0, 0] == 5.0, runs.reason


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"script": "other.inp"}, r"\[models.bar\]: .*there is no file"),
        ({"results": {"tip": {}}}, "one of get, parameter, nodal, or from a file"),
        ({"results": {"tip": {"file": "a"}}}, "one of get, parameter, nodal, or from a file"),
        ({"results": {"tip": {"nodal": "nodal_temperature", "pattern": "x"}}}, "one of get, parameter, nodal, or"),
        ({"results": {"tip": {"file": "a", "pattern": "{number}"}}}, "read from a file, and no command is given"),
        ({"command": ["ansys"]}, "read from a live program, and a command is given"),
        ({"results": {"tip": {"gett": ["NODE"]}}}, "has no key 'gett'; did you mean 'get'"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        built(tmp_path, **changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"keep": "failed"}, "keep is of a batch run, and no command is given"),
        (
            {"command": [sys.executable], "results": {"tip": {"file": "t", "pattern": "{number}"}}, "cores": 2},
            "cores is of a live program, and a command is given",
        ),
        ({"timeout": -1}, r"\[models.*timeout = -1.0 leaves the program nothing"),
    ],
)
def test_keys_of_the_other_way_to_run_are_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        built(tmp_path, **changed)
