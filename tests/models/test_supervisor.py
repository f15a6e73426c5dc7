"""The process supervisor: whatever the child does, the parent gets a status with a reason."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models.children import WATCHDOG
from scalebridge.models.supervisor import SupervisedProcess, run_supervised


def gone(pid: int, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture(scope="module")
def process():
    with SupervisedProcess() as made:
        yield made


def test_a_call_returns_its_value_and_runs_in_a_process_group_of_its_own(process: SupervisedProcess) -> None:
    def where() -> tuple[int, int, int]:
        return os.getpid(), os.getpgid(0), os.getsid(0)

    outcome = process.call(where)
    assert outcome.status == "ok"
    assert outcome.value == (process.pid, process.pid, process.pid) != (os.getpid(),) * 3


def test_an_exception_comes_back_as_a_failure_and_the_process_lives_on(process: SupervisedProcess) -> None:
    def bad() -> None:
        raise ValueError("strain too large")

    pid = process.pid
    outcome = process.call(bad)
    assert (outcome.status, outcome.reason, outcome.died) == ("failed", "ValueError: strain too large", False)
    assert isinstance(outcome.error, ValueError)
    assert process.alive and process.pid == pid


def test_a_closure_and_large_arguments_travel(process: SupervisedProcess) -> None:
    factor = 3
    outcome = process.call(lambda data: (factor * len(data), data[-1]), (b"x" * 5_000_000 + b"y",))
    assert outcome.value == (15_000_003, ord("y"))


def test_what_cannot_travel_is_an_input_error_that_names_the_function(process: SupervisedProcess) -> None:
    lock = threading.Lock()

    def locked() -> bool:
        return lock.locked()

    with pytest.raises(InputError, match="'locked' or what it uses cannot be sent"):
        process.call(locked)
    assert process.alive


def test_a_value_that_cannot_come_back_is_a_failure_with_its_reason(process: SupervisedProcess) -> None:
    outcome = process.call(lambda: __import__("threading").Lock())
    assert outcome.status == "failed"
    assert "TypeError" in outcome.reason and process.alive


def test_a_segmentation_fault_is_named_with_the_place_it_happened() -> None:
    outcome = run_supervised(ctypes.string_at, (0,))
    assert (outcome.status, outcome.died) == ("failed", True)
    assert "killed by SIGSEGV" in outcome.reason and "string_at" in outcome.reason


def test_an_exit_is_reported_with_its_code_and_last_words() -> None:
    def leave() -> None:
        os.write(2, b"licence not found\n")
        os._exit(3)

    assert run_supervised(leave).reason == "its process ended with exit code 3: licence not found"


def test_a_hang_is_ended_at_the_timeout_with_its_grandchildren(tmp_path: Path) -> None:
    file = tmp_path / "pid"

    def hang() -> None:
        child = subprocess.Popen(["sleep", "600"])
        file.write_text(str(child.pid))
        time.sleep(600)

    start = time.monotonic()
    outcome = run_supervised(hang, timeout=0.5)
    assert (outcome.status, outcome.reason) == ("timeout", "no answer within 0.5 s")
    assert time.monotonic() - start < 10
    assert gone(int(file.read_text()))


def test_a_stopped_child_is_ended_at_the_timeout() -> None:
    assert run_supervised(lambda: os.kill(os.getpid(), signal.SIGSTOP), timeout=0.3).status == "timeout"


def test_a_death_is_noticed_though_a_grandchild_holds_the_connection() -> None:
    def fork_and_die() -> None:
        if os.fork() == 0:
            time.sleep(600)
        os.kill(os.getpid(), signal.SIGKILL)

    start = time.monotonic()
    outcome = run_supervised(fork_and_die)
    assert "SIGKILL" in outcome.reason
    assert time.monotonic() - start < 10


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from scalebridge.models.supervisor import SupervisedProcess\n"
        "p = SupervisedProcess(); p.call(abs, (1,)); print(p.pid, flush=True)\n"
        "p.call(time.sleep, (600,))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


def test_programs_that_a_child_started_end_when_its_parent_is_killed() -> None:
    script = (
        "import subprocess, time\n"
        "from scalebridge.models.supervisor import run_supervised\n"
        "def program():\n"
        "    p = subprocess.Popen(['sleep', '600']); open(FILE, 'w').write(str(p.pid)); time.sleep(600)\n"
        "run_supervised(program)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pid"
        parent = subprocess.Popen([sys.executable, "-c", f"FILE = {str(file)!r}\n{script}"])
        while not file.exists() or not file.read_text():
            time.sleep(0.01)
        parent.kill()
        parent.wait()
        assert gone(int(file.read_text()))


def test_nothing_is_left_of_a_supervised_call(process: SupervisedProcess) -> None:
    before = {p.pid for p in psutil.Process().children()}
    with SupervisedProcess() as first:
        run_supervised(abs, (-1,))
        assert first.call(abs, (-2,)).value == 2
    run_supervised(os.abort)
    assert {p.pid for p in psutil.Process().children()} == before


def test_a_child_that_nothing_can_watch_over_is_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(group: int) -> None:
        started.append(group)
        raise InfrastructureError("A process could not be started.")

    started: list[int] = []
    monkeypatch.setattr(WATCHDOG, "add", refuse)
    with pytest.raises(InfrastructureError):
        SupervisedProcess()
    assert not psutil.pid_exists(started[0])


def test_interrupting_from_another_thread_ends_the_call() -> None:
    with SupervisedProcess() as process:
        process.call(abs, (1,))
        timer = threading.Timer(0.2, process.interrupt)
        timer.start()
        outcome = process.call(time.sleep, (600,))
        timer.join()
        assert outcome.status == "failed" and outcome.died and not process.alive
