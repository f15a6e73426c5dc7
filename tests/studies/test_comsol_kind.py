"""``kind = "comsol"`` in a study."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.comsol import Comsol, Evaluation, Exported, stop
from scalebridge.studies.kinds import parsed

CAPACITOR = Path(__file__).parents[2] / "data" / "comsol-files" / "capacitor.mph"


def built(tmp_path: Path, **changed: Any) -> Any:
    shutil.copy(CAPACITOR, tmp_path / "capacitor.mph")
    table = {
        "kind": "comsol",
        "file": "capacitor.mph",
        "inputs": {"d": ["mm", 1, 5], "U": "V"},
        "outputs": {"C": "pF", "V": "V"},
        "results": {"C": "2*es.intWe/U^2", "V": {"export": "data", "column": "V", "statistic": "max", "part": "real"}},
        "study": "static",
        "timeout": "1 min",
    }
    return parsed("capacitor", table | changed).build("capacitor", tmp_path)


def test_a_table_makes_a_model_that_runs(tmp_path: Path) -> None:
    made = built(tmp_path)
    assert isinstance(made.model, Comsol) and made.model.name == "capacitor" and made.notes == ()
    assert made.model.results == {"C": "2*es.intWe/U^2", "V": Exported("data", "V", None, "max", "real")}
    try:
        runs = replace(made.model, library="scalebridge.testing.comsol").run(np.array([[1.0, 2.0]]))
    finally:
        stop()
    assert np.allclose(runs.values, [[8.8541878128e-12 * 2e-5 / 1e-3 * 1e12, 2.0]])


def test_a_table_of_an_expression_is_an_evaluation(tmp_path: Path) -> None:
    table = {"expression": "V", "dataset": "time-dependent", "inner": [1, 3], "statistic": "mean"}
    made = built(tmp_path, outputs={"V": "V"}, results={"V": table})
    assert made.model.results["V"] == Evaluation("V", "time-dependent", (1, 3), None, "mean")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"inputs": {"dd": "mm"}}, r"\[models.capacitor\]: 'capacitor.mph' has no parameter 'dd'; did you mean 'd'"),
        ({"study": "statics"}, "no study 'statics'; did you mean 'static'"),
        ({"file": "other.mph"}, "there is no file"),
        ({"results": {"C": {"dataset": "x"}}}, "an expression, or an export and its column"),
        ({"results": {"C": {"expression": "1", "inner": [1, 0]}}}, "inner"),
        ({"results": {"C": {"expression": "1", "outr": 1}}}, "has no key 'outr'; did you mean 'outer'"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        built(tmp_path, **changed)


def test_a_file_that_needs_comsol_to_be_read_is_noted(tmp_path: Path) -> None:
    (tmp_path / "locked.mph").write_bytes(b"PK no archive that we know")
    made = built(tmp_path, file="locked.mph")
    assert "names are checked when COMSOL starts only" in made.notes[0]
