"""The real MPI launcher: ranks, root, more ranks than cores."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest

from scalebridge.models import Mpi, Program
from scalebridge.models.program import Pattern

pytestmark = [
    pytest.mark.adapters,
    pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun is not installed"),
]
# Open MPI and MPICH name the rank differently.
SCRIPT = 'echo "rank ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} of ${OMPI_COMM_WORLD_SIZE:-$PMI_SIZE} x = {{ x }}"\n'


def program(script: str, n: int, **settings: object) -> Program:
    return Program(
        ["sh", "run.sh"],
        {"x": "1"},
        {"ranks": "1"},
        {"ranks": lambda folder: len({*(folder / "stdout.txt").read_text().splitlines()})},
        template={"run.sh": script},
        launcher=Mpi(n),
        **settings,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("n", [1, 2, (os.cpu_count() or 1) + 2])
def test_a_program_runs_on_so_many_ranks(n: int) -> None:
    runs = program(SCRIPT, n, converged=Pattern("stdout.txt", rf"rank 0 of {n} x = 2\.0")).run(np.array([[2.0]]))
    assert runs.values.tolist() == [[n]], runs.reason


def test_a_rank_that_fails_is_a_status_with_its_exit_code() -> None:
    runs = program(SCRIPT + "exit 5\n", 2).run(np.array([[2.0]]))
    assert runs.status[0] == "failed" and "it ended with exit code 5" in runs.reason[0]


def test_ranks_that_hang_are_all_ended_at_the_timeout_with_the_launcher_s_own_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    runs = program("echo $$; sleep 987 # {{ x }}\n", 2, timeout=3.0).run(np.array([[2.0]]))
    assert runs.status[0] == "timeout"
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]]
    assert not [p for p in tmp_path.rglob("*") if "pid" in p.name]
