"""Readers of simulators' files against damaged ones: ``python -m benchmarks.fuzz_simulators --json F --seed N``.

Logs, dumps, averages, correlations, data files of LAMMPS; meshes, fields and tables of OpenFOAM; decks and results
of CalculiX; results and archives of ANSYS; exports, meshes and model files of COMSOL; mesh files. How a file may end is
in `benchmarks._fuzzing`; a worker may have 2 GiB.
"""

from __future__ import annotations

from typing import Any

from benchmarks._fuzzing import Fuzz
from benchmarks._simulator_seeds import prepare, read, seeds

FUZZ = Fuzz("benchmarks.fuzz_simulators", seeds, read, 2 * 2**30, prepare)


def run(files: int, seed: int, only: str = "") -> dict[str, Any]:
    """Outcomes of mutated files; see `benchmarks._fuzzing`."""
    return FUZZ.run(files, seed, only)


if __name__ == "__main__":
    FUZZ.main(__doc__)
