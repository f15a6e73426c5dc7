"""The kind `program` of a study: the same model, declared in TOML."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models import Program
from scalebridge.studies import json_schema
from scalebridge.studies.kinds import parsed

STUDY = """
kind = "program"
command = ["PYTHON", "-S", "-E", "solver.py", "in.txt"]
template = "case"
options = { mesh = "fine" }
timeout = "10 min"
converged = { file = "stdout.txt", pattern = "^done" }

[inputs]
T = ["K", 80, 700]
strain = { unit = "1", shape = [3], kind = "symmetric" }

[outputs]
energy = "J"
stress = { unit = "MPa", shape = [3] }

[results.energy]
file = "stdout.txt"
pattern = "energy = {number}"
unit = "kJ"

[results.stress]
file = "r.json"
json_path = "stress"
"""
SOLVER = """
import sys
T, mesh, *strain = open(sys.argv[1]).read().split()
print("energy =", float(T)); open("r.json", "w").write('{"stress": [%s]}' % ", ".join(strain)); print("done")
"""


def table(**changes: Any) -> dict[str, Any]:
    content = tomllib.loads(STUDY.replace("PYTHON", sys.executable))
    return {key: value for key, value in {**content, **changes}.items() if value is not None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "in.txt").write_text("{{ T [degC] : .2f }} {{ mesh }} {{ strain }}")
    (tmp_path / "solver.py").write_text(SOLVER)
    (tmp_path / "read.py").write_text("def read(folder):\n    return {'energy': 1.0, 'stress': [1, 2, 3]}\nx = 1\n")
    return tmp_path


def build(folder: Path, **changes: Any) -> Program:
    made = parsed("solver", table(**changes)).build("solver", folder).model
    assert isinstance(made, Program)
    return made


def test_a_table_makes_the_program_and_it_runs(folder: Path) -> None:
    model = build(folder)
    runs = model.run(np.array([[300.0, 0.1, 0.2, 0.3]]))
    assert runs.ok.all(), runs.reason
    assert runs.values[0].tolist() == pytest.approx([26850.0, 0.1, 0.2, 0.3])
    assert model.name == "solver" and model.inputs["strain"].kind == "symmetric"


def test_results_may_be_a_function_from_a_file(folder: Path) -> None:
    assert build(folder, results="read.py:read").run(np.array([[300.0, 0, 0, 0]])).values[0].tolist() == [1, 1, 2, 3]
    with pytest.raises(InputError, match="is a int; name a function"):
        build(folder, results="read.py:x")


@pytest.mark.parametrize(
    "result",
    [
        {"csv": "energy", "row": 0},
        {"columns": 1},
        {"npy": True, "index": [-1]},
        {"npz": "e"},
        {"hdf5": "a/b"},
        {"pattern": "{number}", "which": "first"},
    ],
)
def test_every_parser_can_be_named(result: dict[str, Any], folder: Path) -> None:
    pytest.importorskip("h5py")
    results = {**table()["results"], "energy": {"file": "f", **result}}
    reader = build(folder, results=results)._attempt.reader
    assert repr(reader.results["energy"]).lower().startswith(next(iter(result)))  # type: ignore[index]


def test_a_file_beside_the_study_that_the_program_writes_is_not_touched(folder: Path) -> None:
    (folder / "result.txt").write_text("of a run by hand")
    (folder / "write.py").write_text("import sys\nopen(sys.argv[1], 'w').write('e 4')\n")
    model = build(
        folder,
        command=[sys.executable, "-S", "-E", "write.py", "result.txt"],
        converged=None,
        outputs={"energy": "J"},
        results={"energy": {"file": "result.txt", "pattern": "e {number}"}},
    )
    assert model.run(np.array([[300.0, 0, 0, 0]])).values.item() == 4
    assert (folder / "result.txt").read_text() == "of a run by hand"


def test_ranks_noise_and_the_rest_reach_the_program(folder: Path) -> None:
    model = build(
        folder,
        mpi={"ranks": 2, "command": ["srun"], "options": ["--exact"]},
        noise_std={"energy": {"file": "r.json", "json_path": "s"}},
        unconverged={"file": "stdout.txt", "pattern": "diverged"},
        files={"mesh": "solver.py"},
        links={"data": "case"},
        threads=2,
        memory="1 GB",
        working_folder="runs",
    )
    assert model._attempt.launcher is not None
    assert model._attempt.launcher.before() == ["srun", "-n", "2", "--exact"]
    assert model._attempt.limits.memory == 10**9 and model._attempt.folder == (folder / "runs").absolute()
    assert model._attempt.environment["OMP_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"comand": ["a"]}, r"\[models.solver\] has no key 'comand'; did you mean 'command'"),
        ({"command": "solver in.txt"}, r"models.solver"),
        ({"template": "cse"}, r"\[models.solver\]: template: there is no file or folder"),
        ({"options": {"mesh": "$(rm)"}}, r"\[models.solver\]: The option 'mesh' = '\$\(rm\)' holds '\$'"),
        ({"outputs": {"energy": "J"}}, "reads 'stress', which is no output"),
        ({"timeout": "10 m"}, "timeout = '10 m' does not convert"),
        (
            {"results": {"energy": {"file": "a"}}},
            "the file 'a' is to be read by nothing; give one of pattern, csv, columns",
        ),
        (
            {"results": {"energy": {"file": "a", "npz": "a", "csv": 1}}},
            "the file 'a' is to be read by csv and npz; give one",
        ),
        ({"results": "none.py:f"}, "there is no file"),
        ({"keep": "some"}, "keep"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(changes: dict[str, Any], said: str, folder: Path) -> None:
    with pytest.raises(InputError, match=said) as refused:
        build(folder, **changes)
    assert "\n" not in str(refused.value)


def test_the_schema_takes_the_table() -> None:
    study = {
        "models": {"solver": table(), "wall": {"function": "a.py:wall"}},
        "couplings": [{"macro": "wall", "micro": "solver"}],
        "question": {"qoi": "q", "rtol": 0.01},
    }
    jsonschema.validate(study, json_schema())
    study["models"]["solver"]["comand"] = 1  # type: ignore[index]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(study, json_schema())
