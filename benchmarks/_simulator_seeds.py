"""Small sound files of every format that the readers of simulators know, and how each is read."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.simulators.comsol.writing import COLUMNS, GRID, MESH, SECTIONWISE, TABLE

DATA = Path(__file__).parents[1] / "data"
CASES = DATA / "openfoam-output"
# Files of a case and the reader that comes upon them.
FOAM = {
    "polyMesh": ["points", "faces", "owner", "neighbour", "boundary"],
    "text": ["0.02/U", "0.02/phi", "0.02/grad(U)"],
    "tables": [
        "forces/0/force.dat",
        "forces/0.02/force.dat",
        "coeffs/0/coefficient.dat",
        "probes/0/U",
        "probes/0.02/p",
    ],
    "objects": ["mean/0/volFieldValue.dat", "residuals/0/solverInfo.dat", "lidmean/0.02/surfaceFieldValue.dat"],
    "samples": [
        "setsraw/0.03/line_U.xy",
        "setscsv/0.03/line_U.csv",
        "surfraw/0.03/p_lid.raw",
        "surfascii/0.03/lid.vtp",
    ],
}
EXPORT = """% Model:              busbar.mph
% Version:            COMSOL 6.1.0.252
% Date:               Mar 3 2023, 10:11
% Dimension:          2
% Nodes:              4
% Expressions:        4
% Description:        Temperature, Electric potential
% Length unit:        mm
% x                       y                        T (K) @ t=0              V (V) @ t=0   T (K) @ t=0.5   V (V) @ t=0.5
0                         0                        293.15                   0.02          300.5           0.03
1                         0                        294.25                   0.019         301.5           0.025
1                         2                        295                      0.018         NaN             0.02
0                         2                        296.5                    0.017         303.5           0.015
"""


def seeds(folder: Path) -> dict[str, tuple[str, bytes]]:
    """From a name to the path and content of a sound file; ``folder`` is for writing them."""
    made: dict[str, tuple[str, bytes]] = {}
    for parts in (_lammps(), _foam(), _calculix(), _ansys(folder), _comsol(), _meshes(folder)):
        made |= dict(parts)
    return made


def _lines(path: Path, size: int) -> bytes:
    """The beginning of a text, whole lines only."""
    content = path.read_bytes()
    return content if len(content) <= size else content[: content.rfind(b"\n", 0, size) + 1]


def _lammps() -> Iterator[tuple[str, tuple[str, bytes]]]:
    logs = DATA / "lammps-lj-logs"
    yield "lammps log", ("log.lammps", (logs / "LJ_gas" / "log.lammps").read_bytes())
    yield "lammps log, argon", ("log.argon", _lines(DATA / "argon-md" / "log.liquid94K.lammps", 12_000))
    dump = gzip.decompress((logs / "distance_2LJ_beads" / "dump.lammpstrj.gz").read_bytes())[:6000]
    dump = dump[: dump.rfind(b"ITEM: TIMESTEP")]
    yield "lammps dump", ("dump.lammpstrj", dump)
    yield "lammps dump, packed", ("dump.lammpstrj.gz", gzip.compress(dump))
    yield "lammps correlation", ("S0St.dat", _lines(DATA / "argon-md" / "S0St.liquid94K.dat", 8000))
    rows = "".join(f"{i + 1} {i % 2 + 1} {0.5 * i:.3f} {0.25 * i:.3f} 0.1\n" for i in range(20))
    head = "LAMMPS data file\n\n20 atoms\n2 atom types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\n"
    yield "lammps data", ("a.data", f"{head}Masses\n\n1 39.9\n2 40.1\n\nAtoms # atomic\n\n{rows}".encode())
    means = "# Time-averaged data for fix mean\n# TimeStep c_p c_t\n" + "".join(
        f"{100 * i} {1 + 0.01 * i:.4f} {2 - 0.01 * i:.4f}\n" for i in range(1, 30)
    )
    yield "lammps averages", ("means.dat", means.encode())


def _foam() -> Iterator[tuple[str, tuple[str, bytes]]]:
    for file in FOAM["polyMesh"]:
        for kind in ("text", "binary"):
            path = Path("constant", "polyMesh", file)
            if (CASES / kind / path).is_file():
                yield f"openfoam {kind} {path}", (str(path), (CASES / kind / path).read_bytes())
    for kind in ("text", "binary"):
        for path in sorted((CASES / kind).rglob("*")):
            relative = path.relative_to(CASES / kind)
            if path.is_file() and relative.parts[0][0].isdigit():
                yield f"openfoam {kind} {relative}", (str(relative), path.read_bytes())
    for group in ("tables", "objects", "samples"):
        for file in FOAM[group]:
            path = Path("postProcessing", file)
            if (CASES / "series" / path).is_file():
                yield f"openfoam series {path}", (str(path), (CASES / "series" / path).read_bytes())


def _calculix() -> Iterator[tuple[str, tuple[str, bytes]]]:
    for name in ("bar.dat", "bar.frd", "bar.inp", "bar.sta", "bar.cvg", "kinds.frd", "kinds_binary.frd", "modes.dat"):
        yield f"calculix {name}", (name, (DATA / "calculix-results" / name).read_bytes())


def _ansys(folder: Path) -> Iterator[tuple[str, tuple[str, bytes]]]:
    yield "ansys archive", ("beam.cdb", _lines(DATA / "ansys-results" / "HexBeam.cdb", 60_000))
    yield "ansys results", ("file.rst", (DATA / "ansys-results" / "static_file.rst").read_bytes())


def _comsol() -> Iterator[tuple[str, tuple[str, bytes]]]:
    yield "comsol export", ("busbar.txt", EXPORT.encode())
    for kind, text in {"table": TABLE, "sections": SECTIONWISE, "grid": GRID, "columns": COLUMNS}.items():
        yield f"comsol export, {kind}", (f"{kind}.txt", text.encode())
    yield "comsol mesh", ("plate.mphtxt", MESH.encode())
    yield "comsol model", ("capacitor.mph", (DATA / "comsol-files" / "capacitor.mph").read_bytes())


def _meshes(folder: Path) -> Iterator[tuple[str, tuple[str, bytes]]]:
    from scalebridge.data import CellBlock, Field, Mesh, write_mesh

    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 0.5, 0]])
    mesh = Mesh(points, (CellBlock("triangle", np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])),))
    field = Field("T", "K", np.arange(5.0), "points", mesh)
    for suffix in (".vtu", ".vtk", ".msh", ".inp"):
        path = folder / f"plate{suffix}"
        write_mesh(path, mesh, () if suffix == ".inp" else [field])
        yield f"mesh {suffix}", (path.name, path.read_bytes())


def prepare(name: str, folder: Path) -> None:
    """Put the rest of an OpenFOAM case beside its file."""
    if name.startswith("openfoam"):
        shutil.copytree(CASES / name.split()[1], folder, dirs_exist_ok=True)


def read(name: str, path: Path, folder: Path) -> object:
    """Read a file by the reader of its format, and look at what came."""
    for beginning, reader in _READERS.items():
        if name.startswith(beginning):
            return reader(path, folder)
    raise ValueError(f"no reader for '{name}'")


def _read_foam(path: Path, folder: Path) -> object:
    from scalebridge.simulators import openfoam
    from scalebridge.simulators.openfoam import function_objects

    parts = path.relative_to(folder).parts
    if parts[0] != "postProcessing":
        return openfoam.read_fields(folder)
    kind = parts[1]
    if kind == "forces":
        return openfoam.read_forces(folder, kind)
    if kind == "coeffs":
        return openfoam.read_force_coefficients(folder, kind)
    if kind == "probes":
        return openfoam.read_probes(folder, kind)
    if kind.startswith(("sets", "surf")):
        return openfoam.read_samples(folder, kind, "line" if kind.startswith("sets") else "lid")
    return function_objects.read_function_object(folder, kind)


def _reader(room: str, name: str) -> Callable[[Path, Path], object]:
    def read_one(path: Path, _: Path) -> object:
        import importlib

        return getattr(importlib.import_module(f"scalebridge.{room}"), name)(path)

    return read_one


_READERS: dict[str, Callable[[Path, Path], object]] = {
    "lammps log": _reader("simulators.lammps.logs", "read_log"),
    "lammps dump": _reader("simulators.lammps.dumps", "read_dump"),
    "lammps correlation": _reader("simulators.lammps.correlations", "read_correlation"),
    "lammps data": _reader("simulators.lammps.data_files", "read_data"),
    "lammps averages": _reader("simulators.lammps.averages", "read_averages"),
    "openfoam": _read_foam,
    "calculix bar.dat": _reader("simulators.calculix", "read_dat"),
    "calculix modes.dat": _reader("simulators.calculix", "read_dat"),
    "calculix bar.frd": _reader("simulators.calculix", "read_frd"),
    "calculix kinds": _reader("simulators.calculix", "read_frd"),
    "calculix bar.inp": _reader("simulators.calculix", "read_inp"),
    "calculix bar.sta": _reader("simulators.calculix", "read_sta"),
    "calculix bar.cvg": _reader("simulators.calculix", "read_cvg"),
    "ansys archive": _reader("simulators.ansys", "read_archive"),
    "ansys results": lambda path, _: _all_sets(path),
    "comsol export": lambda path, _: _whole_export(path),
    "comsol mesh": _reader("simulators.comsol", "read_meshes"),
    "comsol model": _reader("simulators.comsol", "read_model"),
    "mesh": _reader("data", "read_mesh"),
}


def _whole_export(path: Path) -> object:
    from scalebridge.simulators.comsol import read_export

    export = read_export(path)
    return export.dataset(), export.fields() if export.points.shape[1] else {}


def _all_sets(path: Path) -> object:
    from scalebridge.simulators.ansys import read_results

    results = read_results(path)
    return results.fields(1)
