"""Reading by meshio in a process of its own: what runs there.

meshio believes what a file says about its own sizes, may loop over damaged ones, prints, and ends the process where no
reader fits. Here a limit of memory is set first, and whatever happens becomes a word of the answer.
"""

from __future__ import annotations

import re
import resource
import warnings
from typing import Any
from urllib.parse import unquote

import numpy as np

from scalebridge.data.fields.cell_types import CELL_TYPES
from scalebridge.data.fields.raw import Array, RawMesh

# The arrays of the file read last, until they are taken.
_KEPT: list[Array | None] = []
# What meshio does to the nodes of linear wedges in VTK's files, and what undoes it.
TURNED = [0, 2, 1, 3, 5, 4]
# A name of our own: the time steps of an XDMF file.
STEPS = "xdmf steps"


def read(path: str, formats: tuple[str, ...], memory: int) -> tuple[str, Any]:
    """Read a file as one of ``formats``.

    Returns:
        ``("ok", trees)``, one for each time step, with the numbers of arrays for `take` in their place,
        ``("missing", module)`` or ``("refused", reason)``.
    """
    _mend_meshio()
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    _KEPT.clear()
    warnings.simplefilter("ignore")
    reasons = []
    for name in formats:
        try:
            if name == "stl":
                _check_stl(path)
            steps = _steps(path) if name == STEPS else [converted(_reader(name)(path))]
            return "ok", _trees([_of_vtk(raw) for raw in steps] if name == "vtk" else steps)
        except ModuleNotFoundError as error:
            return "missing", error.name
        except MemoryError:
            return "refused", "it asks for more memory than an honest file of its size needs"
        except BaseException as error:  # meshio raises anything on damaged bytes, SystemExit too
            reasons.append(f"as {name}: {_words(error)}" if len(formats) > 1 else _words(error))
    return "refused", "; ".join(reasons)


def _of_vtk(raw: RawMesh) -> RawMesh:
    """VTK's older format as VTK means it.

    What may not stand in a name is written as in an address: ``T%20[K]``. And meshio turns wedges around, whose first
    triangle looks to the second in VTK as everywhere.
    """
    raw.blocks = [(kind, nodes[:, TURNED] if kind == "wedge" else nodes) for kind, nodes in raw.blocks]
    raw.point_data = {unquote(name): values for name, values in raw.point_data.items()}
    raw.cell_data = {unquote(name): values for name, values in raw.cell_data.items()}
    return raw


def _mend_meshio() -> None:
    """What meshio does wrong in reading, in this process alone.

    It leaves out cells that it does not know and says so on the screen alone: an error here. It takes each block of
    cells of gmsh's version 2 for two cells long where it parts their numbers.
    """
    import meshio

    def parted(cells: Any, whole: dict[str, Array]) -> dict[str, list[Array]]:
        ends = np.cumsum([len(nodes) for _, nodes in cells])[:-1]
        return {name: np.split(values, ends) for name, values in whole.items()}

    class Console:
        def __init__(self, **_: Any) -> None: ...

        def print(self, text: str, **_: Any) -> None:
            if "cannot handle" in text or "element type" in text:
                raise ValueError(re.sub(r"\[/?\w+\]", "", text).removeprefix("Warning: "))

    meshio._common.Console = Console
    meshio.gmsh._gmsh22.cell_data_from_raw = parted


def _words(error: BaseException) -> str:
    """What went wrong; an exception that only names a key or nothing, by its type."""
    if isinstance(error, KeyError) and error.args and error.args[0] in CELL_TYPES:
        return f"it has cells of the type {error.args[0]}, which its reader does not know"
    said = (str(error).strip().splitlines() or [""])[0][:160]
    return said if " " in said else f"it is not as its format says, {type(error).__name__} {said}".rstrip()


def take(number: int) -> Array:
    """One array of the file read last, which is then let go."""
    array = _KEPT[number]
    _KEPT[number] = None
    assert array is not None
    return array


