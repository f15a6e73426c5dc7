"""Images and a table to properties, as a laboratory leaves them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scalebridge import data, microstructure
from scalebridge.errors import InputError
from scalebridge.learn.learner import Data
from scalebridge.problems import specimens
from scalebridge.quantities import Space
from scalebridge.studies.properties import (
    PropertyFit,
    candidates,
    describing,
    encoding,
    fit_properties,
    maps,
    predict_properties,
)
from scalebridge.studies.properties import specimens as specimens_module
from scalebridge.studies.properties.features import FeatureTable
from scalebridge.studies.properties.learning import learn_property
from scalebridge.studies.properties.specimens import column_named, read_specimens

TARGET = "TensileStrength"


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laboratory")
    specimens.write(folder, panels=6, each=3, images=1, size=96)
    return folder


@pytest.fixture(scope="module")
def fitted(laboratory: Path) -> tuple[PropertyFit, Path]:
    images, table = laboratory / "micrographs", laboratory / "specimens.csv"
    quick = {name: candidates.BUILDERS[name] for name in (candidates.FOREST, "ridge regression")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "BUILDERS", quick)
        found = fit_properties(
            images, table, by="SpecimenID", targets=TARGET, features="descriptors", kept=laboratory / "kept"
        )
    return found, found.save(laboratory / "out")


def test_rows_and_images_are_joined_by_identifier_and_what_is_left_out_is_told(laboratory: Path) -> None:
    found = read_specimens(laboratory / "micrographs", laboratory / "specimens.csv", "SpecimenID", [TARGET])
    made = {s.name: s for s in specimens.specimens(6, 3)}
    assert found.matched.without_image == ("S018",)
    assert [p.name for p in found.matched.without_row] == ["X999_1.png"]
    assert found.group_column == "Panel"
    strength = found.numbers(TARGET)
    assert int(np.isnan(strength).sum()) == 1
    for name, value, files in zip(found.names, strength, found.matched.images.values(), strict=True):
        assert all(path.name.startswith(name) for path in files)
        assert np.isnan(value) or abs(value - made[name].strength) < 0.051


def test_the_record_holds_a_forest_the_others_the_mean_and_the_leaky_figure(fitted: tuple[PropertyFit, Path]) -> None:
    told = fitted[0][TARGET]
    labels = [t["label"] for t in told["trials"]]
    assert told["forest"] in labels
    assert told["other"] in labels
    assert "forest" in told["forest"]
    assert told["chosen"] == labels[0]
    assert len(told["held_out"]) == told["count"] == 16
    assert all(name in told for name in ("mean_only", "leaky", "procedure", "verdict", "explanation", "families"))
    fold = {}
    for row in told["held_out"]:
        assert fold.setdefault(row["group"], row["fold"]) == row["fold"]


def test_what_is_left_in_the_directory_is_whole(fitted: tuple[PropertyFit, Path]) -> None:
    place = fitted[1]
    content = json.loads((place / "fit.json").read_text())
    assert content["schema_version"] == 1
    page = (place / "report.html").read_text()
    assert "leaky split" in page
    assert "X999_1.png" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    with (place / "held_out.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 16
    assert (place / "data-sheet.md").read_text().startswith("# Data sheet")
    assert (place / f"model-card-{TARGET}.md").read_text().startswith("# Model card")


def test_descriptors_are_computed_once_for_each_image(
    laboratory: Path, fitted: tuple[PropertyFit, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("described again")

    monkeypatch.setattr(describing, "describe_file", refused)
    paths = sorted((laboratory / "micrographs").glob("S*.png"))
    assert len(describing.described(paths, kept=laboratory / "kept")) == 17
    torn = next((laboratory / "kept").glob("*.json"))
    whole = torn.read_text()
    torn.write_text(whole[: len(whole) // 2])
    with pytest.raises(AssertionError, match="described again"):
        describing.described(paths, kept=laboratory / "kept")
    torn.write_text(whole)


def test_new_images_are_predicted_and_what_is_unlike_is_told(fitted: tuple[PropertyFit, Path], tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    shown = specimens.specimens(6, 3)[4]
    Image.fromarray(specimens.micrograph(shown, seed=99, size=96)).save(new / "like.png")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (96, 96), dtype=np.uint8)).save(new / "noise.png")
    found = predict_properties(fitted[1], new)
    rows = {row["specimen"]: row for row in found.rows()}
    assert rows["like"][TARGET]["lower"] < rows["like"][TARGET]["mean"] < rows["like"][TARGET]["upper"]
    assert rows["like"]["note"] == ""
    assert "unlike the images" in rows["noise"]["note"]
    found.to_csv(tmp_path / "p.csv")
    assert "TensileStrength [MPa]" in (tmp_path / "p.csv").read_text()


def test_features_of_a_network_are_learned_kept_and_used_on_new_images(
    laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "STEPS", 10)
    paths = sorted((laboratory / "micrographs").glob("S*.png"))[:4]
    first = encoding.encoded(paths, kept=tmp_path / "encoder.npz")
    again = encoding.encoded(paths, kept=tmp_path / "encoder.npz")
    assert first.values == again.values
    assert len(first.columns) == 128
    first.save(tmp_path)
    anew = encoding.encode(paths[:1], tmp_path, first.record())
    np.testing.assert_allclose(list(anew[paths[0]].values()), list(first.values[paths[0]].values()))
    (tmp_path / "encoder.npz").unlink()
    with pytest.raises(InputError, match="which is gone"):
        encoding.encode(paths[:1], tmp_path, first.record())


def test_maps_of_what_the_network_looks_at_add_up_to_what_the_learner_makes_of_its_features(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "STEPS", 10)
    paths = sorted((laboratory / "micrographs").glob("S*.png"))[:18]
    network = encoding.encoded(paths)
    values = np.array([list(network.values[p].values()) for p in paths])
    table = FeatureTable(
        tuple(p.stem for p in paths), network.columns, values, np.full(128, np.nan), np.ones(len(paths), dtype=np.int64)
    )
    outputs = Space({"y": "MPa"})
    y = values[:, :1] * 3.0 + values[:, 70:71]
    rows = Data(values, y, np.zeros_like(y), None)
    tried = [
        c for c in candidates.candidates(table.sets(), table.space, outputs, len(paths), 0) if "ridge" in c.learner
    ]
    learned = learn_property("y", tried, rows, np.arange(len(paths)))
    images = {paths[0].stem: microstructure.read(paths[0])}
    label, looks = maps.looks(learned, rows, table, network, images)
    seen = looks[0].attribution
    assert label == tried[0].label
    slope = tried[0].surrogate.fit(values, y).jacobian(values[:1])[0, 0]
    assert seen.value == pytest.approx(float(slope @ values[0]), rel=1e-3, abs=1e-3)
    assert seen.gap < 0.02


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targets": "TensileStrenght"}, "did you mean 'TensileStrength'"),
        ({"by": "Specimen"}, "has no column 'Specimen'"),
        ({"targets": "Panel"}, "holds text"),
        ({"groups": "Panels"}, "to group by; did you mean 'Panel'"),
        ({"inputs": ["Density"]}, "no column 'Density' to predict from"),
        ({"inputs": [TARGET]}, "cannot be predicted from"),
        ({"features": "resnet"}, "features 'resnet' are not known"),
        ({"level": 95.0}, "level of the intervals is 95"),
        ({"weights": "w.pth", "features": "descriptors"}, "descriptors alone"),
    ],
    ids=lambda v: str(v) if isinstance(v, str) else "-".join(v),
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    laboratory: Path, options: dict[str, object], words: str
) -> None:
    asked = {"by": "SpecimenID", "targets": TARGET, **options}
    with pytest.raises(InputError, match=words):
        fit_properties(laboratory / "micrographs", laboratory / "specimens.csv", **asked)  # type: ignore[arg-type]


def test_a_damaged_image_is_named_and_nothing_is_learned(laboratory: Path, tmp_path: Path) -> None:
    images = tmp_path / "micrographs"
    shutil.copytree(laboratory / "micrographs", images)
    whole = (images / "S003_1.png").read_bytes()
    (images / "S003_1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"S003_1.png' cannot be decoded"):
        fit_properties(
            images, laboratory / "specimens.csv", by="SpecimenID", targets=TARGET, features="descriptors",
            kept=laboratory / "kept",
        )  # fmt: skip


def test_a_folder_that_is_none_or_empty_is_refused(laboratory: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_specimens(tmp_path / "none", laboratory / "specimens.csv", "SpecimenID", [TARGET])
    with pytest.raises(InputError, match="There is no image in"):
        read_specimens(tmp_path, laboratory / "specimens.csv", "SpecimenID", [TARGET])


def test_columns_are_called_as_in_the_file_or_as_in_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Specimen ID,Tensile Strength (MPa),Batch No.\nA,5,x\nB,6,y\n")
    table = data.read(tmp_path / "t.csv")
    for text in ("Specimen ID", "Specimen_ID"):
        assert column_named(table, text) == "Specimen_ID"
    for text in ("Tensile Strength", "Tensile Strength (MPa)", "Tensile_Strength"):
        assert column_named(table, text) == "Tensile_Strength"
    assert column_named(table, "Batch No.") == "Batch_No"
    with pytest.raises(InputError, match="did you mean 'Tensile_Strength'"):
        column_named(table, "Tensile Strenth")


def test_groups_are_found_by_what_columns_are_called_or_are_the_finest_that_repeat(tmp_path: Path) -> None:
    rows = [f"S{k},P{k % 5},O{k % 4},{20240100 + k % 6}" for k in range(20)]
    (tmp_path / "t.csv").write_text("ID,Panel,Operator,Batch\n" + "\n".join(rows) + "\n")
    table = data.read(tmp_path / "t.csv", index="ID")
    column, notes = specimens_module._group_column(table, "ID", [], "auto")
    assert column == "Batch"
    assert "'Panel'" in notes[0]
    assert len(set(specimens_module.labels(table, "Batch"))) == 6
    assert specimens_module._group_column(table, "ID", [], "Panel") == ("Panel", ())
    assert specimens_module._group_column(table, "ID", [], None) == (None, ())


def test_one_picture_for_two_specimens_is_refused(laboratory: Path, tmp_path: Path) -> None:
    images = tmp_path / "micrographs"
    shutil.copytree(laboratory / "micrographs", images)
    shutil.copy(images / "S003_1.png", images / "S004_1.png")
    with pytest.raises(InputError, match="are the same file"):
        read_specimens(images, laboratory / "specimens.csv", "SpecimenID", [TARGET])


def test_the_order_of_the_rows_changes_nothing(laboratory: Path, tmp_path: Path) -> None:
    head, *rows = (laboratory / "specimens.csv").read_text().splitlines()
    (tmp_path / "turned.csv").write_text("\n".join([head, *reversed(rows)]) + "\n")
    first, second = (
        read_specimens(laboratory / "micrographs", table, "SpecimenID", [TARGET])
        for table in (laboratory / "specimens.csv", tmp_path / "turned.csv")
    )
    assert first.names == second.names
    np.testing.assert_array_equal(first.numbers(TARGET), second.numbers(TARGET))
    assert first.images_digest() == second.images_digest()


def test_columns_that_a_new_specimen_comes_with_are_joined_when_it_is_predicted(
    laboratory: Path, tmp_path: Path
) -> None:
    quick = {name: candidates.BUILDERS[name] for name in (candidates.FOREST, "ridge regression")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "BUILDERS", quick)
        found = fit_properties(
            laboratory / "micrographs", laboratory / "specimens.csv", by="SpecimenID", targets=TARGET,
            inputs=["ModulusOfElasticity"], features="descriptors", kept=laboratory / "kept",
        )  # fmt: skip
    place = found.save(tmp_path / "out")
    new = tmp_path / "new"
    new.mkdir()
    specimens.save(specimens.specimens(6, 3)[4], new / "N1.png", seed=7, size=96)
    with pytest.raises(InputError, match="goes by the columns ModulusOfElasticity of a table too"):
        predict_properties(place, new)
    told = []
    for modulus in ("28000 ", "20000 "):
        (tmp_path / "n.csv").write_text(f"SpecimenID,ModulusOfElasticity [MPa]\nN1,{modulus}\n")
        told.append(predict_properties(place, new, table=tmp_path / "n.csv").rows()[0][TARGET]["mean"])
    assert told[0] > told[1]
    (tmp_path / "n.csv").write_text("SpecimenID,ModulusOfElasticity [GPa]\nN2,28\n")
    with pytest.raises(InputError, match="no row with SpecimenID 'N1'"):
        predict_properties(place, new, table=tmp_path / "n.csv")
