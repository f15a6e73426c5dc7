"""Damaged files of every kind: a result or one sentence, in memory that the file's size bounds."""

from __future__ import annotations

import importlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.averages import read_averages
from scalebridge.simulators.lammps.correlations import read_correlation
from scalebridge.simulators.lammps.data_files import read_data
from scalebridge.simulators.lammps.dumps import read_dump
from scalebridge.simulators.lammps.logs import read_log
from scalebridge.simulators.lammps.restarts import read_restart_header
from tests.simulators.damaging import check_reader

DATA = Path(__file__).parents[3] / "data"
STYLES = DATA / "lammps-styles"


def points(path: Path) -> None:
    for snapshot in read_dump(path):
        snapshot.dataset()


def blocks(path: Path) -> None:
    for block in read_log(path):
        block.dataset()


def tables(path: Path) -> None:
    averages = read_averages(path)
    for k in range(len(averages)):
        averages.dataset(k)


CASES: list[tuple[str, Callable[[Path], Any]]] = [
    ("log.one", blocks),
    ("log.multi", blocks),
    ("log.yaml", blocks),
    ("log.custom", blocks),
    ("log.error", blocks),
    ("tri.dump", points),
    ("custom.dump", points),
    ("elements.dump", points),
    ("general.dump", points),
    ("local.dump", points),
    ("grid.dump", points),
    ("../lammps-lj-logs/LJ_gas/dump.lammpstrj.gz", points),
    ("time.scalar", tables),
    ("chunk.dat", tables),
    ("histo.dat", tables),
    ("corr.dat", read_correlation),
    ("corrlong.dat", read_correlation),
    ("tri.data", lambda path: read_data(path).dataset()),
    ("plain.data", lambda path: read_data(path).dataset()),
    ("general.data", lambda path: read_data(path).dataset()),
    ("out.restart", read_restart_header),
]


@pytest.mark.parametrize(("name", "read"), CASES, ids=[name for name, _ in CASES])
def test_a_damaged_file_is_read_or_refused_in_a_sentence(tmp_path: Path, name: str, read) -> None:
    content = (STYLES / name).read_bytes()
    head = 400 if name == "out.restart" else len(content)
    check_reader(read, content[:head], tmp_path / "damaged")


@pytest.mark.parametrize("kind", ["log", "dump", "averages", "data"])
def test_no_reader_takes_more_memory_than_four_times_its_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.write_text(LARGE[kind](), encoding="utf-8")
    read = {"log": read_log, "dump": read_dump, "averages": read_averages, "data": read_data}[kind]
    read(STYLES / {"log": "log.one", "dump": "tri.dump", "averages": "chunk.dat", "data": "plain.data"}[kind])
    tracemalloc.start()
    read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A dump is read in blocks of a megabyte, each with some room for itself.
    assert peak < 4 * path.stat().st_size + (20e6 if kind == "dump" else 1e6)


def large_log() -> str:
    rows = "".join(f"{k} {k * 0.001:.5f} 1.2 3.4567 8\n" for k in range(40_000))
    loop = "Loop time of 1 on 1 procs for 1 steps with 2 atoms\n"
    return f"Per MPI rank memory allocation (min/avg/max) = 1\nStep Temp A B C\n{rows}{loop}"


def large_dump() -> str:
    rows = "".join(f"{k} 1 {k * 0.001:.5f} 1.2 3.4567\n" for k in range(1, 200_001))
    box = "ITEM: BOX BOUNDS pp pp pp\n0 1\n0 1\n0 1\n"
    return f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n200000\n{box}ITEM: ATOMS id type x y z\n{rows}"


def large_averages() -> str:
    rows = "".join(f"{k} {k * 0.001:.5f} 1.2 3.4567 8\n" for k in range(40_000))
    return f"# a\n# TimeStep Temp A B C\n{rows}"


def large_data() -> str:
    rows = "".join(f"{k} 1 {k * 0.001:.5f} 1.2 3.4567\n" for k in range(1, 40_001))
    box = "0 1 xlo xhi\n0 1 ylo yhi\n0 1 zlo zhi\n"
    return f"title\n\n40000 atoms\n1 atom types\n{box}\nAtoms # atomic\n\n{rows}"


LARGE: dict[str, Callable[[], str]] = {
    "log": large_log,
    "dump": large_dump,
    "averages": large_averages,
    "data": large_data,
}


@pytest.mark.parametrize(
    ("kind", "module", "limit", "words"),
    [
        ("log", "log_parsing", "MOST_NUMBERS", "past 1000 numbers"),
        ("averages", "averages", "MOST_NUMBERS", "past 1000 numbers"),
        ("data", "data_sections", "MOST_NUMBERS", "past 1000 numbers"),
        ("dump", "dump_parsing", "LARGEST_FRAME", "in the frame of step 0; take fewer columns"),
    ],
)
def test_what_would_not_stay_in_memory_is_refused(
    tmp_path: Path, monkeypatch, kind: str, module: str, limit: str, words: str
) -> None:
    path = tmp_path / kind
    path.write_text(LARGE[kind](), encoding="utf-8")
    monkeypatch.setattr(importlib.import_module(f"scalebridge.simulators.lammps.{module}"), limit, 1000)
    with pytest.raises(InputError, match=words):
        {"log": read_log, "dump": read_dump, "averages": read_averages, "data": read_data}[kind](path)


def test_a_log_of_nothing_but_runs_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "log"
    path.write_text("Step Temp\nLoop time of 1 on 1 procs for 1 steps with 2 atoms\n" * 3000, encoding="utf-8")
    monkeypatch.setattr("scalebridge.simulators.lammps.log_parsing.MOST_BLOCKS", 100)
    with pytest.raises(InputError, match="past 100 blocks"):
        read_log(path)
