"""A campaign over a program that misbehaves goes on, records every status, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import scalebridge as sb
from scalebridge.campaign.executors import LocalProcessExecutor
from scalebridge.models.program import Pattern, Program
from scalebridge.testing.programs import fake_program

X = np.arange(10.0)[:, None]
FAULTY = [4, 9]


def processes_in(log: Path) -> list[int]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [int(line.split()[0]) for line in lines]


def all_gone(numbers: list[int], within_s: float = 10.0) -> bool:
    def alive(number: int) -> bool:
        try:
            return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + within_s
    while any(alive(n) for n in numbers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    "fault", ["crash", "daemon", "fail", "flood", "half", "hang", "killed", "nan", "nothing", "unconverged"]
)
def test_a_campaign_goes_on_past_a_program_that_fails_one_time_in_five(fault: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    model = fake_program(fault, timeout=1.0, output="5 MB", folder=tmp_path / "runs", log=str(log))
    with sb.Campaign(model, retries=0) as campaign:
        runs = campaign.run(X, phase="learn", why="to try it")
        assert len(campaign.records) == 10
    wrong = [] if fault == "daemon" else FAULTY
    assert np.flatnonzero(~runs.ok).tolist() == wrong
    assert all(runs.status[i] == ("timeout" if fault == "hang" else "failed") and runs.reason[i] for i in wrong)
    assert np.allclose(runs.values[runs.ok], (X + np.sin(X))[runs.ok], rtol=1e-15)
    numbers = processes_in(log)
    assert len(numbers) == (12 if fault == "daemon" else 10)
    assert all_gone(numbers)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_campaign_in_processes_runs_rows_side_by_side(tmp_path: Path) -> None:
    log = tmp_path / "log"
    model = fake_program("fail", folder=tmp_path / "runs", log=str(log))
    executor = LocalProcessExecutor(max_workers=2)
    store = sb.Store(tmp_path / "store")
    with sb.Campaign(model, store, executor, retries=1) as campaign:
        runs = campaign.run(X, phase="learn", why="to try it")
    executor.shutdown()
    assert np.flatnonzero(~runs.ok).tolist() == FAULTY
    assert "singular matrix" in runs.reason[4]
    assert len(processes_in(log)) == 12  # the two that failed were tried once more
    assert list((tmp_path / "runs").iterdir()) == []
    with sb.Campaign(model, store, retries=0) as campaign:
        again = campaign.run(X[:4], phase="learn", why="again")
        assert all(r.reused for r in campaign.records) and again.ok.all()
    store.close()


def test_the_timeout_of_a_campaign_ends_the_program_and_removes_its_folder(tmp_path: Path) -> None:
    log = tmp_path / "log"
    model = fake_program("hang", folder=tmp_path / "runs", log=str(log))
    with sb.Campaign(model, timeout=2.0, retries=0) as campaign:
        runs = campaign.run(X[3:6], phase="learn", why="to try it")
    assert runs.status.tolist() == ["ok", "timeout", "ok"]
    assert all_gone(processes_in(log))
    deadline = time.monotonic() + 5
    while list((tmp_path / "runs").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("regex", [r"^(?:a+)+ {number}", None])
def test_reading_that_hangs_is_ended_by_the_timeout_of_a_campaign(regex: str | None, tmp_path: Path) -> None:
    reading = Pattern("stdout.txt", regex) if regex else lambda folder: time.sleep(600)
    model = Program(
        ["echo", "a" * 60 + "b", "{{ x }}"], {"x": "1"}, {"y": "1"}, {"y": reading}, timeout=1.0, folder=tmp_path
    )
    start = time.monotonic()
    with sb.Campaign(model, timeout=2.0, retries=0) as campaign:
        assert campaign.run(X[:1], phase="learn", why="to try it").status.tolist() == ["timeout"]
    assert time.monotonic() - start < 30
    deadline = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []


def test_a_reason_with_a_file_name_of_another_code_is_recorded(tmp_path: Path) -> None:
    script = "open(b'r\\xe9s.dat', 'w').write('{{ x }}')"
    read = Pattern("res.dat", "{number}")
    made = Program([sys.executable, "-S", "-E", "-c", script], {"x": "1"}, {"y": "1"}, {"y": read})
    store = sb.Store(tmp_path / "store")
    with sb.Campaign(made, store, retries=0) as campaign:
        (reason,) = campaign.run(X[:1], phase="learn", why="to try it").reason
    store.close()
    assert "it wrote no file 'res.dat'; its folder holds r?s.dat, stdout.txt" in reason


def test_temporary_files_of_a_program_that_is_killed_can_be_in_its_folder(tmp_path: Path) -> None:
    made = Program(
        ["sh", "-c", 'mktemp -d; mktemp; echo "$TMPDIR"; kill -9 $$', "{{ x }}"],
        {"x": "1"},
        {"y": "1"},
        {"y": Pattern("stdout.txt", "{number}")},
        environment={"TMPDIR": "."},
        folder=tmp_path,
        keep="failed",
    )
    (reason,) = made.run(X[:1]).reason
    kept = Path(reason.rpartition("see ")[2])
    assert "killed by SIGKILL" in reason and len(list(kept.glob("tmp.*"))) == 2


SCRIPT = """
import sys
import numpy as np
import scalebridge as sb
from scalebridge.campaign.executors import LocalProcessExecutor
from scalebridge.testing.programs import fake_program

