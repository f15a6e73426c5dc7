"""Running a program: whatever it does, there is a status with a reason and nothing is left of it."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from scalebridge.errors import InfrastructureError, InputError
from scalebridge.models.program import Limits, carry_out

# Leaves a grandchild in a session of its own, whose parent is gone: a daemon.
DAEMON = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "        time.sleep(600)\n"
    "    os._exit(0)\n"
    "os.wait()\n"
    "while not (os.path.exists('daemon.pid') and open('daemon.pid').read()):\n"
    "    time.sleep(0.01)\n"
)


def python(code: str, *arguments: str) -> list[str]:
    # -S -E: the interpreter alone starts in a third of the time.
    return [sys.executable, "-S", "-E", "-c", code, *arguments]


def gone(pid: int, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def number_in(file: Path, within_s: float = 20.0) -> int:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{file} was never written")


def test_a_program_that_ends_well_leaves_its_output_in_a_file(tmp_path: Path) -> None:
    ended = carry_out(["sh", "-c", "echo one; echo two >&2; echo three"], tmp_path, log="out.log")
    assert (ended.status, ended.reason, ended.exit_code) == ("ok", "", 0)
    assert ended.tail == (tmp_path / "out.log").read_text() == "one\ntwo\nthree\n"
    assert 0 < ended.seconds < 10


def test_an_exit_code_is_reported_with_the_last_words(tmp_path: Path) -> None:
    ended = carry_out(["sh", "-c", "echo reading mesh; echo licence not found >&2; exit 3"], tmp_path)
    assert (ended.status, ended.exit_code) == ("failed", 3)
    assert ended.reason == "it ended with exit code 3; its last words: reading mesh | licence not found"


def test_colours_and_progress_bars_are_kept_out_of_the_last_words(tmp_path: Path) -> None:
    ended = carry_out(["printf", r"\033[31m10 %%\r20 %%\033[0m\007\n"], tmp_path)
    assert ended.tail == "10 %\r20 %\n"
    assert carry_out(["sh", "-c", r"printf '1 %%\r\033[1m2 %%'; exit 1"], tmp_path).reason.endswith("1 % | 2 %")


def test_a_hang_ends_at_the_timeout_with_its_children(tmp_path: Path) -> None:
    start = time.monotonic()
    ended = carry_out(["sh", "-c", "sleep 600 & echo $! > child; wait"], tmp_path, limits=Limits(timeout=0.5))
    assert (ended.status, ended.reason, ended.exit_code) == ("timeout", "it had not ended after 0.5 s", None)
    assert time.monotonic() - start < 5
    assert gone(number_in(tmp_path / "child"))


def test_a_program_that_will_not_be_told_to_end_is_killed(tmp_path: Path) -> None:
    code = "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('stubborn', flush=True); time.sleep(600)"
    start = time.monotonic()
    ended = carry_out(python(code), tmp_path, limits=Limits(timeout=1.0))
    assert ended.status == "timeout" and ended.reason.endswith("its last words: stubborn")
    assert time.monotonic() - start < 8


def test_a_program_killed_by_a_signal_says_which(tmp_path: Path) -> None:
    assert carry_out(["sh", "-c", "kill -SEGV $$"], tmp_path).reason == "it was killed by SIGSEGV"
    ended = carry_out(["sh", "-c", "kill -KILL $$"], tmp_path)
    assert (ended.status, ended.reason, ended.exit_code) == (
        "failed",
        "it was killed by SIGKILL, perhaps for memory",
        None,
    )


def test_a_signal_reported_through_a_shell_is_named(tmp_path: Path) -> None:
    assert carry_out(["sh", "-c", "exit 139"], tmp_path).reason.startswith(
        "it ended with exit code 139 (which a shell gives for SIGSEGV)"
    )


def test_ten_gigabytes_of_output_are_ended_with_bounded_memory_and_disk(tmp_path: Path) -> None:
    code = "import os\nblock = b'x' * (1 << 20)\nfor _ in range(10 * 1024):\n    os.write(1, block)\n"
    before = psutil.Process().memory_info().rss
    start = time.monotonic()
    ended = carry_out(python(code), tmp_path, limits=Limits(output=50_000_000), log="log")
    assert ended.status == "failed"
    assert ended.reason.startswith("it was ended after it had printed more than the limit of 50000000 bytes")
    assert (tmp_path / "log").stat().st_size == 50_000_000
    assert psutil.Process().memory_info().rss - before < 60_000_000
    assert time.monotonic() - start < 20


def test_without_a_limit_given_ten_gigabytes_end_at_one(tmp_path: Path) -> None:
    ended = carry_out(["yes", "x" * 1000], tmp_path)
    assert ended.status == "failed" and "more than the limit of 1073741824 bytes" in ended.reason
    assert list(tmp_path.iterdir()) == []


def test_what_it_leaves_in_the_background_is_ended(tmp_path: Path) -> None:
    ended = carry_out(["sh", "-c", "sleep 600 & echo $! > child; echo done"], tmp_path)
    assert (ended.status, ended.tail) == ("ok", "done\n")
    assert gone(number_in(tmp_path / "child"))


def test_a_daemon_that_left_its_session_is_found_and_ended(tmp_path: Path) -> None:
    ended = carry_out(python(DAEMON), tmp_path)
    assert ended.status == "ok"
    assert gone(number_in(tmp_path / "daemon.pid"))


def test_a_daemon_is_ended_at_the_timeout_too(tmp_path: Path) -> None:
    ended = carry_out(python(DAEMON + "time.sleep(600)\n"), tmp_path, limits=Limits(timeout=2.0))
    assert ended.status == "timeout"
    assert gone(number_in(tmp_path / "daemon.pid"))


def test_a_program_ends_with_us_when_we_are_killed_and_so_does_its_daemon(tmp_path: Path) -> None:
    code = DAEMON + "open('program.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom scalebridge.models.program import carry_out, working_folder\n"
            "with working_folder(sys.argv[1] + '/odd $(touch owned) *') as folder:\n"
            "    open('folder', 'w').write(str(folder.path))\n"
            "    carry_out([sys.executable, '-S', '-E', '-c', sys.argv[2]], sys.argv[1])\n",
            str(tmp_path),
            code,
        ],
        cwd=tmp_path,
    )
    try:
        program = number_in(tmp_path / "program.pid")
        folder = Path((tmp_path / "folder").read_text())
        assert folder.is_dir()
    finally:
        parent.kill()
        parent.wait()
    assert gone(program) and gone(number_in(tmp_path / "daemon.pid"))
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists() and not (tmp_path / "owned").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["daemon.pid", "folder", "odd $(touch owned) *", "program.pid"]


def test_ctrl_c_ends_the_program_and_is_passed_on(tmp_path: Path) -> None:
    def press() -> None:
        number_in(tmp_path / "daemon.pid")
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        carry_out(python(DAEMON + "time.sleep(600)\n"), tmp_path)
    assert gone(number_in(tmp_path / "daemon.pid"))


def test_the_memory_limit_holds(tmp_path: Path) -> None:
    code = "block = bytearray(2_000_000_000); print(len(block))"
    ended = carry_out(python(code), tmp_path, limits=Limits(memory=500_000_000))
    assert ended.status == "failed" and "MemoryError" in ended.reason
    assert carry_out(python("print(1)"), tmp_path, limits=Limits(memory=500_000_000)).tail == "1\n"


def test_the_limit_on_a_file_holds(tmp_path: Path) -> None:
    ended = carry_out(
        ["dd", "if=/dev/zero", "of=big", "bs=65536", "count=1000"], tmp_path, limits=Limits(file_size=1_000_000)
    )
    assert ended.status == "failed"
    assert "it was killed by SIGXFSZ: a file grew past the limit of 1000000 bytes" in ended.reason
    assert (tmp_path / "big").stat().st_size <= 1_000_448


def test_a_full_disk_under_the_log_is_a_status(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    ended = carry_out(["yes"], tmp_path, log="log")
    assert ended.status == "failed"
    assert "its output could not be written (No space left on device)" in ended.reason


def test_a_log_that_cannot_be_opened_is_a_status(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    ended = carry_out(["true"], tmp_path, log="log")
    assert ended.reason == "the file 'log' for its output cannot be written (Is a directory)"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no-such-solver"], "The program 'no-such-solver' is not installed, or not on the PATH"),
        (["./no-such-solver"], "The program './no-such-solver' is neither in the working folder nor in"),
        (["./data.txt"], "The program './data.txt' is not executable"),
        (["./script"], "cannot be executed"),
        (["./written_elsewhere"], "cannot be executed .* naming an interpreter that is there and ending as lines of"),
        (["echo", "1.5 " * 1_000_000], "The command of the program '.*echo' is too long; hand its numbers over in a"),
        ("ls -l", r'A command is a list of arguments, as in \["solver", "input.txt"\]; got'),
        ([], "A command is a list of arguments"),
        (["echo", "a\0b"], "is no text that can be handed over"),
    ],
)
def test_a_command_that_cannot_be_run_is_one_sentence(argv: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1")
    (tmp_path / "script").write_text("\x01\x02 no first line")
    (tmp_path / "script").chmod(0o755)
    (tmp_path / "written_elsewhere").write_bytes(b"#!/bin/sh\r\necho 1\r\n")
    (tmp_path / "written_elsewhere").chmod(0o755)
    with pytest.raises(InputError, match=said):
        carry_out(argv, tmp_path)


def test_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"The working folder .* does not exist"):
        carry_out(["true"], tmp_path / "none")


def test_a_machine_that_can_start_no_process_is_an_infrastructure_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(["true"], tmp_path)
    real = subprocess.Popen

    def refuse(command: list[str], **options: object) -> object:
        if command[0].endswith("/true"):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(InfrastructureError, match=r"could not be started .Resource temporarily unavailable."):
        carry_out(["true"], tmp_path)


SCARCE = """
import os, resource, sys
import numpy as np
from scalebridge.errors import InfrastructureError
from scalebridge.testing.programs import fake_program

