"""Damaged files of every kind are read, or refused in one sentence; SCALEBRIDGE_MUTATIONS says how many of each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scalebridge.simulators.openfoam.fields import read_fields
from scalebridge.simulators.openfoam.forces import read_force_coefficients, read_forces
from scalebridge.simulators.openfoam.function_objects import read_function_object, read_residuals
from scalebridge.simulators.openfoam.probes import read_probes
from scalebridge.simulators.openfoam.samples import read_samples
from tests.simulators.damaging import check_reader

OUTPUT = Path(__file__).parents[3] / "data" / "openfoam-output"
MESH = ("points", "faces", "owner", "neighbour", "boundary")
READERS = {
    "text": (read_fields, [f"constant/polyMesh/{n}" for n in MESH] + ["0.02/U", "0.02/p", "0.02/grad(U)"]),
    "binary": (read_fields, [f"constant/polyMesh/{n}" for n in MESH] + ["0.02/U", "0.02/p"]),
    "packed": (read_fields, ["constant/polyMesh/points.gz", "constant/polyMesh/faces.gz", "0.02/U.gz"]),
    "parts": (
        read_fields,
        [f"processor1/constant/polyMesh/{n}ProcAddressing" for n in ("cell", "point")]
        + ["processor1/0.02/p", "processor0/constant/polyMesh/owner"],
    ),
}
TABLES = {
    "forces/0/force.dat": read_forces,
    "forces/0.02/moment.dat": read_forces,
    "coeffs/0/coefficient.dat": lambda case: read_force_coefficients(case, "coeffs"),
    "probes/0/U": read_probes,
    "residuals/0/solverInfo.dat": read_residuals,
    "minmax/0.02/fieldMinMax.dat": lambda case: read_function_object(case, "minmax"),
    "setsraw/0.03/cross_U.xy": lambda case: read_samples(case, "setsraw", "cross"),
    "setscsv/0.03/line_U.csv": lambda case: read_samples(case, "setscsv", "line"),
    "setsvtk/0.03/line_U.vtk": lambda case: read_samples(case, "setsvtk", "line"),
    "surfraw/0.03/U_lid.raw": lambda case: read_samples(case, "surfraw", "lid"),
    "surflegacy/0.03/middle.vtk": lambda case: read_samples(case, "surflegacy", "middle"),
    "surffoam/0.03/lid/faces": lambda case: read_samples(case, "surffoam", "lid"),
    "surffoam/0.03/lid/vectorField/U": lambda case: read_samples(case, "surffoam", "lid"),
}


@pytest.mark.parametrize("kind", READERS)
def test_damaged_meshes_and_fields_are_read_or_refused_in_a_sentence(kind, tmp_path):
    read, files = READERS[kind]
    shutil.copytree(OUTPUT / kind, tmp_path / "case")
    refused = 0
    for seed, name in enumerate(files):
        path = tmp_path / "case" / name
        content = path.read_bytes()
        refused += check_reader(lambda _: read(tmp_path / "case"), content, path, seed)
        path.write_bytes(content)
    assert refused > len(files)


@pytest.mark.parametrize("name", TABLES)
def test_damaged_results_are_read_or_refused_in_a_sentence(name, tmp_path):
    shutil.copytree(OUTPUT / "series", tmp_path / "case")
    path = tmp_path / "case" / "postProcessing" / name
    assert check_reader(lambda _: TABLES[name](tmp_path / "case"), path.read_bytes(), path) > 1
