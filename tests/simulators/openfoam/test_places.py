"""Numbers in the dictionaries of a case."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scalebridge.errors import InputError, UnitError
from scalebridge.simulators.openfoam.dictionaries import dictionary
from scalebridge.simulators.openfoam.places import exponents, place_of, put

foamlib = pytest.importorskip("foamlib", reason="foamlib, an optional plug-in under the GPL, is not installed")


@pytest.fixture
def case(tmp_path: Path, cavity: Mapping[str, str]) -> Path:
    for name, text in cavity.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def _put(case: Path, place: str, value: Any, unit: str | None) -> str:
    put(case, place_of(place), value, unit, "The input 'a'")
    return (case / place.partition(":")[0]).read_text()


def test_a_number_with_dimensions_is_converted_and_keeps_them(case: Path) -> None:
    assert "nu [0 2 -1 0 0 0 0] " in _put(case, "constant/transportProperties:nu", 20.0, "mm^2/s")
    written = foamlib.FoamFile(case / "constant/transportProperties")["nu"]
    assert float(written.value) == pytest.approx(2e-5, rel=1e-15)


def test_a_number_without_dimensions_in_transport_properties_gets_them(case: Path) -> None:
    (case / "constant/transportProperties").write_text(dictionary("transportProperties", {"nu": 0.01}))
    assert "nu nu [0 2 -1 0 0 0 0] 1e-06;" in _put(case, "constant/transportProperties:nu", 1.0, "mm^2/s")


def test_a_dynamic_viscosity_for_a_kinematic_one_is_refused(case: Path) -> None:
    with pytest.raises(UnitError, match=r"in 'Pa\*s', but the entry there is in 'm\^2/s'"):
        _put(case, "constant/transportProperties:nu", 1.0, "Pa*s")


def test_a_boundary_value_is_in_the_dimensions_of_its_field(case: Path) -> None:
    text = _put(case, "0/U:boundaryField/movingWall/value", [250.0, 0.0, 10.0], "mm/s")
    assert "value uniform (0.25 0.0 0.01);" in text
    with pytest.raises(UnitError, match="the entry there is in 'm/s'"):
        _put(case, "0/U:boundaryField/movingWall/value", [1.0, 0.0, 0.0], "m")


def test_one_component_of_a_vector_is_set(case: Path) -> None:
    assert "value uniform (1.0 3.0 0.0);" in _put(case, "0/U:boundaryField/movingWall/value[1]", 3.0, "m/s")


def test_a_number_of_no_known_dimension_is_written_in_si(case: Path) -> None:
    assert "endTime 120.0;" in _put(case, "system/controlDict:endTime", 2.0, "min")


@pytest.mark.parametrize("unit", ["deg", "rad", "rpm"])
def test_an_angle_is_refused_where_nothing_tells_whether_degrees_or_radians_are_wanted(case: Path, unit: str) -> None:
    (case / "0/alpha").write_text(
        "dimensions [0 0 0 0 0 0 0];\ninternalField uniform 0;\nboundaryField { wall { theta0 90; } }\n"
    )
    with pytest.raises(UnitError, match=f"is in '{unit}', and OpenFOAM does not say whether it wants degrees"):
        _put(case, "0/alpha:boundaryField/wall/theta0", 60.0, unit)
    assert "theta0 60;" in _put(case, "0/alpha:boundaryField/wall/theta0", 60.0, "1")


def test_a_rate_of_turning_is_in_radians_where_the_entry_has_dimensions(case: Path) -> None:
    (case / "constant/MRFProperties").write_text("zone { omega [0 0 -1 0 0 0 0] 1; }\n")
    _put(case, "constant/MRFProperties:zone/omega", 60.0, "rpm")
    written = foamlib.FoamFile(case / "constant/MRFProperties")["zone", "omega"]
    assert float(written.value) == pytest.approx(2 * math.pi)


def test_a_whole_number_stays_one(case: Path) -> None:
    assert "writeInterval 20;" in _put(case, "system/controlDict:writeInterval", 20.0, None)


def test_all_digits_arrive(case: Path) -> None:
    value = 0.1 + 0.2
    _put(case, "system/controlDict:deltaT", value, None)
    assert float(foamlib.FoamFile(case / "system/controlDict")["deltaT"]) == value


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("constant/transportPropertis:nu", "no file .* did you mean 'constant/transportProperties'"),
        ("constant/transportProperties:mu", "no entry 'mu'; valid: nu"),
        ("0/U:boundaryField/movingwall/value", "no entry 'movingwall' in 'boundaryField'; did you mean 'movingWall'"),
        ("system/controlDict:endTime/x", "no entry 'x' in 'endTime'"),
        ("0/U:boundaryField/movingWall/value", r"shape \(\), but the entry .* has \(3,\)"),
        ("constant/transportProperties:nu[0]", r"entry there has the shape \(\)"),
    ],
)
def test_a_place_that_does_not_fit_is_one_sentence(case: Path, place: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _put(case, place, 1.0, None)


@pytest.mark.parametrize("place", ["nu", "a:", ":nu", "/etc/passwd:root", "../other/U:value", "a:b[12]", "a:b//c"])
def test_a_text_that_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(InputError, match="place"):
        place_of(place)


@pytest.mark.parametrize("word", ["1; } #calc {", "a\nb", '#codeStream "x"', "$(reboot)"])
def test_a_hostile_word_adds_no_entry(case: Path, word: str) -> None:
    before = set(foamlib.FoamFile(case / "system/controlDict").as_dict())
    try:
        _put(case, "system/controlDict:application", word, None)
    except InputError:
        return
    after = foamlib.FoamFile(case / "system/controlDict")
    assert set(after.as_dict()) == before and str(after["application"]) == word


@pytest.mark.parametrize(("value", "written"), [("on", "yes"), (True, "yes"), ("false", "no"), (False, "no")])
def test_a_switch_is_a_word_or_a_bool(case: Path, value: str | bool, written: str) -> None:
    (case / "system/controlDict").write_text(dictionary("controlDict", {"runTimeModifiable": "off"}))
    assert f"runTimeModifiable {written};" in _put(case, "system/controlDict:runTimeModifiable", value, None)


def test_a_file_that_is_no_dictionary_is_one_sentence(case: Path) -> None:
    for text in ("{{{ ) ;", "endTime 2;\ndeltaT #eval { 1 / 2 };\n"):
        (case / "system/controlDict").write_text(text)
        with pytest.raises(InputError, match=r"system/controlDict.*a file of its own that this one includes"):
            _put(case, "system/controlDict:endTime", 1.0, None)


@pytest.mark.filterwarnings("ignore:Duplicate")
def test_an_entry_that_stands_in_two_dictionaries_of_a_name_is_refused(case: Path) -> None:
    (case / "constant/transportProperties").write_text("law { n 1; }\nlaw { n 2; }\n")
    with pytest.raises(InputError, match="stands there twice, with 'n' in both"):
        _put(case, "constant/transportProperties:law/n", 3.0, None)


def test_without_foamlib_the_extra_is_named(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "foamlib", None)
    with pytest.raises(InputError, match=r'pip install "scalebridge\[openfoam\]"'):
        _put(case, "system/controlDict:endTime", 1.0, None)


def test_dimensions_are_counted_in_the_order_of_openfoam() -> None:
    assert exponents("Pa*s") == [1, -1, -1, 0, 0, 0, 0]
    assert exponents("W/(m*K)") == [1, 1, -3, -1, 0, 0, 0]
    assert exponents("1") == [0] * 7


def test_a_dictionary_of_ours_reads_back(tmp_path: Path) -> None:
    entries = {"number": 0.1, "word": "yes", "inner": {"on": True, "list": [1, 2, 3]}}
    (tmp_path / "d").write_text(dictionary("d", entries))
    found = foamlib.FoamFile(tmp_path / "d").as_dict()
    assert found["number"] == 0.1 and found["inner"]["list"] == [1, 2, 3] and found["inner"]["on"] is True