model = fake_program(folder=sys.argv[1])
model.run(np.array([[1.0]]))
before, (soft, hard) = len(os.listdir("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)
for limit in range(5, 18):
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        assert model.run(np.array([[1.0]])).ok.all()
        said = "ok"
    except InfrastructureError as error:
        said = str(error)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir(sys.argv[1]) == [] and len(os.listdir("/proc/self/fd")) == before, limit
    print(said)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_where_no_more_files_can_be_opened_it_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCARCE, tmp_path], capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert "Too many open files" in said[0] and said[-1] == "ok"


def test_a_program_that_came_with_the_folder_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "solver").write_text("#!/bin/sh\necho $1\n")
    (tmp_path / "solver").chmod(0o755)
    assert carry_out(["./solver", "7"], tmp_path).tail == "7\n"


def test_arguments_reach_no_shell(tmp_path: Path) -> None:
    hostile = ["$(touch a)", "; touch b", "`touch c`", "x\ntouch d", "--version", "*"]
    ended = carry_out(python("import sys; print(sys.argv[1:])", *hostile), tmp_path, limits=Limits(memory=1 << 32))
    assert ended.tail == f"{hostile}\n"
    assert list(tmp_path.iterdir()) == []


def test_its_input_is_empty_or_the_file_given(tmp_path: Path) -> None:
    assert carry_out(["cat"], tmp_path).tail == ""
    (tmp_path / "given").write_text("5\n")
    assert carry_out(["cat"], tmp_path, stdin=tmp_path / "given").tail == "5\n"
    with pytest.raises(InputError, match="for the program's input cannot be read"):
        carry_out(["cat"], tmp_path, stdin=tmp_path / "missing")


