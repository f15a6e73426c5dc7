"""``scalebridge fit`` and ``predict``: from a folder and a spreadsheet to a report, or one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scalebridge.cli import main
from scalebridge.problems import specimens
from scalebridge.studies.properties import candidates


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("laboratory")
    specimens.write(folder, panels=5, each=3, images=1, size=64)
    return folder


@pytest.fixture(scope="module")
def fitted(laboratory: Path) -> Path:
    quick = {name: candidates.BUILDERS[name] for name in (candidates.FOREST, "ridge regression")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "BUILDERS", quick)
        code = run(
            "fit", str(laboratory / "micrographs"), str(laboratory / "specimens.csv"), "--by", "SpecimenID",
            "--target", "TensileStrength", "--features", "descriptors", "--out", str(laboratory / "out"),
        )  # fmt: skip
    assert code == 0
    return laboratory / "out"


def test_one_command_leaves_the_report_and_what_it_is_drawn_from(fitted: Path) -> None:
    left = {p.name for p in fitted.iterdir()}
    assert left >= {"report.html", "fit.json", "held_out.csv", "features.csv", "surrogates", "data-sheet.md"}
    record = json.loads((fitted / "fit.json").read_text())
    assert record["groups"] == {"column": "Panel", "count": 5}
    assert record["targets"][0]["count"] == 13


def test_new_images_are_predicted_in_a_table_and_as_json(
    fitted: Path, laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new").mkdir()
    specimens.save(specimens.specimens(5, 3)[3], tmp_path / "new" / "A7.png", seed=5, size=64)
    assert run("predict", str(fitted), str(tmp_path / "new"), "--to", str(tmp_path / "p.csv")) == 0
    assert "A7" in capsys.readouterr().out
    assert run("predict", str(fitted), str(tmp_path / "new"), "--json") == 0
    told = json.loads(capsys.readouterr().out)[0]["TensileStrength"]
    assert told["lower"] < told["mean"] < told["upper"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"images": "none"}, "The folder of images 'none' does not exist"),
        ({"table": "none.csv"}, "none.csv"),
        ({"--target": "Strength"}, "has no column 'Strength'; did you mean 'TensileStrength'?"),
        ({"--by": "Specimen"}, "did you mean 'SpecimenID'?"),
        ({"--groups": "Batch"}, "has no column 'Batch' to group by"),
        ({"--pattern": "("}, "is no regular expression"),
        ({"--level": "95"}, "The level of the intervals is 95"),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, dict) else "told",
)
def test_a_mistake_is_one_sentence_and_exit_code_two(
    laboratory: Path, changed: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = changed.get("images", str(laboratory / "micrographs"))
    table = changed.get("table", str(laboratory / "specimens.csv"))
    options = {"--by": "SpecimenID", "--target": "TensileStrength", "--features": "descriptors"}
    options |= {k: v for k, v in changed.items() if k.startswith("--")}
    code = run(
        "fit", images, table, *(text for pair in options.items() for text in pair), "--out", str(laboratory / "x")
    )
    told = capsys.readouterr().err.strip()
    assert code == 2
    assert words in told
    assert "Traceback" not in told
    assert len([line for line in told.splitlines() if line.startswith("scalebridge:")]) == 1
