"""The acceptance of the store: kill and stop drivers and workers, and count outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(200)
def test_no_finished_run_is_lost_run_twice_or_published_twice_under_twenty_kills_and_stops(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.kills", "--kills", "20", "--seed", "3", "--json", str(tmp_path / "f")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "f").read_text())
    assert sum(n for action, n in figures["disturbances"].items() if action != "drivers") == 20
    assert figures["rows"] == figures["published"] > 20
    for count in ("lost", "run_twice", "published_twice", "processes_left", "files_left", "locks_left"):
        assert figures[count] == 0, figures
    # Each process has one run in hand when it is killed: what is executed beyond the rows is bounded by the kills.
    assert figures["executions_ended"] - figures["rows"] == figures["cut_off_at_return"] <= 20
