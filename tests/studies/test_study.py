"""The declared question: files and objects say the same, and say what is wrong before anything runs."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebridge import InputError, Study
from scalebridge.studies import Entry, json_schema
from scalebridge.studies.files import overridden, toml_text
from scalebridge.studies.kinds import kinds_in_the_box, known_kinds

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "glass_fibre_plate" / "study.toml"
SMALL = {
    "models": {"wall": {"function": "a.py:wall"}, "foam": {"function": "a.py:foam"}},
    "couplings": [{"macro": "wall", "micro": "foam"}],
    "question": {"qoi": "flow", "rtol": 0.01},
}


def test_a_study_survives_the_way_to_toml_and_back() -> None:
    study = Study.load(EXAMPLE)
    again = Study.of(tomllib.loads(study.to_toml()))
    assert again.model_dump() == study.model_dump()
    assert again.to_toml() == study.to_toml()


def test_the_same_study_can_be_declared_in_python() -> None:
    assert Study.of(SMALL).question.names == ("flow",)
    assert Study.of(SMALL) == Study.of(tomllib.loads(Study.of(SMALL).to_toml()))


def test_an_override_replaces_any_key(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(Study.of(SMALL).to_toml())
    study = Study.load(file, ["question.rtol=0.05", "run.seed=3", "question.mesh=include", "couplings.0.micro=foam"])
    assert (study.question.rtol, study.run.seed, study.question.mesh) == (0.05, 3, "include")


def test_an_override_leaves_the_content_it_was_given_alone() -> None:
    content = {"question": {"rtol": 0.01}}
    assert overridden(content, ["question.rtol=0.5"]) == {"question": {"rtol": 0.5}}
    assert content == {"question": {"rtol": 0.01}}


keys = st.text(min_size=1, max_size=8)
values = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_any_content_written_as_toml_is_read_back_the_same(content: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(content)) == content


def test_the_published_schema_is_that_of_the_code_and_accepts_the_examples() -> None:
    published = json.loads((ROOT / "docs" / "schema" / "study-1.json").read_text(encoding="utf-8"))
    assert published == json_schema()
    jsonschema.Draft202012Validator.check_schema(published)
    for file in (EXAMPLE, ROOT / "src" / "scalebridge" / "cli" / "example" / "study.toml.txt"):
        jsonschema.validate(tomllib.loads(file.read_text(encoding="utf-8")), published)


def test_the_published_schema_refuses_what_the_code_refuses() -> None:
    published = json_schema()
    for wrong in (
        {**SMALL, "questions": {}},
        {**SMALL, "question": {"qoi": "q", "rtol": -1}},
        {**SMALL, "models": {"wall": {"kind": "heat"}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, published)
        with pytest.raises(InputError):
            Study.of(wrong)


def test_kinds_are_found_by_the_name_of_their_module() -> None:
    found = kinds_in_the_box()
    assert set(found) <= set(known_kinds())
    for name, settings in found.items():
        assert issubclass(settings, Entry) and settings.role in ("macro", "micro")
        assert settings.model_fields["kind"].default == name


def test_more_than_one_coupling_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="declares 2 couplings; this version solves one"):
        Study.of({**SMALL, "couplings": [*SMALL["couplings"], *SMALL["couplings"]]})
