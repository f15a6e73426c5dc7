"""Mesh files that meshio knows, read in a process with limits of time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scalebridge.data.fields import meshio_child
from scalebridge.data.fields.raw import RawMesh
from scalebridge.errors import InputError
from scalebridge.models.supervisor import SupervisedProcess

# By suffix: meshio's names of the formats that it may be.
FORMATS = {
    ".avs": ("avsucd",),
    ".bdf": ("nastran",),
    ".cgns": ("cgns",),
    ".e": ("exodus",),
    ".ex2": ("exodus",),
    ".exo": ("exodus",),
    ".f3grid": ("flac3d",),
    ".fem": ("nastran",),
    ".h5m": ("h5m",),
    ".inp": ("abaqus", "avsucd"),
    ".mdpa": ("mdpa",),
    ".med": ("med",),
    ".mesh": ("medit",),
    ".meshb": ("medit",),
    ".msh": ("gmsh", "ansys"),
    ".nas": ("nastran",),
    ".obj": ("obj",),
    ".off": ("off",),
    ".stl": ("stl",),
    ".su2": ("su2",),
    ".ugrid": ("ugrid",),
    ".vol": ("netgen",),
    ".vtk": ("vtk",),
    ".xdmf": ("xdmf",),
    ".xmf": ("xdmf",),
}
PARTS = ("point_data", "cell_data", "point_sets", "cell_sets")
# Beside what the interpreter and its libraries take: for any file, and for each of its bytes.
LEAST_MEMORY, MEMORY_PER_BYTE = 1 << 30, 12
LEAST_SECONDS, BYTES_PER_SECOND = 20.0, 200_000


@contextmanager
def reading() -> Iterator[SupervisedProcess]:
    """A process that reads one file after the other."""
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with SupervisedProcess(environment) as process:
        yield process


def read(process: SupervisedProcess, path: Path, size: int, memory: int | None = None) -> RawMesh:
    """Read one file of ``size`` bytes.

    Args:
        memory: bytes that the process may take; by default a GiB and 12 bytes for each of the file.

    Raises:
        InputError: a damaged file, or one whose format needs a library that is not there.
    """
    return _read(process, path, FORMATS[path.suffix.lower()], size, memory)[0]


def read_steps(process: SupervisedProcess, path: Path, size: int, memory: int | None = None) -> list[RawMesh]:
    """Read the time steps of an XDMF file; otherwise as `read`."""
    return _read(process, path, (meshio_child.STEPS, "xdmf"), size, memory)


def _read(
    process: SupervisedProcess, path: Path, formats: tuple[str, ...], size: int, memory: int | None
) -> list[RawMesh]:
    limit, seconds = memory or LEAST_MEMORY + MEMORY_PER_BYTE * size, LEAST_SECONDS + size / BYTES_PER_SECOND
    done = process.call(meshio_child.read, (str(path.resolve()), formats, limit), seconds)
    if done.status != "ok":
        why = f"reading it ended: {done.reason.split(':')[0]}" if done.died else done.reason
        raise _refusal(path, done.reason if done.status == "timeout" else why)
    verdict, told = done.value
    if verdict == "missing":
        raise InputError(
            f"The mesh '{path}' is a file of the kind {formats[0]}, which needs {told}: pip install "
            "'scalebridge[meshes]'."
        )
    if verdict != "ok":
        raise _refusal(path, str(told))
    return _received(process, told, path)


def _received(process: SupervisedProcess, trees: list[dict[str, Any]], path: Path) -> list[RawMesh]:
    """The arrays one at a time, so that no two copies of all are held; what steps share is fetched once."""
    fetched: dict[int, Any] = {}

    def fetch(number: int) -> Any:
        if number not in fetched:
            done = process.call(meshio_child.take, (number,), 600.0)
            if done.status != "ok":
                raise _refusal(path, "it holds more than the memory allowed for it")
            fetched[number] = done.value
        return fetched[number]

    def step(tree: dict[str, Any]) -> RawMesh:
        def all_of(part: str) -> dict[str, Any]:
            return {name: fetch(number) for name, number in tree[part].items()}

        blocks = [(kind, fetch(number)) for kind, number in tree["blocks"]]
        points, cells, point_sets, cell_sets = (all_of(part) for part in PARTS)
        return RawMesh(fetch(tree["points"]), blocks, points, cells, point_sets, cell_sets, tree["time"])

    return [step(tree) for tree in trees]


def _refusal(path: Path, why: str) -> InputError:
    return InputError(
        f"The mesh '{path}' cannot be read ({why.rstrip('. ')}); it may be damaged or of another kind: export it "
        "again, as .vtu where you can."
    )
