"""The tools behind make: which interpreter it takes, and what it says where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OLD = "case $2 in *version_info*) exit 1;; esac\nexit 0"
WITHOUT_VENV = "case $2 in *ensurepip*) exit 1;; esac\nexit 0"
GOOD = "exit 0"
DEAD = "exit 127"


def find_python(folder: Path, interpreters: dict[str, str], *named: str) -> subprocess.CompletedProcess[str]:
    """Run the search with nothing on the path but the given fake interpreters."""
    for name, body in interpreters.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    command = ["/bin/sh", str(ROOT / "tools" / "find_python.sh"), *named]
    return subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("interpreters", "taken"),
    [
        ({"python3.13": GOOD, "python3.12": GOOD, "python3": GOOD}, "python3.13"),
        ({"python3.13": DEAD, "python3.12": GOOD}, "python3.12"),
        ({"python3.13": WITHOUT_VENV, "python3.11": GOOD}, "python3.11"),
        ({"python3": GOOD}, "python3"),
    ],
)
def test_make_takes_the_first_interpreter_that_will_do(
    tmp_path: Path, interpreters: dict[str, str], taken: str
) -> None:
    found = find_python(tmp_path, interpreters)
    assert (found.returncode, found.stdout.strip()) == (0, str(tmp_path / taken))


def test_make_names_the_fix_where_the_interpreter_cannot_make_an_environment(tmp_path: Path) -> None:
    found = find_python(tmp_path, {"python3.12": WITHOUT_VENV, "python3": OLD})
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "apt install python3.12-venv" in found.stderr


def test_make_names_the_fix_where_there_is_no_interpreter(tmp_path: Path) -> None:
    found = find_python(tmp_path, {"python3": OLD})
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "make PYTHON=" in found.stderr


def test_an_interpreter_that_was_named_is_the_only_candidate(tmp_path: Path) -> None:
    found = find_python(tmp_path, {"python3.13": GOOD, "mine": OLD}, "mine")
    assert found.returncode == 1
    assert "mine" in found.stderr


def test_the_default_installation_is_within_its_size() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "install_size.py")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of torch + 500 MB at most" in done.stdout
