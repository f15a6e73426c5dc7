"""Our readers beside ansys-mapdl-reader 0.56.0, whose numbers are in reference.npz (made by make_reference.py)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from scalebridge.simulators.ansys.archive import read_archive
from scalebridge.simulators.ansys.cells import rows_of
from scalebridge.simulators.ansys.results import read_results

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "ansys-results"
EXTRA = Path(os.environ["SCALEBRIDGE_EXTRA_DATA"]) if os.environ.get("SCALEBRIDGE_EXTRA_DATA") else None
_NUMBERS = Path(__file__).parent / "reference.npz"


def reference(name: str) -> dict[str, Any]:
    with np.load(_NUMBERS) as file:
        found = {k[len(name) + 1 :]: file[k] for k in file.files if k.startswith(f"{name}/")}
    assert found, name
    return found


def compare_archive(path: Path, name: str) -> None:
    ours, theirs = read_archive(path), reference(name)
    assert np.array_equal(ours.nodes, theirs["node_numbers"])
    assert np.allclose(ours.mesh.points, theirs["points"], rtol=1e-15, atol=1e-14)
    numbers = np.concatenate([block.tags["element"] for block in ours.mesh.cells])
    assert sorted(numbers.tolist()) == sorted(theirs["element_numbers"].tolist())
    rows = dict(zip(theirs["connectivity"][:, 8].tolist(), theirs["connectivity"], strict=True))
    for block in ours.mesh.cells:
        for element, nodes in zip(block.tags["element"].tolist(), block.nodes, strict=True):
            assert ours.nodes[nodes].tolist() == rows[element][10 : 10 + len(nodes)].tolist()
    for key in theirs:
        role, _, label = key.partition("/")
        if role == "node_set":
            assert np.array_equal(ours.nodes[ours.mesh.point_sets[label]], theirs[key])
        if role == "element_set":
            assert np.array_equal(np.sort(numbers[ours.mesh.cell_sets[label]]), theirs[key])


def compare_results(path: Path, name: str) -> None:
    ours, theirs = read_results(path), reference(name)
    assert [s.value for s in ours.sets] == theirs["times"][: len(ours.sets)].tolist()
    rows = rows_of(ours.nodes, theirs["node_numbers"].astype(np.int64))
    assert (rows >= 0).all() and np.array_equal(ours.mesh.points[rows], theirs["points"])
    for k in sorted({0, len(ours.sets) - 1}):
        fields = ours.fields(k + 1)
        degrees = np.hstack([fields[n].values for n in ("displacement", "rotation") if n in fields])
        rows = rows_of(ours.nodes, theirs[f"{k}/solution_nodes"].astype(np.int64))
        assert np.array_equal(degrees[rows], theirs[f"{k}/solution"])
        rows = rows_of(ours.nodes, theirs[f"{k}/stress_nodes"].astype(np.int64))
        _same(fields["stress"].values[rows], theirs[f"{k}/stress"])
        if "stress_top" not in fields:  # it leaves strains of shells in their own directions
            shear = np.array([1, 1, 1, 2, 2, 2])
            _same(fields["elastic_strain"].values[rows] * shear, theirs[f"{k}/strain"][:, :6])


def _same(ours: Any, theirs: Any) -> None:
    """To the single precision that the file has; NaN at the same places."""
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.nanmax(np.abs(ours - theirs)) <= 2e-7 * np.nanmax(np.abs(theirs))
