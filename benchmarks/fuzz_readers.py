"""Readers of data against damaged files: ``python -m benchmarks.fuzz_readers --json F --seed N [--files 2000]``.

How a file may end is in `benchmarks._fuzzing`; the formats are in `benchmarks._reader_seeds`, real files of ``data/``
among them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks._fuzzing import Fuzz
from benchmarks._reader_seeds import seeds


def _read(name: str, path: Path, _: Path) -> int:
    from scalebridge import data

    reader = data.load if name == "archive" else data.read_series if name == "series" else data.read
    return len(reader(path).describe())


FUZZ = Fuzz("benchmarks.fuzz_readers", seeds, _read, 4 * 2**30)


def run(files: int, seed: int, only: str = "") -> dict[str, Any]:
    """Outcomes of mutated files; see `benchmarks._fuzzing`."""
    return FUZZ.run(files, seed, only)


if __name__ == "__main__":
    FUZZ.main(__doc__)
