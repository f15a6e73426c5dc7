"""An OpenFOAM case as a micro model."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.campaign import LocalProcessExecutor
from scalebridge.errors import InputError
from scalebridge.models.program import Limits
from scalebridge.simulators.openfoam import Case, OpenFoam, read_probes
from scalebridge.testing import check_model

pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")

_PLACES = {"viscosity": "constant/transportProperties:nu", "speed": "0/U:boundaryField/movingWall/value[0]"}


def _drag(folder: Path) -> float:
    """Drag as the stand-in for icoFoam writes it: viscosity times speed."""
    return float((folder / "postProcessing/forces/0/drag.dat").read_text().split()[-1])


def _model(case: Case, tmp_path: Path, **options: Any) -> OpenFoam:
    given: dict[str, Any] = {
        "inputs": {"viscosity": ("mm^2/s", 1.0, 1e5), "speed": ("m/s", 0.0, 10.0)},
        "outputs": {"drag": "N"},
        "places": _PLACES,
        "results": {"drag": _drag},
        "folder": tmp_path / "work",
    }
    return OpenFoam(case, **{**given, **options})


def test_inputs_are_placed_in_si_and_results_read(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    model = _model(Case(cavity), tmp_path)
    runs = model.run(np.array([[2000.0, 3.0], [5000.0, 0.5]]))
    assert runs.ok.all(), runs.reason
    np.testing.assert_allclose(runs.values[:, 0], [2e-3 * 3.0, 5e-3 * 0.5], rtol=1e-12)
    assert (runs.cost_s > 0).all()
    assert list((tmp_path / "work").iterdir()) == []


def test_it_keeps_the_contract_of_a_model(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    check_model(_model(Case(cavity), tmp_path), np.array([[2000.0, 3.0], [5000.0, 0.5]]))


@pytest.mark.parametrize(("fails", "status"), [(False, "ok"), (True, "failed")])
def test_six_rows_of_a_campaign_are_six_runs_of_the_case(
    fake: Path, cavity: Mapping[str, str], tmp_path: Path, fails: bool, status: str
) -> None:
    read = []

    def drag(folder: Path) -> float:
        read.append(folder)
        if fails:
            raise ValueError("no drag")
        return _drag(folder)

    with sb.Campaign(_model(Case(cavity), tmp_path, results={"drag": drag}), retries=0) as campaign:
        runs = campaign.run(np.array([[nu, 1.0] for nu in range(1, 7)]), phase="learn", why="to count runs")
    assert runs.status.tolist() == [status] * 6 and len(read) == 6


@pytest.mark.parametrize("alone", [False, True])
def test_readers_of_a_file_that_no_worker_can_import_travel_with_the_model(
    fake: Path, cavity: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    file = tmp_path / "my_reading_of_drag.py"
    file.write_text(
        "def number(case):\n"
        "    return float((case / 'postProcessing/forces/0/drag.dat').read_text().split()[-1])\n"
        "def both(case):\n"
        "    return {'drag': number(case)}\n"
    )
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    own = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, file.stem, own)
    spec.loader.exec_module(own)
    model = _model(Case(cavity), tmp_path, results={"drag": own.number} if alone else own.both, name="lid")
    assert model.name == "lid" and model.identity()["name"] == "openfoam.lid"
    with LocalProcessExecutor(1) as executor, sb.Campaign(model, executor=executor, retries=0) as campaign:
        runs = campaign.run(np.array([[2000.0, 3.0]]), phase="learn", why="elsewhere")
    assert runs.ok.all(), runs.reason


def test_one_input_may_stand_in_several_places(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    places = {**_PLACES, "speed": (_PLACES["speed"], "system/controlDict:endTime")}
    assert _model(Case(cavity), tmp_path, places=places).run(np.array([[1.0, 2.0]])).ok.all()


def test_a_failed_run_is_a_row_with_its_reason(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    broken = {**cavity, "system/controlDict": cavity["system/controlDict"] + "\nfake fatal;\n"}
    runs = _model(Case(broken), tmp_path).run(np.array([[1.0, 1.0], [np.nan, 1.0]]))
    assert runs.status.tolist() == ["failed", "failed"]
    assert runs.reason == ("icoFoam failed: Maximum number of iterations exceeded", "the input is not finite")
    assert np.isnan(runs.values).all()


def test_a_run_that_takes_too_long_is_a_timeout(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    slow = {**cavity, "system/controlDict": cavity["system/controlDict"] + "\nfake hang;\n"}
    runs = _model(Case(slow, limits=Limits(timeout=1.0)), tmp_path).run(np.array([[1.0, 1.0]]))
    assert runs.status[0] == "timeout" and "1" in runs.reason[0]


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ({"drag": lambda folder: float((folder / "nothing").read_text())}, "FileNotFoundError"),
        ({"drag": lambda folder: np.nan}, "not finite"),
        ({"drag": lambda folder: np.zeros(3)}, "drag"),
        (lambda folder: {"lift": 1.0}, "the results hold no 'drag'"),
    ],
)
def test_results_that_cannot_be_read_are_a_failed_row(
    fake: Path, cavity: Mapping[str, str], tmp_path: Path, results: Any, words: str
) -> None:
    runs = _model(Case(cavity), tmp_path, results=results).run(np.array([[1.0, 1.0]]))
    assert runs.status[0] == "failed" and words in runs.reason[0]


def test_the_reason_of_a_failed_reader_does_not_name_the_working_folder(
    fake: Path, cavity: Mapping[str, str], tmp_path: Path
) -> None:
    model = _model(Case(cavity), tmp_path, results={"drag": lambda folder: read_probes(folder)["p"][-1, 0]})
    first, second = model.run(np.array([[1.0, 1.0], [1.0, 1.0]])).reason
    assert first == second and first.startswith("the results were not read: The case 'openfoam' has no results")


def test_a_failed_folder_is_kept_on_request(fake: Path, cavity: Mapping[str, str], tmp_path: Path) -> None:
    broken = {**cavity, "system/controlDict": cavity["system/controlDict"] + "\nfake fatal;\n"}
    _model(Case(broken), tmp_path, keep="failed").run(np.array([[1.0, 1.0]]))
    (kept,) = (tmp_path / "work").iterdir()
    assert "Maximum number of iterations" in (kept / "log.icoFoam").read_text()


def test_its_identity_follows_variables_case_places_and_readers(cavity: Mapping[str, str], tmp_path: Path) -> None:
    model = _model(Case(cavity), tmp_path)
    others = [
        _model(Case({**cavity, "0/p": ""}), tmp_path),
        _model(Case(cavity), tmp_path, places={**_PLACES, "speed": "system/controlDict:endTime"}),
        _model(Case(cavity), tmp_path, results={"drag": lambda folder: 1.0}),
        _model(Case(cavity), tmp_path, version="2"),
        _model(Case(cavity), tmp_path, inputs={"viscosity": ("m^2/s", 1.0, 1e5), "speed": ("m/s", 0.0, 10.0)}),
        _model(Case(cavity), tmp_path, inputs={"speed": ("m/s", 0.0, 10.0), "viscosity": ("mm^2/s", 1.0, 1e5)}),
        _model(Case(cavity), tmp_path, outputs={"drag": "mN"}),
    ]
    identities = [tuple(sorted(m.identity().items())) for m in (model, *others)]
    assert len(set(identities)) == 8
    assert model.identity() == _model(Case(cavity), tmp_path / "elsewhere").identity()


def test_units_of_another_kind_are_refused_before_the_run(
    fake: Path, cavity: Mapping[str, str], tmp_path: Path
) -> None:
    model = _model(Case(cavity), tmp_path, inputs={"viscosity": "Pa*s", "speed": "m/s"})
    with pytest.raises(InputError, match="m\\^2/s"):
        model.run(np.array([[1.0, 1.0]]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"places": {"viscosity": _PLACES["viscosity"]}}, "input 'speed' of the OpenFOAM model has no place"),
        ({"places": {**_PLACES, "sped": "a:b"}}, "place 'sped' of the OpenFOAM model is of no input"),
        ({"places": {**_PLACES, "speed": "nowhere"}}, "not of the form"),
        ({"places": {**_PLACES, "speed": _PLACES["viscosity"]}}, "is given twice"),
        ({"places": {**_PLACES, "speed": "0.orig/U:boundaryField/movingWall/value[0]"}}, "write '0/U:boundaryField"),
        ({"results": {}}, "output 'drag' of the OpenFOAM model has no reader"),
        ({"keep": "fail"}, "The OpenFOAM model was given keep='fail'; did you mean 'failed'"),
    ],
)
def test_what_does_not_match_is_said_when_it_is_made(
    cavity: Mapping[str, str], tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        _model(Case(cavity), tmp_path, **options)


def test_without_openfoam_a_run_says_how_to_install_it(
    no_openfoam: None, cavity: Mapping[str, str], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="OpenFOAM is not installed"):
        _model(Case(cavity), tmp_path).run(np.array([[1.0, 1.0]]))
