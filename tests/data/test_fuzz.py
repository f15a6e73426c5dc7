"""Damaged files: every reader ends with a dataset or with one sentence, in time and in bounded memory.

Here 400 small files; ``python -m benchmarks.fuzz_readers --json F --seed N`` takes 2000, HDF5 and real files as often
as the others.
"""

from __future__ import annotations

import pytest

from benchmarks.fuzz_readers import run

pytest.importorskip("zarr", reason="needs the extra data")
pytest.importorskip("h5netcdf", reason="needs the extra data")
pytest.importorskip("pyarrow", reason="needs the extra data")

# HDF5 is read in a process per file, which takes half a second each.
GROUPS = {"texts-images-and-archives": (r"^(?!real|b\.nc|c\.h5)", 394), "hdf5": (r"^(b\.nc|c\.h5)", 6)}


@pytest.mark.parametrize(("only", "files"), GROUPS.values(), ids=GROUPS)
def test_no_damaged_file_ends_in_a_traceback_or_a_hang(only: str, files: int) -> None:
    found = run(files, seed=21, only=only)
    assert found["failures"] == []
    outcomes = found["outcomes"]
    assert outcomes["read"] + outcomes["refused"] == files
    # Damage that matters is seen, and damage that does not is no reason to refuse.
    assert outcomes["refused"] > files / 3
    assert outcomes["read"] > 0
    assert found["largest_memory_mb"] < 1500