def converted(mesh: Any) -> RawMesh:
    """What meshio read, with cell data and sets through all blocks."""
    if not np.size(mesh.points):
        raise ValueError("it holds no points")
    blocks = [_block(block) for block in mesh.cells]
    starts = np.cumsum([0, *[len(nodes) for _, nodes in blocks]])
    cell_data = {str(k): _joined(v) for k, v in mesh.cell_data.items() if len(v) == len(blocks) and blocks}
    sets = {str(k): _numbered(v, starts) for k, v in mesh.cell_sets.items() if k != "gmsh:bounding_entities" and len(v)}
    sets |= {k: v for k, v in _physical(mesh, cell_data).items() if k not in sets}
    point_sets = {str(k): np.asarray(v, dtype=np.int64).ravel() for k, v in mesh.point_sets.items()}
    return RawMesh(
        _native(np.asarray(mesh.points)),
        blocks,
        {str(k): _native(np.asarray(v)) for k, v in (mesh.point_data or {}).items()},
        cell_data,
        point_sets,
        sets,
    )


def _reader(name: str) -> Any:
    import meshio

    module = {"ansys": meshio.ansys, "gmsh": meshio.gmsh, "vtk": meshio.vtk}.get(name)
    if module is not None:
        return module.read
    from meshio._helpers import reader_map

    return reader_map[name]


def _check_stl(path: str) -> None:
    """A binary STL file says how many triangles it has; meshio takes as many as there are."""
    with open(path, "rb") as stream:
        head = stream.read(84)
        size = stream.seek(0, 2)
    if head[:5].lower() == b"solid":
        return
    claimed = int.from_bytes(head[80:84], "little")
    if len(head) < 84 or size < 84 + 50 * claimed:
        raise ValueError(f"it claims {claimed} triangles and has room for {max(0, size - 84) // 50}")


def _block(block: Any) -> tuple[str, Array]:
    if block.type.startswith("polyhedron"):
        nodes = [np.unique(np.concatenate([np.asarray(face).ravel() for face in cell])) for cell in block.data]
        return "polyhedron", np.array(nodes, dtype=np.int64)
    return str(block.type), _native(np.asarray(block.data))


def _joined(parts: list[Any]) -> Array:
    arrays = [np.asarray(part) for part in parts]
    shape = arrays[0].shape[1:]
    if any(a.shape[1:] != shape for a in arrays):
        raise ValueError("a quantity has different shapes in different blocks of cells")
    return _native(np.concatenate(arrays))


def _numbered(members: Any, starts: Array) -> Array:
    parts = [
        np.asarray(own, dtype=np.int64).ravel() + start
        for own, start in zip(members, starts[:-1], strict=False)
        if own is not None
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _physical(mesh: Any, cell_data: dict[str, Array]) -> dict[str, Array]:
    """Sets of cells by the names of gmsh's physical groups (a tag and a dimension each)."""
    tags = cell_data.get("gmsh:physical")
    if tags is None or tags.ndim != 1:
        return {}
    dimensions = np.repeat([block.dim for block in mesh.cells], [len(block.data) for block in mesh.cells])
    groups = {str(k): np.asarray(v).ravel() for k, v in mesh.field_data.items()}
    found = {k: np.flatnonzero((tags == v[0]) & (dimensions == v[1])) for k, v in groups.items() if v.size == 2}
    return {k: v for k, v in found.items() if len(v)}


def _native(array: Array) -> Array:
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))


def _steps(path: str) -> list[RawMesh]:
    from meshio.xdmf import TimeSeriesReader

    with TimeSeriesReader(path) as series:
        points, cells = series.read_points_cells()
        places, blocks = _native(np.asarray(points)), [_block(block) for block in cells]
        found = []
        for k in range(series.num_steps):
            time, at_points, in_cells = series.read_data(k)
            made = RawMesh(places, blocks, time=None if time is None else float(time))
            made.point_data = {str(name): _native(np.asarray(v)) for name, v in at_points.items()}
            made.cell_data = {str(name): _joined(list(v)) for name, v in in_cells.items()}
            found.append(made)
    return found


def _trees(steps: list[RawMesh]) -> list[dict[str, Any]]:
    numbers: dict[int, int] = {}

    def keep(array: Array) -> int:
        if id(array) not in numbers:
            numbers[id(array)] = len(_KEPT)
            _KEPT.append(array)
        return numbers[id(array)]

    trees = []
    for raw in steps:
        blocks = [(kind, keep(nodes)) for kind, nodes in raw.blocks]
        tree: dict[str, Any] = {"points": keep(raw.points), "blocks": blocks, "time": raw.time}
        for part in ("point_data", "cell_data", "point_sets", "cell_sets"):
            tree[part] = {name: keep(array) for name, array in getattr(raw, part).items()}
        trees.append(tree)
    return trees
