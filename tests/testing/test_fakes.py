"""The fakes misbehave as they were asked to, and can be counted from outside the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scalebridge.testing import FakeModel, crashing_model, flaky_model, slow_model
from scalebridge.testing.fakes import append_line, count_lines

X = np.array([[-1.0], [1.0]])


def test_a_flaky_row_fails_as_often_as_asked_and_then_succeeds(tmp_path: Path) -> None:
    model = flaky_model(tmp_path / "log", failing_attempts=2)
    assert model.run(X).ok.tolist() == [True, False]
    assert model.run(X).ok.tolist() == [True, False]
    assert model.run(X).ok.tolist() == [True, True]
    assert count_lines(tmp_path / "log") == 6
    assert count_lines(tmp_path / "log", "1.0") == 3


def test_a_slow_row_takes_its_time_and_says_so() -> None:
    runs = slow_model(0.02).run(X)
    assert np.all(runs.cost_s >= 0.02)


def test_a_crashing_row_ends_its_process_without_an_exception(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import numpy as np; from scalebridge.testing import crashing_model; "
        f"crashing_model(log={str(log)!r}).run(np.array([[-1.0], [1.0], [2.0]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 86
    assert done.stderr == ""
    assert count_lines(log) == 2
    assert crashing_model().run(X[:1]).ok.all()


def test_raising_and_nan_rows_do_as_asked() -> None:
    with pytest.raises(RuntimeError, match=r"broke down at x = 1\.0"):
        FakeModel(raise_above=0.0).run(X)
    runs = FakeModel(nan_above=0.0).run(X)
    assert runs.ok.tolist() == [True, False]
    assert runs.reason[1] == "a value is not finite"


def test_lines_are_counted_in_a_file_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert count_lines(tmp_path / "none") == 0
    append_line(tmp_path / "some", "a")
    append_line(tmp_path / "some", "b")
    assert count_lines(tmp_path / "some") == 2