def test_the_environment_passes_through_with_additions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    ended = carry_out(["sh", "-c", "echo $OURS $THEIRS"], tmp_path, environment={"THEIRS": "2"})
    assert ended.tail == "1 2\n"
    with pytest.raises(InputError, match="environment of the program"):
        carry_out(["true"], tmp_path, environment={"A": "a\0b"})


def test_the_output_of_runs_at_once_does_not_mix_nor_reach_our_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tails: dict[int, str] = {}

    def one(i: int) -> None:
        folder = tmp_path / str(i)
        folder.mkdir()
        script = f"for k in 1 2 3 4 5 6 7 8 9; do echo {i}; echo {i} >&2; done"
        tails[i] = carry_out(["sh", "-c", script], folder, log="log").tail

    threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tails == {i: f"{i}\n" * 18 for i in range(8)}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("n", range(8))
def test_the_last_words_begin_with_a_whole_word(tmp_path: Path, n: int) -> None:
    ended = carry_out(python(f"print('missing ' * 100 + 'c' * {n + 1}); raise SystemExit(1)"), tmp_path)
    end = ended.reason.split("its last words: ... ")[1]
    assert end.startswith("missing missing") and end.endswith("missing " + "c" * (n + 1))
    ended = carry_out(python(f"print('a' * 1000 + ' x'); raise SystemExit({n + 1})"), tmp_path)
    assert "... aaaa" in ended.reason and ended.reason.endswith("a x")


def test_a_program_that_closes_its_output_is_still_waited_for(tmp_path: Path) -> None:
    ended = carry_out(["sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 4"], tmp_path)
    assert ended.exit_code == 4 and ended.seconds > 0.29


def test_limits_are_numbers_or_texts_with_units(tmp_path: Path) -> None:
    limits = Limits(timeout="1 h", memory="8 GB", file_size="1 KiB", output=2.5)
    assert limits == Limits(3600.0, 8 * 10**9, 1024, 3)
    assert isinstance(limits.memory, int) and Limits(timeout=math.inf, memory="inf GB", output=None) == Limits(
        output=None
    )
    assert dataclasses.replace(limits, timeout=2).timeout == 2.0
    ended = carry_out(["sleep", "600"], tmp_path, limits=Limits(timeout="200 ms"))
    assert ended.status == "timeout" and "after 0.2 s" in ended.reason


@pytest.mark.parametrize("name", ["timeout", "memory", "file_size", "output"])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, "-1 m", "5 K", "soon", "", [1]])
def test_limits_that_are_none_are_refused_by_their_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"The limits of a program: {name} = "):
        Limits(**{name: value})


def test_a_limit_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="timeout = 0 leaves the program nothing; give more than 0"):
        Limits(timeout=0)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    carry_out(["true"], tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        carry_out(["true"], tmp_path, log="log")
    assert len(os.listdir("/proc/self/fd")) == before
