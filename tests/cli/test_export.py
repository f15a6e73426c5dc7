"""``scalebridge export``: what was learned, for other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scalebridge as sb
from scalebridge.cli import main
from scalebridge.learn import save
from tests.exchange.cases import potential

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("saved") / "law.surrogate"
    save(potential(3, runs=8), file)
    return file


@pytest.mark.parametrize(
    ("to", "wanted"),
    [
        ("c", ["steel.h"]),
        ("umat", ["steel.c", "steel.h", "steel_umat.f90"]),
        ("onnx", ["steel.onnx"]),
        ("python", ["steel.c", "steel.h", "steel.py"]),
        ("micro-manager", ["micro-manager-config.json", "steel.c", "steel.h", "steel.py", "steel_micro.py"]),
    ],
)
def test_every_format_writes_its_files_and_names_them(
    to: str, wanted: list[str], saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert call("export", str(saved), "--to", to, "--out", str(out), "--name", "steel") == 0
    assert sorted(p.name for p in out.iterdir()) == wanted
    printed = capsys.readouterr().out
    assert all(name in printed for name in wanted)


def test_the_answer_of_a_run_is_exported_from_its_directory(tmp_path: Path) -> None:
    @sb.model(inputs={"temperature": "K"}, outputs={"conductivity": "W/(m*K)"})
    def foam(temperature: float) -> dict[str, float]:
        return {"conductivity": 0.03 + 1.5e-10 * temperature**3}

    ends = {"left": "900 degC", "right": "20 degC"}
    wall = sb.macro.Heat(sb.macro.meshes.interval("10 cm", 16), temperature=ends)
    answer = sb.solve(wall, foam, qoi="heat_flow_left", rtol=0.05, progress="none")
    answer.save(tmp_path / "run")
    assert call("export", str(tmp_path / "run"), "--to", "c", "--out", str(tmp_path / "c")) == 0
    assert "conductivity [W/(m*K)]" in (tmp_path / "c" / "law.h").read_text()
    assert np.isfinite(answer.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "--to", "c"], "neither an answer nor a surrogate"),
        (["{saved}", "--to", "umaat"], "did you mean 'umat'"),
        (["{saved}", "--to", "umat", "--stress-unit", "K"], "do not convert"),
        (["{saved}", "--to", "c", "--name", "2d"], "no name in C"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_no_folder(
    arguments: list[str], told: str, saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [a.format(saved=saved) for a in arguments]
    assert call("export", *given, "--out", str(tmp_path / "out")) == 2 and not (tmp_path / "out").exists()
    error = capsys.readouterr().err
    assert told in error.replace("\n", " ") and "Traceback" not in error
