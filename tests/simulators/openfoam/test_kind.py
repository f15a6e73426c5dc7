"""A case declared in a study file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.studies.kinds import parsed

pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")

_READER = """
def drag(case):
    return {"drag": float((case / "postProcessing/forces/0/drag.dat").read_text().split()[-1])}

number = 3
"""


@pytest.fixture
def study(tmp_path: Path, cavity: Mapping[str, str]) -> Path:
    """A folder with a case and a reader."""
    for name, text in cavity.items():
        (tmp_path / "lid" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lid" / name).write_text(text)
    (tmp_path / "reading.py").write_text(_READER)
    return tmp_path


def _table(**changes: Any) -> dict[str, Any]:
    table = {
        "kind": "openfoam",
        "case": "lid",
        "inputs": {
            "viscosity": {"place": "constant/transportProperties:nu", "unit": "mm^2/s", "bounds": [1.0, 1e5]},
        },
        "outputs": {"drag": ["N", 0.0, 10.0]},
        "results": "reading.py:drag",
        "settings": {"0/U:boundaryField/movingWall/value[0]": "2 m/s"},
    }
    return {**table, **changes}


def test_a_study_names_a_case_and_its_reader(fake: Path, study: Path) -> None:
    model = parsed("lid", _table()).build("lid", study).model
    runs = model.run(np.array([[3000.0]]))
    assert runs.ok.all(), runs.reason
    assert runs.values[0, 0] == pytest.approx(3e-3 * 2.0)
    assert model.inputs["viscosity"].bounds == (1.0, 1e5) and model.outputs["drag"].bounds == (0.0, 10.0)


_HELPED = """
FACTOR = 1.0

def scaled(case):
    return FACTOR * float((case / "postProcessing/forces/0/drag.dat").read_text().split()[-1])

def drag(case):
    return {"drag": scaled(case)}
"""


def test_its_identity_follows_what_its_reader_uses_of_its_file(study: Path) -> None:
    def identity(text: str) -> Mapping[str, str]:
        (study / "reading.py").write_text(text)
        return parsed("lid", _table()).build("lid", study).model.identity()

    first = identity(_HELPED)
    assert identity(_HELPED.replace("FACTOR = 1.0", "FACTOR = 2.0")) != first
    assert identity(_HELPED.replace("FACTOR * float", "-FACTOR * float")) != first
    assert identity(_HELPED + "\nnumber = 3\n") == first


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"case": "nowhere"}, r"\[models.lid\]: The case .* is no folder"),
        ({"results": "reading.py:number"}, "is no function of the case's folder"),
        ({"results": "reading.py:lift"}, "has no 'lift'"),
        ({"inputs": {"viscosity": {"place": "nu"}}}, "not of the form 'file:entry'"),
        ({"timeout": "10 m"}, r"\[models.lid\]: .*timeout = '10 m' does not convert to 's'"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(study: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parsed("lid", _table(**changes)).build("lid", study)


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="processors"):
        parsed("lid", _table(processor=2))
