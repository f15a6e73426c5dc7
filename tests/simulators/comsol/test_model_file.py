"""What a .mph file says of its model, read without COMSOL."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.comsol.model_file import Parameter, read_model
from tests.simulators.damaging import check_reader

CAPACITOR = Path(__file__).parents[3] / "data" / "comsol-files" / "capacitor.mph"


def archive(tmp_path: Path, **members: str) -> Path:
    path = tmp_path / "model.mph"
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("_xml", ".xml"), text)
    return path


def test_the_capacitor_says_its_version_its_times_and_its_size() -> None:
    model = read_model(CAPACITOR)
    assert model.version == "COMSOL 5.5.0.359" and model.title == "Capacitor"
    assert (model.created, model.modified) == ("2020-03-12T08:50:04+00:00", "2021-04-27T14:18:55+00:00")
    assert model.size == 99903 and model.computation_time == "10.396 s" and model.dimensions == {"geom1": 2}


def test_the_capacitor_has_its_parameters_with_expressions_and_descriptions() -> None:
    model = read_model(CAPACITOR)
    assert [p.name for p in model.parameters] == ["U", "d", "l", "w"]
    assert model["d"] == Parameter("d", "2[mm]", "electrode spacing") and model["d"].quantity == (2.0, "mm")
    with pytest.raises(InputError, match="no parameter 'D'"):
        model["D"]


def test_the_capacitor_has_its_physics_studies_and_datasets() -> None:
    model = read_model(CAPACITOR)
    assert model.names("studies") == ("static", "relaxation", "sweep")
    assert model.names("physics") == ("electrostatic", "electric currents")
    assert "time-dependent" in model.names("datasets") and model.names("exports") == ("data", "image")
    with pytest.raises(InputError, match="no part 'study'; did you mean 'studies'"):
        model.names("study")


@pytest.mark.parametrize(
    ("expression", "quantity"),
    [("1[V]", (1.0, "V")), ("-2.5e-3", (-0.0025, "1")), ("2*d", None), ("3 [W/(m*K)]", (3.0, "W/(m*K)"))],
)
def test_a_plain_expression_is_a_quantity(expression: str, quantity: tuple[float, str] | None) -> None:
    assert Parameter("p", expression).quantity == quantity


def test_another_archive_and_one_without_its_model_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="zip archive without 'fileversion'"):
        read_model(archive(tmp_path, readme="hello"))
    with pytest.raises(InputError, match="protected by a password"):
        read_model(archive(tmp_path, fileversion="1409:COMSOL 5.5.0.359"))
    (tmp_path / "text.mph").write_text("no archive")
    with pytest.raises(InputError, match="cannot be decoded"):
        read_model(tmp_path / "text.mph")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><Model>&a;</Model>'
    with pytest.raises(InputError, match="declares entities"):
        read_model(archive(tmp_path, fileversion="1", dmodel_xml=bomb))


def test_damaged_models_end_in_a_sentence(tmp_path: Path) -> None:
    assert check_reader(read_model, CAPACITOR.read_bytes(), tmp_path / "d.mph") > 5