model = fake_program("hang", every=1, folder=sys.argv[1], log=sys.argv[2])
executor = LocalProcessExecutor(2) if sys.argv[3] == "processes" else None
with sb.Campaign(model, executor=executor) as campaign:
    campaign.run(np.arange(4.0)[:, None], phase="learn", why="to be cut off")
"""


@pytest.mark.parametrize("executor", ["in-process", "processes"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_campaign_that_is_killed_or_interrupted_leaves_no_process_and_no_folder(
    executor: str, number: signal.Signals, tmp_path: Path
) -> None:
    log, folder = tmp_path / "log", tmp_path / "runs"
    wanted = 2 if executor == "processes" else 1
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(log), executor],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while len(processes_in(log)) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(processes_in(log)) == wanted
        os.kill(process.pid, number)
        if number == signal.SIGINT:
            time.sleep(0.3)
            os.kill(process.pid, number)
        process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert all_gone(processes_in(log))
    deadline = time.monotonic() + 10
    while list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(folder.iterdir()) == []


def test_what_even_the_watchdog_could_not_remove_goes_at_the_next_start(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom scalebridge.models.program import folders\n"
        "folders.WATCHDOG.add_folder = lambda folder: None\n"
        "one = folders.working_folder(sys.argv[1])\none.__enter__()\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    assert fake_program(folder=tmp_path).run(X[:1]).ok.all()
    assert list(tmp_path.iterdir()) == []


def test_solve_answers_over_a_program() -> None:
    from scalebridge.models import Program
    from scalebridge.models.program import Pattern

    conductivity = Program(
        [sys.executable, "-S", "-E", "run.py"],
        {"T": ("K", 250, 350)},
        {"conductivity": ("W/(m*K)", 0, None)},
        {"conductivity": Pattern("stdout.txt", "k = {number}", unit="mW/(m*K)")},
        template={"run.py": "T = {{ T [degC] }} + 273.15\nprint('k =', 1000 * (0.02 + 1e-4 * (T - 250)))\n"},
    )
    wall = sb.macro.Heat(
        mesh={"kind": "interval", "length": "0.2 m", "n": 16}, temperature={"left": "260 K", "right": "300 K"}
    )
    answer = sb.solve(wall, conductivity.rename(T="temperature"), qoi="heat_flow_left", rtol=0.01)
    assert answer.converged
