"""Cases as recipes: what is copied, changed and run."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scalebridge.errors import InputError
from scalebridge.models.program import Limits
from scalebridge.simulators.openfoam import Case


def _folder(tmp_path: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (tmp_path / "case" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "case" / name).write_text(text)
    return tmp_path / "case"


def _prepared(case: Case, tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    case.prepare(place)
    return place


def test_what_an_earlier_run_left_in_the_template_is_not_copied(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    template = _folder(tmp_path, cavity)
    for name in ("0.5/U", "100/p", "processor0/0/U", "postProcessing/forces/0/x.dat", "log.icoFoam", ".git/HEAD"):
        (template / name).parent.mkdir(parents=True, exist_ok=True)
        (template / name).write_text("left")
    work = _prepared(Case(template), tmp_path)
    assert {p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file()} == set(cavity)
    assert (template / "0.5/U").exists()


def test_the_original_fields_become_those_of_the_start(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    files = {name.replace("0/", "0.orig/"): text for name, text in cavity.items()}
    work = _prepared(Case(_folder(tmp_path, files)), tmp_path)
    assert (work / "0/U").read_text() == cavity["0/U"]


def test_the_programs_are_found_in_the_case(cavity: Mapping[str, str]) -> None:
    assert [step.name for step in Case(cavity).steps] == ["blockMesh", "icoFoam"]
    meshed = {name: text for name, text in cavity.items() if "blockMesh" not in name} | {"constant/polyMesh/points": ""}
    assert [step.name for step in Case(meshed).steps] == ["icoFoam"]
    parallel = Case(cavity, processors=2, mesh=("blockMesh", ("snappyHexMesh", "-overwrite")), after=("checkMesh",))
    names = ["blockMesh", "snappyHexMesh", "decomposePar", "icoFoam", "reconstructPar", "checkMesh"]
    assert [step.name for step in parallel.steps] == names
    assert [step.ranks for step in parallel.steps if step.solver] == [2]
    assert parallel.steps[1].argv == ("snappyHexMesh", "-overwrite")


def test_files_that_are_packed_are_those_of_the_case(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")
    template = _folder(tmp_path, cavity)
    for name in ("0/U", "system/blockMeshDict"):
        (template / f"{name}.gz").write_bytes(gzip.compress((template / name).read_bytes()))
        (template / name).unlink()
    case = Case(template, settings={"0/U:boundaryField/movingWall/value[0]": "2 m/s"})
    assert [step.name for step in case.steps] == ["blockMesh", "icoFoam"]
    work = _prepared(case, tmp_path)
    assert "uniform (2.0 0.0 0.0)" in (work / "0/U").read_text() and not (work / "0/U.gz").exists()


def test_a_value_for_a_mesh_that_is_made_already_is_refused_unless_it_is_made_again(cavity: Mapping[str, str]) -> None:
    meshed, settings = {**cavity, "constant/polyMesh/points": ""}, {"system/blockMeshDict:scale": 0.1}
    with pytest.raises(InputError, match="made already"):
        Case(meshed, settings=settings)
    assert Case(meshed, settings=settings, mesh=("blockMesh",)).mesh_steps
    assert Case(cavity, settings=settings).mesh_steps


def test_a_mesh_that_is_linked_into_the_case_is_its_mesh(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    template = _folder(tmp_path, cavity)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/points").write_text("mesh")
    (template / "constant/polyMesh").symlink_to(tmp_path / "shared")
    (template / "constant/back").symlink_to(template / "constant")
    case = Case(template)
    assert [step.name for step in case.steps] == ["icoFoam"]
    work = _prepared(case, tmp_path)
    assert (work / "constant/polyMesh/points").read_text() == "mesh" and not (work / "constant/back").exists()


def test_a_parallel_case_is_told_how_to_decompose(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    text = (_prepared(Case(cavity, processors=3), tmp_path) / "system/decomposeParDict").read_text()
    assert "numberOfSubdomains 3;" in text and "n (3 1 1);" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "nowhere"}, "is no folder"),
        ({"template": {"0/U": ""}}, "no 'system/controlDict'"),
        ({"template": {"../x": "", "system/controlDict": ""}}, "outside"),
        ({"processors": 0}, "processors = 0"),
        ({"processors": 1.5}, "processors = 1.5"),
        ({"tolerances": {"U": 2.0}}, "between 0 and 1"),
        ({"settings": {"0.orig/U:boundaryField/movingWall/value": 1.0}}, "write '0/U:boundaryField/movingWall/value'"),
        ({"settings": {"nu": 1.0}}, "not of the form 'file:entry'"),
        ({"mesh": ("snappyHexMesh -overwrite",)}, "no name and no list of arguments"),
        ({"solver": ()}, "no name and no list of arguments"),
    ],
)
def test_what_makes_no_case_is_one_sentence(cavity: Mapping[str, str], changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(Case(cavity), **changes)


def test_a_case_without_a_mesh_or_an_application_is_one_sentence(cavity: Mapping[str, str]) -> None:
    with pytest.raises(InputError, match="neither a mesh"):
        Case({name: text for name, text in cavity.items() if "blockMesh" not in name})
    with pytest.raises(InputError, match="names no 'application'"):
        Case({**cavity, "system/controlDict": "endTime 1;"})


def test_the_digest_tells_cases_apart_and_not_their_folders(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    case = Case(_folder(tmp_path / "a", cavity))
    assert case.digest() == Case(_folder(tmp_path / "b", cavity)).digest() == Case(cavity).digest()
    others = [
        Case({**cavity, "0/p": cavity["0/p"] + " "}),
        Case(cavity, settings={"constant/transportProperties:nu": 1.0}),
        Case(cavity, tolerances={"U": 1e-6}),
        Case(cavity, after=("checkMesh",)),
    ]
    assert len({case.digest(), *(other.digest() for other in others)}) == 5


def test_the_digest_sees_every_digit_of_every_entry_of_an_array(cavity: Mapping[str, str]) -> None:
    long, digits = np.zeros((2, 3000)), np.ones((2, 3))
    long[1, 1500], digits[1, 0] = 1.0, 1.0 + 1e-12
    for one, other in (long, digits):
        cases = [Case(cavity, settings={"0/U:internalField": array}) for array in (one, other)]
        assert cases[0].digest() != cases[1].digest()


def test_limits_are_no_part_of_what_a_case_is(cavity: Mapping[str, str]) -> None:
    assert Case(cavity).digest() == Case(cavity, limits=Limits(timeout=1.0)).digest()


def test_settings_are_numbers_with_units_arrays_or_words(tmp_path: Path, cavity: Mapping[str, str]) -> None:
    foamlib = pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")
    settings = {
        "constant/transportProperties:nu": "20 mm^2/s",
        "0/U:boundaryField/movingWall/value": [2.0, 0.0, 0.0],
        "system/controlDict:application": "pisoFoam",
        "system/controlDict:endTime": 2,
    }
    work = _prepared(Case(cavity, settings=settings), tmp_path)
    assert float(foamlib.FoamFile(work / "constant/transportProperties")["nu"].value) == pytest.approx(2e-5)
    control = foamlib.FoamFile(work / "system/controlDict")
    assert (control["application"], control["endTime"]) == ("pisoFoam", 2)
