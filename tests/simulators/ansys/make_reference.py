"""Reference numbers of ansys-mapdl-reader 0.56.0 (MIT) for our own readers; run by hand in an environment of its own.

    python -m venv v && v/bin/pip install ansys-mapdl-reader
    v/bin/python tests/simulators/ansys/make_reference.py FOLDER_OF_ANSYS_RESULTS tests/simulators/ansys/reference.npz

The files come from the repository pyansys/pymapdl-reader (MIT), commit 2db7c004c62431c8bc791ff1906df65d0e533240.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np


def results(path: Path) -> dict[str, Any]:
    from ansys.mapdl import reader

    file = reader.read_binary(str(path))
    found: dict[str, Any] = {
        "times": file.time_values,
        "node_numbers": file.mesh.nnum,
        "points": file.mesh.nodes[:, :3],
    }
    for k in sorted({0, file.n_results - 1}):
        numbers, values = file.nodal_solution(k)
        found |= {f"{k}/solution_nodes": numbers, f"{k}/solution": values}
        numbers, values = file.nodal_stress(k)
        found |= {f"{k}/stress_nodes": numbers, f"{k}/stress": values.astype(np.float32)}
        numbers, values = file.nodal_elastic_strain(k)
        found |= {f"{k}/strain": values.astype(np.float32)}
    return found


def archive(path: Path) -> dict[str, Any]:
    from ansys.mapdl import reader

    file = reader.Archive(str(path), parse_vtk=False)
    found: dict[str, Any] = {"node_numbers": file.nnum, "points": file.nodes[:, :3], "element_numbers": file.enum}
    found["connectivity"] = np.array([[*e, *[0] * (30 - len(e))] for e in file.elem], dtype=np.int32)
    found |= {f"node_set/{k}": v for k, v in file.node_components.items()}
    return found | {f"element_set/{k}": v for k, v in file.element_components.items()}


def main(folder: str, target: str) -> None:
    numbers: dict[str, Any] = {}
    for path in sorted(Path(folder).iterdir()):
        read = {".rst": results, ".cdb": archive}.get(path.suffix)
        if read is not None:
            numbers |= {f"{path.name}/{k}": v for k, v in read(path).items()}
    np.savez_compressed(target, **numbers)


if __name__ == "__main__":
    main(*sys.argv[1:])
